# SPDX-License-Identifier: LGPL-2.1-or-later

"""The application, used through the actions that its buttons have: what jobs
leave behind, and how it ends while they run.

It wants a display and a session bus, which display.py has for it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import tap
from pictures import png, read_png, thumbnail_name
from running import COMMAND, DEADLINE, Running, wait_until

APP_ID = 'org.libtasker.Jobs'
APP_PATH = '/org/libtasker/Jobs'
WINDOW_PATH = APP_PATH + '/window/1'

STUBBORN = 'A job that won’t die'

# Far beyond what it takes, far below what it is compared with.
SOON = 20


def exists(pid):
    """Whether there is such a process, be it a zombie."""
    return os.path.exists(f'/proc/{pid}')


class Application(Running):
    """The application, under way."""

    def __init__(self, env, journal, *args):
        super().__init__([*COMMAND, '--journal', str(journal), *map(str, args)], env)
        self.env = env
        self.journal = journal
        wait_until(self.has_window)

    def call(self, path, method, *args):
        return subprocess.run(['gdbus', 'call', '--session', '--dest', APP_ID, '--object-path', path,
                               '--method', f'org.gtk.Actions.{method}', *args],
                              env=self.env, capture_output=True, text=True, check=False)

    def has_window(self):
        return self.call(WINDOW_PATH, 'List').returncode == 0

    def activate(self, action, parameter=None, path=APP_PATH):
        value = '[]' if parameter is None else f'[<{json.dumps(str(parameter))}>]'
        done = self.call(path, 'Activate', action, value, '{}')
        if done.returncode != 0:
            raise AssertionError(f'{action}: {done.stderr}')

    def is_enabled(self, action, path=APP_PATH):
        done = self.call(path, 'Describe', action)
        done.check_returncode()
        return done.stdout.startswith('((true,')

    def ended(self):
        """The jobs that have ended, each with its state, its name and a remark."""
        return [tuple(line.split('\t')) for line in self.journal.read_bytes().decode().split('\n')[:-1]]

    def states(self):
        return {name: state for state, name, _ in self.ended()}

    def wait_for_ends(self, n):
        wait_until(lambda: len(self.ended()) >= n)

    def quit(self):
        self.activate('quit')
        return self.finish()


class Case(unittest.TestCase):
    def setUp(self):
        top = tempfile.mkdtemp(prefix='jobs-')
        self.addCleanup(shutil.rmtree, top)
        self.top = pathlib.Path(top)
        self.folder = self.top / 'folder'
        self.folder.mkdir()
        self.thumbnails = self.top / 'cache/thumbnails/large'
        self.env = {**os.environ, 'HOME': top, 'XDG_CACHE_HOME': f'{top}/cache'}

    def start(self, *args):
        application = Application(self.env, self.top / 'journal', *args)
        self.addCleanup(application.process.stdout.close)
        self.addCleanup(application.process.stderr.close)
        self.addCleanup(application.process.wait)
        self.addCleanup(application.process.kill)
        return application

    def pictures(self, n, width, height):
        """So many pictures that are one file, for speed."""
        paths = [self.folder / f'{i}.png' for i in range(n)]
        paths[0].write_bytes(png(width, height))
        for path in paths[1:]:
            os.link(paths[0], path)
        return paths

    def script(self, text):
        """A command that writes its process id, and then does as told."""
        path = self.top / 'script'
        path.write_text(f'echo $$ >"{self.top}/pid.new" && mv "{self.top}/pid.new" "{self.top}/pid"\n{text}\n')
        return f'sh {path}'

    def wait_for_pid(self):
        path = self.top / 'pid'
        wait_until(path.exists)
        return int(path.read_text())

    def assert_whole(self, paths):
        """There are thumbnails of some of these pictures, whole, and no other
        file. Returns how many there are."""
        made = list(self.thumbnails.iterdir())
        self.assertLessEqual({path.name for path in made}, set(map(thumbnail_name, paths)))
        for path in made:
            read_png(path.read_bytes())
        return len(made)

    def assert_quiet(self, application):
        """It has not a word to say: no warning of GTK, and none of ours."""
        self.assertEqual((application.stdout, application.stderr), ('', ''))

    def assert_overrun(self, application, *names):
        """These were named as what had to be left behind, and nothing else was said."""
        self.assertEqual(application.stdout, '')
        for name in names:
            self.assertIn(f'“{name}”', application.stderr)
        for line in filter(None, application.stderr.splitlines()):
            self.assertRegex(line, r'Tasker-WARNING')


class Use(Case):
    def test_nothing_to_do(self):
        application = self.start()
        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(application.ended(), [])

    def test_every_job(self):
        paths = self.pictures(5, 300, 200)
        application = self.start()

        application.activate('start-heartbeat')
        application.activate('run-command', 'sh -c "echo first; echo last"')
        application.activate('run-command', 'sh -c "exit 3"')
        application.activate('run-command', self.script('exec sleep 1000'))
        application.activate('make-thumbnails', self.folder)
        self.wait_for_pid()
        application.wait_for_ends(3)
        self.assertEqual(application.states(), {
            'sh -c "echo first; echo last"': 'succeeded',
            'sh -c "exit 3"': 'failed',
            'Thumbnails of “folder”': 'succeeded',
        })
        self.assertEqual(self.assert_whole(paths), 5)
        self.assertIn('3', dict((state, remark) for state, _, remark in application.ended())['failed'])

        application.activate('stop-all')
        application.wait_for_ends(5)
        self.assertEqual(application.states()['Heartbeat'], 'stopped')

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(len(application.ended()), 5)

    def test_pictures_that_fail(self):
        good = self.pictures(2, 100, 100)
        (self.folder / 'bad.png').write_bytes(b'garbage' * 1000)
        application = self.start()

        application.activate('make-thumbnails', self.folder)
        application.activate('make-thumbnails', self.top / 'missing')
        application.wait_for_ends(2)
        self.assertEqual(application.quit(), 0)

        self.assertEqual(application.states(), {'Thumbnails of “folder”': 'failed',
                                                'Thumbnails of “missing”': 'failed'})
        for _, _, remark in application.ended():
            self.assertNotEqual(remark, '')
        self.assertEqual(self.assert_whole(good), 2)
        self.assert_quiet(application)

    def test_command_that_cannot_be(self):
        application = self.start()
        for command in ('', '"', '/no/such/command'):
            application.activate('run-command', command)
        application.activate('run-command', 'true')
        application.wait_for_ends(1)

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(application.states(), {'true': 'succeeded'})

    def test_output_that_is_no_text(self):
        application = self.start()
        application.activate('run-command', 'head -c 1000000 /dev/urandom')
        application.wait_for_ends(1)

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(list(application.states().values()), ['succeeded'])

    def test_name_that_looks_like_markup(self):
        command = 'sh -c "true && test ! 1 -gt 2 <script>"'
        application = self.start()
        application.activate('run-command', command)
        application.wait_for_ends(1)

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(list(application.states()), [command])

    def test_clear(self):
        application = self.start()
        self.assertFalse(application.is_enabled('clear-results', WINDOW_PATH))
        for n in range(3):
            application.activate('run-command', f'sleep 0.{n}')
        application.wait_for_ends(3)
        wait_until(application.is_enabled, 'clear-results', WINDOW_PATH)
        application.activate('clear-results', path=WINDOW_PATH)
        wait_until(lambda: not application.is_enabled('clear-results', WINDOW_PATH))
        application.activate('run-command', 'true')

        application.wait_for_ends(4)
        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(sorted(application.states()), ['sleep 0.0', 'sleep 0.1', 'sleep 0.2', 'true'])
        self.assertEqual(len(application.ended()), 4)

    def test_dialogs(self):
        application = self.start()
        application.activate('ask-command', path=WINDOW_PATH)
        application.activate('choose-folder', path=WINDOW_PATH)
        application.activate('about')
        application.activate('run-command', 'sleep 0.5')
        application.wait_for_ends(1)

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)


class Quitting(Case):
    def test_in_the_middle(self):
        paths = self.pictures(300, 1000, 800)
        application = self.start('--grace', DEADLINE)

        application.activate('start-heartbeat')
        application.activate('run-command', self.script('exec sleep 1000'))
        application.activate('make-thumbnails', self.folder)
        pid = self.wait_for_pid()
        wait_until(lambda: self.thumbnails.exists() and len(list(self.thumbnails.glob('*.png'))) > 3)

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(len(application.ended()), 3)
        self.assertEqual(set(application.states().values()), {'stopped'})
        self.assertLess(3, self.assert_whole(paths))
        self.assertLess(self.assert_whole(paths), 300)
        self.assertFalse(exists(pid))

    def test_what_has_just_ended_is_told(self):
        application = self.start()
        for _ in range(20):
            application.activate('run-command', 'true')

        self.assertEqual(application.quit(), 0)
        self.assert_quiet(application)
        self.assertEqual(len(application.ended()), 20)

    def test_job_that_does_not_die(self):
        application = self.start('--grace', 1)
        application.activate('start-stubborn')
        application.activate('start-heartbeat')

        begin = time.monotonic()
        self.assertEqual(application.quit(), 0)
        took = time.monotonic() - begin

        self.assertGreater(took, 1)
        self.assertLess(took, SOON)
        self.assert_overrun(application, STUBBORN)
        self.assertEqual(application.states(), {'Heartbeat': 'stopped'})

    def test_no_grace(self):
        application = self.start('--grace', 0)
        application.activate('start-stubborn')
        application.activate('run-command', self.script('exec sleep 1000'))
        pid = self.wait_for_pid()

        self.assertEqual(application.quit(), 0)
        self.assert_overrun(application, STUBBORN)
        self.assertNotIn('half of its time', application.stderr)
        self.assertFalse(exists(pid))

    def signal(self, signum):
        application = self.start()
        application.activate('start-heartbeat')
        application.activate('run-command', self.script('exec sleep 1000'))
        pid = self.wait_for_pid()

        application.process.send_signal(signum)
        self.assertEqual(application.finish(), 0)
        self.assert_quiet(application)
        self.assertEqual(sorted(application.states().values()), ['stopped', 'stopped'])
        self.assertFalse(exists(pid))

    def test_terminate(self):
        self.signal(signal.SIGTERM)

    def test_interrupt(self):
        self.signal(signal.SIGINT)

    def test_subprocess_that_ignores(self):
        application = self.start('--grace', 1)
        application.activate('run-command', self.script('trap "" TERM; while :; do sleep 0.1; done'))
        pid = self.wait_for_pid()

        self.assertEqual(application.quit(), 0)
        self.assertEqual(list(application.states().values()), ['aborted'])
        self.assertFalse(exists(pid))

    def test_give_up(self):
        application = self.start('--grace', DEADLINE)
        application.activate('run-command', self.script('trap "" TERM; while :; do sleep 0.1; done'))
        pid = self.wait_for_pid()

        begin = time.monotonic()
        application.activate('quit')
        wait_until(lambda: not application.is_enabled('start-heartbeat'))
        application.activate('give-up')
        self.assertEqual(application.finish(), 0)

        self.assertLess(time.monotonic() - begin, SOON)
        self.assertEqual(list(application.states().values()), ['aborted'])
        self.assertFalse(exists(pid))
        self.assert_quiet(application)

    def test_nothing_begins_meanwhile(self):
        application = self.start('--grace', 5)
        application.activate('start-stubborn')
        application.activate('quit')
        wait_until(lambda: not application.is_enabled('start-heartbeat'))

        for action in ('choose-folder', 'ask-command'):
            self.assertFalse(application.is_enabled(action, WINDOW_PATH))
        application.activate('start-heartbeat')
        # Started once more, it is the one that runs which shows its window.
        again = subprocess.run(COMMAND, env=self.env, capture_output=True, timeout=DEADLINE, check=True)
        self.assertEqual((again.stdout, again.stderr), (b'', b''))

        self.assertEqual(application.finish(), 0)
        self.assert_overrun(application, STUBBORN)
        self.assertEqual(application.ended(), [])


class CommandLine(Case):
    def run_program(self, *args):
        return subprocess.run([*COMMAND, *args], env=self.env, capture_output=True, text=True,
                              timeout=DEADLINE, check=False)

    def test_help(self):
        done = self.run_program('--help')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        for option in ('--grace=SECONDS', '--journal=FILE'):
            self.assertIn(option, done.stdout)

    def test_bad_options(self):
        for args, message in ((['--grace', '-1'], 'The grace cannot be negative.'),
                              (['--grace', 'long'], 'long'),
                              (['--journal', f'{self.top}/no/such/file'], 'No such file or directory')):
            done = self.run_program(*args)
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertIn(message, done.stderr)


if __name__ == '__main__':
    tap.main()
