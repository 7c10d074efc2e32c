#!/usr/bin/env python3
"""Worked handshakes and packets, computed a second time from docs/protocol.md alone.

Standard library only (hashlib and hmac for SHA-256): X25519, ChaCha20-Poly1305, AES-256 and GCM are written out below, short and
slow, so that an error of the library or of its cryptography library cannot hide in its own test. Not constant time: for
test keys only.

Usage: make_vectors.py            writes handshake.json beside this file
       make_vectors.py --check    exits 1 if that file is not what would be written
"""
import hashlib
import hmac as hmac_module
import json
import sys
from pathlib import Path

# --- X25519: RFC 7748 §5 ----------------------------------------------------------------------------------------------------
P = 2**255 - 19


def x25519(scalar, point):
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(point, "little") % 2**255 % P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = (x2 + z2) % P, (x2 - z2) % P, (x3 + z3) % P, (x3 - z3) % P
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = (aa - bb) % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public(scalar):
    return x25519(scalar, (9).to_bytes(32, "little"))


# --- ChaCha20-Poly1305: RFC 8439 --------------------------------------------------------------------------------------------
def chacha20_block(key, counter, nonce):
    def word(data, i):
        return int.from_bytes(data[4 * i:4 * i + 4], "little")

    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + [word(key, i) for i in range(8)] + [counter] + [word(nonce, i) for i in range(3)]
    s = list(start)

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = (s[z] << turn | s[z] >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return b"".join(((x + y) & 0xFFFFFFFF).to_bytes(4, "little") for x, y in zip(s, start))


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def chacha20(key, counter, nonce, data):
    return b"".join(xor(data[i:i + 64], chacha20_block(key, counter + i // 64, nonce)) for i in range(0, len(data), 64))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def pad16(data):
    return data + bytes(-len(data) % 16)


def chacha20_poly1305(key, nonce, aad, plaintext):
    ciphertext = chacha20(key, 1, nonce, plaintext)
    lengths = len(aad).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little")
    return ciphertext + poly1305(chacha20_block(key, 0, nonce)[:32], pad16(aad) + pad16(ciphertext) + lengths)


# --- AES-256 and GCM: FIPS 197, NIST SP 800-38D -----------------------------------------------------------------------------
def times_x(a):
    return (a << 1 ^ (0x11B if a & 0x80 else 0)) & 0xFF


def make_sbox():
    powers, value = [], 1
    for _ in range(255):  # 3 generates the field
        powers.append(value)
        value ^= times_x(value)
    box = [0x63] * 256
    for exponent, element in enumerate(powers):
        inverse = powers[-exponent % 255]
        rotated = [(inverse << n | inverse >> (8 - n)) & 0xFF for n in range(5)]
        box[element] = rotated[0] ^ rotated[1] ^ rotated[2] ^ rotated[3] ^ rotated[4] ^ 0x63
    return box


SBOX = make_sbox()


def aes256_round_keys(key):
    words = [list(key[4 * i:4 * i + 4]) for i in range(8)]
    constant = 1
    while len(words) < 60:
        word = list(words[-1])
        if len(words) % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = times_x(constant)
        elif len(words) % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(word, words[-8])])
    return [sum(words[4 * i:4 * i + 4], []) for i in range(15)]


def aes256(key, block):
    keys = aes256_round_keys(key)
    s = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 15):
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]  # SubBytes and ShiftRows; column-major
        if number != 14:
            mixed = []
            for c in range(0, 16, 4):
                column = s[c:c + 4]
                for i in range(4):
                    a, b, d, e = column[i], column[(i + 1) % 4], column[(i + 2) % 4], column[(i + 3) % 4]
                    mixed.append(times_x(a) ^ times_x(b) ^ b ^ d ^ e)
            s = mixed
        s = [a ^ b for a, b in zip(s, keys[number])]
    return bytes(s)


def gf128_multiply(x, y):
    product = 0
    for i in range(128):
        if x >> (127 - i) & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def aes256_gcm(key, nonce, aad, plaintext):
    blocks = (len(plaintext) + 15) // 16
    stream = b"".join(aes256(key, nonce + (2 + i).to_bytes(4, "big")) for i in range(blocks))
    ciphertext = xor(plaintext, stream)
    h = int.from_bytes(aes256(key, bytes(16)), "big")
    total = 0
    hashed = pad16(aad) + pad16(ciphertext) + (8 * len(aad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    for i in range(0, len(hashed), 16):
        total = gf128_multiply(total ^ int.from_bytes(hashed[i:i + 16], "big"), h)
    return ciphertext + xor(total.to_bytes(16, "big"), aes256(key, nonce + b"\x00\x00\x00\x01"))


# --- The primitives against published values, before anything is built on them ----------------------------------------------
def self_check():
    h = bytes.fromhex
    # RFC 7748 §5.2, first vector
    assert x25519(h("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                  h("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")) == \
        h("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    # RFC 8439 §2.8.2
    sealed = chacha20_poly1305(bytes(range(0x80, 0xA0)), h("070000004041424344454647"), h("50515253c0c1c2c3c4c5c6c7"),
                               b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.")
    assert sealed[:16] == h("d31a8d34648e60db7b86afbc53ef7ec2") and sealed[-16:] == h("1ae10b594f09e26a7e902ecbd0600691")
    # FIPS 197, C.3
    assert aes256(bytes(range(32)), h("00112233445566778899aabbccddeeff")) == h("8ea2b7ca516745bfeafc49904b496089")
    # The GCM specification, test case 16
    sealed = aes256_gcm(h("feffe9928665731c6d6a8f9467308308" * 2), h("cafebabefacedbaddecaf888"), h("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                        h("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"))
    assert sealed[-16:] == h("76fc6ece0f4e1768cddf8853bb2d551b")


# --- Noise IK: revision 34, §5 and §7.5 -------------------------------------------------------------------------------------
SUITES = {
    1: {"noise": b"Noise_IK_25519_ChaChaPoly_SHA256", "seal": chacha20_poly1305, "nonce": lambda n: bytes(4) + n.to_bytes(8, "little"),
        "mask": lambda hp, sample: chacha20(hp, int.from_bytes(sample[:4], "little"), sample[4:], bytes(5))},
    2: {"noise": b"Noise_IK_25519_AESGCM_SHA256", "seal": aes256_gcm, "nonce": lambda n: bytes(4) + n.to_bytes(8, "big"),
        "mask": lambda hp, sample: aes256(hp, sample)[:5]},
}


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac(key, data):
    return hmac_module.new(key, data, hashlib.sha256).digest()


def hkdf2(chaining_key, material):
    temp = hmac(chaining_key, material)
    first = hmac(temp, b"\x01")
    return first, hmac(temp, first + b"\x02")


def expand(secret, info, size):
    out = block = b""
    while len(out) < size:
        block = hmac(secret, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:size]


class Symmetric:
    def __init__(self, suite, noise=None):
        self.suite = SUITES[suite]
        self.h = self.ck = (noise or self.suite["noise"]).ljust(32, b"\x00")

    def mix_hash(self, data):
        self.h = sha256(self.h + data)

    def mix_key(self, material):
        self.ck, self.k = hkdf2(self.ck, material)
        self.n = 0

    def encrypt_and_hash(self, plaintext):
        ciphertext = self.suite["seal"](self.k, self.suite["nonce"](self.n), self.h, plaintext)
        self.n += 1
        self.mix_hash(ciphertext)
        return ciphertext


def handshake(suite, s_client, e_client, s_server, e_server, prologue, payload_1, payload_2):
    """Both messages. Only the sides' DH results are needed, and each is the same from both ends."""
    state = Symmetric(suite)
    state.mix_hash(prologue)
    state.mix_hash(public(s_server))
    state.mix_hash(public(e_client))
    state.mix_key(x25519(e_client, public(s_server)))
    message_1 = public(e_client) + state.encrypt_and_hash(public(s_client))
    state.mix_key(x25519(s_client, public(s_server)))
    message_1 += state.encrypt_and_hash(payload_1)
    state.mix_hash(public(e_server))
    state.mix_key(x25519(e_server, public(e_client)))
    state.mix_key(x25519(e_server, public(s_client)))
    message_2 = public(e_server) + state.encrypt_and_hash(payload_2)
    return message_1, message_2, state


# --- MXP: docs/protocol.md §2.1, §2.4, §3 -----------------------------------------------------------------------------------
def protect(suite, secret, connection_id, number, number_size, plaintext, phase=0):
    hp = expand(secret, b"mxp1 hp", 32)
    for _ in range(phase):
        secret = expand(secret, b"mxp1 ku", 32)
    key, iv = expand(secret, b"mxp1 key", 32), expand(secret, b"mxp1 iv", 12)
    header = bytes([0x40 | phase % 2 << 2 | number_size - 1]) + connection_id + number.to_bytes(8, "big")[8 - number_size:]
    packet = bytearray(header + SUITES[suite]["seal"](key, xor(iv, number.to_bytes(12, "big")), header, plaintext))
    mask = SUITES[suite]["mask"](hp, bytes(packet[13:29]))
    packet[0] ^= mask[0] & 0x1F
    for i in range(number_size):
        packet[9 + i] ^= mask[1 + i]
    return {"secret": secret.hex(), "key": key.hex(), "iv": iv.hex(), "hp": hp.hex(), "next_secret": expand(secret, b"mxp1 ku", 32).hex(),
            "number": number, "header": header.hex(), "plaintext": plaintext.hex(), "protected": bytes(packet).hex()}


def worked_example(suite):
    def fixed(name):  # bytes that nobody chose
        return sha256(b"mxp worked example: " + name)

    s_client, e_client, s_server, e_server = (fixed(name) for name in (b"client static", b"client ephemeral", b"server static", b"server ephemeral"))
    client_id, server_id = fixed(b"client id")[:8], fixed(b"server id")[:8]
    prologue = bytes.fromhex("c04d585031") + bytes([suite]) + client_id + bytes(4)
    payload_1, payload_2 = b"\x00" + bytes(15), b"\x00" + bytes(7)  # no parameters, PADDING; not padded to 1200 bytes here
    message_1, message_2, state = handshake(suite, s_client, e_client, s_server, e_server, prologue, payload_1, payload_2)
    client_to_server, server_to_client = hkdf2(state.ck, b"")
    mac1 = hmac(hmac(b"mxp mac1", public(s_server)), prologue + message_1)[:16]
    return {
        "suite": suite, "noise": SUITES[suite]["noise"].decode(),
        "client_static": s_client.hex(), "client_ephemeral": e_client.hex(), "server_static": s_server.hex(), "server_ephemeral": e_server.hex(),
        "client_public": public(s_client).hex(), "server_public": public(s_server).hex(),
        "client_id": client_id.hex(), "server_id": server_id.hex(),
        "prologue": prologue.hex(), "payload_1": payload_1.hex(), "message_1": message_1.hex(), "mac1": mac1.hex(),
        "payload_2": payload_2.hex(), "message_2": message_2.hex(), "handshake_hash": state.h.hex(),
        "client_to_server": client_to_server.hex(), "server_to_client": server_to_client.hex(),
        "exporter_secret": expand(state.ck, b"mxp1 exporter\x00" + state.h, 32).hex(),
        "resumption_secret": expand(state.ck, b"mxp1 resumption\x00" + state.h, 32).hex(),
        "packets": [
            {"flow": "client_to_server"} | protect(suite, client_to_server, server_id, 0, 1, b"\x01\x00\x00"),
            {"flow": "server_to_client"} | protect(suite, server_to_client, client_id, 0x1234, 2, bytes(range(40))),
            {"flow": "server_to_client"} | protect(suite, server_to_client, client_id, 0x12345678, 4, b""),
        ],
    }


def main():
    self_check()
    text = json.dumps({"made_by": "make_vectors.py", "handshakes": [worked_example(1), worked_example(2)]}, indent=1) + "\n"
    path = Path(__file__).with_name("handshake.json")
    if "--check" in sys.argv[1:]:
        if not path.exists() or path.read_text() != text:
            print(f"{path.name} is not what {Path(__file__).name} computes")
            return 1
        print(f"{path.name} is what {Path(__file__).name} computes")
        return 0
    path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
