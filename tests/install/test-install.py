#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs the library into a prefix and builds a program against it, as
somebody does who has never seen the source."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(sys.argv[1])
PROGRAM = Path(__file__).with_name('program.c')

INSTALLED = [
    'include/tasker-1/tasker.h',
    'include/tasker-1/tasker-enums.h',
    'include/tasker-1/tasker-version.h',
    'lib/libtasker-1.so',
    'lib/libtasker-1.so.0',
    'lib/pkgconfig/tasker-1.pc',
    'lib/girepository-1.0/Tasker-1.typelib',
    'share/gir-1.0/Tasker-1.gir',
    'share/locale/de/LC_MESSAGES/libtasker.mo',
]


def run(*command, **kwargs):
    print('+', shlex.join(map(str, command)), flush=True)
    return subprocess.run(command, check=True, text=True, **kwargs)


def pkg_config(*args):
    return shlex.split(run('pkg-config', *args, 'tasker-1', stdout=subprocess.PIPE).stdout)


def main():
    with tempfile.TemporaryDirectory(prefix='tasker-install-') as tmp:
        build, prefix, program = Path(tmp, 'build'), Path(tmp, 'prefix'), Path(tmp, 'program')
        run('meson', 'setup', build, SOURCE, f'--prefix={prefix}', '--libdir=lib',
            '-Ddocs=false', '-Dexamples=false', '-Dtests=false')
        run('meson', 'install', '-C', build)
        missing = [name for name in INSTALLED if not (prefix / name).exists()]
        assert not missing, f'not installed: {missing}'
        private = [path.name for path in prefix.glob('include/**/*-private.h')]
        assert not private, f'installed, but not API: {private}'

        os.environ['PKG_CONFIG_PATH'] = str(prefix / 'lib/pkgconfig')
        cflags, libs = pkg_config('--cflags'), pkg_config('--libs')
        run('cc', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', *cflags,
            PROGRAM, '-o', program, *libs)
        run('c++', '-x', 'c++', '-Wall', '-Werror', '-fsyntax-only', *cflags,
            '-include', 'tasker.h', '/dev/null')

        os.environ['LD_LIBRARY_PATH'] = str(prefix / 'lib')
        said = run(program, stdout=subprocess.PIPE, timeout=60).stdout
        assert said == 'hello from a task\n', f'the program said {said!r}'


if __name__ == '__main__':
    main()
