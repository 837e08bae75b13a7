#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The C in the pages of the manual compiles, without a warning: the blocks of
a page, one after another, are one file."""

import re
import subprocess
import sys
from pathlib import Path

SOURCE, BUILD = map(Path, sys.argv[1:])

PAGES = ['guide.md', 'migrating.md']
BLOCK = re.compile(r'^```c\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def main():
    flags = subprocess.run(['pkg-config', '--cflags', 'gio-2.0'], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    for page in PAGES:
        blocks = BLOCK.findall((SOURCE / 'doc' / page).read_text())
        assert blocks, f'{page} shows no C'
        print(page, flush=True)
        subprocess.run(['cc', '-x', 'c', '-fsyntax-only', '-Wall', '-Wextra', '-Werror',
                        '-Wno-unused-parameter', '-Wno-unused-function',
                        f'-I{SOURCE}/tasker', f'-I{BUILD}/tasker', *flags, '-'],
                       input='\n'.join(blocks), text=True, check=True)


if __name__ == '__main__':
    main()
