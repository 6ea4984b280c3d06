# SPDX-License-Identifier: Apache-2.0
"""The whole analysis of one or several systems, as parts of a report and as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vtg.utils import Record, csv_text

from .arrays import Answers, Questions
from .errors import OUTCOMES, ErrorProfile, error_profile
from .fusion import Search, fuse, search
from .highlights import HighlightProfile, highlight_profile
from .oracle import Gains, oracle_gains
from .probes import moment_prior, prior_answers, shuffled_answers
from .significance import RESAMPLES
from .systems import Comparison, System, compare
from .values import first_hit, mean, query_values


@dataclass(frozen=True)
class Options:
    """What is asked of an analysis.

    Attributes:
        found: IoU that finds a moment. touching: The least that is no background.
        resamples: Draws of the bootstrap. seed: Of all draws.
        sigmoid: Scores are logits.
        ensemble: Weights of a fusion of all systems; empty for equal ones, None for none.
        searched: The metric of a search for a post-processing of the first system, if any.
        training: Annotations of the training split, for the prior that ignores the video.
    """

    found: float = 0.5
    touching: float = 0.1
    resamples: int = RESAMPLES
    seed: int = 0
    sigmoid: bool = False
    ensemble: Sequence[float] | None = None
    searched: str = ''
    training: Sequence[Record] = ()


@dataclass(frozen=True)
class Published:
    """A row of published numbers: a name and metrics in per cent, by the names of this module."""

    name: str
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """Everything that is known of some systems on some queries; computed when it is asked for.

    Attributes:
        title: Of the report. systems: The first is what others are compared with.
        options: See :class:`Options`.
        published: Rows beside those of the systems.
        notes: What was unusual about the files.
        raw: The answers of the first system with all windows of the file, for the search.
    """

    title: str
    systems: Sequence[System]
    options: Options = field(default_factory=Options)
    published: Sequence[Published] = ()
    notes: Sequence[str] = ()
    raw: Answers | None = None

    @property
    def questions(self) -> Questions:
        """What was asked."""
        return self.systems[0].questions

    @cached_property
    def has_moments(self) -> bool:
        """Whether moments are annotated, and predicted by every system."""
        return all('mAP' in system.values for system in self.systems)

    @cached_property
    def errors(self) -> list[ErrorProfile]:
        """Classes of errors, of the first run of every system."""
        found, touching = self.options.found, self.options.touching
        return [error_profile(self.questions, s.first, found, touching) for s in self.systems]

    @cached_property
    def gains(self) -> list[Gains]:
        """Gains of mending them."""
        return [
            oracle_gains(self.questions, system.first, profile)
            for system, profile in zip(self.systems, self.errors)
        ]

    @cached_property
    def highlights(self) -> list[HighlightProfile | None]:
        """Classes of errors of highlights."""
        return [highlight_profile(self.questions, system.first) for system in self.systems]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Every system against the first."""
        return compare(self.systems, self.options.resamples, self.options.seed)

    @cached_property
    def ensemble(self) -> Answers | None:
        """The fusion of the first runs of all systems."""
        if self.options.ensemble is None or len(self.systems) < 2:
            return None
        answers = [system.first for system in self.systems]
        return fuse(self.questions, answers, self.options.ensemble or None)

    @cached_property
    def search(self) -> Search | None:
        """The best post-processing of the first system."""
        metric = self.options.searched
        if not metric:
            return None
        answers = self.raw or self.systems[0].first
        return search(self.questions, answers, metric, self.options.seed)

    @cached_property
    def probes(self) -> list[tuple[str, int, dict[str, float], dict[str, float]]]:
        """Name, queries, metrics of an answer that does not look, and of the first system there."""
        first, found = self.systems[0], []
        if self.options.training:
            windows, shares = moment_prior(self.options.training, seed=self.options.seed)
            prior = prior_answers(self.questions, windows, shares)
            found.append((prior, self.questions.asked))
        for inside in (True, False):
            found.append(shuffled_answers(self.questions, first.first, inside, self.options.seed))
        rows = []
        for answers, chosen in found:
            values = query_values(self.questions, answers)
            if chosen.sum() > 1:
                blind = {n: mean(v[chosen]) for n, v in values.items()}
                real = {n: mean(first.values[n][chosen]) for n in values}
                rows.append((answers.name, int(chosen.sum()), blind, real))
        return rows

    def query_rows(self) -> list[list[Any]]:
        """Header and rows of the table per query."""
        header: list[Any] = ['qid', 'video', 'query', 'moments']
        columns: list[Sequence[Any]] = [
            self.questions.qids, self.questions.videos, self.questions.queries,
            self.questions.count.tolist(),
        ]  # fmt: skip
        for index, system in enumerate(self.systems):
            names = {'mIoU': 'IoU', 'mAP': 'AP', 'HL-mAP': 'HL-AP', 'HL-Hit1': 'HL-Hit1'}
            for metric, name in names.items():
                if metric in system.values:
                    header.append(f'{name} {system.name}')
                    columns.append(system.values[metric].round(2).tolist())
            if self.has_moments:
                header += [f'{name} {system.name}' for name in ('best IoU', 'first hit', 'error')]
                columns += [
                    (100 * system.first.best.max(1)).round(2).tolist(),
                    first_hit(system.first, self.options.found).tolist(),
                    [OUTCOMES[code] for code in self.errors[index].outcome],
                ]
        return [header, *map(list, zip(*columns))]

    def query_csv(self) -> str:
        """The table per query as CSV; numbers in per cent, rank 0 for no hit."""
        return csv_text(self.query_rows())
