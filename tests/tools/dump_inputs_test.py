#!/usr/bin/env python3
"""What mxp-dump reads: compressed captures, whole and broken, from files and pipes; and the same packets as tshark finds."""
import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dump_wire as wire  # noqa: E402
from dump_test import DUMP, ENVIRONMENT, DumpCase  # noqa: E402

SESSION = wire.Session()
PLAIN = wire.pcap(SESSION.frames, nanoseconds=True)


def zstd_raw(data):
    """A zstd frame of raw blocks (RFC 8878), which needs no compressor."""
    out = b"\x28\xb5\x2f\xfd" + b"\x00\x58"  # no checksum, no size, a window of 2 MiB
    blocks = [data[i:i + 65536] for i in range(0, len(data), 65536)] or [b""]
    for i, block in enumerate(blocks):
        out += (len(block) << 3 | (i == len(blocks) - 1)).to_bytes(3, "little") + block
    return out


COMPRESSED = {"gzip": gzip.compress(PLAIN), "zstd": zstd_raw(PLAIN), "gzip in two parts": gzip.compress(PLAIN[:5000]) + gzip.compress(PLAIN[5000:]),
              "gzip with zeros behind": gzip.compress(PLAIN) + bytes(512), "zstd in two parts": zstd_raw(PLAIN[:5000]) + zstd_raw(PLAIN[5000:])}


class Compressed(DumpCase):
    def test_a_compressed_capture_is_read_as_the_plain_one(self):
        want = self.dump("-r", self.file("plain", PLAIN), "-T", "json")[0]
        self.assertGreater(len(want.splitlines()), 60)
        for name, content in COMPRESSED.items():
            with self.subTest(name):
                self.assertEqual(self.dump("-r", self.file("c", content), "-T", "json")[0], want)
                piped = self.dump("-r", "-", "-T", "json", stdin=content)[0]
                self.assertEqual(len(piped.splitlines()), len(want.splitlines()))

    def test_a_pipe_that_gives_one_byte_at_a_time_is_recognised(self):
        content = COMPRESSED["gzip"]
        run = subprocess.Popen([DUMP, "-r", "-", "-T", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT, bufsize=0)

        def feed():
            for byte in content[:64]:
                run.stdin.write(bytes([byte]))
            run.stdin.write(content[64:])
            run.stdin.close()
        feeder = threading.Thread(target=feed)
        feeder.start()
        out = run.stdout.read()
        feeder.join()
        self.assertEqual(run.wait(), 0)
        self.assertEqual(len(out.splitlines()), len(SESSION.frames))
        run.stdout.close()

    def test_what_is_whole_of_a_broken_one_is_shown_and_the_exit_is_2(self):
        whole = len(SESSION.frames)
        for name in ("gzip", "zstd"):
            content = COMPRESSED[name]
            for size in range(8, len(content), len(content) // 40):
                with self.subTest(name, size=size):
                    done = subprocess.run([DUMP, "-r", "-", "-T", "json"], input=content[:size], capture_output=True, timeout=60, env=ENVIRONMENT)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(f"ends in the middle of its {name} data", done.stderr.decode())
                    self.assertLess(len(done.stdout.splitlines()), whole + 1)
            later = self.records(content[:-3], code=2)
            self.assertGreaterEqual(len(later), whole - 1)

    def test_damaged_data_are_2_and_named(self):
        content = bytearray(COMPRESSED["gzip"])
        content[-6] ^= 1  # in its check value
        out, err = self.dump("-r", self.file("c", bytes(content)), "-T", "json", code=2)
        self.assertEqual(len(out.splitlines()), len(SESSION.frames))
        self.assertIn("damaged gzip data (incorrect data check)", err)
        content = bytearray(COMPRESSED["zstd"])
        content[6] |= 6  # a kind of block that does not exist
        self.assertIn("damaged zstd data", self.dump("-r", self.file("z", bytes(content)), code=2)[1])
        self.assertIn("damaged gzip data", self.dump("-r", self.file("t", COMPRESSED["gzip"] + b"no more"), code=2)[1])

    def test_a_bomb_is_read_in_constant_memory(self):
        # 400 MB of zeros are an endless row of empty packets.
        import resource
        bomb = gzip.compress(PLAIN[:24]) + gzip.compress(bytes(100_000_000), 1) * 4
        path = self.file("bomb.gz", bomb)

        def limited():
            resource.setrlimit(resource.RLIMIT_DATA, (128 << 20, 128 << 20))
        if os.environ.get("MXP_SANITIZE"):
            self.skipTest("a sanitizer's own memory does not fit the limit")
        done = subprocess.run([DUMP, "-r", path, "-c", "1"], capture_output=True, timeout=120, env=ENVIRONMENT, preexec_fn=limited)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"25000000 frames", done.stderr)

    def test_frames_out_of_order_in_a_compressed_file_are_said_to_be(self):
        frames = SESSION.frames[1:] + SESSION.frames[:1]
        path = self.file("c", gzip.compress(wire.pcap(frames, nanoseconds=True)))
        out, err = self.dump("-r", path, "--stats", "summary", "--json")
        self.assertEqual(json.loads(out)["unsorted"], True)
        self.assertIn("decompress it", err)


class Rotation(DumpCase):
    """Each MXP packet of the session goes to exactly one file, in order."""

    def rotated(self, *arguments, code=0):
        source = self.file("in.pcap", PLAIN)
        _, err = self.dump("-r", source, "-w", str(self.folder / "out.pcap"), *arguments, code=code)
        files = sorted(self.folder.glob("out*"))
        frames = [[json.loads(line)["time"] for line in self.dump("-r", str(path), "--port", "9000", "-T", "json")[0].splitlines()] for path in files]
        return files, frames, err

    def setUp(self):
        super().setUp()
        self.want = [json.loads(line)["time"] for line in self.dump("-r", self.file("in.pcap", PLAIN), "-T", "json")[0].splitlines()]

    def test_by_size(self):
        files, frames, _ = self.rotated("--rotate-size", "2K")
        self.assertGreater(len(files), 3)
        self.assertEqual([path.name for path in files], [f"out-{i:05}.pcap" for i in range(1, len(files) + 1)])
        self.assertEqual([t for some in frames for t in some], self.want)
        self.assertTrue(all(path.stat().st_size <= 2048 for path in files))
        # The next packet would not have fitted.
        self.assertTrue(all(path.stat().st_size > 2048 - 1300 for path in files[:-1]))

    def test_by_time_from_the_first_packet_on_without_drift(self):
        files, frames, _ = self.rotated("--rotate-time", "20ms")
        self.assertEqual([t for some in frames for t in some], self.want)
        start = self.want[0]
        stretches = [{int((t - start) * 1000 + 1e-3) // 20 for t in some} for some in frames]
        self.assertTrue(all(len(some) == 1 for some in stretches), stretches)
        self.assertEqual(len(stretches), len(set.union(*stretches)))

    def test_the_latest_files_are_kept(self):
        files, frames, _ = self.rotated("--rotate-size", "2K", "--rotate-files", "2")
        self.assertEqual(len(files), 2)
        kept = [t for some in frames for t in some]
        self.assertEqual(kept, self.want[-len(kept):])

    def test_wrong_use_and_leftovers_are_2(self):
        source = self.file("in.pcap", PLAIN)
        for arguments in (["--rotate-size", "2K"], ["-w", "-", "--rotate-time", "1s"], ["-w", str(self.folder / "o"), "--rotate-files", "2"], ["-w", str(self.folder / "o"), "--rotate-time", "0"]):
            self.dump("-r", source, *arguments, code=2)
        left = self.file("out-00009.pcap", "precious")
        self.dump("-r", source, "-w", str(self.folder / "out.pcap"), "--rotate-size", "2K", code=2)
        self.assertEqual([path.name for path in self.folder.glob("out*")], ["out-00009.pcap"])
        self.assertEqual(Path(left).read_text(), "precious")


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class BesideTshark(DumpCase):
    """The innermost UDP datagram of each packet, by both tools."""

    def innermost(self, path, *more):
        done = subprocess.run(["tshark", "-r", path, "-o", "ip.defragment:TRUE", *more, "-T", "fields", "-E", "occurrence=l", "-e", "frame.number", "-e", "ip.src", "-e", "udp.srcport",
                               "-e", "ip.dst", "-e", "udp.dstport", "-e", "udp.length", "-Y", "udp"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [(int(n), f"{source}:{port}", f"{destination}:{to}", int(size) - 8) for n, source, port, destination, to, size in (line.split("\t") for line in done.stdout.splitlines())]

    def test_tunnels_hold_the_same_datagrams(self):
        inner = wire.udp(wire.CLIENT, wire.SERVER, wire.message_1())
        ether = bytes(12) + b"\x08\0" + inner
        host, other = ("192.168.0.1", 5555), ("192.168.0.2", 4789)
        around = lambda body, protocol: bytes(12) + b"\x08\0" + wire.ipv4(host, other, body, protocol=protocol)
        inside = lambda port, body: bytes(12) + b"\x08\0" + wire.udp(host, (other[0], port), body)
        packets = [ether, bytes(12) + b"\x81\0\0\5" + ether[12:], bytes(12) + b"\x88\x47\0\2\1\xff" + inner,
                   bytes(12) + b"\x88\x64\x11\0\0\1" + (len(inner) + 2).to_bytes(2, "big") + b"\0\x21" + inner,
                   around(inner, 4), around(b"\0\0\x08\0" + inner, 47), around(b"\x30\0\x65\x58" + bytes(8) + ether, 47),
                   around(b"\x10\0\x88\xbe" + bytes(4) + b"\x10\1\0\1" + bytes(4) + ether, 47), around(b"\x10\0\x22\xeb" + bytes(4) + b"\x20\1\0\1" + bytes(8) + ether, 47),
                   inside(4789, b"\x08" + bytes(7) + ether), inside(6081, b"\0\0\x65\x58" + bytes(4) + ether),
                   inside(2152, b"\x30\xff" + len(inner).to_bytes(2, "big") + bytes(4) + inner)]
        body = wire.udp_header(wire.CLIENT, wire.SERVER, wire.message_1())
        packets += [bytes(12) + b"\x08\0" + wire.ipv4(wire.CLIENT, wire.SERVER, body[:800], fragment=0x2000), bytes(12) + b"\x08\0" + wire.ipv4(wire.CLIENT, wire.SERVER, body[800:], fragment=100)]
        path = self.file("c", wire.pcap(packets, link_type=1))
        ours = [(s["frame"], s["src"], s["dst"], s["length"]) for s in self.records(Path(path).read_bytes())]
        self.assertEqual(len(ours), len(packets) - 1)
        self.assertEqual(self.innermost(path), ours)


if __name__ == "__main__":
    unittest.main()
