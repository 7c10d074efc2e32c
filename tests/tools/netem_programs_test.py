#!/usr/bin/env python3
"""Other people's programs through mxp-netem: they work, and they measure what was asked for. A program that is not
installed is skipped, with its name. And what many clients and large bursts come to.

MXP_BIN names the folder of the tools."""
import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import side_by_side
from netem_support import NETEM, report_of, spawn


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Programs(unittest.TestCase):
    def relay(self, port, *arguments):
        self.netem = spawn(self, NETEM, "-l", "127.0.0.1:0", "-t", f"127.0.0.1:{port}", "--stats", "-", *arguments)
        line = self.netem.stderr.readline().decode()
        return int(re.match(r"relaying 127\.0\.0\.1:(\d+) ->", line)[1])

    def report(self):
        return report_of(self, self.netem)

    def await_listener(self, table, port, server):
        """Waits until the server listens, by the kernel's table: a connection would be the one it waits for."""
        for _ in range(400):
            with open(f"/proc/net/{table}") as rows:
                if any(local.endswith(f":{port:04X}") and (table == "udp" or state == "0A") for _, local, _, state, *_ in map(str.split, rows)):
                    return
            self.assertIsNone(server.poll())
            time.sleep(0.05)
        self.fail("the server does not listen")

    # --- iperf3 -------------------------------------------------------------------------------------------------------

    @needs("iperf3")
    def test_iperf3_measures_the_loss_that_was_asked_for(self):
        port = free_port(socket.SOCK_STREAM)
        server = spawn(self, "iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", str(port))
        self.await_listener("tcp", port, server)
        relayed = self.relay(port, "--tcp", "--up", "delay 5ms loss 10% limit 100000", "--down", "delay 5ms", "--seed", "1")
        ended = subprocess.run(["iperf3", "-u", "-c", "127.0.0.1", "-p", str(relayed), "-b", "4M", "-l", "500", "-t", "2", "-J"],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        measured = json.loads(ended.stdout)["end"]["sum"]
        report = self.report()
        self.assertGreater(measured["packets"], 500)
        # Six standard deviations of 2000 packets are 4 %.
        self.assertAlmostEqual(measured["lost_percent"], 10, delta=4.5)
        self.assertEqual(report["tcp"]["connections"], 1)
        self.assertGreater(report["tcp"]["bytes_up"], 0)
        # The share of the relay's own count is the same, but for the datagrams that open and close the test.
        self.assertAlmostEqual(100 * report["up"]["lost"] / report["up"]["in"], measured["lost_percent"], delta=1)

    # --- sockperf -----------------------------------------------------------------------------------------------------

    @needs("sockperf")
    def test_sockperf_measures_the_delay_that_was_asked_for(self):
        port = free_port()
        server = spawn(self, "sockperf", "server", "-i", "127.0.0.1", "-p", str(port))
        self.await_listener("udp", port, server)
        relayed = self.relay(port, "delay 15ms")
        ended = subprocess.run(["sockperf", "ping-pong", "-i", "127.0.0.1", "-p", str(relayed), "-t", "2", "--pre-warmup-wait", "1"],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        text = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout)
        # It reports half of each round trip.
        lowest = float(re.search(r"<MIN> observation =\s+([0-9.]+)", text)[1])
        median = float(re.search(r"percentile 50\.000 =\s+([0-9.]+)", text)[1])
        self.assertGreaterEqual(lowest, 15_000)
        # What the relay was late by is its own, once in each direction; the programs take their time as well.
        late = self.report()["relay"]["late_us"]["p99"]
        self.assertLess(median, 15_000 + late + 100_000)

    # --- DTLS ---------------------------------------------------------------------------------------------------------

    @needs("openssl")
    def test_a_dtls_session_of_openssl_survives_losses(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                        "-out", certificate, "-subj", "/CN=localhost", "-days", "2"], check=True, capture_output=True, timeout=60)
        port = free_port()
        server = spawn(self, "openssl", "s_server", "-dtls", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", certificate,
                            "-quiet", stdin=subprocess.PIPE)
        self.await_listener("udp", port, server)
        # The first flight of either side is lost, and repeated after a second.
        relayed = self.relay(port, "delay 10ms droplist 1 mtu 1500")
        client = spawn(self, "openssl", "s_client", "-dtls", "-connect", f"127.0.0.1:{relayed}", "-quiet", "-mtu", "1400",
                            stdin=subprocess.PIPE)
        timers = [threading.Timer(60, process.kill) for process in (client, server)]
        for timer in timers:
            timer.start()
        client.stdin.write(b"through the link\n")
        self.assertEqual(server.stdout.readline(), b"through the link\n")
        server.stdin.write(b"and back\n")
        self.assertEqual(client.stdout.readline(), b"and back\n")
        for timer in timers:
            timer.cancel()
        report = self.report()
        self.assertEqual((report["up"]["lost_listed"], report["down"]["lost_listed"]), (1, 1))

    # --- DNS ----------------------------------------------------------------------------------------------------------

    @needs("dig")
    def test_dig_asks_again_when_the_answer_is_lost(self):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        asked = []

        def serve():
            while True:
                query, peer = server.recvfrom(2000)
                if len(query) < 12:
                    return
                asked.append(query)
                question = query[12:query.index(b"\0", 12) + 5]
                answer = b"\xc0\x0c" + struct.pack("!HHIH4s", 1, 1, 60, 4, bytes([192, 0, 2, 7]))
                server.sendto(query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question + answer, peer)
        thread = threading.Thread(target=serve)
        thread.start()
        # It asks again from another port, so for the relay that is another client.
        scenario = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.addCleanup(scenario.close)
        scenario.write('[link]\nspec = "delay 30ms"\n[[client]]\nnth = 1\nup = "delay 30ms"\ndown = "loss 100%"\n')
        scenario.flush()
        relayed = self.relay(server.getsockname()[1], "--scenario", scenario.name)
        ended = subprocess.run(["dig", "@127.0.0.1", "-p", str(relayed), "+tries=3", "+timeout=2", "+noedns", "example.test", "A"],
                               capture_output=True, text=True, timeout=60)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as poke:
            poke.sendto(b"", server.getsockname())
        thread.join(20)
        server.close()
        self.assertIn("192.0.2.7", ended.stdout)
        self.assertGreaterEqual(len(asked), 2)
        # Its clock advances with the ticks of the system, of at most 10 ms.
        self.assertGreater(int(re.search(r"Query time: (\d+) msec", ended.stdout)[1]), 60 - 10)

    # --- TCP beside UDP -----------------------------------------------------------------------------------------------

    def tcp_server(self, serve):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def run():
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(one,), daemon=True).start()
        threading.Thread(target=run, daemon=True).start()
        return server.getsockname()[1]

    def test_tcp_has_the_delay_and_both_ends_of_the_stream(self):
        def reverse(one):
            data = b""
            while (part := one.recv(65536)):
                data += part
            one.sendall(data[::-1])
            one.close()
        relayed = self.relay(self.tcp_server(reverse), "--tcp", "--up", "delay 60ms loss 50%", "--down", "delay 60ms")
        sent = os.urandom(300_000)
        with socket.create_connection(("127.0.0.1", relayed), timeout=60) as one:
            begin = time.monotonic()
            one.sendall(sent)
            one.shutdown(socket.SHUT_WR)
            got = b""
            while (part := one.recv(65536)):
                got += part
        self.assertEqual(got, sent[::-1])
        self.assertGreaterEqual(time.monotonic() - begin, 0.12)
        report = self.report()
        self.assertEqual(report["tcp"], {"connections": 1, "refused": 0, "bytes_up": 300_000, "bytes_down": 300_000})
        self.assertEqual(report["up"]["in"], 0)

    def test_tcp_has_the_rate(self):
        def send(one):
            one.sendall(bytes(250_000))
            one.close()
        relayed = self.relay(self.tcp_server(send), "--tcp", "--up", "delay 1ms", "--down", "rate 4mbit")
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", relayed), timeout=60) as one:
            count = 0
            while (part := one.recv(65536)):
                count += len(part)
        self.assertEqual(count, 250_000)
        # 173 segments with 52 bytes of headers each.
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)

    def test_tcp_to_nobody_is_reset(self):
        relayed = self.relay(free_port(socket.SOCK_STREAM), "--tcp")
        # The reset may be here before connect() has returned: either call may be the one that tells of it.
        with self.assertRaises(ConnectionResetError):
            with socket.create_connection(("127.0.0.1", relayed), timeout=60) as one:
                if one.recv(10) == b"":
                    raise AssertionError("an orderly end")
        self.assertEqual(self.report()["tcp"]["refused"], 1)

    # --- many and large -----------------------------------------------------------------------------------------------

    def test_two_thousand_clients_have_links_of_their_own(self):
        clients = 2000
        needed = clients + 100
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < needed:
            if hard != resource.RLIM_INFINITY and hard < needed:
                self.skipTest(f"{needed} descriptors are needed, {hard} allowed")
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        self.addCleanup(server.close)
        relayed = self.relay(server.getsockname()[1], "--per-client", "delay 20ms loss 30%", "--seed", "7")
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(clients)]
        for number, one in enumerate(sockets):
            self.addCleanup(one.close)
            one.sendto(struct.pack("!I", number), ("127.0.0.1", relayed))
            if number % 50 == 49:
                time.sleep(0.005)  # the relay empties its receive buffer
        seen = set()
        ports = set()
        server.settimeout(2)  # a hundred times the delay: nothing comes any more
        try:
            while True:
                data, peer = server.recvfrom(100)
                seen.add(struct.unpack("!I", data)[0])
                ports.add(peer[1])
        except TimeoutError:
            pass
        report = self.report()
        # A machine that is slow enough loses some in the relay's receive buffer, which counts them.
        came = clients - report["relay"]["socket_drops"]
        self.assertGreater(came, clients / 2)
        self.assertEqual((report["clients"], report["up"]["in"]), (came, came))
        self.assertEqual(report["relay"]["refused"], 0)
        self.assertEqual(report["up"]["lost"], came - len(seen))
        self.assertEqual(len(ports), len(seen))
        self.assertAlmostEqual(len(seen) / came, 0.7, delta=0.07)  # five standard deviations of a thousand

    def test_a_burst_that_was_sent_as_one_is_treated_packet_by_packet(self):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        self.addCleanup(server.close)
        relayed = self.relay(server.getsockname()[1], "--up", "droplist 2,5", "--down", "delay 1ms")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            try:
                one.setsockopt(socket.IPPROTO_UDP, 103, 1000)  # UDP_SEGMENT
            except OSError:
                self.skipTest("this kernel does not segment UDP")
            one.sendto(b"".join(bytes([number]) * 1000 for number in range(1, 8)), ("127.0.0.1", relayed))
            got = [server.recv(2000) for _ in range(5)]
        self.assertEqual([(data[0], len(data)) for data in got], [(number, 1000) for number in (1, 3, 4, 6, 7)])
        report = self.report()
        self.assertEqual((report["up"]["in"], report["up"]["out"], report["up"]["lost_listed"]), (7, 5, 2))


if __name__ == "__main__":
    side_by_side.main()
