#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A display and a session bus of our own, for programs that have windows.

As a program, it runs a command that has them. In the place of a TAP test that
cannot have them it says that it is skipped."""

import os
import shutil
import signal
import subprocess
import sys


class Missing(Exception):
    """What cannot be had, in words."""


class Service:
    """A program that writes its address to a file descriptor once it is ready."""

    def __init__(self, name, *args):
        program = shutil.which(name)
        if program is None:
            raise Missing(f'{name} is not installed')
        reader, writer = os.pipe()
        self.process = subprocess.Popen([program, *(str(arg).format(fd=writer) for arg in args)],
                                        stderr=subprocess.DEVNULL, pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as file:
            self.address = file.readline().strip()
        if not self.address:
            self.stop()
            raise Missing(f'{name} does not start')

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start_display():
    return Service('Xvfb', '-displayfd', '{fd}', '-screen', '0', '1000x1000x24', '-nolisten', 'tcp')


def start_bus():
    return Service('dbus-daemon', '--session', '--nofork', '--print-address={fd}')


def make_environment(display, bus):
    """Where GTK finds these two, and nothing that depends on the machine."""
    return {
        'DISPLAY': f':{display.address}',
        'DBUS_SESSION_BUS_ADDRESS': bus.address,
        'GDK_BACKEND': 'x11',
        'GSK_RENDERER': 'cairo',
        'MESA_LOG_LEVEL': 'error',  # it misses what Xvfb has not
        'EGL_LOG_LEVEL': 'fatal',
        'GSETTINGS_BACKEND': 'memory',
        'GTK_A11Y': 'none',
        'GTK_USE_PORTAL': '0',
        'GIO_USE_VFS': 'local',
    }


def main():
    # As an exception, so that nothing stays behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    services = []
    try:
        services.append(start_display())
        services.append(start_bus())
    except Missing as missing:
        print(f'1..0 # SKIP {missing}')
        return 0
    else:
        env = {**os.environ, **make_environment(*services)}
        return subprocess.run(sys.argv[1:], env=env, check=False).returncode
    finally:
        for service in services:
            service.stop()


if __name__ == '__main__':
    sys.exit(main())
