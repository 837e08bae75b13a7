# SPDX-License-Identifier: LGPL-2.1-or-later

"""Holds up who reads a picture, so that a test finds it at that."""

import errno
import os

from pictures import png
from running import wait_until


class Feeder:
    """A picture that is being read for as long as the test likes."""

    def __init__(self, path):
        self.path = path
        self.data = png(200, 200)
        os.mkfifo(path)

    def is_read(self):
        try:
            self.fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return False
        os.set_blocking(self.fd, True)
        return True

    def wait_until_read(self):
        wait_until(self.is_read)

    def feed(self, length):
        os.write(self.fd, self.data[:length])
        self.data = self.data[length:]

    def complete(self):
        while self.data:
            self.feed(32 * 1024)
        os.close(self.fd)
