#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs a program in German, and looks whether what the library says in it is
German, with the right plural."""

import os
import subprocess
import sys
import tempfile

PROGRAM, LOCALEDIR = sys.argv[1:]

EXPECTED = {
    'Die Gruppe „Eins“ hat keine Aufgabe mehr, '
    'aber ihr Join wartet auf 1 Handle, das nicht beendet ist',
    'Die Gruppe „Drei“ hat keine Aufgabe mehr, '
    'aber ihr Join wartet auf 3 Handles, die nicht beendet sind',
    'Gruppe „Leer“, 1 offenes Handle',
    '  0 lebend, 0 gelungen, 0 fehlgeschlagen, 0 angehalten, 0 abgebrochen',
}


def main():
    with tempfile.TemporaryDirectory(prefix='tasker-locale-') as tmp:
        # A machine need not have the locale; what it is made of comes with the
        # C library.
        made = subprocess.run(['localedef', '-i', 'de_DE', '-f', 'UTF-8', f'{tmp}/de_DE.UTF-8'],
                              check=False)
        if made.returncode:
            print('there is no German locale, and none can be made')
            return 77

        env = dict(os.environ, LOCPATH=tmp, LC_ALL='de_DE.UTF-8')
        del env['LANGUAGE']
        said = subprocess.run([PROGRAM, LOCALEDIR], env=env, check=True, stdout=subprocess.PIPE,
                              encoding='utf-8', timeout=60).stdout
    assert set(said.splitlines()) == EXPECTED, said
    return 0


if __name__ == '__main__':
    sys.exit(main())
