"""Captures and packets of MXP made from docs/protocol.md alone, with nothing but the standard library: what mxp-dump is held against."""
import hashlib
import hmac
import socket
import struct

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 9000)
CLIENT_ID, SERVER_ID = bytes.fromhex("c1c2c3c4c5c6c7c8"), bytes.fromhex("5152535455565758")
C2S_SECRET, S2C_SECRET = bytes(range(32)), bytes(range(100, 132))
KEY_LOG = (f"MXP_C2S_TRAFFIC_SECRET_0 {SERVER_ID.hex()} {C2S_SECRET.hex()}\n"
           f"MXP_S2C_TRAFFIC_SECRET_0 {CLIENT_ID.hex()} {S2C_SECRET.hex()}\n")


# --- ChaCha20-Poly1305 (RFC 8439) and HKDF-Expand (RFC 5869) ---------------------------------------------------

def chacha20_block(key, counter, nonce):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    x = state[:]

    def quarter(a, b, c, d):
        for p, q, r, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & 0xffffffff
            y = x[r] ^ x[p]
            x[r] = (y << bits | y >> (32 - bits)) & 0xffffffff

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xffffffff for a, b in zip(x, state)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def seal(key, nonce, associated, plain):
    cipher = b"".join(bytes(a ^ b for a, b in zip(plain[i:i + 64], chacha20_block(key, 1 + i // 64, nonce)))
                      for i in range(0, len(plain), 64))
    pad = lambda data: data + bytes(-len(data) % 16)
    return cipher + poly1305(chacha20_block(key, 0, nonce)[:32],
                             pad(associated) + pad(cipher) + struct.pack("<QQ", len(associated), len(cipher)))


def expand(secret, label, size):
    return hmac.new(secret, label + b"\1", hashlib.sha256).digest()[:size]


# --- packets ---------------------------------------------------------------------------------------------------

def initial(client_id=CLIENT_ID, suite=1, size=1200, fill=7):
    return (b"\xc0MXP1" + bytes([suite]) + client_id + bytes(4)).ljust(size, bytes([fill]))


def response(client_id=CLIENT_ID, suite=1, size=1200, fill=9):
    return (b"\xc1MXP1" + bytes([suite]) + client_id).ljust(size, bytes([fill]))


def one_rtt(secret, destination, number, frames, number_size=2):
    header = bytes([0x40 | number_size - 1]) + destination + (number & (1 << 8 * number_size) - 1).to_bytes(number_size, "big")
    iv = expand(secret, b"mxp1 iv", 12)
    nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big")))
    packet = bytearray(header + seal(expand(secret, b"mxp1 key", 32), nonce, header, frames.ljust(4 - number_size, b"\0")))
    sample = bytes(packet[13:29])
    mask = chacha20_block(expand(secret, b"mxp1 hp", 32), int.from_bytes(sample[:4], "little"), sample[4:])[:5]
    packet[0] ^= mask[0] & 0x1f
    for i in range(number_size):
        packet[9 + i] ^= mask[1 + i]
    return bytes(packet)


def c2s(number, frames, **more):
    return udp(CLIENT, SERVER, one_rtt(C2S_SECRET, SERVER_ID, number, frames, **more))


def s2c(number, frames, **more):
    return udp(SERVER, CLIENT, one_rtt(S2C_SECRET, CLIENT_ID, number, frames, **more))


def varint(value):
    for size, bits in ((1, 0), (2, 1), (4, 2), (8, 3)):
        if value < 1 << (8 * size - 2):
            return (value | bits << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def stream(stream_id, offset, data, fin=False):
    return bytes([0x0e | fin]) + varint(stream_id) + varint(offset) + varint(len(data)) + data


def ack(*ranges):
    """Ranges (first, last) from the highest to the lowest."""
    first, last = ranges[0]
    out = b"\x02" + varint(last) + varint(25) + varint(len(ranges) - 1) + varint(last - first)
    for lower, upper in ranges[1:]:
        out += varint(first - upper - 2) + varint(upper - lower)
        first = lower
    return out


def close(reason, code=5):
    return b"\x1d" + varint(code) + varint(len(reason)) + reason


# --- IP and link layers ----------------------------------------------------------------------------------------

def udp_header(source, destination, payload):
    return struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload


def ipv4(source, destination, body, options=b"", fragment=0, protocol=17):
    header = 20 + len(options)
    return struct.pack(">BBHHHBBH4s4s", 0x40 | header // 4, 0, header + len(body), 1, fragment, 64, protocol, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(destination[0])) + options + body


def ipv6(source, destination, body, extensions=()):
    """Extensions: (its number, its bytes from the second on)."""
    kinds = [kind for kind, _ in extensions] + [17]
    chain = b"".join(bytes([kinds[i + 1]]) + rest for i, (_, rest) in enumerate(extensions))
    return (struct.pack(">IHBB", 6 << 28, len(chain) + len(body), kinds[0], 64) + socket.inet_pton(socket.AF_INET6, source[0])
            + socket.inet_pton(socket.AF_INET6, destination[0]) + chain + body)


def udp(source, destination, payload):
    return ipv4(source, destination, udp_header(source, destination, payload))


# --- capture files ---------------------------------------------------------------------------------------------

RAW = 101
START = 1_700_000_000_000_000_000


def pcap(packets, order="<", nanoseconds=False, link_type=RAW, snap_length=65535):
    """Packets: bytes, one a millisecond, or (nanoseconds since START, bytes)."""
    out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0, 0, snap_length, link_type)]
    for i, packet in enumerate(packets):
        after, data = packet if isinstance(packet, tuple) else (i * 1_000_000, packet)
        time = START + after
        out.append(struct.pack(order + "IIII", time // 10**9, time % 10**9 // (1 if nanoseconds else 1000), min(len(data), snap_length), len(data)))
        out.append(data[:snap_length])
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order):
    return block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(order, link_type, options=b"", snap_length=0):
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snap_length) + options + (bytes(4) if options else b""))


def enhanced(order, number, ticks, data):
    return block(order, 6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xffffffff, len(data), len(data)) + data)


# --- a session with known answers ------------------------------------------------------------------------------

MXPK = 0x4d58504b  # the type of secrets that are lines of an MXP key log


def secrets(order, text, kind=MXPK):
    data = text.encode()
    return block(order, 10, struct.pack(order + "II", kind, len(data)) + data)


def noise(size, seed):
    """Bytes that look like ciphertext, the same in each run."""
    return b"".join(hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(size // 32 + 1))[:size]


def message_1(client_id=CLIENT_ID, suite=1, seed="message 1"):
    return b"\xc0MXP1" + bytes([suite]) + client_id + bytes(4) + noise(1182, seed)


def message_2(client_id=CLIENT_ID, suite=1, seed="message 2"):
    return b"\xc1MXP1" + bytes([suite]) + client_id + noise(1186, seed)


class Session:
    """A client that sends `packets` numbers of stream data, captured at the client. `frames` are (time, datagram).

    Numbers in `skipped` are left out on purpose; those in `lost` never arrive, and their data come again later. The server
    acknowledges every fourth packet, with no range older than 24 numbers, as a real one that knows what its peer has heard of."""

    def __init__(self, packets=60, skipped=(7, 33), lost=(15, 16, 40)):
        self.skipped, self.lost, self.packets = set(skipped), set(lost), packets
        self.c2s, self.s2c, self.frames = {}, {}, []
        self.add(0, CLIENT, message_1())
        self.add(50_000_000, SERVER, message_2())
        time, arrived, repeat = 80_000_000, [], []
        for number in range(packets):
            if number in self.skipped:
                continue
            time += 1_000_000
            place = repeat.pop(0) if repeat and number > max(self.lost) + 4 else number
            self.add(time, CLIENT, one_rtt(C2S_SECRET, SERVER_ID, number, stream(0, 40 * place, noise(40, place))), c2s=number)
            if number in self.lost:
                repeat.append(number)
                continue
            arrived.append(number)
            if len(arrived) % 4 == 0 or number == packets - 1:
                answer = len(self.s2c)
                self.s2c[answer] = None
                self.add(time + 300_000, SERVER, one_rtt(S2C_SECRET, CLIENT_ID, answer, ack(*self.ranges(arrived[-24:])) + b"\1"), s2c=answer)

    @staticmethod
    def ranges(numbers):
        out = []
        for number in numbers:
            if out and out[-1][1] == number - 1:
                out[-1] = (out[-1][0], number)
            else:
                out.append((number, number))
        return out[::-1]

    def add(self, time, source, payload, c2s=None, s2c=None):
        if c2s is not None:
            self.c2s[c2s] = len(self.frames)
        if s2c is not None:
            self.s2c[s2c] = len(self.frames)
        self.frames.append((time, udp(source, SERVER if source == CLIENT else CLIENT, payload)))


def damaged(packet, bit):
    """A packet as ipv4() makes it with one bit of its UDP payload flipped, counted from the payload's first."""
    out = bytearray(packet)
    out[28 + bit // 8] ^= 0x80 >> bit % 8
    return bytes(out)
