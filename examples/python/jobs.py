#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A window that starts jobs, shows how far they are, and cancels them. When it is
closed, the jobs are stopped and waited for; then it says how each of them ended."""

import math
import signal
import sys

import gi

gi.require_version('Gtk', '4.0')
gi.require_version('Tasker', '1')
from gi.repository import Gio, GLib, GObject, Gtk, Tasker  # noqa: E402

APP_ID = 'org.libtasker.PythonJobs'
GRACE_MS = 5000


# The jobs, in worker threads. What they say of their progress gets to the window
# by itself, and not more often than that is drawn.

def wait(task, steps=100):
    for step in range(steps):
        task.set_progress(step / steps, f'{steps - step} steps to go')
        task.sleep(0.1)  # raises an exception at the stop


def count_primes(task, end=300_000):
    n_primes = 0
    for number in range(2, end):
        if number % 100 == 0:
            task.set_progress(number / end, f'{n_primes} primes')
            task.sleep(0)  # this, too
        n_primes += all(number % divisor for divisor in range(2, math.isqrt(number) + 1))
    return n_primes


class Row(Gtk.Box):
    """Shows one task."""

    def __init__(self):
        super().__init__(spacing=12)
        self._name = Gtk.Label(xalign=0, width_chars=12)
        self._progress = Gtk.ProgressBar(valign=Gtk.Align.CENTER, hexpand=True)
        self._message = Gtk.Label(xalign=0, width_chars=20)
        self._cancel = Gtk.Button(label='Cancel')
        for widget in (self._name, self._progress, self._message, self._cancel):
            self.append(widget)
        self._bindings = []

    def bind(self, task):
        self._name.set_label(task.name)
        self._cancel.set_action_target_value(GLib.Variant('s', task.name))
        self._cancel.set_action_name('app.cancel')
        flags = GObject.BindingFlags.SYNC_CREATE
        self._bindings = [
            task.bind_property('progress', self._progress, 'fraction', flags),
            task.bind_property('progress-message', self._message, 'label', flags),
        ]

    def unbind(self):
        for binding in self._bindings:
            binding.unbind()
        self._bindings = []


class Window(Gtk.ApplicationWindow):
    def __init__(self, application, tasks):
        super().__init__(application=application, title='Jobs', default_width=600,
                         default_height=400)
        bar = Gtk.HeaderBar()
        for label, job in (('Wait', 'wait'), ('Count primes', 'primes')):
            bar.pack_start(Gtk.Button(label=label, action_name='app.start',
                                      action_target=GLib.Variant('s', job)))
        bar.pack_end(Gtk.Button(label='Cancel all', action_name='app.cancel-all'))
        self.set_titlebar(bar)

        factory = Gtk.SignalListItemFactory()
        factory.connect('setup', lambda _, item: item.set_child(Row()))
        factory.connect('bind', lambda _, item: item.get_child().bind(item.get_item()))
        factory.connect('unbind', lambda _, item: item.get_child().unbind())
        view = Gtk.ListView(model=Gtk.NoSelection(model=tasks), factory=factory)
        self.set_child(Gtk.ScrolledWindow(child=view))


class Application(Gtk.Application):
    JOBS = {'wait': wait, 'primes': count_primes}

    def __init__(self):
        super().__init__(application_id=APP_ID)
        self.group = Tasker.Group('jobs')
        # When the application ends, whyever, this stops the jobs and waits for them.
        self.group.bind_application(self, GRACE_MS)
        self._tasks = self.group.get_tasks()
        self._n_started = 0

    def do_startup(self):
        Gtk.Application.do_startup(self)
        # Here, for PyGObject has a handler of its own from the beginning of run().
        for number in (signal.SIGINT, signal.SIGTERM):
            self.group.stop_on_signal(number)

        kind = GLib.VariantType('s')
        for name, parameter, callback in (('start', kind, self._on_start),
                                          ('cancel', kind, self._on_cancel),
                                          ('cancel-all', None, self._on_cancel_all),
                                          ('quit', None, lambda *unused: self.quit())):
            action = Gio.SimpleAction(name=name, parameter_type=parameter)
            action.connect('activate', callback)
            self.add_action(action)
        self.set_accels_for_action('app.quit', ['<Control>q'])

        self._tasks.connect('items-changed', self._on_tasks_changed)
        self._on_tasks_changed()

    def do_activate(self):
        window = self.get_active_window() or Window(self, self._tasks)
        window.present()

    def _on_start(self, action, parameter):
        job = parameter.get_string()
        if job in self.JOBS:
            self._n_started += 1
            self.group.spawn(self.JOBS[job], name=f'{job} {self._n_started}')

    def _on_cancel(self, action, parameter):
        for task in self._tasks:
            if task.name == parameter.get_string():
                task.cancel()

    def _on_cancel_all(self, action, parameter):
        # Not a stop of the group: that would let no more jobs begin.
        for task in self._tasks:
            task.cancel()

    def _on_tasks_changed(self, *unused):
        self.lookup_action('cancel-all').set_enabled(len(self._tasks) > 0)


if __name__ == '__main__':
    application = Application()
    status = application.run(sys.argv)
    for task in application.group.poll_collect():
        print(f'{task.name}: {task.state.value_nick}')
    sys.exit(status)
