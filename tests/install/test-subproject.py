#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Builds a project that has libtasker as a subproject, without a network."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(sys.argv[1])
HERE = Path(__file__).parent


def main():
    # Nothing of ours that is installed may stand in for the subproject.
    os.environ['PKG_CONFIG_PATH'] = ''
    with tempfile.TemporaryDirectory(prefix='tasker-subproject-') as tmp:
        project, build = Path(tmp, 'project'), Path(tmp, 'build')
        shutil.copytree(HERE / 'subproject', project)
        shutil.copy(HERE / 'program.c', project)
        (project / 'subprojects' / 'libtasker').symlink_to(SOURCE)
        subprocess.run(['meson', 'setup', build, project, '--wrap-mode=nodownload',
                        '--force-fallback-for=tasker-1'], check=True)
        subprocess.run(['meson', 'compile', '-C', build], check=True)
        said = subprocess.run([build / 'program'], check=True, text=True, timeout=60,
                              stdout=subprocess.PIPE).stdout
        assert said == 'hello from a task\n', f'the program said {said!r}'


if __name__ == '__main__':
    main()
