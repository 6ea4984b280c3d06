# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a checkpoint with a benchmark report."""

from itertools import chain
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config

from vtg.datasets.annotated import AnnotatedDataset
from vtg.engine.checkpoint import load_weights
from vtg.engine.config import benchmark_name, feature_names
from vtg.engine.precision import amp_context
from vtg.engine.runner import GroundingRunner
from vtg.evaluation.metrics import Evaluated, gather
from vtg.reports.published import published_for
from vtg.reports.report import Report, RunFacts, config_hash, file_sha8, make_report
from vtg.reports.selection import selection_rule
from vtg.reports.submission import check_size, write_submission_archive
from vtg.structures import MAIN, MetricTable
from vtg.utils import ConfigError, DataError, terminal_table

SPLITS = ('val', 'test')
# Hooks that evaluation needs; the others belong to training.
EVALUATION_HOOKS = ('runtime_info', 'timer', 'logger', 'console')


def run_test(
    cfg: Config,
    checkpoint: str | Path,
    split: str = 'test',
    out: str | Path | None = None,
    submission: bool = False,
    published: Literal['config', 'family'] = 'config',
    amp: str | None = None,
    compare: bool = False,
    html: bool = False,
    videos: str | Path | None = None,
) -> Report:
    """Evaluate one checkpoint on one split, print the report and save it.

    Moment retrieval and highlight detection come from the same forward pass of the same weights.

    Args:
        cfg: A complete config; it is not changed.
        checkpoint: Weights that fit the model exactly.
        split: ``'val'`` or ``'test'``: which of the config's loaders is used.
        out: Folder for ``report_<split>.json`` and ``.md``; the work directory by default.
        submission: Evaluate the other split as well, and write the official prediction file of each
            and a zip of both; they are checked before.
        published: Show the published numbers of this ``'config'``, or also those of the
            ``'family'`` of configs in its folder.
        amp: ``'bf16'``, or ``'fp16'`` on a GPU: run the layers in half precision.
        compare: With ``amp``, evaluate in float32 as well and print how the metrics differ.
        html: Write ``predictions_<split>.jsonl.gz`` and ``page_<split>.html``, a browser through
            the queries, worst first.
        videos: A folder with ``<vid>.mp4`` and the like, which the page plays.

    Returns:
        The report.

    Raises:
        ConfigError: The config has no such split, or there is nothing to compare.
        CheckpointError: The checkpoint is missing, unsafe or does not fit.
    """
    if compare and amp is None:
        raise ConfigError('--compare needs --amp; write --amp bf16 --compare.')
    runner = evaluation_runner(cfg, split)
    meta = load_weights(runner.bare_model, checkpoint)
    whole = test_in(runner, None).table if compare else {}
    found = test_in(runner, amp)
    metric = runner.test_evaluator.metrics[0]
    facts = _facts(cfg, runner, checkpoint, meta, split, len(metric.predictions))
    rows = published_for(cfg, facts.dataset, split, family=published == 'family')
    report = make_report(found.table, facts, rows, found.details, found.quantities, found.baselines)
    print(report.table())
    if compare:
        print(_differences(whole, found.table, str(amp)))
    out = Path(out or cfg.work_dir)
    written = list(report.save(out, f'report_{split}'))
    if submission:
        written.append(_write_submission(cfg, checkpoint, split, metric, out, amp))
    if html:
        # With it comes SciPy's statistics, which a report need not wait for.
        from .browsing import write_browser

        clip_length = float(getattr(_dataset(runner), 'clip_length', None) or 2.0)
        title = f'{facts.dataset} {split}: {Path(facts.config).stem}'
        written += write_browser(out, title, split, metric, clip_length, videos)
    print('written: ' + ', '.join(map(str, written)))
    return report


def _write_submission(
    cfg: Config, checkpoint: str | Path, split: str, metric: Any, out: Path, amp: str | None
) -> Path:
    """Write the archive with both splits that the server asks for, of the same weights."""
    metrics = {split: metric}
    other = 'val' if split == 'test' else 'test'
    try:
        runner = evaluation_runner(cfg, other)
        load_weights(runner.bare_model, checkpoint)
        test_in(runner, amp)
        metrics[other] = runner.test_evaluator.metrics[0]
    except (ConfigError, DataError) as error:
        print(f'note: submission.zip will lack hl_{other}_submission.jsonl: {error}')
    metrics = {name: metrics[name] for name in SPLITS if name in metrics}
    if str(_dataset_name(cfg, split)) == 'QVHighlights':
        for name, found in metrics.items():
            check_size(name, len(found.annotations))
    return write_submission_archive(
        out,
        {name: found.predictions for name, found in metrics.items()},
        {name: found.annotations for name, found in metrics.items()},
    )


def test_in(runner: GroundingRunner, amp: str | None) -> Evaluated:
    """Run the evaluation of a runner in a precision; all its metrics in one table."""
    model = runner.bare_model
    device = next(chain(model.parameters(), model.buffers())).device
    with amp_context(amp, device)():
        values = runner.test()
    return gather(runner.test_evaluator.metrics, values)


def _differences(whole: MetricTable, half: MetricTable, amp: str) -> str:
    """A table of the metrics of the main list in both precisions."""
    rows = [
        [name, f'{value:.2f}', f'{half[MAIN][name]:.2f}', f'{half[MAIN][name] - value:+.2f}']
        for name, value in whole.get(MAIN, {}).items()
    ]
    return terminal_table(('metric', 'fp32', amp, 'difference'), rows)


def evaluation_runner(cfg: Config, split: str) -> GroundingRunner:
    """Build a runner that only evaluates ``split``; ``cfg`` is not changed."""
    loader = cfg.get(f'{split}_dataloader')
    if split not in SPLITS or loader is None:
        have = [name for name in SPLITS if cfg.get(f'{name}_dataloader')]
        raise ConfigError(
            f'the config has no {split}_dataloader; splits that it has: {", ".join(have)}.'
        )
    cfg = cfg.copy()
    cfg.test_dataloader, cfg.test_evaluator = loader, cfg.get(f'{split}_evaluator')
    cfg.test_cfg = cfg.get('test_cfg') or {}
    for name in ('train', 'val'):
        for key in ('dataloader', 'cfg', 'evaluator'):
            cfg.pop(f'{name}_{key}', None)
    for key in ('optim_wrapper', 'param_scheduler', 'load_from', 'custom_hooks', 'auto_scale_lr'):
        cfg.pop(key, None)
    cfg.resume = False
    # The curves are those of training; MMEngine's other backends would begin another file of them.
    cfg.visualizer = {'type': 'Visualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]}
    hooks = cfg.get('default_hooks') or {}
    cfg.default_hooks = {
        name: hook if name in EVALUATION_HOOKS else None for name, hook in hooks.items()
    }
    return GroundingRunner.from_cfg(cfg)


def _facts(
    cfg: Config,
    runner: GroundingRunner,
    checkpoint: str | Path,
    meta: dict[str, Any],
    split: str,
    queries: int,
) -> RunFacts:
    model = runner.bare_model
    has_file = Path(checkpoint).is_file()  # a model with nothing to learn has none
    time, loading = (
        runner.message_hub.get_scalar(f'test/{name}').data[0].sum()
        for name in ('time', 'data_time')
    )
    return RunFacts(
        config=str(cfg.filename or ''),
        config_hash=config_hash(cfg.pretty_text),
        seed=cfg.get('randomness', {}).get('seed'),
        checkpoint=str(checkpoint) if has_file else '',
        checkpoint_sha8=file_sha8(checkpoint) if has_file else '',
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        seconds_per_query=float(time - loading) / max(queries, 1),
        dataset=_dataset_name(cfg, split),
        split=split,
        queries=queries,
        annotation=_annotation(runner),
        features=feature_names(cfg),
        result_list=getattr(model, 'output', None) or '',
        selection=selection_rule(cfg, meta, split),
    )


def _annotation(runner: GroundingRunner) -> str:
    """The file that was evaluated, and what the dataset mended in it, in one line."""
    dataset = _dataset(runner)
    if not isinstance(dataset, AnnotatedDataset):
        return ''
    # Benchmarks have several protocols, which differ in the file.
    return ': '.join(filter(None, (Path(dataset.ann_file).name, dataset.census.summary())))


def _dataset(runner: GroundingRunner) -> Any:
    return runner.test_loop.dataloader.dataset


def _dataset_name(cfg: Config, split: str) -> str:
    """The name under which ``metafile.yml`` lists published numbers, and the domain."""
    dataset = cfg[f'{split}_dataloader'].dataset
    return ', '.join(filter(None, (benchmark_name(cfg) or dataset.type, dataset.get('domain'))))
