# SPDX-License-Identifier: Apache-2.0
"""Shorter log lines."""

import re
from typing import Any

from mmengine.runner import LogProcessor

from vtg.registry import LOG_PROCESSORS

_ITEM = re.compile(r'  (?P<name>[\w/@.\-]+): \S+')


@LOG_PROCESSORS.register_module()
class BriefLogProcessor(LogProcessor):
    """MMEngine's log lines with fewer items; files for plots keep them all.

    Args:
        hide: Training items whose whole name matches are left out of the line, by default the
            terms of all decoder layers but the last.
        show: Of an evaluation's items only those are shown whose name matches somewhere; names
            without a slash (times) always are.
        kwargs: See MMEngine's ``LogProcessor``.
    """

    def __init__(
        self,
        hide: str = r'loss_.*_\d+',
        show: str = r'MR-full-(R1@0\.[57]|mAP)$|VeryGood|loss',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hide = re.compile(hide)
        self.show = re.compile(show)

    def get_log_after_iter(self, *args: Any, **kwargs: Any) -> tuple[dict, str]:
        """See MMEngine; only the text is shortened."""
        tag, text = super().get_log_after_iter(*args, **kwargs)
        return tag, self._kept(text, lambda name: not self.hide.fullmatch(name))

    def get_log_after_epoch(self, *args: Any, **kwargs: Any) -> tuple[dict, str]:
        """See MMEngine; only the text is shortened."""
        tag, text = super().get_log_after_epoch(*args, **kwargs)
        return tag, self._kept(text, lambda name: '/' not in name or self.show.search(name))

    @staticmethod
    def _kept(text: str, keep: Any) -> str:
        return _ITEM.sub(lambda match: match[0] if keep(match['name']) else '', text)
