# SPDX-License-Identifier: LGPL-2.1-or-later

"""The echo server: what it sends back, how it stops, and that it does not grow."""

import asyncio
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

import tap
from running import COMMAND, DEADLINE, Running

N_TALKING = 1_000
N_SHORT = 100_000
# How many source addresses there have to be, that no port is used twice.
N_ADDRESSES = 8

STOPPING = 'Stopping when the lines at hand are echoed.'
NOT_ACCEPTING = 'No connections can be accepted for now: '

TICKS_PER_S = os.sysconf('SC_CLK_TCK')
PAGE_KIB = os.sysconf('SC_PAGE_SIZE') // 1024


def allow_open_files(n):
    """Lets this process, and those that it starts, have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n:
        raise unittest.SkipTest(f'only {hard} files may be open')
    if soft != resource.RLIM_INFINITY and soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


class Server(Running):
    """A server that listens on a port."""

    def __init__(self, *args, **kwargs):
        super().__init__([*COMMAND, *map(str, args)], dict(os.environ), **kwargs)
        words = self.process.stdout.readline().decode()
        self.port = int(re.fullmatch(r'Listening on 127\.0\.0\.1:(\d+)\n', words)[1])

    def stop(self):
        self.send(signal.SIGINT, STOPPING)

    def count_files(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def count_threads(self):
        return len(os.listdir(f'/proc/{self.process.pid}/task'))

    def resident_kib(self):
        with open(f'/proc/{self.process.pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * PAGE_KIB

    def processor_seconds(self):
        with open(f'/proc/{self.process.pid}/stat', encoding='ascii') as file:
            user, system = file.read().rpartition(')')[2].split()[11:13]
        return (int(user) + int(system)) / TICKS_PER_S


class Client:
    """A connection, tended by hand."""

    def __init__(self, server, source=None):
        self.socket = socket.socket()
        self.socket.settimeout(DEADLINE)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.connect(('127.0.0.1', server.port))

    def say(self, data):
        self.socket.sendall(data)

    def hear(self, length):
        """So much, or less if the server closes before."""
        heard = b''
        while len(heard) < length and (data := self.socket.recv(length - len(heard))):
            heard += data
        return heard

    def hear_rest(self):
        return b''.join(iter(lambda: self.socket.recv(65536), b''))

    def say_no_more(self):
        self.socket.shutdown(socket.SHUT_WR)

    def say_until_full(self, line):
        """Talks without listening, until nobody takes any more."""
        self.socket.settimeout(0.5)
        try:
            while True:
                self.socket.sendall(line)
        except TimeoutError:
            self.socket.settimeout(DEADLINE)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class Case(unittest.TestCase):
    def start(self, *args, **kwargs):
        server = Server(*args, **kwargs)
        self.addCleanup(server.process.stdout.close)
        self.addCleanup(server.process.stderr.close)
        self.addCleanup(server.process.kill)
        return server

    def connect(self, server, **kwargs):
        client = Client(server, **kwargs)
        self.addCleanup(client.close)
        return client

    def finish(self, server, *report, status=0):
        self.assertEqual(server.finish(), status, server.stderr)
        self.assertEqual(server.stdout.splitlines(), list(report))


class Echoing(Case):
    def test_lines(self):
        server = self.start()
        client = self.connect(server)

        client.say(b'one\n')
        self.assertEqual(client.hear(4), b'one\n')
        client.say(b'two\nthree\nfo')
        self.assertEqual(client.hear(10), b'two\nthree\n')
        client.say(b'ur\n\n\0\xff\n')
        self.assertEqual(client.hear(9), b'four\n\n\0\xff\n')
        client.close()

        server.stop()
        self.finish(server, '1 connection served', '6 lines echoed', '23 bytes echoed')

    def test_half_closed(self):
        """What a client has said is all sent back, its last line without an end included."""
        server = self.start()
        client = self.connect(server)

        client.say(b'line\n' * 10_000 + b'rest')
        client.say_no_more()
        self.assertEqual(client.hear_rest(), b'line\n' * 10_000 + b'rest')

        server.stop()
        self.finish(server, '1 connection served', '10000 lines echoed', '50004 bytes echoed')

    def test_one_does_not_wait_for_another(self):
        server = self.start()
        silent, deaf, talking = (self.connect(server) for _ in range(3))

        silent.say(b'half of a line')
        deaf.say_until_full(b'x' * 1000 + b'\n')
        talking.say(b'line\n')
        self.assertEqual(talking.hear(5), b'line\n')


class CommandLine(Case):
    def run_program(self, *args):
        return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=DEADLINE)

    def test_help(self):
        done = self.run_program('--help')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('--port=PORT', done.stdout)

    def test_bad_options(self):
        for args, message in ((['--port', '65536'], 'A port is a number from 0 to 65535.'),
                              (['--port', '-1'], 'A port is a number from 0 to 65535.'),
                              (['--port', 'http'], 'http'),
                              (['8080'], 'Unexpected argument: 8080')):
            done = self.run_program(*args)
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertIn(message, done.stderr)

    def test_port(self):
        first = self.start()
        port = first.port
        first.stop()
        self.finish(first, '0 connections served', '0 lines echoed', '0 bytes echoed')

        self.assertEqual(self.start('--port', port).port, port)

    def test_port_in_use(self):
        server = self.start()

        done = self.run_program('--port', str(server.port))

        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertRegex(done.stderr, rf'127\.0\.0\.1:{server.port}: Address already in use\n$')


class Trouble(Case):
    def test_reset(self):
        server = self.start()
        other = self.connect(server)

        for _ in range(3):
            client = Client(server)
            client.say(b'line\n')
            client.hear(5)
            port = client.socket.getsockname()[1]
            client.reset()
            server.wait_for(f'127.0.0.1:{port}: Error receiving data: Connection reset by peer\n')
        other.say(b'line\n')
        self.assertEqual(other.hear(5), b'line\n')
        other.close()

        server.stop()
        self.finish(server, '4 connections served', '4 lines echoed', '20 bytes echoed',
                    '3 connections failed')

    def test_endless_line(self):
        server = self.start()
        client = self.connect(server)

        with self.assertRaises(ConnectionError):
            while True:
                client.say(b'x' * 10_000)

        server.stop()
        self.finish(server, '1 connection served', '0 lines echoed', '0 bytes echoed',
                    '1 connection failed')
        self.assertIn(': The line is too long\n', server.stderr)

    def test_too_many_open_files(self):
        """It says so once, does not spin, and goes on when there is room."""
        limit = 20
        server = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        clients = [self.connect(server) for _ in range(limit)]
        for client in clients:
            client.say(b'line\n')
        server.wait_for(f'{NOT_ACCEPTING}Error accepting connection: Too many open files\n')

        before = server.processor_seconds()
        time.sleep(1)
        self.assertLess(server.processor_seconds() - before, 0.2)
        self.assertEqual(server.count_files(), limit)

        # In the order in which they came, each gets its turn.
        for client in clients:
            self.assertEqual(client.hear(5), b'line\n')
            client.close()

        server.stop()
        self.finish(server, f'{limit} connections served', f'{limit} lines echoed',
                    f'{5 * limit} bytes echoed')


class Stopping(Case):
    def test_idle(self):
        for signum in (signal.SIGINT, signal.SIGTERM):
            server = self.start()
            clients = [self.connect(server) for _ in range(3)]
            for client in clients:
                client.say(b'line\n')
                self.assertEqual(client.hear(5), b'line\n')

            server.send(signum, STOPPING)

            for client in clients:
                self.assertEqual(client.hear_rest(), b'')
                client.close()
            self.finish(server, '3 connections served', '3 lines echoed', '15 bytes echoed')

    def test_nobody_can_connect(self):
        server = self.start()
        client = self.connect(server)
        client.say(b'line\n')
        self.assertEqual(client.hear(5), b'line\n')
        server.stop()
        self.assertEqual(client.hear_rest(), b'')

        # The other connection is still there, so the server is, too. One that
        # comes just before the end of the listener is reset.
        with self.assertRaises(ConnectionError):
            while True:
                late = self.connect(server)
                late.say(b'line\n')
                self.assertEqual(late.hear_rest(), b'')
        self.assertIsNone(server.process.poll())
        client.close()
        self.finish(server, '1 connection served', '1 line echoed', '5 bytes echoed')

    def test_line_without_end(self):
        """A client that is within a line, and does not close either."""
        server = self.start()
        client = self.connect(server)
        client.say(b'line\nhalf of a line')
        self.assertEqual(client.hear(5), b'line\n')

        server.stop()

        self.assertEqual(client.hear_rest(), b'')
        self.finish(server, '1 connection served', '1 line echoed', '5 bytes echoed')

    def test_line_at_hand(self):
        """A line whose echo has begun is completed, as soon as it is taken."""
        server = self.start()
        client = self.connect(server)
        line = b'x' * 999 + b'\n'
        client.say_until_full(line)

        server.stop()
        heard = client.hear_rest()
        client.close()

        self.assertEqual(heard, line * (len(heard) // len(line)))
        self.finish(server, '1 connection served', f'{len(heard) // len(line)} lines echoed',
                    f'{len(heard)} bytes echoed')

    def test_deaf_client(self):
        """One that does not take its echo is waited for, but not for ever, nor
        after a second Ctrl+C."""
        for again in (False, True):
            server = self.start()
            client = self.connect(server)
            client.say_until_full(b'x' * 999 + b'\n')

            server.stop()
            if again:
                server.process.send_signal(signal.SIGINT)

            self.assertEqual(server.finish(), 1)
            self.assertRegex(server.stdout, r'^1 connection served\n(.*\n){2}'
                                            r'1 connection closed within a line\n$')


class Talker:
    """One of many connections. It says whole lines and a part of one, hears
    what the server makes of them, goes on, and keeps all of it."""

    def __init__(self, number):
        self.random = random.Random(number)
        self.said = b''
        self.heard = b''

    async def connect(self, port):
        self.reader, self.writer = await asyncio.open_connection('127.0.0.1', port)

    async def say_something(self):
        words = [bytes(self.random.choices(b'abcd\n', k=self.random.randrange(100))) for _ in range(2)]
        self.said += b'\n'.join(words)
        self.writer.write(b'\n'.join(words))
        await self.writer.drain()

    async def hear_answer(self):
        """Hears all whole lines. Returns whether the server is still there."""
        n_whole = self.said.rfind(b'\n') + 1
        while len(self.heard) < n_whole:
            data = await self.reader.read(65536)
            if not data:
                return False
            self.heard += data
        return True

    async def talk(self, on_answer):
        await self.say_something()
        while await self.hear_answer():
            on_answer(self)
            await self.say_something()
        self.writer.close()
        await self.writer.wait_closed()


class Many(Case):
    async def talk_and_stop(self, server, talkers):
        """Stops the server, once, when everybody has been answered."""
        silent = set(talkers)
        n_threads = server.count_threads()

        def on_answer(talker):
            if talker in silent:
                silent.remove(talker)
                if not silent:
                    # No connection has a thread of its own.
                    self.assertEqual(server.count_threads(), n_threads)
                    server.process.send_signal(signal.SIGINT)

        await asyncio.gather(*(talker.connect(server.port) for talker in talkers))
        await asyncio.gather(*(talker.talk(on_answer) for talker in talkers))

    def test_stop_while_all_talk(self):
        """What the server says it has echoed, its clients have got, all of it."""
        allow_open_files(N_TALKING + 100)
        server = self.start()
        talkers = [Talker(number) for number in range(N_TALKING)]

        asyncio.run(asyncio.wait_for(self.talk_and_stop(server, talkers), DEADLINE))

        for talker in talkers:
            self.assertTrue(talker.said.startswith(talker.heard))
            self.assertTrue(talker.heard.endswith(b'\n'))
        heard = b''.join(talker.heard for talker in talkers)
        n_lines = heard.count(b'\n')
        self.finish(server, f'{N_TALKING} connections served',
                    f'{n_lines} lines echoed', f'{len(heard)} bytes echoed')

    def exchange(self, server, number):
        client = Client(server, f'127.0.0.{1 + number % N_ADDRESSES}')
        client.say(b'line\n')
        client.say_no_more()
        self.assertEqual(client.hear_rest(), b'line\n')
        client.close()

    def test_short_connections(self):
        """After a great many, it has no more memory and files than after a few."""
        server = self.start()
        for number in range(N_SHORT // 10):
            self.exchange(server, number)
        n_files, resident = server.count_files(), server.resident_kib()

        for number in range(N_SHORT // 10, N_SHORT):
            self.exchange(server, number)

        # The last connection may still be on its way out.
        self.assertLessEqual(server.count_files(), n_files + 1)
        # Ten bytes a connection would be seen.
        self.assertLess(server.resident_kib() - resident, N_SHORT * 10 / 1024)
        server.stop()
        self.finish(server, f'{N_SHORT} connections served', f'{N_SHORT} lines echoed',
                    f'{5 * N_SHORT} bytes echoed')


if __name__ == '__main__':
    tap.main()
