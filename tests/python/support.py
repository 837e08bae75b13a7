# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of the override share. Importing it takes care that each
critical of GLib and each warning of Python fails the test that caused it."""

import asyncio
import faulthandler
import gc
import os
import sys
import threading
import time
import unittest
import warnings

try:
    import gi
except ImportError:
    print('1..0 # SKIP there is no PyGObject for this Python')
    sys.exit(0)

gi.require_version('Tasker', '1')
from gi.repository import Gio, GLib, GObject, Tasker  # noqa: E402

# A test that hangs says where, before Meson ends it.
faulthandler.dump_traceback_later(150, exit=True)


# What was written to the log, but for what GLib tells about itself for debugging.
# There is one writer for the life of the process.
_log = []


def _write(level, fields, n_fields, *unused):
    if level & GLib.LogLevelFlags.LEVEL_DEBUG:
        return GLib.LogWriterOutput.HANDLED
    _log.append(f'log level {level}')
    return GLib.LogWriterOutput.UNHANDLED


GLib.log_set_writer_func(_write)


def count_instances():
    """Returns how many objects there are of each type of ours, where GLib counts them:
    see "tests/run --instances"."""
    types = [GObject.GObject.__gtype__]
    counts = {}
    while types:
        gtype = types.pop()
        types += gtype.children
        if gtype.name.startswith('Tasker'):
            counts[gtype.name] = GObject.type_get_instance_count(gtype)
    return counts


COUNTS = os.environ.get('TASKER_TEST_INSTANCES') is not None
if COUNTS:
    _group = Tasker.Group.new(None)
    assert count_instances()['TaskerGroup'] == 1, 'this GLib does not count'
    del _group


class Case(unittest.TestCase):
    """A test that fails if something was written to the log, or warned about, or if
    objects of ours, or anything of a task in Python, are left."""

    def setUp(self):
        self._counts = count_instances() if COUNTS else {}
        self._log = _log
        _log.clear()
        self._warnings = warnings.catch_warnings(record=True)
        self._warned = self._warnings.__enter__()
        warnings.simplefilter('always')
        # What PyGObject itself does when it runs a main context.
        warnings.filterwarnings('ignore', r"'asyncio\.\w*policy\w*' is deprecated",
                                DeprecationWarning)
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
        self.addCleanup(self._check)

    def _on_unraisable(self, unraisable):
        self._log.append(f'{unraisable.exc_value!r} in {unraisable.object!r}')

    def _check(self):
        gc.collect()
        sys.unraisablehook = self._unraisable
        self._warnings.__exit__(None, None, None)
        self.assertEqual([str(each.message) for each in self._warned], [])
        self.assertEqual(_log, [])
        inside = sys.modules.get('gi.overrides._tasker.jobs')
        if inside is not None:
            # What C frees, it frees in other threads.
            wait_until(lambda: not inside.threads.queued and not inside.threads.running)
            self.assertEqual((inside.of_key, inside.of_runner), ({}, {}))
        if COUNTS:
            self._check_instances()

    def _check_instances(self):
        end = time.monotonic() + 10
        while True:
            gc.collect()
            GLib.MainContext.default().iteration(False)
            more = {name: n for name, n in count_instances().items() if n > self._counts.get(name, 0)}
            if not more or time.monotonic() > end:
                break
            time.sleep(0.01)
        self.assertEqual(more, {}, 'objects are left')


def run(function):
    """Makes a test method of an async one, which has a minute."""
    def method(self):
        async def limited():
            await asyncio.wait_for(function(self), 60)
        asyncio.run(limited())
    method.__doc__ = function.__doc__
    return method


def wait_until(condition, seconds=30):
    """Waits for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it did not happen'
        time.sleep(0.001)


def iterate_until(condition, seconds=30):
    """Runs the default main context until it has done something."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it did not happen'
        if not GLib.MainContext.default().iteration(False):
            time.sleep(0.001)


def assert_counts(case, group, **expected):
    """Checks numbers of tasks, and that each is counted once."""
    counts = group.get_counts()
    case.assertEqual(counts.n_spawned, counts.n_live + counts.n_succeeded + counts.n_failed +
                     counts.n_stopped + counts.n_aborted)
    for name, number in expected.items():
        case.assertEqual(getattr(counts, f'n_{name}'), number, name)


__all__ = ['Case', 'Gio', 'GLib', 'Tasker', 'assert_counts', 'asyncio', 'gc', 'iterate_until',
           'run', 'threading', 'time', 'unittest', 'wait_until']
