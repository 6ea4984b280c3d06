# SPDX-License-Identifier: Apache-2.0
"""A run that is interrupted goes on as if it had not been."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import torch
from programs import run_program

from vtg.engine import read_checkpoint
from vtg.engine.checkpoint import unsafe_globals
from vtg.utils import CheckpointError

TOY = Path(__file__).parent / 'helpers/toy.py'


def assert_equal(a, b, place=''):
    """Compare nested containers, tensors bit for bit."""
    assert type(a) is type(b), place
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), place
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), place
        for key in a:
            assert_equal(a[key], b[key], f'{place}.{key}')
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), place
        for index, (x, y) in enumerate(zip(a, b)):
            assert_equal(x, y, f'{place}.{index}')
    else:
        assert a == b, place


def assert_resume_is_exact(spawn, config, folder, kill_at, last, options=(), forked=True):
    """Train uninterrupted, and killed after step ``kill_at`` and resumed; compare the last file."""
    options = ['--cfg-options', *options] if options else []
    whole = spawn(config, folder / 'whole', *options, forked=forked)
    killed = spawn(config, folder / 'killed', '--kill-at', kill_at, *options)
    output, _ = killed.communicate(timeout=300)
    assert killed.returncode == -9, output
    resumed = spawn(config, folder / 'killed', '--resume', *options)
    for process in (whole, resumed):
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    assert 'going on after epoch' in output
    a, b = (read_checkpoint(folder / name / last) for name in ('whole', 'killed'))
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(a[part], b[part], part)
    losses = [item['message_hub']['log_scalars']['train/loss']['__history__'] for item in (a, b)]
    assert_equal(*losses)


def test_killed_in_the_middle_of_an_epoch(spawn, tmp_path):
    # Workers that persist are the harder case: a resumed process starts them in another epoch.
    workers = ['train_dataloader.num_workers=2', '+train_dataloader.persistent_workers=True']
    # Six batches of four to eight samples in an epoch, whose order depends on the epoch.
    batches = ['type=LengthBatches', 'max_clips=18']
    options = [*workers, *(f'+train_dataloader.batch_sampler.{each}' for each in batches)]
    assert_resume_is_exact(spawn, TOY, tmp_path, 8, 'epoch_3.pth', options, forked=False)
    assert unsafe_globals(tmp_path / 'whole/epoch_3.pth') == []


def test_a_random_seed_is_taken_from_the_checkpoint(toy_train, tmp_path):
    toy_train({'randomness.seed': None}, 'whole')
    shutil.copytree(tmp_path / 'whole', tmp_path / 'part')
    for name in ('epoch_3.pth', 'last_checkpoint'):
        (tmp_path / 'part' / name).unlink()
    toy_train({'randomness.seed': None, 'resume': True}, 'part')
    a, b = (read_checkpoint(tmp_path / name / 'epoch_3.pth') for name in ('whole', 'part'))
    assert_equal(a['state_dict'], b['state_dict'])


def test_two_processes_on_the_cpu(spawn, tmp_path):
    launcher = ('-m', 'torch.distributed.run', '--nproc-per-node', '2', '--standalone')
    arguments = (TOY, tmp_path / 'run', '--launcher', 'pytorch', '--cfg-options')
    process = spawn(*arguments, 'train_cfg.max_epochs=2', launcher=launcher)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    state = read_checkpoint(tmp_path / 'run/epoch_2.pth')
    assert state['meta']['iter'] == 4  # 32 samples, two processes, 8 per process
    scalars = state['message_hub']['log_scalars']
    assert scalars['val/toy/samples']['__history__'][0].tolist() == [32, 32]
    assert not (tmp_path / '.dist_test').exists()


@pytest.fixture(scope='module')
def trained_two_epochs(tmp_path_factory):
    """The checkpoint of two epochs of the toy model; not to be changed."""
    folder = tmp_path_factory.mktemp('trained')
    command = [sys.executable, TOY.parent / 'run_training.py', TOY, folder]
    run_program([*command, '--cfg-options', 'train_cfg.max_epochs=2'], check=True)
    return folder / 'epoch_2.pth'


@pytest.fixture
def two_epochs(trained_two_epochs, tmp_path):
    """The last checkpoint of a run of two epochs in the folder that ``toy_train`` goes on in."""
    shutil.copytree(trained_two_epochs.parent, tmp_path / 'run')
    return tmp_path / 'run/epoch_2.pth'


@pytest.mark.parametrize(
    ('option', 'place'),
    [
        ({'train_cfg.max_epochs': 4}, 'train_cfg.max_epochs was 2 and is 4'),
        ({'optim_wrapper.optimizer.lr': 0.5}, 'optim_wrapper.optimizer.lr was 0.01 and is 0.5'),
        ({'param_scheduler.1.milestones': [3]}, 'param_scheduler.1.milestones.0 was 2 and is 3'),
        ({'train_dataloader.batch_size': 4}, 'train_dataloader.batch_size was 8 and is 4'),
    ],
)
def test_another_schedule_is_refused(toy_train, two_epochs, tmp_path, option, place):
    with pytest.raises(CheckpointError, match='resume_schedule') as caught:
        toy_train({'train_cfg.max_epochs': 2, **option, 'resume': 'auto'})
    assert place in str(caught.value)


def test_a_new_schedule_on_request(toy_train, two_epochs, tmp_path):
    longer = {
        'train_cfg.max_epochs': 4,
        'param_scheduler.1.milestones': [3],
        'param_scheduler.0.end': 10,
    }
    resumed = toy_train({**longer, 'resume': 'auto', 'resume_schedule': 'new'})
    fresh = toy_train(longer, 'fresh')
    rates = [list(run.message_hub.get_scalar('train/lr').data[0]) for run in (resumed, fresh)]
    assert resumed.epoch == 4 and len(rates[0]) == len(rates[1])
    assert rates[0][4:] == pytest.approx(rates[1][4:], rel=1e-12)  # the first four are epochs 1, 2


def test_what_may_change(toy_train, two_epochs, tmp_path):
    runner = toy_train({'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2, 'resume': 'auto'})
    assert runner.epoch == 2  # finished before: nothing is left to do


def test_a_best_checkpoint_cannot_be_resumed(toy_train, two_epochs, tmp_path):
    best = str(next((tmp_path / 'run').glob('best_*.pth')))
    with pytest.raises(CheckpointError, match='holds no optimizer'):
        toy_train({'train_cfg.max_epochs': 2, 'resume': best}, 'other')


def test_resume_without_a_checkpoint_starts_from_load_from(toy_train, two_epochs, tmp_path):
    runner = toy_train(
        {'train_cfg.max_epochs': 1, 'load_from': str(two_epochs), 'resume': 'auto'}, 'new'
    )
    assert runner.epoch == 1 and not runner._resume


def test_load_from_is_strict(toy_train, two_epochs, tmp_path):
    with pytest.raises(CheckpointError, match='of another shape'):
        toy_train({'+model.dim': 9, 'load_from': str(two_epochs)}, 'other')
    broken = tmp_path / 'part.pth'
    state = read_checkpoint(two_epochs)['state_dict']
    state.pop('net.4.bias')
    torch.save(state, broken)
    with pytest.raises(CheckpointError, match=r'1 missing in the file: net\.4\.bias'):
        toy_train({'load_from': str(broken)}, 'third')


def test_load_parts_starts_from_a_part(toy_train, two_epochs, tmp_path):
    state = read_checkpoint(two_epochs)['state_dict']
    partial = tmp_path / 'part.pth'
    torch.save({k: v for k, v in state.items() if k.startswith('net.0.')}, partial)
    # At this rate the epoch leaves the weights as they were loaded.
    options = {
        'load_from': str(partial),
        '+load_parts': ['net.0'],
        'train_cfg.max_epochs': 1,
        'optim_wrapper.optimizer.lr': 1e-30,
    }
    model = toy_train(options, 'parts').bare_model.state_dict()
    assert torch.equal(model['net.0.weight'], state['net.0.weight'])
    assert not torch.equal(model['net.4.weight'], state['net.4.weight'])


@pytest.mark.parametrize('hook', [{}, {'default_hooks.plain_checkpoint': None}])
@pytest.mark.parametrize('kind', ['plain', 'counter'])
def test_config_text_of_a_checkpoint_is_never_executed(toy_train, two_epochs, tmp_path, kind, hook):
    proof = tmp_path / 'proof'
    checkpoint = read_checkpoint(two_epochs)
    meta = {**checkpoint['meta'], 'config': f'import os\nos.mkdir({str(proof)!r})\n'}
    checkpoint['meta'] = {'__counter__': meta} if kind == 'counter' else meta
    torch.save(checkpoint, tmp_path / 'crafted.pth')
    options = {'train_cfg.max_epochs': 2, 'resume': str(tmp_path / 'crafted.pth'), **hook}
    if kind == 'counter':
        with pytest.raises(
            CheckpointError, match=r'crafted\.pth cannot be used: meta\.epoch is miss'
        ):
            toy_train(options, 'other')
    else:
        toy_train(options, 'other')
    assert not proof.exists()


def _set(value, place, new):
    *path, last = (part.replace('~', '/') for part in place.split('/'))
    for key in path:
        value = value[int(key) if key.isdigit() else key]
    if new is _ABSENT:
        del value[last]
    else:
        value[last] = new


_ABSENT = object()
_NAN = float('nan')


@pytest.mark.parametrize(
    ('place', 'new', 'sentence'),
    [
        ('meta', [], 'meta is of type list, expected a dict'),
        ('meta/epoch', '2', "meta.epoch is '2', expected a whole number"),
        ('meta/epoch', 99, 'was made after epoch 99, but train_cfg.max_epochs is 2'),
        ('meta/iter', _ABSENT, 'meta.iter is missing'),
        ('meta/resume_parts', '[' * 10**5, 'meta.resume_parts is no JSON text'),
        ('message_hub/log_scalars/train~loss', 3, 'log_scalars.train/loss is 3, expected'),
        ('message_hub/runtime_info/keep_ckpt_ids', ['../../x'], "keep_ckpt_ids is '../../x'"),
        (
            'message_hub/runtime_info/best_ckpt',
            '/etc/passwd',
            'expected the name of a best_... file',
        ),
        ('message_hub/runtime_info/best_score', 'high', "best_score is 'high', expected a number"),
        ('optimizer', _ABSENT, 'holds no optimizer'),
        ('optimizer/state/0/exp_avg', torch.full((8, 4), _NAN), 'expected finite numbers'),
        (
            'optimizer/state/0/step',
            torch.tensor(-1.0),
            'step is a float32 tensor of (), expected no',
        ),
        ('optimizer/state', {}, 'optimizer.state is of type dict, expected the state'),
        ('optimizer/param_groups/0/lr', 'fast', "param_groups.0.lr is 'fast'"),
        ('optimizer/param_groups', [], 'expected a list of 1'),
        ('param_schedulers', _ABSENT, 'holds no param_schedulers'),
        ('param_schedulers/1/last_step', None, 'param_schedulers.1.last_step is missing'),
        ('param_schedulers/0/_last_value', [_NAN], 'expected a number from 0'),
        ('ema_state_dict', _ABSENT, 'holds no ema_state_dict'),
        ('ema_state_dict/module.net.4.bias', torch.tensor([_NAN]), 'NaN or infinite weights'),
        ('ema_state_dict/module.net.4.bias', 1, 'expected a tensor'),
        ('state_dict/net.4.bias', torch.tensor([_NAN]), 'NaN or infinite weights (net.4.bias)'),
    ],
)
def test_damaged_fields_are_named(toy_train, trained_two_epochs, tmp_path, place, new, sentence):
    checkpoint = read_checkpoint(trained_two_epochs)
    _set(checkpoint, place, new)
    torch.save(checkpoint, tmp_path / 'crafted.pth')
    with pytest.raises(CheckpointError, match=re.escape(sentence)):
        toy_train({'train_cfg.max_epochs': 2, 'resume': str(tmp_path / 'crafted.pth')}, 'other')
    assert not list(tmp_path.glob('other/*.pth'))


def test_settings_come_from_the_config_and_methods_stay(toy_train, trained_two_epochs, tmp_path):
    checkpoint = read_checkpoint(trained_two_epochs)
    checkpoint['param_schedulers'][1] |= {'gamma': 99, 'step': 1, 'end': '1'}
    checkpoint['optimizer']['param_groups'][0] |= {'weight_decay': 99.0, 'foreach': 'x'}
    checkpoint['meta']['config'] = 'x = 1'
    checkpoint['message_hub']['runtime_info']['cfg'] = 'x'
    torch.save(checkpoint, tmp_path / 'crafted.pth')
    options = {'train_cfg.max_epochs': 2, 'resume': str(tmp_path / 'crafted.pth')}
    runner = toy_train(options, 'other')
    assert runner.param_schedulers[1].gamma == 0.1 and callable(runner.param_schedulers[1].step)
    assert runner.optim_wrapper.param_groups[0]['weight_decay'] == 0.01


def test_named_hooks_can_be_removed(toy_train):
    runner = toy_train({'train_cfg.max_epochs': 1, 'default_hooks.nan_guard': None})
    assert 'NanGuardHook' not in [type(hook).__name__ for hook in runner.hooks]


def test_bfloat16_run(toy_config, tmp_path):
    from vtg.apis.train import configure, train

    cfg = configure(toy_config({'train_cfg.max_epochs': 1}), amp='bf16', seed=3)
    runner = train(cfg)
    assert type(runner.optim_wrapper).__name__ == 'AutocastOptimWrapper' and runner.seed == 3


def test_one_group_per_parameter_of_older_versions_is_refused(toy_train, tmp_path):
    options = {
        'train_cfg.max_epochs': 2,
        '+optim_wrapper.optimizer.weight_decay': 0.1,
        '+optim_wrapper.paramwise_cfg': {'bias_decay_mult': 0.0, 'norm_decay_mult': 0.0},
    }
    toy_train(options)
    path = tmp_path / 'run/epoch_2.pth'
    checkpoint = torch.load(path, weights_only=False)
    groups = checkpoint['optimizer']['param_groups']
    checkpoint['optimizer']['param_groups'] = [
        {**group, 'params': [number]} for group in groups for number in group['params']
    ]
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match='groups with equal settings are joined now'):
        toy_train({**options, 'resume': 'auto'})
