# SPDX-License-Identifier: LGPL-2.1-or-later

"""The downloads in JavaScript: all of them, never too many at once, with the
main loop free, and stopped by Ctrl+C."""

import re
import signal
import subprocess
import unittest

import tap
from running import COMMAND

N_DOWNLOADS = 10_000
TIMEOUT_S = 240
INTERRUPTED = 130


def size_of(number):
    return len(f'This is /{number}\n')


class Download(unittest.TestCase):
    def test_all(self):
        done = subprocess.run([*COMMAND, str(N_DOWNLOADS)], capture_output=True, text=True,
                              timeout=TIMEOUT_S)

        self.assertEqual(done.stderr, '')
        self.assertEqual(done.returncode, 0)
        *beats, counts, summary = done.stdout.splitlines()
        self.assertEqual(counts, f'{N_DOWNLOADS} downloaded, 0 stopped, 0 failed')
        n_bytes = sum(size_of(number) for number in range(N_DOWNLOADS))
        self.assertEqual(summary, f'{n_bytes} bytes, never more than 100 at once')

        # A beat that was missed is left out: so where most have come, the loop
        # was free. They come four times a second.
        numbers = [int(re.fullmatch(r'beat (\d+): \d+ to go', beat)[1]) for beat in beats]
        self.assertGreater(len(numbers), 2)
        self.assertGreater(len(numbers), numbers[-1] / 2)

    def test_interrupted(self):
        with subprocess.Popen([*COMMAND, str(10 * N_DOWNLOADS)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            lines = [process.stdout.readline() for _ in range(2)]
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=TIMEOUT_S)

        self.assertEqual(errors, '')
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertTrue(all(line.startswith('beat ') for line in lines), lines)
        counts = re.search(r'^(\d+) downloaded, (\d+) stopped, 0 failed$', rest, re.MULTILINE)
        self.assertIsNotNone(counts, rest)
        downloaded, stopped = map(int, counts.groups())
        self.assertEqual(downloaded + stopped, 10 * N_DOWNLOADS)
        self.assertGreater(stopped, 0)


if __name__ == '__main__':
    tap.main()
