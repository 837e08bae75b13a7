#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Looks at the shared library: that it links GLib, GObject and GIO only, and
exports what the headers declare, no more and no less."""

import re
import subprocess
import sys
from pathlib import Path

LIBRARY, HEADERS = sys.argv[1], Path(sys.argv[2])

MAY_LINK = re.compile(r'lib(glib|gobject|gio)-2\.0\.so\.0|libc\.so\.6|ld-linux.*')
# Made by G_DECLARE_*_TYPE and by glib-mkenums.
TYPES = re.compile(r'G_DECLARE_\w+_TYPE \(\w+, (\w+),')
ENUMS = re.compile(r'^} (Tasker\w+);', re.MULTILINE)
FUNCTIONS = re.compile(r'^TASKER_AVAILABLE_IN_\w+\n[\w \*]*?(\w+)\s*\(', re.MULTILINE)


def readelf(*args):
    return subprocess.run(['readelf', '--wide', *args, LIBRARY], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def declared():
    names = set()
    for header in HEADERS.glob('*.h'):
        if header.name.endswith('-private.h'):
            continue
        text = header.read_text()
        names.update(f'{prefix}_get_type' for prefix in TYPES.findall(text))
        names.update(re.sub(r'(?<!^)([A-Z])', r'_\1', enum).lower() + '_get_type'
                     for enum in ENUMS.findall(text))
        names.update(name for name in FUNCTIONS.findall(text) if name.startswith('tasker_'))
    return names


def exported():
    names = set()
    for line in readelf('--dyn-syms').splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[4] in ('GLOBAL', 'WEAK') and fields[6] != 'UND':
            names.add(fields[7].partition('@')[0])
    return names


def main():
    needed = re.findall(r'\(NEEDED\).*\[(.*)\]', readelf('--dynamic'))
    assert 'libgio-2.0.so.0' in needed, f'readelf says it needs {needed}'
    excess = [name for name in needed if not MAY_LINK.fullmatch(name)]
    assert not excess, f'the library links {excess}'

    soname = re.findall(r'\(SONAME\).*\[(.*)\]', readelf('--dynamic'))
    assert soname == ['libtasker-1.so.0'], soname

    # The static analyzers, sanitizers and profilers add symbols of their own;
    # those are not looked at here, for such builds leave out the scripts.
    missing, excess = declared() - exported(), exported() - declared()
    assert len(declared()) > 50, 'hardly a declaration was found in the headers'
    assert not missing, f'declared, but not exported: {sorted(missing)}'
    assert not excess, f'exported, but not declared: {sorted(excess)}'


if __name__ == '__main__':
    main()
