#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Walks the introspection data, for what bindings go by: who owns what, what may
be NULL, which function frees the data of which callback, which functions end what
others have begun. It has to say what the doc comments and the C types say, and not
what the scanner made of it where they said nothing."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

GIR, SOURCES = sys.argv[1], Path(sys.argv[2])

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

BLOCK = re.compile(r'^/\*\*\n \* (\w+):\n(.*?)^ \*/$', re.MULTILINE | re.DOTALL)
ITEM = re.compile(r'^ \* (@\w+|Returns):((?:\s*(?:\* +)?\([^)]*\))*)', re.MULTILINE)
ANNOTATION = re.compile(r'\(([^)]*)\)')

# What the scanner takes for nullable by itself, and rightly.
ALWAYS_NULLABLE = {'gpointer', 'Gio.AsyncReadyCallback'}


def local(element):
    return element.tag.rpartition('}')[2]


def read_annotations():
    """Returns {C name: {'@parameter' or 'Returns': {annotation}}}."""
    found = {}
    for path in [*SOURCES.glob('*.c'), *SOURCES.glob('*.h')]:
        for name, text in BLOCK.findall(path.read_text()):
            found[name] = {item: set(ANNOTATION.findall(annotations))
                           for item, annotations in ITEM.findall(text)}
    return found


class Value:
    """A parameter, or what is returned."""

    def __init__(self, element, annotations):
        self.name = element.get('name', 'Returns')
        self.annotations = annotations.get(f'@{self.name}' if element.get('name') else 'Returns', set())
        self.is_out = element.get('direction') == 'out'
        self.nullable = element.get('nullable') == '1'
        self.optional = element.get('optional') == '1'
        self.transfer = element.get('transfer-ownership')
        self.scope = element.get('scope')
        self.closure = element.get('closure')
        self.destroy = element.get('destroy')
        type_element = next(e for e in element if local(e) in ('type', 'array'))
        self.type = type_element.get('name') or 'array'
        self.c_type = type_element.get(C + 'type') or ''
        self.has_length = type_element.get('length') is not None
        self.item = next((e.get('name') for e in type_element if local(e) == 'type'), None)

    @property
    def is_pointer(self):
        return self.c_type.endswith('*') or self.type == 'gpointer' or self.type.endswith(('Func', 'Callback'))


class Callable:
    """A function, a method, or the type of a callback."""

    def __init__(self, element, annotations):
        self.kind = local(element)
        self.c_name = element.get(C + 'identifier') or element.get(C + 'type')
        self.name = element.get('name')
        self.throws = element.get('throws') == '1'
        self.introspectable = element.get('introspectable') != '0'
        self.links = {key: element.get(f'{GLIB}{key}-func') for key in ('sync', 'async', 'finish')}
        self.annotations = annotations.get(self.c_name, {})
        self.parameters = [Value(e, self.annotations) for e in element.iterfind(f'{CORE}parameters/{CORE}parameter')]
        self.returned = Value(element.find(CORE + 'return-value'), self.annotations)

    def types(self):
        """What a call takes, but for what makes it asynchronous."""
        return [(p.name, p.type) for p in self.parameters if p.name not in ('callback', 'user_data')]


def check_transfer(function):
    """An object, a string or an array that is returned is the caller's, unless its
    type is const; what is passed stays the caller's, unless it says it does not."""
    value = function.returned
    if value.is_pointer:
        expected = ('none' if value.c_type.startswith('const') else
                    'container' if value.type == 'GLib.PtrArray' else 'full')
        if value.transfer != expected:
            yield f'what is returned is transfer {value.transfer}, not {expected}'
        if f'transfer {value.transfer}' not in value.annotations:
            yield 'the comment does not say who owns what is returned'
    for value in function.parameters:
        if not value.is_out and (value.transfer == 'full') != ('transfer full' in value.annotations):
            yield f'{value.name} is transfer {value.transfer}, and the comment says otherwise'


def check_null(function):
    for value in [*function.parameters, function.returned]:
        if value.type in ALWAYS_NULLABLE and value.name != 'Returns' or not value.is_pointer:
            continue
        noted = 'optional' if value.is_out else 'nullable'
        is_noted = value.optional if value.is_out else value.nullable
        if is_noted != (noted in value.annotations):
            yield f'{value.name} is {"" if is_noted else "not "}{noted}, and the comment says otherwise'


def check_out(function):
    """Numbers that are given by their address come out."""
    for value in function.parameters:
        if value.c_type in ('guint*', 'guint64*', 'gsize*', 'gboolean*') and not value.is_out:
            yield f'{value.name} does not come out'


def check_arrays(function):
    for value in [*function.parameters, function.returned]:
        if value.type in ('array', 'GLib.PtrArray') and value.item not in ('Task', 'gsize'):
            yield f'{value.name}: the type of the items is {value.item}'
        if value.type == 'array' and not value.has_length:
            yield f'{value.name} has no length'


def check_closures(function):
    """Each function that is passed has its data, and frees that if it is kept."""
    for value in function.parameters:
        if not value.type.endswith(('Func', 'Callback')):
            continue
        if value.scope != ('async' if value.destroy is None else 'notified'):
            yield f'{value.name} has the scope {value.scope}'
        # The data of this one is that of the task.
        if value.type == 'Gio.TaskThreadFunc':
            continue
        for role, type_name in (('closure', 'gpointer'), ('destroy', 'GLib.DestroyNotify')):
            index = getattr(value, role)
            if index is None and role == 'destroy' and value.scope == 'async':
                continue
            if index is None or function.parameters[int(index)].type != type_name:
                yield f'{value.name} has no {role}'


def check_callback(callback):
    """The type of a callback says which parameter is its data."""
    data = [p for p in callback.parameters if p.closure is not None]
    if [p.name for p in data] != ['user_data'] or data[0].closure != str(callback.parameters.index(data[0])):
        yield 'its data is not known'


def check_async(function, others):
    """What is begun has an end, of which the types are those of what blocks."""
    base = function.name[:-len('_async')]
    finish, blocking = others.get(f'{base}_finish'), others.get(base)
    if finish is None or blocking is None:
        yield f'there is no {base}_finish() or {base}()'
        return
    if [p.type for p in function.parameters[-2:]] != ['Gio.AsyncReadyCallback', 'gpointer']:
        yield 'it does not end with a callback and its data'
    if finish.types() != [('result', 'Gio.AsyncResult')]:
        yield f'{finish.name}() takes {finish.types()}'
    if function.types() != blocking.types():
        yield f'it does not take what {base}() does'
    # What cannot fail where it blocks may be cancelled where it does not.
    for one, two in ((finish.throws, blocking.throws), (finish.returned.type, blocking.returned.type),
                     (finish.returned.transfer, blocking.returned.transfer),
                     (finish.returned.nullable, blocking.returned.nullable)):
        if one != two:
            yield f'{finish.name}() does not give what {base}() does'
    # Only newer scanners say which belong together.
    for one, key, name in ((function, 'finish', finish.name), (function, 'sync', base),
                           (blocking, 'async', function.name)):
        if one.links[key] not in (None, name):
            yield f'{one.name} has the {key} function {one.links[key]}'


def check_property(element, owner, methods):
    """A property of which there is a getter or a setter names it."""
    name = element.get('name').replace('-', '_')
    for role, method in (('getter', [f'get_{name}', name]), ('setter', [f'set_{name}'])):
        there = [each for each in method if each in methods]
        if there and element.get(role) not in (None, *there):
            yield f'property {owner}:{name}: its {role} is {element.get(role)}'
    if element.get('transfer-ownership') != 'none':
        yield f'property {owner}:{name}: transfer {element.get("transfer-ownership")}'


def check(function, others):
    yield from check_null(function)
    yield from check_arrays(function)
    if function.kind == 'callback':
        yield from check_callback(function)
        return
    yield from check_transfer(function)
    yield from check_out(function)
    yield from check_closures(function)
    if function.name.endswith('_async') and function.kind == 'method':
        yield from check_async(function, others)


def main():
    namespace = ET.parse(GIR).getroot().find(CORE + 'namespace')
    annotations = read_annotations()
    problems = []
    n_checked = n_async = 0

    for owner in [namespace, *(e for e in namespace if local(e) == 'class')]:
        functions = [Callable(e, annotations) for e in owner
                     if local(e) in ('function', 'method', 'constructor', 'callback') and
                     e.get('moved-to') is None]
        others = {function.name: function for function in functions}
        for function in functions:
            if function.introspectable and function.name != 'quark':
                n_checked += 1
                n_async += function.name.endswith('_async') and function.kind == 'method'
                problems += [f'{function.c_name}: {each}' for each in check(function, others)]
        for element in owner.iterfind(CORE + 'property'):
            problems += check_property(element, owner.get('name'), others)

    assert n_checked > 80 and n_async > 5, f'{n_checked} functions, {n_async} of them asynchronous'
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
