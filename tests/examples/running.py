# SPDX-License-Identifier: LGPL-2.1-or-later

"""An example program that is under way."""

import os
import select
import subprocess
import time

# The program that is tested, as Meson says
COMMAND = os.environ['COMMAND'].split('\n')

DEADLINE = 120


def wait_until(condition, *args):
    deadline = time.monotonic() + DEADLINE
    while not (result := condition(*args)):
        if time.monotonic() > deadline:
            raise AssertionError(f'{condition.__name__} did not come true')
        time.sleep(0.02)
    return result


class Running:
    def __init__(self, command, env, stdout=subprocess.PIPE, **kwargs):
        self.process = subprocess.Popen(command, env=env, stdout=stdout, stderr=subprocess.PIPE,
                                        **kwargs)
        self.stderr = ''

    def wait_for(self, message):
        """Waits until the message has come on the standard error output."""
        deadline = time.monotonic() + DEADLINE
        while message not in self.stderr:
            ready, _, _ = select.select([self.process.stderr], [], [], deadline - time.monotonic())
            data = os.read(self.process.stderr.fileno(), 4096) if ready else b''
            if not data:
                raise AssertionError(f'“{message}” did not come, but: {self.stderr}')
            self.stderr += data.decode()

    def send(self, signum, message):
        self.process.send_signal(signum)
        self.wait_for(message)

    def finish(self):
        stdout, stderr = self.process.communicate(timeout=DEADLINE)
        self.stderr += stderr.decode()
        self.stdout = stdout.decode() if stdout is not None else None
        return self.process.returncode
