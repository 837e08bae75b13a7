#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The smallest program in Python: a group, two tasks, one of which starts the
other, and a timer that stops them both. It runs for one second."""

import threading

import gi

gi.require_version('Tasker', '1')
from gi.repository import Tasker  # noqa: E402


def tick(task):
    # A task's function runs in a worker thread, and gets the task to obey. At the
    # stop the sleep raises an exception, and to let that pass is how a task says
    # that it has ended because it was stopped.
    while True:
        task.sleep(10)
        print('tick')


def hello(task, group):
    # A task may start others. Leaving the "with" of a clone finishes that handle,
    # to promise that no more will come: a join waits for that, too.
    with group:
        group.spawn(tick)

    print('hello')
    task.wait_stopped()
    print('goodbye')


# Leaving the "with" of the group waits for every task, and raises what they have
# failed with. To be stopped is not a failure.
with Tasker.Group('greetings') as group:
    group.spawn(hello, group.clone())
    threading.Timer(1, group.stop).start()
