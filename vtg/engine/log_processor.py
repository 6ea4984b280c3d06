# SPDX-License-Identifier: Apache-2.0
"""Shorter log lines."""

import re
from typing import Any

from mmengine.runner import LogProcessor

from vtg.registry import LOG_PROCESSORS

SHOWN = (
    'MR-full-R1@0.5',
    'MR-full-R1@0.7',
    'MR-full-mAP',
    'HL-min-VeryGood-mAP',
    'HL-min-VeryGood-Hit1',
    'HL-mAP',
)
_ITEM = re.compile(r'  (?P<name>[\w/@.\-]+): \S+')


@LOG_PROCESSORS.register_module()
class BriefLogProcessor(LogProcessor):
    """MMEngine's log lines with fewer items; files for plots keep them all.

    Args:
        hide: Training items whose whole name matches are left out of the line, by default the
            terms of all decoder layers but the last.
        show: Metrics that the line of an evaluation shows, by their names without the prefix of the
            evaluator; items that are no metrics (times) are shown too.
        kwargs: See MMEngine's ``LogProcessor``.
    """

    def __init__(
        self,
        hide: str = r'loss_.*_\d+',
        show: list[str] | tuple[str, ...] = SHOWN,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hide = re.compile(hide)
        self.show = set(show)

    def get_log_after_iter(self, *args: Any, **kwargs: Any) -> tuple[dict, str]:
        """See MMEngine; only the text is shortened."""
        tag, text = super().get_log_after_iter(*args, **kwargs)
        return tag, self._kept(text, lambda name: not self.hide.fullmatch(name))

    def get_log_after_epoch(self, *args: Any, **kwargs: Any) -> tuple[dict, str]:
        """See MMEngine; only the text is shortened."""
        tag, text = super().get_log_after_epoch(*args, **kwargs)
        return tag, self._kept(text, self._is_shown)

    def _is_shown(self, name: str) -> bool:
        prefix, _, metric = name.rpartition('/')
        return not prefix or metric in self.show

    @staticmethod
    def _kept(text: str, keep: Any) -> str:
        return _ITEM.sub(lambda match: match[0] if keep(match['name']) else '', text)
