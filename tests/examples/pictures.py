# SPDX-License-Identifier: LGPL-2.1-or-later

"""Writes and reads PNG pictures, as far as the tests need it."""

import hashlib
import os
import random
import struct
import zlib

SIGNATURE = b'\x89PNG\r\n\x1a\n'


def _chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width, height):
    """A picture of so many pixels. It is noise, so that it cannot be made small."""
    noise = random.Random(width * height)
    rows = b''.join(b'\0' + noise.randbytes(width * 3) for y in range(height))
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (SIGNATURE + _chunk(b'IHDR', header) +
            _chunk(b'IDAT', zlib.compress(rows)) + _chunk(b'IEND', b''))


def read_png(data):
    """The width, the height and the texts of a picture that is whole."""
    if not data.startswith(SIGNATURE):
        raise ValueError('no PNG')

    size, texts, kind, at = None, {}, None, len(SIGNATURE)
    while kind != b'IEND':
        length, kind = struct.unpack_from('>I4s', data, at)
        content = data[at + 8:at + 8 + length]
        (crc,) = struct.unpack_from('>I', data, at + 8 + length)
        if crc != zlib.crc32(kind + content):
            raise ValueError(f'{kind} is damaged')
        if kind == b'IHDR':
            size = struct.unpack_from('>II', content)
        elif kind == b'tEXt':
            key, _, value = content.partition(b'\0')
            texts[key.decode()] = value.decode()
        at += 12 + length

    return (*size, texts)


def mime_database():
    """The data directory from which GIO knows what is a picture."""
    dirs = os.environ.get('XDG_DATA_DIRS') or '/usr/local/share:/usr/share'
    return next(path for path in dirs.split(':') if os.path.exists(f'{path}/mime/mime.cache'))


def thumbnail_name(picture):
    return hashlib.md5(picture.as_uri().encode()).hexdigest() + '.png'
