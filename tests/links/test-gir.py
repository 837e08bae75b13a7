#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Looks for what the manual would leave unsaid: everything in the
introspection data, and every macro in the headers, has a doc comment; so have
parameters and return values; and all say since when they exist."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

GIR, HEADERS = sys.argv[1], Path(sys.argv[2])

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

# Elements that must be described, and those of them that came with a version.
DESCRIBED = {'class', 'enumeration', 'bitfield', 'callback', 'constructor', 'function', 'method',
             'property', 'constant', 'member', 'function-macro'}
VERSIONED = DESCRIBED - {'member'}

MACROS = re.compile(r'^#define (TASKER_\w+)', re.MULTILINE)
# Boilerplate that GObject's conventions explain. An error domain is described
# at its macro.
BOILERPLATE = re.compile(r'TASKER_(TYPE_\w+|AVAILABLE_\w+|INSIDE)|tasker_\w+_quark')


def local(element):
    return element.tag.rpartition('}')[2]


def name_of(element):
    return (element.get(C + 'identifier') or element.get(C + 'type') or
            element.get(GLIB + 'type-name') or element.get('name'))


def undescribed(element, owner=''):
    """Yields what is wrong with the element and what it contains."""
    kind = local(element)
    name = f'{owner}{name_of(element)}'
    if BOILERPLATE.fullmatch(name_of(element) or ''):
        return
    if kind in DESCRIBED and element.get('introspectable') != '0' or kind == 'function-macro':
        if element.find(CORE + 'doc') is None:
            yield f'{kind} {name}: no description'
        if kind in VERSIONED and element.get('version') is None:
            yield f'{kind} {name}: no Since'
        for parameter in element.findall(f'{CORE}parameters/{CORE}parameter'):
            if parameter.find(CORE + 'doc') is None:
                yield f'{kind} {name}: parameter {parameter.get("name")} is not described'
        returned = element.find(CORE + 'return-value')
        if (returned is not None and returned.find(CORE + 'doc') is None and
                returned.find(CORE + 'type') is not None and
                returned.find(CORE + 'type').get('name') != 'none'):
            yield f'{kind} {name}: the return value is not described'
    for child in element:
        yield from undescribed(child, f'{element.get("name")}.' if kind == 'class' else '')


def undocumented_macros():
    for header in [*HEADERS.glob('*.h'), *HEADERS.glob('*.h.in')]:
        if header.name.endswith('-private.h'):
            continue
        text = header.read_text()
        for macro in MACROS.findall(text):
            if not BOILERPLATE.fullmatch(macro) and f'\n * {macro}:\n' not in text:
                yield f'macro {macro}: no description in {header.name}'


def gives_reason(element):
    """Says in its own description, or in that of the function it goes with, why."""
    doc = element.find(CORE + 'doc')
    return doc is not None and 'introspection' in doc.text


def main():
    namespace = ET.parse(GIR).getroot().find(CORE + 'namespace')
    callables = [e for e in namespace.iter() if local(e) in ('method', 'constructor', 'function')]
    assert len(callables) > 50, 'hardly a function in the introspection data'

    problems = [*undescribed(namespace), *undocumented_macros()]
    problems += [f'{name_of(e)}: not introspectable, and no reason given' for e in callables
                 if e.get('introspectable') == '0' and not gives_reason(e)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
