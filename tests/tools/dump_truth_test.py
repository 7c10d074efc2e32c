#!/usr/bin/env python3
"""What mxp-dump says of a capture against what the link and both ends counted themselves.

A file is sent over a link of mxp-netem with a random SPEC, whose capture of both sides is then read. docs/diagnosis.md says which figures
must be equal and which cannot be. MXP_TRUTH_LINKS is the number of links, MXP_TRUTH_SEED the seed of the first one: each next has the next."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from sanitized import SANITIZED

BIN = Path(os.environ.get("MXP_BIN", "build/release/bin"))
CAT, DUMP, NETEM = (str(BIN / name) for name in ("mxp-cat", "mxp-dump", "mxp-netem"))
LINKS = int(os.environ.get("MXP_TRUTH_LINKS", "2" if SANITIZED else "6"))
SEED = int(os.environ.get("MXP_TRUTH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
LIMIT = 60
MOST_OUTSIDE = 8  # the last words: CLOSE and its repetitions, an ACK, a probe
WAITING_S = 2 if SANITIZED else 0.5  # how long a packet may wait for the program to read it, beside others on one processor


def random_spec(dice):
    words = [f"delay {dice.randint(1, 30)}ms"]
    if dice.random() < 0.6:
        words.append(f"{dice.randint(1, 5)}ms")
    for kind, most in (("loss", 5), ("duplicate", 3), ("reorder", 3)):
        if dice.random() < 0.6:
            words.append(f"{kind} {dice.uniform(0.1, most):.2f}%")
    if dice.random() < 0.5:
        words.append(f"rate {dice.randint(5, 50)}mbit")
    return " ".join(words) + (" order time" if dice.random() < 0.2 else "")


class Session:
    """One transfer over one link, and what all who took part say of it."""

    def __init__(self, folder, seed):
        dice = random.Random(seed)
        self.folder, self.size = folder, dice.randint(20_000, 500_000)
        self.specs = random_spec(dice), random_spec(dice)
        self.environment = {**os.environ, "MXPKEYLOGFILE": str(folder / "keys"), "XDG_CONFIG_HOME": str(folder)}
        (folder / "data").write_bytes(dice.randbytes(self.size))
        self.processes = []
        try:
            self.run(seed)
        finally:
            for process in self.processes:
                if process.poll() is None:
                    process.kill()
                process.wait()

    def start(self, name, *arguments):
        with open(self.folder / f"{name}.err", "wb") as err, open(self.folder / f"{name}.out", "wb") as out:
            self.processes.append(subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.environment))
        return self.processes[-1]

    def line(self, name, pattern):
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            if found := re.search(pattern, (self.folder / f"{name}.err").read_text()):
                return found
            time.sleep(0.01)
        raise AssertionError(f"{name} did not say {pattern}: {(self.folder / f'{name}.err').read_text()}")

    def run(self, seed):
        at = self.folder.joinpath
        listener = self.start("server", CAT, "listen", "127.0.0.1:0", "--allow-any", "--idle-timeout", "3s", f"--json={at('server')}")
        url, self.server_port = self.line("server", r"listening (mxp://\S+):(\d+)\n").groups()
        relay = self.start("relay", NETEM, "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{self.server_port}", "--up", self.specs[0], "--down", self.specs[1],
                           "--seed", seed % (1 << 31), "--stats", at("link"), "--pcap", at("link.pcapng"))
        self.relay_port = self.line("relay", r"relaying \S+:(\d+) ->")[1]
        with open(at("data"), "rb") as data:
            client = subprocess.run([CAT, f"{url}:{self.relay_port}", "--idle-timeout", "3s", f"--json={at('client')}"], stdin=data, capture_output=True, timeout=LIMIT, env=self.environment)
        # Where the link loses the last word of the other side, silence ends the connection.
        assert client.returncode == 0 or b"silence" in client.stderr, client.stderr
        assert listener.wait(LIMIT) == 0 or "silence" in at("server.err").read_text(), at("server.err").read_text()
        relay.send_signal(signal.SIGINT)
        relay.wait(LIMIT)
        self.link = json.loads(at("link").read_text())
        for side in ("client", "server"):
            events = [json.loads(line) for line in at(side).read_text().splitlines()]
            setattr(self, side, {kind: next(e for e in events if e["event"] == kind) for kind in ("connected", "stats")})
        self.summary = json.loads(self.dump("-r", at("link.pcapng"), "--stats", "summary", "--json"))
        for side, port in (("client", self.relay_port), ("server", self.server_port)):
            self.dump("-r", at("link.pcapng"), "-f", f"udp port {port}", "-w", at(f"{side}.pcapng"))
        self.join = json.loads(self.dump("join", at("client.pcapng"), at("server.pcapng"), "--json"))
        self.records = {side: [json.loads(line) for line in self.dump("-r", at(f"{side}.pcapng"), "-T", "json").splitlines()] for side in ("client", "server")}

    def dump(self, *arguments):
        arguments = [str(a) for a in arguments] + ["--keylog", str(self.folder / "keys")]
        done = subprocess.run([DUMP, *arguments], capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout


class Truth(unittest.TestCase):
    def test_summary_and_join_agree_with_the_link_and_both_ends(self):
        for seed in range(SEED, SEED + LINKS):
            folder = Path(tempfile.mkdtemp(prefix="mxp-truth-"))
            try:
                session = Session(folder, seed)
                with self.subTest(f"again with MXP_TRUTH_LINKS=1 MXP_TRUTH_SEED={seed}", up=session.specs[0], down=session.specs[1]):
                    self.link_agrees(session)
                    self.ends_agree(session)
                    self.summary_agrees(session)
            finally:
                shutil.rmtree(folder)

    def link_agrees(self, session):
        """join sees a packet before and behind the link: each count of it is the link's."""
        for name, way in (("up", "client_to_server"), ("down", "server_to_client")):
            link, join = session.link[name], session.join[way]
            self.assertEqual(join["sent"], link["in"], name)
            # Where the link doubles a packet and loses one of the two, the captures hold what they would without either.
            # What is sent behind the last packet that arrives is outside of the other capture's time.
            self.assertEqual(join["sent"], join["arrived"] + join["lost"] + join["outside"], name)
            self.assertLessEqual(join["outside"], MOST_OUTSIDE + link["in_flight"], name)
            # What overtakes others may end the session before these have come out: they are in the link when the relay ends.
            gone = link["lost"] + link["tail_dropped"] + link["in_flight"]
            copies_lost = gone - join["lost"] - join["outside"]
            self.assertEqual(copies_lost, link["duplicated"] - join["duplicated"], name)
            self.assertGreaterEqual(copies_lost, 0, name)
            if link["duplicated"] == 0 or gone == 0:
                self.assertEqual(copies_lost, 0, name)
            self.assertEqual(join["arrived"] + join["duplicated"], link["out"], name)
            self.assertEqual(join["not_captured_at_receiver"] + join["not_captured_at_sender"], 0, name)
            if link["reordered"] == 0 and "order time" not in link["spec"]:
                self.assertEqual(join["reordered"], 0, name)

    def ends_agree(self, session):
        """Numbers and stream bytes of the packets on each side of the link are those of the program there."""
        def numbers(side, direction):
            return [r["packet_number"] for r in session.records[side] if r["direction"] == direction and r["type"] == "1rtt" and not r.get("duplicate")]
        ends = {"client": session.client["stats"], "server": session.server["stats"]}
        for side, sends, gets in (("client", "client_to_server", "server_to_client"), ("server", "server_to_client", "client_to_server")):
            # Where an end still answers after its connection has closed, it says CLOSE again, and no more.
            only_close = sum(1 for r in session.records[side] if r["direction"] == sends and {f["type"] for f in r.get("frames", [])} <= {"close", "padding"} and r.get("frames"))
            self.assertLessEqual(ends[side]["packets_sent"], len(numbers(side, sends)), side)
            self.assertGreaterEqual(ends[side]["packets_sent"] + max(only_close - 1, 0), len(numbers(side, sends)), side)
            # A program that leaves reads nothing that comes behind the end of the connection, nor what waits in its socket then.
            captured, records = len(set(numbers(side, gets))), session.records[side]
            end = next((r["time"] for r in records if any(f["type"] == "close" for f in r.get("frames", []))), records[-1]["time"])
            behind = sum(1 for r in records if r["time"] > end - WAITING_S and r["direction"] == gets)
            self.assertLessEqual(ends[side]["packets_received"], captured, side)
            self.assertGreaterEqual(ends[side]["packets_received"], captured - behind, side)
        seen, repeated = set(), 0
        for record in session.records["client"]:
            if record["direction"] == "client_to_server" and not record.get("duplicate"):
                for frame in record.get("frames", []):
                    if frame["type"] == "stream" and frame["length"] > 0:
                        span = range(frame["offset"], frame["offset"] + frame["length"])
                        repeated += sum(1 for byte in span if byte in seen)
                        seen.update(span)
        self.assertEqual(len(seen), session.size)
        self.assertEqual(repeated, ends["client"]["bytes_retransmitted"])

    def summary_agrees(self, session):
        summary, up, down = session.summary, session.link["up"], session.link["down"]
        self.assertEqual(summary["frames"], up["in"] + up["out"] + down["in"] + down["out"])
        self.assertEqual(summary["packets"], summary["frames"])
        self.assertEqual((summary["connections"], summary["damaged"], summary["cut"], summary["not_captured"]), (1, 0, 0, 0))
        self.assertEqual(summary["duplicates"], session.join["client_to_server"]["duplicated"] + session.join["server_to_client"]["duplicated"])
        # The summary judges by acknowledgements. It cannot say of a handshake message that it was lost, nor of the last three numbers that any
        # acknowledgement was for and of what was sent behind them; and what arrived and was never acknowledged is lost to it and its sender.
        judged = 0
        for way, at_sender, at_receiver in (("client_to_server", "client", "server"), ("server_to_client", "server", "client")):
            acks = [f for side in session.records.values() for r in side if r["direction"] != way for f in r.get("frames", []) if f["type"] == "ack"]
            acknowledged = {number for f in acks for first, last in f["ranges"] for number in range(first, last + 1)}
            largest = max(acknowledged, default=-1)
            sent, arrived = ({r["packet_number"] for r in session.records[side] if r["direction"] == way and r["type"] == "1rtt"} for side in (at_sender, at_receiver))
            missing = {number for number in sent if number not in acknowledged and number + 3 <= largest}
            lost = {packet["packet_number"] for packet in session.join[way]["lost_packets"] if "packet_number" in packet}
            self.assertLessEqual(lost, sent - arrived, way)
            self.assertLessEqual(len(sent - arrived - lost), session.join[way]["outside"], way)
            self.assertLessEqual({number for number in lost if number + 3 <= largest}, missing, way)
            self.assertLessEqual(missing - lost, arrived, way)
            judged += len(missing)
        self.assertLessEqual(summary["lost"], judged)
        self.assertLessEqual(judged, summary["lost"] + summary["unknown"])
        self.assertLessEqual(summary["handshake_ms"], session.client["connected"]["handshake_ms"])
        repeating = sum(1 for side, direction in (("client", "client_to_server"), ("server", "server_to_client"))
                        for record in session.records[side] if record.get("retransmission") and record["direction"] == direction)
        self.assertEqual(summary["retransmitted"], repeating)


if __name__ == "__main__":
    print(f"MXP_TRUTH_SEED={SEED}", flush=True)
    unittest.main()
