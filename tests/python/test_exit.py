# SPDX-License-Identifier: LGPL-2.1-or-later

"""The interpreter ends while tasks run: soon, and in good order."""

import subprocess
import sys
import textwrap

import tap
from support import *

PROLOGUE = '''
import asyncio, gi, logging, sys, threading, time
gi.require_version('Tasker', '1')
from gi.repository import GLib, Tasker
# It tells of callbacks that were slow, which on a busy machine all are.
logging.getLogger('asyncio').setLevel('ERROR')
group = Tasker.Group('at the end')
gate = threading.Event()
'''


class Exit(Case):
    def check(self, program, expected=(), seconds=15, status=0):
        begin = time.monotonic()
        done = subprocess.run([sys.executable, '-X', 'dev', '-W', 'ignore::ImportWarning', '-c',
                               PROLOGUE + textwrap.dedent(program)],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, '')
        self.assertEqual(done.stdout.split('\n')[:-1], list(expected))
        self.assertEqual(done.returncode, status)
        self.assertLess(time.monotonic() - begin, seconds)

    def test_idle(self):
        self.check('group.spawn(lambda task: 1).result()')

    def test_obedient(self):
        self.check('''
            def wait(task):
                task.wait_stopped()
                print('stopped')
            group.spawn(wait)
            time.sleep(0.1)
            ''', ['stopped'])

    def test_queued(self):
        self.check('''
            for i in range(10000):
                group.spawn(lambda task: task.sleep(1000))
            ''')

    def test_busy(self):
        self.check('''
            def work(task):
                while not task.is_cancelled():
                    pass
            for i in range(100):
                group.spawn(work)
            ''')

    def test_deaf_in_c(self):
        self.check('group.spawn(lambda task: time.sleep(1000)); time.sleep(0.1)')

    def test_deaf_in_python(self):
        self.check('''
            def work(task):
                while True:
                    pass
            group.spawn(work)
            time.sleep(0.1)
            ''')

    def test_no_reference_to_the_group(self):
        self.check('''
            group.spawn(lambda task: task.sleep(1000))
            del group
            ''')

    def test_coroutines(self):
        self.check('''
            async def deaf(task):
                await asyncio.sleep(1000)
            async def main():
                for i in range(10):
                    group.spawn(deaf)
                await asyncio.sleep(0.01)
            asyncio.run(main())
            ''')

    def test_coroutines_on_a_loop_that_was_not_closed(self):
        self.check('''
            async def wait(task):
                await task.wait_stopped()
            async def main():
                group.spawn(wait)
                await asyncio.sleep(0.01)
            loop = asyncio.new_event_loop()
            loop.run_until_complete(main())
            loop.call_soon(lambda: None)
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            ''')

    def test_status(self):
        self.check('''
            group.spawn(lambda task: task.sleep(1000))
            sys.exit(7)
            ''', status=7)

    def test_right_after_the_last_wait(self):
        for _ in range(15):
            self.check('''
                async def work(task):
                    await task.sleep(0)
                async def main():
                    async with Tasker.Group() as group:
                        for i in range(200):
                            group.spawn(work)
                        await group.spawn(lambda task: None)
                # To debug tells what was slow.
                asyncio.run(main(), debug=False)
                ''')

    def test_an_idle_thread_that_ends(self):
        self.check('''
            tasks = [group.spawn(lambda task: gate.wait()) for i in range(50)]
            group.max_running = 50
            time.sleep(0.2)
            gate.set()
            for task in tasks:
                task.result()
            ''')


if __name__ == '__main__':
    tap.main()
