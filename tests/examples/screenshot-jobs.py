# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes the picture of the example application that the documentation shows:
screenshot-jobs.py PROGRAM OUTPUT. It wants a display, see display.py."""

import os
import pathlib
import subprocess
import sys
import tempfile

from pictures import png

# They only say what such programs would.
COMMANDS = {
    'backup ~/Documents': 'for i in $(seq -w 12); do echo Copying Documents/Letters/2026-$i.odt; sleep 1; done',
    'render-slides talk.odp': 'echo 24 slides; sleep 1',
    'check-links manual.html': 'sleep 2; exit 2',
    'sync-mail --all': 'echo 312 messages, 4 of them new; sleep 3',
}
# More than can be done while the window is shown
N_PICTURES = 3000


def main():
    program, output = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix='jobs-') as name:
        top = pathlib.Path(name)
        folder = top / 'Norway'
        folder.mkdir()
        (folder / '0.png').write_bytes(png(1000, 800))
        for i in range(1, N_PICTURES):
            os.link(folder / '0.png', folder / f'{i}.png')

        (top / 'bin').mkdir()
        for command, script in COMMANDS.items():
            path = top / 'bin' / command.split()[0]
            path.write_text(f'#!/bin/sh\n{script}\n')
            path.chmod(0o755)

        env = {**os.environ, 'HOME': name, 'XDG_CACHE_HOME': f'{top}/cache', 'LANGUAGE': 'en',
               'PATH': f'{top}/bin:{os.environ["PATH"]}'}
        return subprocess.run([program, output, str(folder), *COMMANDS], env=env, check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
