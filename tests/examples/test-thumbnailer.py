# SPDX-License-Identifier: LGPL-2.1-or-later

"""The thumbnailer: what it makes, what it says, and how it stops.

Where a test needs a picture to be at hand for a while, that picture is a FIFO:
it is being read until the test has fed it. So nothing here depends on time.
"""

import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest

import tap
from feeder import Feeder
from pictures import mime_database, png, read_png, thumbnail_name
from running import COMMAND, DEADLINE, Running

STOPPING = 'Stopping when the pictures at hand are done.'
GIVING_UP = 'Giving up the pictures at hand.'
STOPPED = 'Stopped; no half-written file is left\n'


def without_override(command):
    """The command, run so that file permissions hold, for root as well."""
    if os.geteuid() != 0:
        return command

    setpriv = ['setpriv', '--bounding-set=-dac_override,-dac_read_search',
               '--inh-caps=-dac_override,-dac_read_search', '--']
    if not shutil.which('setpriv') or subprocess.run([*setpriv, *COMMAND, '--help'],
                                                     capture_output=True).returncode != 0:
        raise unittest.SkipTest('root cannot give up what makes it ignore permissions')
    return setpriv + command


def in_small_filesystem(directory, command):
    """The command, run where the directory is a file system of 64 KiB; then a
    list of what is in it."""
    unshare = ['unshare', '--mount'] + (['--map-root-user'] if os.geteuid() != 0 else [])
    mount = ['sh', '-c', 'mount -t tmpfs -o size=64k tmpfs "$0" && "$@"; status=$?; '
                         'find "$0" -type f; exit $status', str(directory)]
    if subprocess.run([*unshare, *mount, 'true'], capture_output=True).returncode != 0:
        raise unittest.SkipTest('no file system can be mounted here')
    return [*unshare, *mount, *command]


class Case(unittest.TestCase):
    def setUp(self):
        top = tempfile.mkdtemp(prefix='thumbnailer-')
        self.addCleanup(shutil.rmtree, top)
        self.top = pathlib.Path(top)
        self.source = self.top / 'source'
        self.source.mkdir()
        self.output = self.top / 'output'
        self.output.mkdir()
        self.env = {
            'PATH': os.environ['PATH'],
            'HOME': top,
            'LC_ALL': 'C.UTF-8',
            'TASKER_LOCALEDIR': os.environ['TASKER_LOCALEDIR'],
            'XDG_CACHE_HOME': f'{top}/cache',
            'XDG_DATA_DIRS': mime_database(),
        }

    def picture(self, name, width=150, height=150):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(width, height))
        return path

    def pictures(self, n):
        """So many pictures that are one file, for speed."""
        first = self.picture('0.png')
        others = [self.source / f'{i}.png' for i in range(1, n)]
        for path in others:
            os.link(first, path)
        return [first, *others]

    def command(self, *args):
        return [*COMMAND, '--output', str(self.output), *map(str, args)]

    def run_command(self, command, **kwargs):
        kwargs = {'stdout': subprocess.PIPE, **kwargs}
        return subprocess.run(command, env=self.env, stderr=subprocess.PIPE, text=True,
                              timeout=DEADLINE, **kwargs)

    def thumbnail(self, *args):
        return self.run_command(self.command(*args))

    def start(self, *args, **kwargs):
        running = Running(self.command(*args), self.env, **kwargs)
        self.addCleanup(running.process.stderr.close)
        self.addCleanup(running.process.kill)
        return running

    def assert_thumbnails(self, *pictures, size='normal'):
        """There are whole thumbnails of these pictures, and no other file."""
        directory = self.output / size
        self.assertEqual(sorted(path.name for path in directory.iterdir()),
                         sorted(map(thumbnail_name, pictures)))
        for path in directory.iterdir():
            read_png(path.read_bytes())


class Making(Case):
    def test_good_run(self):
        wide = self.picture('wide.png', 300, 100)
        tall = self.picture('tall ä#.png', 10, 1000)
        small = self.picture('small.png', 20, 10)
        self.picture('below/not-asked-for.png')
        (self.source / 'notes.txt').write_text('not a picture')

        done = self.thumbnail(self.source)

        # All of it: no progress line is for a pipe.
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '3 pictures done\n', ''))
        self.assert_thumbnails(wide, tall, small)
        for picture, size in ((wide, (128, 42)), (tall, (1, 128)), (small, (20, 10))):
            path = self.output / 'normal' / thumbnail_name(picture)
            *dimensions, texts = read_png(path.read_bytes())
            self.assertEqual(tuple(dimensions), size)
            self.assertEqual(texts['Thumb::URI'], picture.as_uri())
            self.assertEqual(texts['Thumb::MTime'], str(int(picture.stat().st_mtime)))
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_sizes(self):
        picture = self.picture('big.png', 1100, 550)

        for name, width in (('normal', 128), ('large', 256), ('x-large', 512), ('xx-large', 1024)):
            done = self.thumbnail('--size', name, picture)
            self.assertEqual((done.returncode, done.stdout), (0, '1 picture done\n'))
            path = self.output / name / thumbnail_name(picture)
            self.assertEqual(read_png(path.read_bytes())[:2], (width, width // 2))

    def test_users_own_thumbnails(self):
        picture = self.picture('picture.png')

        done = self.run_command([*COMMAND, str(picture)])

        self.assertEqual((done.returncode, done.stdout), (0, '1 picture done\n'))
        thumbnails = self.top / 'cache/thumbnails'
        self.assertTrue((thumbnails / 'normal' / thumbnail_name(picture)).exists())
        for directory in (thumbnails, thumbnails / 'normal'):
            self.assertEqual(stat.S_IMODE(directory.stat().st_mode), 0o700)

    def test_relative_name(self):
        picture = self.picture('picture.png')

        done = self.run_command([*COMMAND, '-o', '../output', 'picture.png'], cwd=self.source)

        self.assertEqual((done.returncode, done.stdout), (0, '1 picture done\n'))
        self.assert_thumbnails(picture)

    def test_recursive(self):
        upper = self.picture('upper.png')
        lower = self.picture('a/b/lower.png')
        (self.source / 'a/b/circle').symlink_to(self.source)
        self.output = self.source / 'output'
        # Left by another run; thumbnails get no thumbnails.
        self.picture('output/large/thumbnail.png')

        done = self.thumbnail('--recursive', self.source)

        self.assertEqual((done.returncode, done.stdout), (0, '2 pictures done\n'))
        self.assert_thumbnails(upper, lower)

    def test_nothing_to_do(self):
        done = self.thumbnail(self.source)
        self.assertEqual((done.returncode, done.stdout), (0, 'No picture found\n'))

    def test_up_to_date(self):
        first, second, third = (self.picture(f'{i}.png') for i in range(3))
        self.thumbnail(self.source)
        before = {path.name: path.stat() for path in (self.output / 'normal').iterdir()}

        done = self.thumbnail(self.source)
        self.assertEqual((done.returncode, done.stdout),
                         (0, '0 pictures done\n3 pictures skipped, their thumbnails are up to date\n'))

        os.utime(first, (1e9, 1e9))
        (self.output / 'normal' / thumbnail_name(second)).write_bytes(b'damaged')
        done = self.thumbnail(self.source)
        self.assertEqual((done.returncode, done.stdout),
                         (0, '2 pictures done\n1 picture skipped, its thumbnail is up to date\n'))

        self.assert_thumbnails(first, second, third)
        for picture, same in ((first, False), (second, False), (third, True)):
            name = thumbnail_name(picture)
            after = (self.output / 'normal' / name).stat()
            self.assertEqual(after.st_ino == before[name].st_ino, same)

    def test_system_pictures(self):
        system = self.top / 'system'
        system.mkdir()
        # What newer versions of GdkPixbuf load pictures with is said there, too.
        for name in ('mime', 'glycin-loaders'):
            (system / name).symlink_to(f'{mime_database()}/{name}')
        self.env['XDG_DATA_DIRS'] = str(system)

        done = self.thumbnail()
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('The system has no pictures. Name a directory that has.', done.stderr)

        self.source = system
        pictures = [self.picture(f'{place}/a/b.png') for place in ('pixmaps', 'icons', 'backgrounds')]
        self.picture('elsewhere/c.png')
        done = self.thumbnail()
        self.assertEqual((done.returncode, done.stdout), (0, '3 pictures done\n'))
        self.assert_thumbnails(*pictures)

    def test_at_most_so_many_at_once(self):
        one, other = (Feeder(self.source / name) for name in ('one', 'other'))
        running = self.start('--jobs', '1', one.path, other.path)

        one.wait_until_read()
        self.assertFalse(other.is_read())
        one.complete()
        other.wait_until_read()
        other.complete()

        self.assertEqual(running.finish(), 0)
        self.assertEqual(running.stdout, '2 pictures done\n')

    def test_many_at_once(self):
        feeders = [Feeder(self.source / str(i)) for i in range(20)]
        running = self.start('--jobs', '20', *(feeder.path for feeder in feeders))

        for feeder in feeders:
            feeder.wait_until_read()
        for feeder in feeders:
            feeder.complete()

        self.assertEqual(running.finish(), 0)
        self.assertEqual(running.stdout, '20 pictures done\n')


class CommandLine(Case):
    def test_help(self):
        done = self.run_command([*COMMAND, '--help'])

        self.assertEqual((done.returncode, done.stderr), (0, ''))
        for option in ('--size=SIZE', '--output=DIRECTORY', '--jobs=NUMBER', '--recursive'):
            self.assertIn(option, done.stdout)

    def test_bad_options(self):
        for args, message in ((['--size', 'huge'], 'There is no size “huge”'),
                              (['--jobs', '-1'], 'The number of jobs cannot be negative.'),
                              (['--jobs', 'many'], 'many'),
                              (['--no-such-option'], '--no-such-option')):
            done = self.thumbnail(*args, self.source)
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertIn(message, done.stderr)

    def test_german(self):
        made = subprocess.run(['localedef', '-i', 'de_DE', '-f', 'UTF-8', self.top / 'de_DE.UTF-8'],
                              capture_output=True)
        if made.returncode != 0:
            self.skipTest('no German locale can be made')
        self.env.update(LC_ALL='de_DE.UTF-8', LOCPATH=str(self.top))
        self.env.pop('LANGUAGE', None)
        one, two, _ = self.pictures(3)

        self.assertRegex(self.thumbnail(one).stdout, r'^1 Bild\b')
        self.assertRegex(self.thumbnail(self.source).stdout, r'^2 Bilder\b.*\n1 Bild\b')
        two.write_bytes(b'')
        self.assertRegex(self.thumbnail('--size', 'large', two).stdout, r'^0 Bilder\b.*\n1 Bild\b')


class Trouble(Case):
    def assert_failed(self, done, n_done, *failed):
        """The others are done, and each that failed is named, with the reason."""
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[0],
                         f'{n_done} picture{"" if n_done == 1 else "s"} done')
        self.assertIn(f'{len(failed)} picture{"" if len(failed) == 1 else "s"} failed\n', done.stdout)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(failed), done.stderr)
        for path, reason in failed:
            self.assertTrue(any(line.startswith(f'{path}: ') and reason in line for line in lines),
                            done.stderr)

    def test_missing(self):
        picture = self.picture('picture.png')
        missing = self.top / 'missing'

        done = self.thumbnail(missing, self.source)

        self.assert_failed(done, 1, (missing, 'No such file or directory'))
        self.assert_thumbnails(picture)

    def test_corrupt(self):
        good = self.picture('good.png')
        empty = self.source / 'empty.png'
        empty.write_bytes(b'')
        garbage = self.source / 'garbage.png'
        garbage.write_bytes(b'garbage' * 1000)
        damaged = self.source / 'damaged.png'
        damaged.write_bytes(good.read_bytes()[:20] + b'damaged')
        text = self.source / 'notes.txt'
        text.write_text('not a picture')

        done = self.thumbnail(self.source, text)

        self.assert_failed(done, 1, (empty, ''), (garbage, ''), (damaged, ''), (text, ''))
        self.assertNotIn('(null)', done.stderr)
        self.assert_thumbnails(good)

    def test_unreadable(self):
        good = self.picture('good.png')
        secret = self.picture('secret.png')
        secret.chmod(0)

        done = self.run_command(without_override(self.command(self.source)))

        self.assert_failed(done, 1, (secret, 'Permission denied'))
        self.assert_thumbnails(good)

    def test_unreadable_directory(self):
        good = self.picture('good.png')
        self.picture('secret/hidden.png')
        secret = self.source / 'secret'
        secret.chmod(0)
        self.addCleanup(secret.chmod, 0o700)

        done = self.run_command(without_override(self.command('--recursive', self.source)))

        self.assertEqual((done.returncode, done.stdout),
                         (1, '1 picture done\n1 directory not read to its end\n'))
        self.assertRegex(done.stderr, rf'^{secret}: .*Permission denied\n$')
        self.assert_thumbnails(good)

    def test_read_only_target(self):
        one, other, done_before = self.pictures(3)
        self.thumbnail(done_before)
        target = self.output / 'normal'
        target.chmod(0o500)
        self.addCleanup(target.chmod, 0o700)

        done = self.run_command(without_override(self.command(self.source)))

        self.assert_failed(done, 0, (one, 'Permission denied'), (other, 'Permission denied'))
        self.assertIn('1 picture skipped', done.stdout)
        self.assert_thumbnails(done_before)

    def test_target_that_cannot_be(self):
        self.picture('picture.png')
        self.output = self.top / 'file'
        self.output.write_text('in the way')

        done = self.thumbnail(self.source)

        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertRegex(done.stderr, rf'{self.output}/normal: .+\n$')

    def test_full_target(self):
        big = [self.picture(f'{i}.png') for i in range(3)]
        small = self.picture('small.png', 4, 4)

        command = self.command('--jobs', '1', *big, small)
        done = self.run_command(in_small_filesystem(self.output, command))

        summary, _, files = done.stdout.partition('2 pictures failed\n')
        done.stdout = summary + '2 pictures failed\n'
        self.assert_failed(done, 2, *((path, 'No space left on device') for path in big[1:]))
        self.assertEqual(sorted(os.path.basename(path) for path in files.splitlines()),
                         sorted(map(thumbnail_name, (big[0], small))))

    def test_write_that_fails_halfway(self):
        big = self.picture('big.png')
        small = self.picture('small.png', 4, 4)

        # Python ignores the signal of this limit; so shall the program.
        done = self.run_command(self.command(self.source), restore_signals=False,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)))

        self.assert_failed(done, 1, (big, 'File too large'))
        self.assert_thumbnails(small)

    def test_full_standard_output(self):
        picture = self.picture('picture.png')

        with open('/dev/full', 'w') as full:
            done = self.run_command(self.command(self.source), stdout=full)

        self.assertEqual((done.returncode, done.stderr),
                         (1, 'Standard output: No space left on device\n'))
        self.assert_thumbnails(picture)

    def test_nobody_reads_standard_output(self):
        picture = self.picture('picture.png')
        reader, writer = os.pipe()
        os.close(reader)

        done = self.run_command(self.command(self.source), stdout=writer)
        os.close(writer)

        self.assertEqual((done.returncode, done.stderr), (1, 'Standard output: Broken pipe\n'))
        self.assert_thumbnails(picture)


class Stopping(Case):
    def numbers(self, summary):
        return {what: int(n) for n, what in re.findall(r'(\d+) pictures? (done|not begun|given up|failed)\n',
                                                       summary)}

    def stop_while_at_hand(self, signum):
        """Stops it while it reads one picture, and three wait."""
        at_hand = Feeder(self.source / 'at-hand')
        running = self.start('--jobs', '1', at_hand.path, *self.pictures(3))

        at_hand.wait_until_read()
        at_hand.feed(1000)
        running.send(signum, STOPPING)
        at_hand.complete()

        self.assertEqual(running.finish(), 130)
        self.assertEqual(running.stdout, '1 picture done\n3 pictures not begun\n' + STOPPED)
        self.assert_thumbnails(at_hand.path)

    def test_interrupt(self):
        self.stop_while_at_hand(signal.SIGINT)

    def test_terminate(self):
        self.stop_while_at_hand(signal.SIGTERM)

    def give_up_while_at_hand(self, first, second):
        at_hand = Feeder(self.source / 'at-hand')
        running = self.start('--jobs', '1', at_hand.path, *self.pictures(3))

        at_hand.wait_until_read()
        at_hand.feed(1000)
        running.send(first, STOPPING)
        running.send(second, GIVING_UP)
        # It is reading still; when that is over, it looks.
        at_hand.feed(1000)

        self.assertEqual(running.finish(), 130)
        # Those that wait hear of the one or the other, whichever comes first.
        numbers = self.numbers(running.stdout)
        self.assertEqual(numbers.pop('done'), 0)
        self.assertGreaterEqual(numbers['given up'], 1)
        self.assertEqual(sum(numbers.values()), 4)
        self.assertTrue(running.stdout.endswith(STOPPED))
        self.assertEqual(list((self.output / 'normal').iterdir()), [])

    def test_interrupt_twice(self):
        self.give_up_while_at_hand(signal.SIGINT, signal.SIGINT)

    def test_interrupt_and_terminate(self):
        self.give_up_while_at_hand(signal.SIGINT, signal.SIGTERM)

    def test_third_signal(self):
        at_hand = Feeder(self.source / 'at-hand')
        running = self.start(at_hand.path)

        at_hand.wait_until_read()
        running.send(signal.SIGINT, STOPPING)
        running.send(signal.SIGTERM, GIVING_UP)
        running.process.send_signal(signal.SIGINT)

        # What it reads never comes, and nobody has to wait for it.
        self.assertEqual(running.finish(), -signal.SIGINT)

    def test_numbers_add_up(self):
        # Whenever the signal comes, the first picture holds it up.
        at_hand = Feeder(self.source / 'at-hand')
        pictures = [at_hand.path, *self.pictures(300)]
        pictures[150].unlink()
        running = self.start('--jobs', '3', *pictures)

        at_hand.wait_until_read()
        while not any((self.output / 'normal').iterdir()):
            time.sleep(0.001)
        running.send(signal.SIGINT, STOPPING)
        at_hand.complete()

        self.assertEqual(running.finish(), 130)
        numbers = self.numbers(running.stdout)
        self.assertEqual(sum(numbers.values()), len(pictures))
        self.assertTrue(running.stdout.endswith(STOPPED))
        made = [picture for picture in pictures
                if (self.output / 'normal' / thumbnail_name(picture)).exists()]
        self.assertEqual(numbers['done'], len(made))
        self.assertIn(at_hand.path, made)
        self.assert_thumbnails(*made)


class Progress(Case):
    def setUp(self):
        super().setUp()
        self.screen, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.screen)
        self.text = ''

    def start_on_terminal(self, *args):
        running = self.start(*args, stdout=self.terminal)
        os.close(self.terminal)
        return running

    def read_screen(self, text=None):
        """Reads until the text has come, or to the end."""
        while text is None or text not in self.text:
            try:
                self.text += os.read(self.screen, 4096).decode()
            except OSError:
                # So Linux says that the other side is closed.
                break

    def test_line(self):
        at_hand = Feeder(self.source / 'at-hand')
        running = self.start_on_terminal('--jobs', '2', at_hand.path, *self.pictures(3))

        at_hand.wait_until_read()
        self.read_screen('3 of 4 pictures')
        at_hand.complete()
        self.read_screen()

        self.assertEqual(running.finish(), 0)
        self.assertRegex(self.text, r'[34] of 4 pictures\r\x1b\[K4 pictures done\r\n$')

    def test_not_too_often(self):
        pictures = self.pictures(300)

        begin = time.monotonic()
        running = self.start_on_terminal('--jobs', '1', *pictures)
        self.read_screen()
        self.assertEqual(running.finish(), 0)
        duration = time.monotonic() - begin

        self.assertIn('300 pictures done', self.text)
        self.assertLessEqual(self.text.count('\x1b[K'), duration * 10 + 1)


if __name__ == '__main__':
    tap.main()
