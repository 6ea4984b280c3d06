# SPDX-License-Identifier: Apache-2.0
"""Constructors stay small enough to read."""

import importlib
import inspect
import pkgutil

import vtg

MOST_ARGUMENTS = 12
# Records that are passed on, made by name and never written in a config.
RECORDS = {
    'vtg.models.losses.assigned.AssignedPredictions',
    'vtg.reports.report.RunFacts',
    'vtg.structures.state.GroundingState',
}


def test_no_constructor_has_more_arguments_than_a_reader_can_hold():
    counted = {}
    for info in pkgutil.walk_packages(vtg.__path__, 'vtg.'):
        module = importlib.import_module(info.name)
        for name, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == info.name and '__init__' in vars(cls):
                counted[f'{info.name}.{name}'] = len(inspect.signature(cls).parameters)
    assert counted.keys() >= RECORDS and len(counted) > 200
    assert 'vtg.datasets.grounding.GroundingDataset' in counted
    found = {name: count for name, count in counted.items() if count > MOST_ARGUMENTS}
    assert found.keys() <= RECORDS, found
