# SPDX-License-Identifier: LGPL-2.1-or-later

"""The window in Python, used through the actions that its buttons have: how the
jobs end, and that it ends with them.

It wants a display and a session bus, which display.py has for it."""

import importlib.util
import os
import signal
import subprocess
import unittest

import tap
from running import COMMAND, Running, wait_until

tap.require('Gtk', '4.0')
from gi.repository import GLib, Gtk  # noqa: E402

APP_ID = 'org.libtasker.PythonJobs'
APP_PATH = '/org/libtasker/PythonJobs'


class Application(Running):
    """The application, under way."""

    def __init__(self):
        super().__init__(COMMAND, os.environ)
        wait_until(self.has_window)

    def call(self, path, method, *args):
        return subprocess.run(['gdbus', 'call', '--session', '--dest', APP_ID, '--object-path', path,
                               '--method', f'org.gtk.Actions.{method}', *args],
                              capture_output=True, text=True, check=False)

    def has_window(self):
        return self.call(APP_PATH + '/window/1', 'List').returncode == 0

    def activate(self, action, parameter=None):
        value = '[]' if parameter is None else f'[<"{parameter}">]'
        done = self.call(APP_PATH, 'Activate', action, value, '{}')
        if done.returncode != 0:
            raise AssertionError(f'{action}: {done.stderr}')

    def has_jobs(self):
        """Whether jobs run: then there is something to cancel."""
        done = self.call(APP_PATH, 'Describe', 'cancel-all')
        done.check_returncode()
        return done.stdout.startswith('((true,')

    def states(self):
        """How the jobs have ended, which it says at its own end."""
        return dict(line.split(': ') for line in self.stdout.splitlines())


class Use(unittest.TestCase):
    def start(self):
        application = Application()
        self.addCleanup(application.process.stdout.close)
        self.addCleanup(application.process.stderr.close)
        self.addCleanup(application.process.wait)
        self.addCleanup(application.process.kill)
        return application

    def assert_ended(self, application, states):
        """It ended as it should, its jobs so, and without a word of warning."""
        self.assertEqual((application.finish(), application.stderr), (0, ''))
        self.assertEqual(application.states(), states)

    def test_nothing_to_do(self):
        application = self.start()
        application.activate('quit')
        self.assert_ended(application, {})

    def test_jobs(self):
        application = self.start()
        self.assertFalse(application.has_jobs())

        application.activate('start', 'wait')
        wait_until(application.has_jobs)
        application.activate('cancel', 'wait')  # of which there is none
        application.activate('cancel', 'wait 1')
        wait_until(lambda: not application.has_jobs())

        application.activate('start', 'nap')
        for _ in range(3):
            application.activate('start', 'wait')
        application.activate('cancel', 'wait 2')
        application.activate('quit')
        self.assert_ended(application, {'wait 1': 'stopped', 'wait 2': 'stopped',
                                        'wait 3': 'stopped', 'wait 4': 'stopped'})

    def test_one_that_is_done(self):
        application = self.start()
        n_jobs = 0
        while not application.has_jobs():  # It may be done before we look.
            application.activate('start', 'primes')
            n_jobs += 1
        wait_until(lambda: not application.has_jobs())
        application.activate('quit')
        self.assert_ended(application, {f'primes {i + 1}': 'succeeded' for i in range(n_jobs)})

    def test_cancel_all(self):
        application = self.start()
        for _ in range(20):
            application.activate('start', 'wait')
        wait_until(application.has_jobs)
        application.activate('cancel-all')
        wait_until(lambda: not application.has_jobs())
        application.activate('quit')
        self.assert_ended(application, {f'wait {i}': 'stopped' for i in range(1, 21)})

    def signal(self, signum):
        application = self.start()
        application.activate('start', 'wait')
        application.activate('start', 'wait')
        application.process.send_signal(signum)
        self.assert_ended(application, {'wait 1': 'stopped', 'wait 2': 'stopped'})

    def test_interrupt(self):
        self.signal(signal.SIGINT)

    def test_terminate(self):
        self.signal(signal.SIGTERM)


def load_program():
    spec = importlib.util.spec_from_file_location('jobs', COMMAND[-1])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_widgets(widget, kind):
    """Lists the widgets of a kind that can be seen in this one."""
    found = [widget] if isinstance(widget, kind) and widget.get_mapped() else []
    child = widget.get_first_child()
    while child is not None:
        found += find_widgets(child, kind)
        child = child.get_next_sibling()
    return found


class Look(unittest.TestCase):
    """What the window shows; this runs in the process of the test."""

    def setUp(self):
        self.jobs = load_program()
        self.application = self.jobs.Application()
        self.context = GLib.MainContext.default()

    def iterate_until(self, condition):
        wait_until(lambda: [self.context.iteration(False), condition()][1])

    def rows(self):
        window = self.application.get_active_window()
        return [] if window is None else find_widgets(window, self.jobs.Row)

    def labels(self, row):
        return [label.get_label() for label in find_widgets(row, Gtk.Label)]

    def check(self):
        start = GLib.Variant('s', 'wait')
        self.application.activate_action('start', start)
        self.application.activate_action('start', start)
        self.iterate_until(lambda: len(self.rows()) == 2)
        first, second = self.rows()
        self.assertEqual((self.labels(first)[0], self.labels(second)[0]), ('wait 1', 'wait 2'))

        progress, = find_widgets(first, Gtk.ProgressBar)
        self.iterate_until(lambda: progress.get_fraction() >= 0.02)
        self.assertRegex(self.labels(first)[1], r'^\d+ steps to go$')

        button, = find_widgets(first, Gtk.Button)
        button.emit('clicked')
        self.iterate_until(lambda: len(self.rows()) == 1)
        self.assertEqual(self.labels(self.rows()[0])[0], 'wait 2')

    def test_row(self):
        def on_idle():
            try:
                self.check()
            except BaseException as error:
                errors.append(error)
            self.application.get_active_window().close()

        errors = []
        GLib.idle_add(on_idle)
        self.assertEqual(self.application.run(), 0)
        if errors:
            raise errors[0]
        self.assertEqual([task.name for task in self.application.group.poll_collect()],
                         ['wait 1', 'wait 2'])


if __name__ == '__main__':
    tap.main()
