# SPDX-License-Identifier: LGPL-2.1-or-later

"""The thumbnailer in Python: what it makes, what it names, and how it stops.

Where a test needs a picture to be at hand for a while, that picture is a FIFO:
it is being read until the test has fed it. So nothing here depends on time."""

import os
import pathlib
import pty
import shutil
import signal
import subprocess
import tempfile
import unittest

import tap
from feeder import Feeder
from pictures import mime_database, png, read_png, thumbnail_name
from running import COMMAND, DEADLINE, Running, wait_until

tap.require('GdkPixbuf', '2.0')

STOPPING = 'Stopping when the pictures at hand are done.'


class Case(unittest.TestCase):
    def setUp(self):
        top = tempfile.mkdtemp(prefix='thumbnailer-')
        self.addCleanup(shutil.rmtree, top)
        self.source = pathlib.Path(top) / 'source'
        self.source.mkdir()
        self.output = pathlib.Path(top) / 'output'
        self.env = {**os.environ, 'XDG_DATA_DIRS': mime_database()}

    def picture(self, name, width=150, height=150):
        path = self.source / name
        path.write_bytes(png(width, height))
        return path

    def command(self, *args):
        return [*COMMAND, '--output', str(self.output), *map(str, args)]

    def thumbnail(self, *args):
        return subprocess.run(self.command(*args), env=self.env, capture_output=True, text=True,
                              timeout=DEADLINE, check=False)

    def start(self, *args, **kwargs):
        running = Running(self.command(*args), self.env, **kwargs)
        self.addCleanup(running.process.stderr.close)
        self.addCleanup(running.process.kill)
        return running

    def assert_thumbnails(self, *pictures):
        """There are whole thumbnails of these pictures, and no other file."""
        self.assertEqual(sorted(path.name for path in self.output.iterdir()),
                         sorted(map(thumbnail_name, pictures)))
        for path in self.output.iterdir():
            read_png(path.read_bytes())


class Making(Case):
    def test_good_run(self):
        wide = self.picture('wide.png', 300, 100)
        tall = self.picture('tall ä#.png', 10, 1000)
        small = self.picture('small.png', 20, 10)
        (self.source / 'notes.txt').write_text('not a picture')

        # One of them is named twice.
        done = self.thumbnail(self.source, wide)

        # All of it: no progress line is for a pipe.
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, '3 done, 0 failed, 0 not begun\n', ''))
        self.assert_thumbnails(wide, tall, small)
        for picture, size in ((wide, (128, 42)), (tall, (1, 128)), (small, (20, 10))):
            *dimensions, texts = read_png((self.output / thumbnail_name(picture)).read_bytes())
            self.assertEqual(tuple(dimensions), size)
            self.assertEqual(texts['Thumb::URI'], picture.as_uri())
            self.assertEqual(texts['Thumb::MTime'], str(int(picture.stat().st_mtime)))

    def test_at_most_so_many_at_once(self):
        first, second, third = (Feeder(self.source / name) for name in ('1', '2', '3'))
        running = self.start('--jobs', '2', first.path, second.path, third.path)

        first.wait_until_read()
        second.wait_until_read()
        self.assertFalse(third.is_read())
        first.complete()
        third.wait_until_read()
        for feeder in (second, third):
            feeder.complete()

        self.assertEqual(running.finish(), 0)
        self.assert_thumbnails(first.path, second.path, third.path)

    def test_progress_line(self):
        screen, terminal = pty.openpty()
        self.addCleanup(os.close, screen)
        running = self.start(self.picture('picture.png'), stdout=terminal)
        os.close(terminal)
        self.assertEqual(running.finish(), 0)
        self.assertEqual(os.read(screen, 4096).decode(),
                         '\r\x1b[K1 of 1 pictures\r\x1b[K1 done, 0 failed, 0 not begun\r\n')


class Trouble(Case):
    def test_failures_are_named(self):
        good = [self.picture(f'good-{i}.png') for i in range(3)]
        missing = self.source / 'missing.png'
        corrupt = self.source / 'corrupt.png'
        corrupt.write_bytes(b'garbage' * 1000)
        cut = self.source / 'cut.png'
        cut.write_bytes(good[0].read_bytes()[:20])

        done = self.thumbnail(self.source, missing)

        self.assertEqual((done.returncode, done.stdout), (1, '3 done, 3 failed, 0 not begun\n'))
        lines = sorted(done.stderr.splitlines())
        self.assertEqual(len(lines), 3, done.stderr)
        for line, path in zip(lines, (corrupt, cut, missing)):
            self.assertRegex(line, rf'^{path}: .+')
        self.assertIn('No such file or directory', lines[2])
        self.assert_thumbnails(*good)

    def test_bad_numbers(self):
        for args in (('--jobs', '0'), ('--size', '-1'), ('--jobs', 'many')):
            done = self.thumbnail(*args, self.source)
            self.assertEqual((done.returncode, done.stdout), (2, ''))
            self.assertFalse(self.output.exists())


class Stopping(Case):
    def stop_while_at_hand(self, signum):
        """Stops it while it reads one picture, and three wait."""
        at_hand = Feeder(self.source / 'at-hand')
        waiting = [self.picture(f'{i}.png') for i in range(3)]
        running = self.start('--jobs', '1', at_hand.path, *waiting)

        at_hand.wait_until_read()
        running.send(signum, STOPPING)
        at_hand.complete()

        self.assertEqual(running.finish(), 130)
        self.assertEqual(running.stdout, '1 done, 0 failed, 3 not begun\n')
        self.assertEqual(running.stderr, STOPPING + '\n')
        self.assert_thumbnails(at_hand.path)

    def test_interrupt(self):
        self.stop_while_at_hand(signal.SIGINT)

    def test_terminate(self):
        self.stop_while_at_hand(signal.SIGTERM)

    def test_in_the_middle(self):
        first = self.picture('0.png', 600, 600)
        pictures = [first, *(self.source / f'{i}.png' for i in range(1, 500))]
        for path in pictures[1:]:
            os.link(first, path)
        running = self.start('--jobs', '3', *pictures)

        wait_until(lambda: self.output.exists() and any(self.output.glob('*.png')))
        running.send(signal.SIGINT, STOPPING)

        self.assertEqual(running.finish(), 130)
        made = [picture for picture in pictures
                if (self.output / thumbnail_name(picture)).exists()]
        self.assertEqual(running.stdout,
                         f'{len(made)} done, 0 failed, {len(pictures) - len(made)} not begun\n')
        self.assertLess(len(made), len(pictures))
        self.assert_thumbnails(*made)

    def test_third_signal(self):
        at_hand = Feeder(self.source / 'at-hand')
        running = self.start(at_hand.path)

        at_hand.wait_until_read()
        running.send(signal.SIGINT, STOPPING)
        # What it reads never comes, and nobody has to wait for it.
        while running.process.poll() is None:
            running.process.send_signal(signal.SIGINT)

        self.assertEqual(running.finish(), -signal.SIGINT)
        self.assertEqual(list(self.output.iterdir()), [])


if __name__ == '__main__':
    tap.main()
