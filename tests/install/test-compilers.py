#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Builds the library, and nothing else, with each compiler that is installed, and
takes each warning for an error."""

import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
COMPILERS = ('gcc', 'clang')
NOT_WANTED = ('tests', 'examples', 'docs', 'python', 'introspection')


def run(*command, env=None):
    done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(done.stdout)
    return not done.returncode


def builds_with(compiler):
    with tempfile.TemporaryDirectory(prefix=f'tasker-{compiler}-') as directory:
        return (run('meson', 'setup', directory, SOURCE, '-Dwerror=true',
                    *(f'-D{option}=false' for option in NOT_WANTED),
                    env=dict(os.environ, CC=compiler)) and
                run('ninja', '-C', directory))


def main():
    installed = [compiler for compiler in COMPILERS if shutil.which(compiler)]
    if not installed:
        print('neither of', *COMPILERS, 'is installed')
        return 77

    failed = [compiler for compiler in installed if not builds_with(compiler)]
    if failed:
        print('not without warnings:', *failed)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
