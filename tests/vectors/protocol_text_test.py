#!/usr/bin/env python3
"""The worked example of docs/protocol.md, read from the text and computed a second time without the library: both messages opened
and sealed again, the mac1, every secret, and the packets. Whoever follows the text gets these bytes.

Usage: protocol_text_test.py docs/protocol.md. Exits 1 and names what differs."""
import re
import sys
from pathlib import Path

from make_vectors import SUITES, Symmetric, expand, hkdf2, hmac, protect, public, self_check, x25519


def examples(document):
    """{example: [(field, bytes, note)]}; a field goes on in lines that begin with blanks in the column of the names."""
    found = {}
    for name, body in re.findall(r"<!-- example:(\S+) -->\n```text\n(.*?)```\n<!-- /example -->", document, re.S):
        fields = []
        for line in body.splitlines():
            label, rest = line[:26].strip(), line[26:]
            value, _, note = rest.partition("   ")
            if not label:
                fields[-1] = (fields[-1][0], fields[-1][1] + value, fields[-1][2])
            else:
                fields.append((label, value, note))
        found[name] = fields
    return found


def varint(data):
    """The number at the start of `data` and what follows it (RFC 9000 §16)."""
    size = 1 << (data[0] >> 6)
    return int.from_bytes(data[:size], "big") & ((1 << (8 * size - 2)) - 1), data[size:]


def full_form(compact):
    """A message that was compacted (§1.1), in the form of §1 up to its checksum."""
    def number(long_form, data):
        return (int.from_bytes(data[:8], "little"), data[8:]) if long_form else varint(data)

    kind, what, rest = compact[0], compact[1], compact[2:]
    message_id, rest = number(what & 0x10, rest)
    trace_id, rest = number(what & 0x40, rest) if what & 0x20 else (0, rest)
    header = b"1PXM" + bytes([kind, what & 0x0F, 0, 0])
    return header + message_id.to_bytes(8, "little") + trace_id.to_bytes(8, "little") + len(rest).to_bytes(8, "little") + rest


def content_of_frame(frame):
    """The content of a zstd frame with one run as its last block (RFC 8878 §3.1.1)."""
    assert frame[:5] == bytes.fromhex("28b52ffd60")
    size = int.from_bytes(frame[5:7], "little") + 256
    block = int.from_bytes(frame[7:10], "little")
    assert block & 7 == 3 and block >> 3 == size and len(frame) == 11
    return frame[10:] * size


def main(path):
    self_check()
    text = examples(Path(path).read_text(encoding="utf-8"))
    bad = []

    def field(example, label):
        return bytes.fromhex(next(value for name, value, _ in text[example] if name == label))

    def same(what, computed, written):
        if computed != written:
            bad.append(f"{what}: computed {computed.hex()}, written {written.hex()}")

    def after(example, label, count):  # the fields that stand under `label`
        names = [name for name, _, _ in text[example]]
        at = names.index(label)
        return [bytes.fromhex(value) for _, value, _ in text[example][at:at + count]]

    def payload(example):
        parts = b"".join(bytes.fromhex(value) for name, value, _ in text[example] if name != "PADDING")
        padding = next(value for name, value, _ in text[example] if name == "PADDING")
        return parts + bytes(int(padding.split()[0]))

    def joined(example):
        return b"".join(bytes.fromhex(value) for _, value, _ in text[example])

    same("compacted message", full_form(joined("compact")), joined("message")[:-8])
    same("compressed payload", content_of_frame(joined("compressed")), b"a" * 1000)

    sealed, sender, ephemeral = field("sealed", "header"), field("sealed", "sender private"), field("sealed", "ephemeral private")
    receiver = public(field("sealed", "receiver private"))
    # §5.3: one message for each field, compacted, with the id 1024 as a varint.
    calls = [bytes([0x10, 0]) + b"\x44\x00" + bytes(range(1, 17)) + (30).to_bytes(4, "little") + b"ping", b"\x11\x00\x44\x00pong"]
    calls += [b"\xf1\x00\x44\x00" + reason.to_bytes(2, "little") + words for reason, words in ((0x8004, b"busy"), (6, b""), (7, b""))]
    for computed, (label, written, _) in zip(calls, text["calls"], strict=True):
        same(f"calls, {label}", computed, bytes.fromhex(written))

    plain = joined("message")[:-8]
    same("receiver public", receiver, field("sealed", "receiver public"))
    same("sealed header", plain[:5] + bytes([plain[5] | 2]) + plain[6:24] + (len(plain[32:]) + 96).to_bytes(8, "little"), sealed)
    seal = Symmetric(1, b"Noise_X_25519_ChaChaPoly_SHA256")
    for known in (b"mxp1 message" + sealed, receiver, public(ephemeral)):
        seal.mix_hash(known)
    seal.mix_key(x25519(ephemeral, receiver))
    encrypted_sender = seal.encrypt_and_hash(public(sender))
    seal.mix_key(x25519(sender, receiver))
    same("sealed payload", public(ephemeral) + encrypted_sender + seal.encrypt_and_hash(plain[32:]),
         field("sealed", "e") + field("sealed", "encrypted s") + field("sealed", "encrypted payload"))

    agent = bytes(range(16))
    description = agent + b"\x03\0sum" + b"\x01\0" + b"\x03\0add" + bytes([192, 0, 2, 1]) + (9000).to_bytes(2, "little")
    lease, owner = (90).to_bytes(4, "little"), public(sender)
    computed = (("owner public", owner), ("AgentRegister", description), ("Response", lease), ("AgentHeartbeat", agent + b"\x01"), ("Response", lease),
                ("AgentHeartbeat", bytes(16) + b"\x02"), ("Error", b"\x04\0the agent is not registered"), ("AgentDiscover", b"\x02" + bytes(16) + b"add"),
                ("Response", b"\0\x01\0" + owner + description))
    for (label, value), (written_label, written, _) in zip(computed, text["agents"], strict=True):
        same(f"agents, {label}", label.encode() + value, written_label.encode() + bytes.fromhex(written))

    keys = {name: field("keys", name) for name, _, _ in text["keys"] if name != "server key in URLs"}
    for who in ("client static", "server static", "client ephemeral", "server ephemeral"):
        same(f"{who} public", public(keys[f"{who} private"]), keys[f"{who} public"])
    client, server = keys["client static private"], keys["server static private"]
    client_e, server_e = keys["client ephemeral private"], keys["server ephemeral private"]

    header = ("first byte", "version", "suite", "client connection id")
    prologue = b"".join(field("message-1", name) for name in header + ("token length", "ticket length"))
    suite = prologue[5]
    state = Symmetric(suite)
    steps = iter(text["noise"])

    def step(computed, expected_label):
        label, value, _ = next(steps)
        if label != expected_label:
            bad.append(f"noise: '{label}' where '{expected_label}' was expected")
        same(f"noise, {label}", computed, bytes.fromhex(value))

    def mix(token, mine, theirs):
        shared = x25519(mine, theirs)
        state.mix_key(shared)
        step(shared, f"DH {token}")
        step(state.ck, "ck")
        step(state.k, "k")

    step(state.h, "h after protocol name")
    state.mix_hash(prologue)
    step(state.h, "h after prologue")
    state.mix_hash(public(server))
    step(state.h, "h after server static")
    state.mix_hash(public(client_e))
    step(state.h, "h after e of message 1")
    mix("es", client_e, public(server))
    encrypted_s = state.encrypt_and_hash(public(client))
    step(state.h, "h after encrypted s")
    mix("ss", client, public(server))
    encrypted_1 = state.encrypt_and_hash(payload("payload-1"))
    step(state.h, "h after message 1")
    noise_1 = public(client_e) + encrypted_s + encrypted_1
    same("message 1", noise_1, field("message-1", "e") + field("message-1", "encrypted s") + field("message-1", "encrypted payload"))
    mac1_key = hmac(b"mxp mac1", public(server))
    same("mac1 key", mac1_key, field("mac1", "mac1 key"))
    same("mac1", hmac(mac1_key, prologue + noise_1)[:16], field("message-1", "mac1"))
    if len(prologue + noise_1) + 16 != 1200:
        bad.append("message 1 has not 1200 bytes")
    state.mix_hash(public(server_e))
    step(state.h, "h after e of message 2")
    mix("ee", client_e, public(server_e))
    mix("se", client, public(server_e))
    same("message 2", state.encrypt_and_hash(payload("payload-2")), field("message-2", "encrypted payload"))
    step(state.h, "h after message 2")

    same("exporter secret", expand(state.ck, b"mxp1 exporter\x00" + state.h, 32), field("key-schedule", "exporter secret"))
    same("resumption secret", expand(state.ck, b"mxp1 resumption\x00" + state.h, 32), field("key-schedule", "resumption secret"))
    secrets = dict(zip(("client to server", "server to client"), hkdf2(state.ck, b"")))
    for name, secret in secrets.items():
        derived = [secret, expand(secret, b"mxp1 key", 32), expand(secret, b"mxp1 iv", 12), expand(secret, b"mxp1 hp", 32), expand(secret, b"mxp1 ku", 32)]
        for computed, written in zip(derived, after("key-schedule", name, 5)):
            same(f"key schedule, {name}", computed, written)

    packets = (("packet", suite, "client to server", "server connection id"), ("packet-short", suite, "server to client", "client connection id"),
               ("packet-chacha20", 1, "client to server", "server connection id"), ("packet-phase-1", suite, "client to server", "server connection id"))
    for example, packet_suite, flow, destination in packets:
        phase = 1 if example == "packet-phase-1" else 0
        first = [label for label, *_ in text[example]].index("header")
        number = int(re.search(r"packet number (\d+)", text[example][first][2])[1])
        size = len(field(example, "header")) - 9
        computed = protect(packet_suite, secrets[flow], keys[destination], number, size, field(example, "plaintext"), phase)
        if phase:
            same(f"{example}, secret", bytes.fromhex(computed["secret"]), field(example, "secret"))
        same(f"{example}, header", bytes.fromhex(computed["header"]), field(example, "header"))
        same(example, bytes.fromhex(computed["protected"]), field(example, "packet"))

    assert set(SUITES) == {1, 2}
    print("\n".join(bad) if bad else "the worked example follows from its keys")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
