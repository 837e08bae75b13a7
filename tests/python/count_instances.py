# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the other tests in this process, and prints how many instances of the
types of Tasker are left: it runs with GOBJECT_DEBUG=instance-count."""

import sys

import test_coroutines
import test_streams
import test_stoppers
import test_task_group
import test_threads
from gi.repository import GObject
from support import *

MODULES = test_threads, test_coroutines, test_streams, test_stoppers, test_task_group
TYPES = 'TaskerGroup', 'TaskerTask', 'TaskerStopper', 'TaskerSignaller', 'TaskerJoinStream'


def count():
    """Returns the numbers of instances, when they have stopped changing."""
    gc.collect()
    return {name: GObject.type_get_instance_count(GObject.type_from_name(name)) for name in TYPES}


def main():
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromModule(module)
                               for module in MODULES)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    deadline = time.monotonic() + 10
    while any(count().values()) and time.monotonic() < deadline:
        GLib.MainContext.default().iteration(False)
        time.sleep(0.05)
    for name, number in count().items():
        print('left', name, number)
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
