#!/usr/bin/env python3
"""A client written from docs/protocol.md alone, with the ciphers of tests/vectors/make_vectors.py, against a real listener: what the text
says is enough to talk to this implementation, and what it forbids is answered as it says."""
import base64
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors"))
from make_vectors import SUITES, Symmetric, expand, hkdf2, hmac, public, x25519, xor  # noqa: E402

CAT = str(Path(os.environ.get("MXP_BIN", "build/release/bin")) / "mxp-cat")
LIMIT = 20  # seconds: what takes longer hangs
PROTOCOL_VIOLATION, UNKNOWN_FRAME, KEY_UPDATE_ERROR, DOWNGRADE, NOT_AUTHORIZED = 0x0a, 0x0f, 0x0d, 0x0c, 0x02
FRAME_ENCODING_ERROR, STREAM_STATE_ERROR, STREAM_LIMIT_ERROR, FLOW_CONTROL_ERROR, FINAL_SIZE_ERROR = 0x07, 0x05, 0x04, 0x03, 0x06


def varint(value):
    for size, bits in ((1, 0), (2, 1), (4, 2), (8, 3)):
        if value < 1 << (8 * size - 2):
            return (value | bits << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        assert len(piece) == count, "cut off"
        self.at += count
        return piece

    def varint(self):
        size = 1 << (self.data[self.at] >> 6)
        return int.from_bytes(self.take(size), "big") & ((1 << (8 * size - 2)) - 1)

    def left(self):
        return len(self.data) - self.at


def open_aead(suite, key, nonce, associated, sealed):
    """Both ciphers are streams: what seals zeros gives the stream; sealing again tells whether the tag is right."""
    seal = SUITES[suite]["seal"]
    plain = xor(sealed[:-16], seal(key, nonce, associated, bytes(len(sealed) - 16))[:-16])
    return plain if seal(key, nonce, associated, plain) == sealed else None


def read_parameters(data):
    cursor, found = Cursor(data), {}
    while cursor.left():
        number = cursor.varint()
        assert number not in found, "twice"
        found[number] = cursor.take(cursor.varint())
    return found


def read_frames(data):
    """[(name, fields)] of §4."""
    cursor, found = Cursor(data), []
    while cursor.left():
        kind = cursor.varint()
        if kind == 0x00:
            continue
        if kind == 0x01:
            found.append(("PING", ()))
        elif kind in (0x02, 0x03):
            largest, delay, count, first = (cursor.varint() for _ in range(4))
            ranges = [(largest - first, largest)]
            for _ in range(count):
                upper = ranges[-1][0] - cursor.varint() - 2
                ranges.append((upper - cursor.varint(), upper))
            found.append(("ACK", (delay, ranges, [cursor.varint() for _ in range(3)] if kind == 0x03 else None)))
        elif 0x08 <= kind <= 0x0f:
            stream = cursor.varint()
            offset = cursor.varint() if kind & 4 else 0
            size = cursor.varint() if kind & 2 else cursor.left()
            found.append(("STREAM", (stream, offset, cursor.take(size), bool(kind & 1))))
        elif kind in (0x10, 0x12, 0x13, 0x14, 0x16, 0x17):
            found.append((hex(kind), (cursor.varint(),)))
        elif kind in (0x07, 0x11, 0x15):
            found.append((hex(kind), (cursor.varint(), cursor.varint())))
        elif kind == 0x06:
            found.append(("RESET_STREAM", (cursor.varint(), cursor.varint(), cursor.varint())))
        elif kind in (0x1c, 0x1d):
            code = cursor.varint()
            cause = cursor.varint() if kind == 0x1c else None
            found.append(("CLOSE", (kind == 0x1d, code, cause, cursor.take(cursor.varint()))))
        else:
            raise AssertionError(f"frame type {kind:#x}")
    return found


class Stranger:
    """The client. Secrets and ids are made from the system's randomness."""

    def __init__(self, url, suite, suites=None, static=None):
        key, host, port = re.fullmatch(r"mxp://([\w-]{43})@(.+):(\d+)", url).groups()
        self.server_key, self.address = base64.urlsafe_b64decode(key + "="), (host, int(port))
        self.suite, self.suites = suite, suites or [suite, 3 - suite]
        self.static, self.id = static or os.urandom(32), os.urandom(8)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.next_number, self.largest, self.acknowledged, self.received, self.frames = 0, -1, set(), {}, []
        self.message_1 = self.make_message_1()

    def make_message_1(self):
        def parameter(number, value):
            return varint(number) + varint(len(value)) + value

        parameters = parameter(0x12, bytes(self.suites)) + parameter(0x11, b"MXP1") + parameter(27, b"grease")
        parameters += b"".join(parameter(number, varint(value)) for number, value in
                               ((0x01, 10_000), (0x04, 1 << 20), (0x05, 1 << 18), (0x06, 1 << 18), (0x07, 1 << 18), (0x08, 8), (0x09, 8)))
        prologue = b"\xc0MXP1" + bytes([self.suite]) + self.id + bytes(4)
        self.ephemeral = os.urandom(32)
        self.state = Symmetric(self.suite)
        self.state.mix_hash(prologue)
        self.state.mix_hash(self.server_key)
        self.state.mix_hash(public(self.ephemeral))
        self.state.mix_key(x25519(self.ephemeral, self.server_key))
        noise = public(self.ephemeral) + self.state.encrypt_and_hash(public(self.static))
        self.state.mix_key(x25519(self.static, self.server_key))
        payload = varint(len(parameters)) + parameters
        noise += self.state.encrypt_and_hash(payload.ljust(1200 - len(prologue) - 96 - 16, b"\0"))
        return prologue + noise + hmac(hmac(b"mxp mac1", self.server_key), prologue + noise)[:16]

    def send(self, datagram, through=None):
        (through or self.socket).sendto(datagram, self.address)

    def receive(self, timeout, through=None):
        through = through or self.socket
        return through.recv(65536) if select.select([through], [], [], timeout)[0] else None

    def shake_hands(self):
        """Message 2's parameters and frames; keys are in place if it holds a connection id."""
        wait = 0.3
        for _ in range(5):
            self.send(self.message_1)
            answer = self.receive(wait)
            if answer:
                break
            wait *= 2
        assert answer, "no answer"
        self.message_2 = answer
        assert 1200 <= len(answer) <= 1500 and answer[:14] == b"\xc1MXP1" + bytes([self.suite]) + self.id
        remote = answer[14:46]
        self.state.mix_hash(remote)
        self.state.mix_key(x25519(self.ephemeral, remote))
        self.state.mix_key(x25519(self.static, remote))
        payload = open_aead(self.suite, self.state.k, SUITES[self.suite]["nonce"](0), self.state.h, answer[46:])
        assert payload is not None, "message 2 does not verify"
        self.state.mix_hash(answer[46:])
        cursor = Cursor(payload)
        parameters = read_parameters(cursor.take(cursor.varint()))
        self.ours, self.theirs = hkdf2(self.state.ck, b"")  # of the phase that each direction is in
        self.our_phase = self.their_phase = 0
        self.our_hp, self.their_hp = (expand(secret, b"mxp1 hp", 32) for secret in (self.ours, self.theirs))
        self.server_id = parameters.get(0x10)
        return parameters, read_frames(payload[cursor.at:])

    def seal(self, frames, first_bits=0):
        number, self.next_number = self.next_number, self.next_number + 1
        frames = frames.ljust(2, b"\0")
        key, iv = expand(self.ours, b"mxp1 key", 32), expand(self.ours, b"mxp1 iv", 12)
        header = bytes([0x41 | self.our_phase % 2 << 2 | first_bits]) + self.server_id + number.to_bytes(2, "big")
        packet = bytearray(header + SUITES[self.suite]["seal"](key, xor(iv, number.to_bytes(12, "big")), header, frames))
        mask = SUITES[self.suite]["mask"](self.our_hp, bytes(packet[13:29]))
        packet[0] ^= mask[0] & 0x1f
        packet[9] ^= mask[1]
        packet[10] ^= mask[2]
        return bytes(packet)

    def turn_to_new_keys(self):
        self.ours, self.our_phase = expand(self.ours, b"mxp1 ku", 32), self.our_phase + 1

    def open(self, datagram):
        packet = bytearray(datagram)
        assert len(packet) >= 29 and packet[0] & 0xc0 == 0x40 and packet[1:9] == self.id
        mask = SUITES[self.suite]["mask"](self.their_hp, bytes(packet[13:29]))
        packet[0] ^= mask[0] & 0x1f
        size = (packet[0] & 3) + 1
        packet[9:9 + size] = xor(bytes(packet[9:9 + size]), mask[1:1 + size])
        window, expected = 1 << 8 * size, self.largest + 1
        number = expected - expected % window + int.from_bytes(packet[9:9 + size], "big")
        if number + window // 2 <= expected:
            number += window
        elif number > expected + window // 2 and number >= window:
            number -= window
        assert packet[0] & 0x38 == 0, "reserved bits"
        if packet[0] >> 2 & 1 != self.their_phase % 2:  # nothing is reordered here: it can only be the next phase
            self.theirs, self.their_phase = expand(self.theirs, b"mxp1 ku", 32), self.their_phase + 1
            if self.our_phase < self.their_phase:
                self.turn_to_new_keys()
        header = bytes(packet[:9 + size])
        nonce = xor(expand(self.theirs, b"mxp1 iv", 12), number.to_bytes(12, "big"))
        plain = open_aead(self.suite, expand(self.theirs, b"mxp1 key", 32), nonce, header, bytes(packet[9 + size:]))
        assert plain is not None, "a packet does not verify"
        self.largest = max(self.largest, number)
        return number, read_frames(plain)

    def listen(self, until, limit=LIMIT, repeat=None):
        """Opens what comes and acknowledges it, until until() is true. `repeat` are frames to send again when it is quiet."""
        end = time.monotonic() + limit
        while not until():
            if time.monotonic() > end:
                return False
            datagram = self.receive(0.2)
            if datagram is None:
                if repeat:
                    self.send(self.seal(repeat))
                continue
            if datagram[0] == 0xc1:
                continue  # message 2 once more
            number, frames = self.open(datagram)
            self.frames += frames
            for name, fields in frames:
                if name == "STREAM":
                    stream, offset, data, fin = fields
                    self.received.setdefault(stream, {})[offset] = (data, fin)
                elif name == "ACK":
                    for first, last in fields[1]:
                        self.acknowledged.update(range(first, last + 1))
            if any(name not in ("ACK", "CLOSE") for name, _ in frames):
                self.send(self.seal(b"\x02" + varint(number) + varint(0) + varint(0) + varint(0)))
        return True

    def echoed(self, stream):
        """The stream's bytes from its start, and whether they are all."""
        data, pieces = b"", self.received.get(stream, {})
        for offset in sorted(pieces):
            piece, fin = pieces[offset]
            if offset > len(data):
                break
            data += piece[len(data) - offset:]
            if fin and offset + len(piece) == len(data):
                return data, True
        return data, False

    def closed(self):
        return next((fields for name, fields in self.frames if name == "CLOSE"), None)


def stream(stream_id, offset, data, fin=False):
    return bytes([0x0e | fin]) + varint(stream_id) + varint(offset) + varint(len(data)) + data


class StrangerTest(unittest.TestCase):
    def setUp(self):
        signal.alarm(3 * LIMIT)
        self.folder = Path(tempfile.mkdtemp(prefix="mxp-stranger-"))
        self.sockets = []

    def tearDown(self):
        signal.alarm(0)
        for each in self.sockets:
            each.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def listener(self, *arguments):
        env = {k: v for k, v in os.environ.items() if k not in ("MXPKEYLOGFILE", "XDG_CONFIG_HOME")} | {"HOME": str(self.folder)}
        log = self.folder / "log"
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen([CAT, "listen", "127.0.0.1:0", "--echo", "--keep-open", *arguments],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, env=env)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)  # runs first; each listener of a test ends, not the last one alone
        end = time.monotonic() + LIMIT
        while b"\n" not in log.read_bytes():
            self.assertIsNone(self.process.poll(), log.read_text())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)
        return log.read_text().split()[1]

    def stranger(self, url, suite=2, **more):
        client = Stranger(url, suite, **more)
        self.sockets.append(client.socket)
        return client

    def connected(self, suite=2):
        client = self.stranger(self.listener("--allow-any"), suite)
        parameters, frames = client.shake_hands()
        self.assertEqual(frames, [])
        self.assertEqual(len(client.server_id), 8)
        self.assertIn(b"MXP1", parameters[0x11])
        self.assertIn(suite, parameters[0x12])
        return client

    def test_a_stream_is_echoed_in_both_suites(self):
        for suite in (1, 2):
            with self.subTest(suite=suite):
                client = self.connected(suite)
                text = bytes(range(256)) * 10
                for offset in (1000, 0, 2000):  # out of order
                    client.send(client.seal(stream(0, offset, text[offset:offset + 1000], offset == 2000)))
                self.assertTrue(client.listen(lambda: client.echoed(0)[1] and {0, 1, 2} <= client.acknowledged, repeat=stream(0, 0, text[:1000])))
                self.assertEqual(client.echoed(0)[0], text)
                client.send(client.seal(b"\x1d" + varint(0) + varint(4) + b"done"))
                self.process.kill()
                self.process.wait()

    def test_a_repeated_message_1_gets_the_same_bytes_a_bounded_number_of_times(self):
        # docs/protocol.md §2.1: 16 times to one source, 64 times altogether.
        client = self.connected()
        others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5)]
        self.sockets += others
        for _ in range(17):
            client.send(client.message_1, others[0])
        self.assertEqual([client.receive(LIMIT, others[0]) for _ in range(16)], [client.message_2] * 16)
        self.assertIsNone(client.receive(0.1, others[0]))
        for _ in range(16):
            for other in others[1:]:
                client.send(client.message_1, other)
        answers = 0
        while (heard := [client.receive(0.1, other) for other in others[1:]]) != [None] * 4:
            answers += heard.count(client.message_2)
        self.assertIn(answers, range(64 - 16 - 5, 64 - 16))  # without those of the handshake, which may have asked up to five times

    def test_copies_of_message_1_that_arrive_first_do_not_lock_the_client_out(self):
        client = self.stranger(self.listener("--allow-any"))
        others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        self.sockets += others
        for other in others:
            client.send(client.message_1, other)
            self.assertIsNotNone(client.receive(LIMIT, other))
        client.shake_hands()
        client.send(client.seal(stream(0, 0, b"mine", True)))
        self.assertTrue(client.listen(lambda: client.echoed(0)[1], repeat=stream(0, 0, b"mine", True)))
        self.assertEqual(client.echoed(0)[0], b"mine")
        for other in others:
            self.assertIsNone(client.receive(0, other))

    def test_who_does_not_know_the_key_gets_no_answer(self):
        client = self.stranger(self.listener("--allow-any"))
        for spoiled in (client.message_1[:-1] + bytes([client.message_1[-1] ^ 1]), client.message_1[:-1], b"\xc2" + client.message_1[1:],
                        client.message_1[:1] + b"MXP2" + client.message_1[5:]):
            client.send(spoiled)
        self.assertIsNone(client.receive(0.2))
        client.shake_hands()  # the listener is well
        self.assertIsNotNone(client.server_id)

    def test_a_better_common_suite_is_a_downgrade(self):
        client = self.stranger(self.listener("--allow-any"), 2, suites=[1, 2])
        parameters, frames = client.shake_hands()
        self.assertNotIn(0x10, parameters)
        self.assertEqual([(name, fields[:2]) for name, fields in frames], [("CLOSE", (False, DOWNGRADE))])

    def test_a_key_that_is_not_allowed_is_told_so_in_message_2(self):
        allowed = self.folder / "authorized_keys"
        allowed.write_text(base64.urlsafe_b64encode(public(os.urandom(32))).decode().rstrip("=") + "\n")
        client = self.stranger(self.listener("--authorized-keys", str(allowed)))
        parameters, frames = client.shake_hands()
        self.assertNotIn(0x10, parameters)
        self.assertEqual([(name, fields[:2]) for name, fields in frames], [("CLOSE", (False, NOT_AUTHORIZED))])

    def test_broken_rules_are_answered_with_their_codes(self):
        table = {
            "reserved bits": (b"\x01", 0x08, PROTOCOL_VIOLATION),
            "a reserved frame": (b"\x30", 0, UNKNOWN_FRAME),
            "a type that is not in its shortest form": (b"\x40\x01", 0, FRAME_ENCODING_ERROR),
            "a frame cut off": (b"\x0e\x00\x00\x05a", 0, FRAME_ENCODING_ERROR),
            "an ACK of what was never sent": (b"\x02" + varint(1000) + varint(0) + varint(0) + varint(0), 0, PROTOCOL_VIOLATION),
            "a stream of the server's": (stream(1, 0, b"x"), 0, STREAM_STATE_ERROR),
            "a stream beyond the limit": (stream(4 * (1 << 40), 0, b"x"), 0, STREAM_LIMIT_ERROR),
            "data beyond the limit": (stream(0, 1 << 40, b"x"), 0, FLOW_CONTROL_ERROR),
            "a final size that changes": (stream(0, 0, b"xy", True) + stream(0, 0, b"x", True), 0, FINAL_SIZE_ERROR),
        }
        url = self.listener("--allow-any")
        for name, (frames, bits, code) in table.items():
            with self.subTest(name):
                client = self.stranger(url)
                client.shake_hands()
                client.send(client.seal(b"\x01"))  # confirmed: from here on the rules count
                self.assertTrue(client.listen(lambda c=client: 0 in c.acknowledged, repeat=b"\x01"))
                client.send(client.seal(frames, bits))
                self.assertTrue(client.listen(lambda c=client: c.closed() is not None))
                self.assertEqual(client.closed()[:2], (False, code))

    def test_new_keys_are_followed_by_the_server(self):
        for suite in (1, 2):
            with self.subTest(suite=suite):
                client = self.connected(suite)
                for phase in range(3):
                    client.send(client.seal(stream(0, 5 * phase, b"fresh", phase == 2)))
                    self.assertTrue(client.listen(lambda c=client, p=phase: len(c.echoed(0)[0]) == 5 * (p + 1)))
                    self.assertEqual((client.our_phase, client.their_phase), (phase, phase))
                    number = client.next_number
                    client.send(client.seal(b"\x01"))
                    self.assertTrue(client.listen(lambda c=client, n=number: n in c.acknowledged))
                    client.turn_to_new_keys()  # without the wait of §3.1, which a receiver forgives a few times

    def test_new_keys_too_soon_close_the_connection(self):
        client = self.connected()
        packets = []
        for _ in range(20):
            client.turn_to_new_keys()
            packets.append(client.seal(b"\x01"))
        for packet in packets:
            client.send(packet)
        client.our_phase = 0  # what we hear now is opened with the server's phases, one after the other
        self.assertTrue(client.listen(lambda: client.closed() is not None))
        self.assertEqual(client.closed()[:2], (False, KEY_UPDATE_ERROR))

    def test_a_key_phase_that_the_keys_are_not_of_is_dropped(self):
        client = self.connected()
        client.send(client.seal(b"\x01", 0x04))  # says phase 1, is sealed under phase 0
        client.send(client.seal(stream(0, 0, b"still here")))
        self.assertTrue(client.listen(lambda: client.echoed(0)[0] == b"still here"))

    def test_a_packet_from_another_address_is_dropped(self):
        client = self.connected()
        client.send(client.seal(b"\x01"))
        self.assertTrue(client.listen(lambda: 0 in client.acknowledged, repeat=b"\x01"))
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sockets.append(other)
        number = client.next_number
        client.send(client.seal(stream(0, 0, b"stolen", True)), other)
        client.send(client.seal(stream(0, 0, b"mine", True)))
        self.assertTrue(client.listen(lambda: client.echoed(0)[1], repeat=stream(0, 0, b"mine", True)))
        self.assertEqual(client.echoed(0)[0], b"mine")
        self.assertNotIn(number, client.acknowledged)
        self.assertIsNone(client.receive(0, other))


if __name__ == "__main__":
    unittest.main()
