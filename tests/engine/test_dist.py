# SPDX-License-Identifier: Apache-2.0
"""Several processes need torchrun."""

import pytest
from mmengine.config import Config

from vtg.engine.dist import setup_distributed
from vtg.utils import ConfigError


def test_a_process_that_torchrun_did_not_start(monkeypatch):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.delenv(name, raising=False)
    cfg = Config()
    with pytest.raises(ConfigError, match=r'RANK is not set; write torchrun --nproc-per-node=N'):
        setup_distributed(cfg, 'pytorch')
    setup_distributed(cfg, 'none')
    assert cfg.launcher == 'none' and 'model_wrapper_cfg' not in cfg
