# SPDX-License-Identifier: Apache-2.0
# Loaders of data that need no workers: simulated, or a handful of videos per domain.
_loader = dict(batch_size=32, num_workers=0, collate_fn=dict(type='vtg.collate'))
train_dataloader = dict(sampler=dict(type='EpochSampler', shuffle=True), **_loader)
val_dataloader = dict(sampler=dict(type='EpochSampler', shuffle=False), **_loader)
del _loader
