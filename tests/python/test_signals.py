# SPDX-License-Identifier: LGPL-2.1-or-later

"""Ctrl+C while something blocks, each time in a process of its own."""

import subprocess
import sys
import textwrap

import tap
from support import *

PROLOGUE = '''
import asyncio, gi, os, signal, sys, threading, time
gi.require_version('Tasker', '1')
from gi.repository import GLib, Tasker

def tell(*words):
    # In one piece, as others tell something, too.
    sys.stdout.write(' '.join(map(str, words)) + '\\n')

def wait(task):
    task.wait_stopped()
    tell('stopped')

def interrupt():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
'''


class Interrupt(Case):
    def check(self, program, expected, seconds=8, in_order=True):
        begin = time.monotonic()
        done = subprocess.run([sys.executable, '-c', PROLOGUE + textwrap.dedent(program)],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, '')
        told = done.stdout.split('\n')[:-1]
        self.assertEqual(told if in_order else sorted(told), expected)
        self.assertEqual(done.returncode, 0)
        self.assertLess(time.monotonic() - begin, seconds)

    def test_with(self):
        self.check('''
            interrupt()
            try:
                with Tasker.Group() as group:
                    group.spawn(wait)
            except KeyboardInterrupt:
                tell('interrupted', group.is_stopped(), group.get_n_tasks())
            ''', ['stopped', 'interrupted True 0'])

    def test_result_in_a_body(self):
        self.check('''
            interrupt()
            try:
                with Tasker.Group() as group:
                    group.spawn(wait).result()
            except KeyboardInterrupt:
                tell('interrupted', group.is_stopped(), group.get_n_tasks())
            ''', ['stopped', 'interrupted True 0'])

    def test_result(self):
        self.check('''
            for number in 0, 1:  # it runs, or is queued
                interrupt()
                group = Tasker.Group(max_running=1)
                task = [group.spawn(wait), group.spawn(print)][number]
                try:
                    task.result()
                except KeyboardInterrupt:
                    tell('interrupted', group.is_stopped(), task.is_finished())
                group.join()
            ''', ['interrupted True True'] * 2 + ['stopped'] * 2, in_order=False)

    def test_join(self):
        self.check('''
            interrupt()
            group = Tasker.Group()
            group.spawn(wait)
            try:
                group.join()
            except KeyboardInterrupt:
                tell('interrupted', group.is_stopped(), group.get_n_tasks())
            ''', ['stopped', 'interrupted True 0'])

    def test_stream(self):
        self.check('''
            interrupt()
            group = Tasker.Group()
            group.spawn(wait)
            try:
                for task in group.join_stream():
                    pass
            except KeyboardInterrupt:
                tell('interrupted', group.get_n_tasks())
            group.stop()
            ''', ['interrupted 1', 'stopped'])

    def test_sleep(self):
        self.check('''
            interrupt()
            try:
                Tasker.Group().create_stopper().sleep(1000)
            except KeyboardInterrupt:
                tell('interrupted')
            ''', ['interrupted'])

    def test_twice_ends_the_deaf(self):
        self.check('''
            interrupt()
            threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGINT)).start()
            gate = threading.Event()
            try:
                with Tasker.Group() as group:
                    group.spawn(lambda task: gate.wait())
            except KeyboardInterrupt:
                tell('interrupted', group.get_n_tasks())
            gate.set()
            ''', ['interrupted 1'])

    def test_a_handler_that_does_not_raise(self):
        self.check('''
            signal.signal(signal.SIGUSR1, lambda *unused: (print('handled'), gate.set()))
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            gate = threading.Event()
            with Tasker.Group() as group:
                task = group.spawn(lambda task: gate.wait())
                print(task.result())
            ''', ['handled', 'True'])

    def test_group_that_the_signal_stops(self):
        self.check('''
            interrupt()
            with Tasker.Group() as group:
                group.stop_on_signal(signal.SIGINT)
                group.spawn(wait)
                for task in group.join_stream():
                    print(task.state.value_nick)
            with Tasker.Group() as other:
                other.stop_on_signal(signal.SIGINT)
                other.spawn(wait)
                interrupt()
                other.join()
            print(group.is_stopped(), other.is_stopped())

            # With both joined, it is Python's again.
            interrupt()
            try:
                Tasker.Group().create_stopper().sleep(1000)
            except KeyboardInterrupt:
                tell('interrupted')
            interrupt()
            try:
                with Tasker.Group() as last:
                    last.spawn(wait)
            except KeyboardInterrupt:
                tell('interrupted')
            ''', ['stopped', 'succeeded', 'stopped', 'True True', 'interrupted', 'stopped',
                  'interrupted'])

    def test_asyncio(self):
        self.check('''
            async def deaf(task):
                try:
                    await asyncio.sleep(1000)
                finally:
                    print('cleaned up')

            async def main():
                async with Tasker.Group() as group:
                    group.spawn(deaf)

            interrupt()
            try:
                asyncio.run(main())
            except KeyboardInterrupt:
                tell('interrupted')
            ''', ['cleaned up', 'interrupted'])


if __name__ == '__main__':
    tap.main()
