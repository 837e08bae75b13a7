#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes thumbnails of many pictures, several at once, in worker threads.

    thumbnailer.py [--jobs NUMBER] [--size PIXELS] --output DIRECTORY PATH...

Ctrl+C lets what is at hand be finished, and no more begin. Thumbnails are named as
the freedesktop thumbnail specification says."""

import argparse
import collections
import hashlib
import mimetypes
import os
import pathlib
import signal
import sys
import time

import gi

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Tasker', '1')
from gi.repository import GdkPixbuf, Gio, GLib, Tasker  # noqa: E402

STATUS_INTERRUPTED = 130


def load_scaled(picture, size):
    """Loads a picture, no side of it longer than so many pixels."""
    stream = Gio.File.new_for_path(str(picture)).read(None)
    # Cameras save how they were held instead of turning the picture.
    pixbuf = GdkPixbuf.Pixbuf.new_from_stream(stream, None).apply_embedded_orientation()
    width, height = pixbuf.get_width(), pixbuf.get_height()
    longer = max(width, height)
    if longer <= size:
        return pixbuf
    return pixbuf.scale_simple(max(1, width * size // longer), max(1, height * size // longer),
                               GdkPixbuf.InterpType.BILINEAR)


def make_thumbnail(task, picture, output, size):
    # In a worker thread. It has no look at the task: at a stop, what is at hand is to
    # be finished, and what has not begun does not begin.
    uri = picture.as_uri()
    mtime = str(int(picture.stat().st_mtime))
    _, png = load_scaled(picture, size).save_to_bufferv(
        'png', ['tEXt::Thumb::URI', 'tEXt::Thumb::MTime'], [uri, mtime])
    # This writes to a temporary name, and renames that: nobody sees half a file.
    path = output / (hashlib.md5(uri.encode()).hexdigest() + '.png')
    GLib.file_set_contents_full(str(path), png, GLib.FileSetContentsFlags.CONSISTENT, 0o600)


class ProgressLine:
    """Says on a terminal how far it is, ten times a second at most."""

    def __init__(self, n_pictures):
        self._n_pictures = n_pictures
        self._is_shown = sys.stdout.isatty()
        self._next_time = 0

    def update(self, n_ended):
        if self._is_shown and time.monotonic() >= self._next_time:
            self._next_time = time.monotonic() + 0.1
            print(f'\r\033[K{n_ended} of {self._n_pictures} pictures', end='', flush=True)

    def clear(self):
        if self._is_shown:
            print('\r\033[K', end='')


def list_pictures(paths):
    """Lists files, and of directories the pictures in them, each once."""
    pictures = {}
    for path in map(pathlib.Path.absolute, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        for picture in inside:
            kind, _ = mimetypes.guess_type(picture.name)
            if picture == path or (kind or '').startswith('image/'):
                pictures[picture] = True
    return list(pictures)


def say_stopping(*unused):
    print('Stopping when the pictures at hand are done.', file=sys.stderr)


def make_thumbnails(group, pictures, output, size):
    # The first Ctrl+C stops the group; should that take too long, the third one ends
    # the program as it is. The stopper hears of it in a thread of the library.
    group.stop_on_signal(signal.SIGINT)
    group.stop_on_signal(signal.SIGTERM)
    stopper = group.create_stopper()
    stopper.connect(say_stopping)

    for picture in pictures:
        name = str(picture).encode(errors='replace').decode()
        group.spawn(make_thumbnail, picture, output, size, name=name)

    # Results, as they come. Who takes them is told of failures here, and here alone.
    progress = ProgressLine(len(pictures))
    counts = collections.Counter()
    for task in group.join_stream():
        counts[task.state] += 1
        if task.state == Tasker.TaskState.FAILED:
            progress.clear()
            print(f'{task.name}: {getattr(task.error, "message", task.error)}', file=sys.stderr)
        progress.update(sum(counts.values()))
    progress.clear()
    return counts


def parse_arguments():
    parser = argparse.ArgumentParser(description='Makes thumbnails of pictures.')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='how many at once')
    parser.add_argument('--size', type=int, default=128, help='the longer side, in pixels')
    parser.add_argument('--output', type=pathlib.Path, required=True, help='where they go')
    parser.add_argument('pictures', type=pathlib.Path, nargs='+', help='files and directories')
    args = parser.parse_args()
    if args.jobs < 1 or args.size < 1:
        parser.error('the numbers have to be positive')
    return args


def main():
    args = parse_arguments()
    args.output.mkdir(parents=True, exist_ok=True)

    with Tasker.Group('thumbnails', max_running=args.jobs) as group:
        counts = make_thumbnails(group, list_pictures(args.pictures), args.output, args.size)

    done = counts[Tasker.TaskState.SUCCEEDED]
    failed = counts[Tasker.TaskState.FAILED]
    print(f'{done} done, {failed} failed, {sum(counts.values()) - done - failed} not begun')
    if group.is_stopped():
        return STATUS_INTERRUPTED
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
