#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The translations are complete: msgfmt finds no fault with them, every
message of the sources is translated in each, and POTFILES.in lists every file
that has messages."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(sys.argv[1])
PO = SOURCE / 'po'

USES_GETTEXT = re.compile(r'\b(?:N?_|N?C_|ngettext|g_dngettext|g_dpgettext2) ?\([^)]*?"|'
                          r' translatable="yes"')
KEYWORDS = ['_', 'N_', 'C_:1c,2', 'NC_:1c,2', 'ngettext:1,2', 'g_dngettext:2,3',
            'g_dpgettext2:2c,3']


def run(*command):
    return subprocess.run(command, cwd=SOURCE, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def words(path):
    """The lines of a list, without its comments."""
    return [line for line in path.read_text().split('\n') if line and line[0] != '#']


def check_potfiles():
    sources = [*SOURCE.glob('tasker/*.[ch]'), *SOURCE.glob('examples/**/*.[ch]'),
               *SOURCE.glob('examples/**/*.ui')]
    users = {str(path.relative_to(SOURCE)) for path in sources
             if USES_GETTEXT.search(path.read_text())}
    listed = words(PO / 'POTFILES.in')
    for name in sorted(users - set(listed)):
        yield f'po/POTFILES.in: {name} has messages and is not listed'
    for name in sorted(set(listed) - users):
        yield f'po/POTFILES.in: {name} has no messages'


def check_language(language, template):
    po = PO / f'{language}.po'
    result = run('msgfmt', '--check', '--statistics', '--output-file=/dev/null', po)
    if result.returncode or 'fuzzy' in result.stdout or 'untranslated' in result.stdout:
        yield f'{po.name}: {result.stdout.strip()}'
    result = run('msgcmp', po, template)
    if result.returncode:
        yield f'{po.name} lacks messages that the sources have:\n{result.stdout.strip()}'
    if 'Language: ' + language + '\\n' not in po.read_text():
        yield f'{po.name}: the header does not name the language'


def main():
    languages = words(PO / 'LINGUAS')
    with tempfile.TemporaryDirectory(prefix='tasker-po-') as tmp:
        template = Path(tmp, 'libtasker.pot')
        result = run('xgettext', '--from-code=UTF-8', '--files-from=po/POTFILES.in',
                     '--flag=g_set_error:4:c-format', f'--output={template}',
                     *(f'--keyword={keyword}' for keyword in KEYWORDS))
        problems = [result.stdout] if result.returncode else []
        problems += check_potfiles()
        for language in languages:
            problems += check_language(language, template)
    if len(languages) < 3:
        problems.append('po/LINGUAS: fewer than three languages')
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
