#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs the library into a prefix and uses it from there in each language, as
somebody does who has never seen the source."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
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
    'share/gjs-1.0/overrides/Tasker.js',
    'share/locale/de/LC_MESSAGES/libtasker.mo',
]

# A task in each language, as the override has it, or the bindings.
PYTHON = '''
import sys
import gi
gi.require_version('Tasker', '1')
from gi.repository import Tasker
import gi.overrides.Tasker

assert gi.overrides.Tasker.__file__.startswith(sys.argv[1]), gi.overrides.Tasker.__file__
with Tasker.Group('hello') as group:
    print(group.spawn(lambda task: 'hello from a task').result())
'''
JAVASCRIPT = '''
const {GLib, Tasker} = imports.gi;
const loop = new GLib.MainLoop(null, false);

new Tasker.Group({name: 'hello'}).spawn(async () => 'hello from a task').then(value => {
    print(value);
    loop.quit();
});
loop.run();
'''
VALA = '''
int main () {
  var group = new Tasker.Group ("hello");

  group.spawn (null, (stopper) => {
    stdout.printf ("hello from a task\\n");
    return true;
  });
  try {
    group.join ();
  } catch (Error e) {
    return 1;
  }
  return 0;
}
'''


def run(*command, **kwargs):
    print('+', shlex.join(map(str, command)), flush=True)
    return subprocess.run(command, check=True, text=True, **kwargs)


def pkg_config(*args):
    return shlex.split(run('pkg-config', *args, 'tasker-1', stdout=subprocess.PIPE).stdout)


def check(*command):
    said = run(*command, stdout=subprocess.PIPE, timeout=60).stdout
    assert said == 'hello from a task\n', f'the program said {said!r}'


def check_python(prefix):
    """PyGObject looks for overrides where Python looks for modules, and those of a
    prefix are where Python's own scheme has them, or that of Debian."""
    if importlib.util.find_spec('gi') is None:
        print('there is no PyGObject for this Python')
        return
    schemes = [sysconfig.get_path('purelib', scheme, {'base': prefix, 'platbase': prefix})
               for scheme in sysconfig.get_scheme_names()]
    found = [path for path in schemes if Path(path, 'gi/overrides/Tasker.py').exists()]
    assert found, f'the override is in none of {schemes}'
    for name in 'Tasker.pyi', '_tasker/__init__.py':
        assert Path(found[0], 'gi/overrides', name).exists(), name
    os.environ['PYTHONPATH'] = found[0]
    check(sys.executable, '-c', PYTHON, prefix)


def check_javascript(program):
    """GJS looks for overrides in all directories for data."""
    if shutil.which('gjs') is None:
        print('there is no GJS')
        return
    program.write_text(JAVASCRIPT)
    check('gjs', program)


def check_vala(source, prefix):
    """valac looks for bindings in all directories for data, by the name for pkg-config."""
    if shutil.which('valac') is None:
        print('there is no valac')
        return
    assert (prefix / 'share/vala/vapi/libtasker-1.vapi').exists()
    source.write_text(VALA)
    program = source.with_suffix('')
    run('valac', '--fatal-warnings', '--pkg=tasker-1', '--Xcc=-w', '-o', program, source)
    check(program)


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
        os.environ['GI_TYPELIB_PATH'] = str(prefix / 'lib/girepository-1.0')
        os.environ['XDG_DATA_DIRS'] = f'{prefix}/share:/usr/local/share:/usr/share'
        check(program)
        check_python(prefix)
        check_javascript(Path(tmp, 'hello.js'))
        check_vala(Path(tmp, 'hello.vala'), prefix)


if __name__ == '__main__':
    main()
