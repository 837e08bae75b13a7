#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Loads the typelib and uses groups from Python, without any override: as
every language does that reads introspection data."""

import sys

try:
    import gi
except ImportError:
    print('there is no PyGObject for this Python')
    sys.exit(77)

gi.require_version('Tasker', '1')
from gi.repository import Gio, GLib, Tasker


def succeed(stopper, *data):
    return True


def wait(stopper, *data):
    stopper.wait()
    return True


def test_results():
    group = Tasker.Group.new('results')
    task = Tasker.Task.new('one', succeed)
    group.add(task)
    group.spawn('two', succeed)
    ended = group.collect(None)
    assert sorted(each.get_name() for each in ended) == ['one', 'two'], ended
    assert all(each.get_state() == Tasker.TaskState.SUCCEEDED for each in ended)
    assert task in ended
    assert group.get_n_tasks() == 0


def test_stop():
    group = Tasker.Group.new('stop')
    stopper = group.create_stopper()
    assert isinstance(stopper, Gio.Cancellable)
    group.add(Tasker.Task.new('waiter', wait))
    assert group.create_signaller().stop()
    assert not group.stop()
    assert stopper.is_cancelled()
    assert group.join(None)
    counts = group.get_counts()
    assert counts.n_spawned == 1 and counts.n_live == 0, counts


def test_error():
    group = Tasker.Group.new('error')
    group.finish()
    try:
        group.try_add(Tasker.Task.new('late', succeed))
    except GLib.Error as error:
        assert error.matches(Tasker.Error.quark(), Tasker.Error.FINISHED), error
    else:
        raise AssertionError('a finished handle took a task')


def test_made_by_themselves():
    stream = Tasker.JoinStream()
    assert stream.is_ended() and stream.get_n_items() == 0
    assert stream.try_next() is None and stream.next(None) is None
    signaller = Tasker.Signaller()
    assert signaller.stop() and signaller.is_stopped()
    assert not Tasker.Stopper().is_cancelled()
    tasks = Tasker.Group.new(None).get_tasks()
    assert type(tasks)().get_n_items() == 0


def main():
    test_results()
    test_stop()
    test_error()
    test_made_by_themselves()


if __name__ == '__main__':
    main()
