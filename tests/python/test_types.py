# SPDX-License-Identifier: LGPL-2.1-or-later

"""Tasker.pyi, for those who check types, says what there is."""

import ast
from pathlib import Path

import tap
from support import *

STUBS = Path(__file__).resolve().parents[2] / 'tasker' / 'overrides' / 'Tasker.pyi'
MODULES = 'gi.repository.Tasker', 'gi.overrides.Tasker'
CLASSES = 'Stopper', 'Task', 'Signaller', 'JoinStream', 'Group', 'Error', 'TaskState'
# The structures of C, and what the overrides of languages are made of.
INSIDE = {
    'parent_instance', 'GroupClass', 'JoinStreamClass', 'SignallerClass', 'StopperClass', 'TaskClass',
    'complete_many', 'get_key', 'new_owned', 'spawn_owned',
    'register_async_owner', 'register_external_owner', 'register_worker_owner',
    'worker_at_idle', 'worker_begin', 'worker_next',
}


def names_of(body):
    """Returns what statements of Python define, without what is private."""
    names = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
    return {name for name in names if not name.startswith('_')}


class Stubs(Case):
    def setUp(self):
        super().setUp()
        body = ast.parse(STUBS.read_text()).body
        self.names = names_of(body)
        self.classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}

    def test_module(self):
        names = {name for name in dir(Tasker) if not name.startswith('_')}
        self.assertEqual(self.names, names - INSIDE)

    def test_classes(self):
        for name in CLASSES:
            own = {each for kind in getattr(Tasker, name).__mro__ if kind.__module__ in MODULES
                   for each in vars(kind) if not each.startswith('_')}
            said = names_of(self.classes[name].body)
            if name == 'Task':
                said |= names_of(self.classes['Stopper'].body)
            self.assertEqual(said, own - INSIDE, name)

    def test_special_methods(self):
        """Those of them that the override has are said, and are there."""
        for name in 'Task', 'JoinStream', 'Group', 'interval':
            said = {node.name for node in self.classes[name].body
                    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and
                    node.name.startswith('__')}
            kind = getattr(Tasker, name)
            self.assertTrue(said)
            self.assertEqual([each for each in said if not hasattr(kind, each)], [], name)
            self.assertEqual({each for each in ('__await__', '__enter__', '__aenter__', '__exit__',
                                                '__aexit__', '__next__', '__anext__')
                              if hasattr(kind, each)} - said, set(), name)


if __name__ == '__main__':
    tap.main()
