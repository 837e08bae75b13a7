#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The example that the README shows is the one that is built and run, and the
files that the README names exist."""

import re
import sys
from pathlib import Path

SOURCE = Path(sys.argv[1])


def main():
    readme = (SOURCE / 'README.md').read_text()
    example = (SOURCE / 'examples/c/hello-group.c').read_text()

    blocks = re.findall(r'^```c\n(.*?)^```$', readme, re.MULTILINE | re.DOTALL)
    # The file begins with its licence, which the README has no need to show.
    assert blocks and example.endswith(blocks[0]), \
        'the first C example in README.md is not the text of examples/c/hello-group.c'
    assert '#include <tasker.h>' in blocks[0], 'the example is not whole'

    linked = re.findall(r'\]\(((?!https?:)[^)#]+)', readme)
    missing = [name for name in linked if not (SOURCE / name).exists()]
    assert linked and not missing, f'README.md names files that do not exist: {missing}'


if __name__ == '__main__':
    main()
