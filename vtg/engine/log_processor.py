# SPDX-License-Identifier: Apache-2.0
"""Shorter log lines."""

import re
from collections.abc import Callable
from typing import Any

from mmengine.runner import LogProcessor

from vtg.registry import LOG_PROCESSORS

_ITEM = re.compile(r'  (?P<name>[\w/@.+\-]+): \S+')


@LOG_PROCESSORS.register_module()
class BriefLogProcessor(LogProcessor):
    """MMEngine's log lines with fewer items; files for plots keep them all.

    Args:
        hide: Training items whose whole name matches are left out of the line, by default the
            terms of all decoder layers but the last.
        show: Metrics that the line of an evaluation shows, by their names without the prefix of the
            evaluator. None shows the headlines that the metrics declare, and all numbers of metrics
            that declare nothing. Items that are no metrics (times) are shown too.
        kwargs: See MMEngine's ``LogProcessor``.
    """

    def __init__(
        self,
        hide: str = r'loss_.*_\d+',
        show: list[str] | tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hide = re.compile(hide)
        self.show = None if show is None else set(show)

    def get_log_after_iter(self, *args: Any, **kwargs: Any) -> tuple[dict, str]:
        """See MMEngine; only the text is shortened."""
        tag, text = super().get_log_after_iter(*args, **kwargs)
        return tag, self._kept(text, lambda name: not self.hide.fullmatch(name))

    def get_log_after_epoch(self, *args: Any, **kwargs: Any) -> tuple[dict, str]:
        """See MMEngine; only the text is shortened."""
        tag, text = super().get_log_after_epoch(*args, **kwargs)
        return tag, self._kept(text, self._shown(*args))

    def _shown(self, runner: Any, _: int, mode: str, *args: Any) -> Callable[[str], bool]:
        """Whether an item of the line is shown, by its name."""
        if self.show is not None:
            named = self.show
            return lambda name: '/' not in name or name.rpartition('/')[2] in named
        return shown_first((runner.val_loop if mode == 'val' else runner.test_loop).evaluator)

    @staticmethod
    def _kept(text: str, keep: Any) -> str:
        return _ITEM.sub(lambda match: match[0] if keep(match['name']) else '', text)


def shown_first(evaluator: Any) -> Callable[[str], bool]:
    """Return whether an item, by its name, is a headline of its metric or of none that tells."""
    declared = [
        (metric.prefix, {one.name for one in metric.quantities if one.headline})
        for metric in evaluator.metrics
        if getattr(metric, 'quantities', None)
    ]

    def shown(name: str) -> bool:
        prefix, _, metric = name.rpartition('/')
        names = [headlines for owner, headlines in declared if owner == prefix]
        return not names or any(metric in headlines for headlines in names)

    return shown
