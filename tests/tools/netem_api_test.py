#!/usr/bin/env python3
"""mxp-netem --http: the paths, fields and errors of Toxiproxy, on datagrams, and the metrics of Prometheus.

MXP_BIN names the folder of the tools."""
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import select
import subprocess
import tempfile
import threading
import time
import unittest

import side_by_side
from netem_support import NETEM, Echo, report_of, spawn


class ApiTest(unittest.TestCase):
    number = 0  # of datagrams

    def setUp(self):
        self.echo = Echo()
        self.target = f"127.0.0.1:{self.echo.port}"
        self.addCleanup(self.echo.close)

    def start(self, *arguments, relays=True):
        addresses = ["-l", "127.0.0.1:0", "-t", self.target] if relays else []
        self.process = spawn(self, NETEM, *addresses, "--http", "0", "--stats", "-", *arguments)
        if relays:
            line = self.process.stderr.readline().decode()
            self.relay = re.match(r"relaying (\S+) ->", line)[1]
        line = self.process.stderr.readline().decode()
        self.http = re.fullmatch(r"http (127\.0\.0\.1:\d+)\n", line)[1]  # loopback unless asked otherwise

    def stop(self):
        return report_of(self, self.process)

    def ask(self, method, path, body=None, headers={}):
        """The status and the answer, as JSON where it is JSON."""
        connection = http.client.HTTPConnection(self.http, timeout=20)
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        kind = answer.getheader("Content-Type", "")
        connection.close()
        return answer.status, json.loads(content) if content and kind.startswith("application/json") else content

    def expect(self, status, method, path, body=None):
        got, answer = self.ask(method, path, body)
        self.assertEqual(got, status, answer)
        return answer

    def round_trip(self, address, count=1, data=b"x", one=None, lossy=False):
        """How many come back, and the shortest round trip in seconds. Waits a second for those that do not, or until a
        late answer must have come where all are expected to: then a slow machine costs time and nothing else."""
        host, port = address.rsplit(":", 1)
        own = one is None
        one = one or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        came, shortest = 0, 60.0
        for _ in range(count):
            self.number += 1
            packet = self.number.to_bytes(4, "big") + data[4:]
            begin = time.monotonic()
            one.sendto(packet, (host, int(port)))
            try:
                while True:
                    one.settimeout(max(0.001, begin + (1 if lossy else 20) - time.monotonic()))
                    if one.recv(65535) == packet:  # and not a late answer to one before
                        break
            except TimeoutError:
                continue
            came += 1
            shortest = min(shortest, time.monotonic() - begin)
        if own:
            one.close()
        return came, shortest

    def drops(self, proxy):
        """What the metrics say was lost in a proxy on the way up."""
        _, text = self.ask("GET", "/metrics")
        for line in text.splitlines():
            if line.startswith("mxp_netem_drops_total{") and all(
                    label in line for label in (f'proxy="{proxy}"', 'direction="upstream"', 'reason="loss"')):
                return int(float(line.rsplit(" ", 1)[1]))
        return 0

    def test_the_relay_of_the_command_line_is_a_proxy(self):
        self.start("delay 1ms")
        self.assertRegex(self.expect(200, "GET", "/version")["version"], r"^\d+\.\d+")
        proxy = self.expect(200, "GET", "/proxies")["default"]
        self.assertEqual((proxy["name"], proxy["listen"], proxy["upstream"], proxy["enabled"], proxy["toxics"]),
                         ("default", self.relay, self.target, True, []))
        self.assertEqual((proxy["up"], proxy["down"]), ("delay 1ms", "delay 1ms"))
        self.assertEqual(self.round_trip(self.relay)[0], 1)
        self.assertEqual(self.stop()["up"]["in"], 1)

    def test_the_spec_changes_while_it_runs(self):
        self.start("delay 1ms")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            self.assertEqual(self.round_trip(self.relay, one=one)[0], 1)
            self.assertEqual(self.expect(200, "POST", "/proxies/default", {"up": "loss 100%"})["up"], "loss 100%")
            self.assertEqual(self.round_trip(self.relay, one=one, lossy=True)[0], 0)
            answer = self.expect(200, "PATCH", "/proxies/default", {"spec": "delay 80ms"})
            self.assertEqual((answer["up"], answer["down"]), ("delay 80ms", "delay 80ms"))
            came, shortest = self.round_trip(self.relay, one=one)
            self.assertEqual(came, 1)
            self.assertGreaterEqual(shortest, 0.16)
        report = self.stop()
        self.assertEqual((report["up"]["in"], report["up"]["lost"], report["changes"]), (3, 1, 2))

    def test_toxics_come_change_and_go(self):
        self.start()
        added = self.expect(200, "POST", "/proxies/default/toxics",
                            {"type": "latency", "attributes": {"latency": 100}})
        self.assertEqual(added, {"name": "latency_downstream", "type": "latency", "stream": "downstream", "toxicity": 1,
                                 "attributes": {"latency": 100, "jitter": 0}})
        came, shortest = self.round_trip(self.relay)
        self.assertGreaterEqual(shortest, 0.1)
        self.assertEqual(self.expect(200, "GET", "/proxies/default/toxics"), [added])
        changed = self.expect(200, "POST", "/proxies/default/toxics/latency_downstream", {"attributes": {"latency": 250}})
        self.assertEqual(changed["attributes"], {"latency": 250, "jitter": 0})
        self.assertGreaterEqual(self.round_trip(self.relay)[1], 0.25)
        self.expect(204, "DELETE", "/proxies/default/toxics/latency_downstream")
        self.assertLess(self.round_trip(self.relay, count=5)[1], 0.25)
        self.assertEqual(self.expect(200, "GET", "/proxies/default")["toxics"], [])

    def test_each_toxic_does_what_its_name_says(self):
        self.start()
        path = "/proxies/default/toxics"
        self.expect(200, "POST", path, {"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}})
        self.assertEqual(self.round_trip(self.relay, lossy=True)[0], 0)
        self.expect(204, "POST", "/reset")
        # 10 kB/s: a packet of 1028 bytes takes 103 ms.
        self.expect(200, "POST", path, {"name": "slow", "type": "bandwidth", "stream": "upstream", "attributes": {"rate": 10}})
        self.assertGreaterEqual(self.round_trip(self.relay, data=bytes(1000))[1], 0.1)
        self.expect(204, "POST", "/reset")
        self.expect(200, "POST", path, {"type": "limit_data", "attributes": {"bytes": 350}})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            self.assertEqual(self.round_trip(self.relay, count=3, data=bytes(100), one=one)[0], 3)
            self.assertEqual(self.round_trip(self.relay, data=bytes(100), one=one, lossy=True)[0], 0)
        self.expect(204, "POST", "/reset")
        self.expect(200, "POST", path, {"type": "spec", "attributes": {"spec": "delay 50ms"}})
        self.expect(200, "POST", path, {"type": "latency", "attributes": {"latency": 50}})
        self.assertGreaterEqual(self.round_trip(self.relay)[1], 0.1)

    def test_a_proxy_that_is_disabled_passes_nothing(self):
        self.start()
        self.assertFalse(self.expect(200, "POST", "/proxies/default", {"enabled": False})["enabled"])
        self.assertEqual(self.round_trip(self.relay, lossy=True)[0], 0)
        self.expect(204, "POST", "/reset")
        self.assertEqual(self.round_trip(self.relay)[0], 1)

    def test_proxies_are_made_with_their_toxics_and_removed(self):
        self.start(relays=False)
        self.assertEqual(self.expect(200, "GET", "/proxies"), {})
        made = self.expect(201, "POST", "/proxies", {
            "name": "one", "listen": "127.0.0.1:0", "upstream": self.target,
            "toxics": [{"type": "latency", "attributes": {"latency": 60}}]})
        self.assertGreaterEqual(self.round_trip(made["listen"])[1], 0.06)
        other = self.expect(201, "POST", "/proxies", {"name": "two", "upstream": self.target, "enabled": False})
        self.assertEqual(self.round_trip(other["listen"], lossy=True)[0], 0)
        # Another address is another relay.
        moved = self.expect(200, "POST", "/proxies/one", {"listen": "127.0.0.2:0"})
        self.assertRegex(moved["listen"], r"^127\.0\.0\.2:\d+$")
        self.assertEqual(len(moved["toxics"]), 1)
        self.assertEqual(self.round_trip(moved["listen"])[0], 1)
        self.expect(204, "DELETE", "/proxies/two")
        self.expect(404, "GET", "/proxies/two")
        report = self.stop()
        self.assertEqual(list(report["proxies"]), ["one"])
        self.assertEqual(report["proxies"]["one"]["up"]["out"], 1)

    def test_a_deleted_relay_gives_its_port_back(self):
        self.start()
        self.expect(204, "DELETE", "/proxies/default")
        self.expect(201, "POST", "/proxies", {"name": "again", "listen": self.relay, "upstream": self.target})
        self.assertEqual(self.round_trip(self.relay)[0], 1)

    def test_populate_keeps_what_is_the_same(self):
        self.start()
        wanted = [{"name": "default", "listen": self.relay, "upstream": self.target},
                  {"name": "more", "upstream": self.target}]
        self.expect(200, "POST", "/proxies/default/toxics", {"type": "latency"})
        made = self.expect(201, "POST", "/populate", wanted)["proxies"]
        self.assertEqual([(proxy["name"], len(proxy["toxics"])) for proxy in made], [("default", 1), ("more", 0)])
        self.assertEqual(self.round_trip(made[1]["listen"])[0], 1)

    def test_the_same_port_of_another_address_is_a_move_as_well(self):
        self.start()
        port = self.relay.rsplit(":", 1)[1]
        for address in ("0.0.0.0", "127.0.0.1"):
            moved = self.expect(200, "POST", "/proxies/default", {"listen": f"{address}:{port}"})
            self.assertEqual(moved["listen"], f"{address}:{port}")
            self.assertEqual(self.round_trip(self.relay)[0], 1)

    def test_a_move_that_fails_leaves_the_proxy_where_it_was(self):
        self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            listen = "127.0.0.1:%d" % taken.getsockname()[1]
            self.expect(500, "POST", "/proxies/default", {"listen": listen})
            self.expect(500, "POST", "/populate", [{"name": "default", "listen": listen, "upstream": self.target}])
        self.assertEqual(self.expect(200, "GET", "/proxies/default")["listen"], self.relay)
        self.assertEqual(self.round_trip(self.relay)[0], 1)

    def test_toxicity_is_a_share_of_the_clients(self):
        self.start("--seed", "5", relays=False)
        def reached(toxicity):
            made = self.expect(201, "POST", "/proxies", {"name": f"p{toxicity}", "upstream": self.target, "toxics": [
                {"type": "spec", "stream": "upstream", "toxicity": toxicity, "attributes": {"spec": "loss 100%"}}]})
            host, port = made["listen"].split(":")
            clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(60)]
            for one in clients:
                one.sendto(b"x", (host, int(port)))
            # Until all that was not lost must have come, by the relay's own count.
            end = time.monotonic() + 60
            came = set()
            while time.monotonic() < end:
                ready, _, _ = select.select([one for one in clients if one not in came], [], [], 0.05)
                came.update(ready)
                up = self.drops(f"p{toxicity}")
                if up + len(came) == len(clients):
                    break
            for one in clients:
                one.close()
            return len(came)
        self.assertEqual(reached(0), 60)
        self.assertEqual(reached(1), 0)
        self.assertTrue(15 <= reached(0.5) <= 45)

    def test_errors_are_those_of_toxiproxy(self):
        self.start()
        self.expect(200, "POST", "/proxies/default/toxics", {"type": "latency"})
        new = {"name": "x", "upstream": self.target}
        for status, method, path, body, says in (
                (404, "GET", "/proxies/none", None, "proxy not found"),
                (404, "DELETE", "/proxies/none", None, "proxy not found"),
                (404, "POST", "/proxies/none/toxics", {"type": "latency"}, "proxy not found"),
                (404, "GET", "/proxies/default/toxics/none", None, "toxic not found"),
                (404, "DELETE", "/proxies/default/toxics/none", None, "toxic not found"),
                (409, "POST", "/proxies", {"name": "default", "upstream": "127.0.0.1:9"}, "proxy already exists"),
                (409, "POST", "/proxies/default/toxics", {"type": "latency"}, "toxic already exists"),
                (400, "POST", "/proxies", {"upstream": "127.0.0.1:9"}, "missing required field: name"),
                (400, "POST", "/proxies", {"name": "x"}, "missing required field: upstream"),
                (400, "POST", "/proxies", "{", "bad request body"),
                (400, "POST", "/proxies", "[]", "bad request body"),
                (400, "POST", "/proxies", {**new, "spec": "dely 1ms"}, "'dely' is unknown"),
                (400, "POST", "/proxies", {**new, "enabled": 1}, "enabled is true or false"),
                (400, "POST", "/proxies", {**new, "toxics": 1}, "toxics is a list"),
                (400, "POST", "/proxies", {**new, "toxics": [{"type": "nothing"}]}, "invalid toxic type"),
                (409, "POST", "/proxies", {**new, "toxics": [{"type": "latency"}] * 2}, "toxic already exists"),
                (400, "POST", "/proxies", {**new, "listen": "nowhere"}, ""),
                (400, "POST", "/proxies", {**new, "listen": self.target}, "leads back to the relay itself"),
                (500, "POST", "/proxies", {**new, "listen": self.relay}, "in use"),
                (400, "POST", "/proxies", {**new, "name": 5}, "name is a text"),
                (400, "POST", "/proxies", {**new, "toxics": [{"type": "latency", "name": str(i)} for i in range(65)]},
                 "at most 64 toxics"),
                (400, "POST", "/populate", {}, "a list of proxies is expected"),
                (400, "POST", "/populate", [{**new, "name": str(i)} for i in range(65)], "more than 64 proxies"),
                (400, "POST", "/populate", [{"upstream": self.target}], "missing required field: name at proxy 1"),
                (400, "POST", "/populate", [{"name": "x"}], "missing required field: upstream at proxy 1"),
                (400, "POST", "/proxies/default/toxics", {"type": "slicer"}, "slicer cuts a stream of bytes up"),
                (400, "POST", "/proxies/default/toxics", {"type": "slow_close"}, "slow_close delays the end of a connection"),
                (400, "POST", "/proxies/default/toxics", {"type": "reset_peer"}, "reset_peer resets a connection"),
                (400, "POST", "/proxies", {**new, "toxics": [{"type": "reset_peer"}]}, "reset_peer resets a connection"),
                (400, "POST", "/proxies/default/toxics", {"type": "x"}, "invalid toxic type: expected latency, bandwidth,"),
                (400, "POST", "/proxies/default/toxics", {}, "invalid toxic type: expected"),
                (400, "POST", "/proxies/default/toxics", {"type": "latency", "stream": "up"}, "stream was invalid"),
                (400, "POST", "/proxies/default/toxics", {"type": "latency", "toxicity": 2}, "toxicity is a number"),
                (400, "POST", "/proxies/default/toxics", {"type": "latency", "attributes": {"latency": -1}}, "latency is a number"),
                (400, "POST", "/proxies/default/toxics", {"type": "latency", "attributes": {"latency": "1"}}, "latency is a number"),
                (400, "POST", "/proxies/default/toxics", {"type": "latency", "attributes": []}, "attributes is an object"),
                (400, "POST", "/proxies/default/toxics", "[]", "an object is expected"),
                (400, "POST", "/proxies/default/toxics/latency_downstream", "[]", "an object is expected"),
                (404, "POST", "/proxies/default/toxics/none", {}, "toxic not found"),
                (400, "POST", "/proxies/default/toxics", {"type": "spec"}, "missing required field: attributes.spec"),
                (400, "POST", "/proxies/default/toxics", {"type": "spec", "attributes": {"spec": "x"}}, "'x' is unknown"),
                (404, "GET", "/nothing", None, "not found")):
            answer = self.expect(status, method, path, body)
            self.assertEqual(answer["status"], status)
            self.assertIn(says, answer["error"])
        # Nothing of all that has changed anything.
        self.assertEqual(list(self.expect(200, "GET", "/proxies")), ["default"])

    def test_proxies_and_their_toxics_have_a_bound(self):
        self.start(relays=False)
        toxics = [{"type": "latency", "name": str(i)} for i in range(64)]
        for i in range(64):
            self.expect(201, "POST", "/proxies", {"name": str(i), "upstream": self.target,
                                                  "toxics": toxics if i == 0 else []})
        one_more = self.expect(500, "POST", "/proxies", {"name": "more", "upstream": self.target})
        self.assertIn("there are 64 proxies", one_more["error"])
        one_more = self.expect(400, "POST", "/proxies/0/toxics", {"type": "latency", "name": "more"})
        self.assertIn("at most 64 toxics", one_more["error"])
        self.assertEqual(len(self.expect(200, "GET", "/proxies")), 64)
        self.assertEqual(len(self.expect(200, "GET", "/proxies/0/toxics")), 64)

    def test_browsers_and_large_bodies_are_refused(self):
        self.start()
        self.assertEqual(self.ask("GET", "/proxies", headers={"User-Agent": "Mozilla/5.0"})[0], 403)
        try:
            self.assertEqual(self.ask("POST", "/proxies", b" " * (2 << 20))[0], 413)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it hung up before the body was sent
        self.expect(200, "GET", "/proxies")

    def raw(self, request, end=b""):
        """The status of a request that is sent as it is, in small parts; 0 if there is no answer."""
        host, port = self.http.split(":")
        with socket.create_connection((host, int(port)), timeout=60) as one:
            got = b""
            try:
                one.sendall(request)
                while end:
                    part, end = end[:65536], end[65536:]
                    one.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has answered and hung up before the end
            try:
                while (part := one.recv(65536)):
                    got += part
            except ConnectionResetError:
                pass
        return int(got.split(b" ", 2)[1]) if got else 0

    def test_bodies_are_bounded_however_they_are_framed(self):
        self.start()
        head = b"POST /proxies/default HTTP/1.1\r\nHost: localhost\r\n"
        small = b'{"up": "delay 3ms"}'
        chunk = b"%x\r\n" % len(small) + small + b"\r\n0\r\n\r\n"
        self.assertEqual(self.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk), 200)
        self.assertEqual(self.expect(200, "GET", "/proxies/default")["up"], "delay 3ms")
        blank = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for path in (b"/proxies/default", b"/nothing", b"/reset"):
            for method in (b"POST", b"PATCH", b"DELETE", b"PUT"):
                # Four times of what may come; the last chunk is missing, so an answer means that it was not waited for.
                self.assertIn(self.raw(method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
                                       blank * 64), (0, 404, 405, 413) if method != b"DELETE" else (0, 404, 204))
        self.assertEqual(self.raw(head + b"Content-Length: 1000000000000\r\n\r\n"), 413)
        packed = gzip.compress(b" " * (64 << 20))
        self.assertEqual(self.raw(head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), packed), 415)
        # Neither length nor chunks: there is no body, and none is waited for.
        self.assertEqual(self.raw(b"POST /reset HTTP/1.1\r\nHost: localhost\r\n\r\n"), 204)
        self.expect(200, "GET", "/proxies")

    def test_what_a_refused_request_carries_is_no_request(self):
        self.start()
        inner = b"DELETE /proxies/default HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for refused in (b"Host: evil.example\r\n", b"Host: localhost\r\nOrigin: null\r\n",
                        b"Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"):
            self.assertEqual(self.raw(b"POST /proxies HTTP/1.1\r\n" + refused +
                                      b"Content-Length: %d\r\n\r\n" % len(inner) + inner), 403)
        self.assertEqual(list(self.expect(200, "GET", "/proxies")), ["default"])

    def test_specs_name_no_files_and_json_is_flat(self):
        self.start()
        pipe = os.path.join(tempfile.mkdtemp(), "pipe")
        self.addCleanup(shutil.rmtree, os.path.dirname(pipe))
        os.mkfifo(pipe)
        for spec in (f"trace {pipe}", f"delay 20ms 5ms distribution {pipe}", f"slot distribution {pipe} 10ms 1ms"):
            self.assertIn("cannot name files", self.expect(400, "POST", "/proxies/default", {"up": spec})["error"])
            toxic = {"type": "spec", "attributes": {"spec": spec}}
            self.assertIn("cannot name files", self.expect(400, "POST", "/proxies/default/toxics", toxic)["error"])
        self.expect(200, "POST", "/proxies/default/toxics", {"type": "spec", "name": "own", "attributes": {"spec": "delay 1ms"}})
        changed = {"attributes": {"spec": f"trace {pipe}"}}
        self.assertIn("cannot name files", self.expect(400, "POST", "/proxies/default/toxics/own", changed)["error"])
        for text in ("[" * 500_000, "[" * 250_000 + "]" * 250_000, '{"attributes":' + "[" * 100_000 + "]" * 100_000 + "}"):
            for path in ("/proxies", "/populate", "/proxies/default/toxics/own"):
                self.assertIn("levels of JSON", self.expect(400, "POST", path, text)["error"])
        for body in ({"name": "x" * 129}, {"up": "delay 1ms" + " " * (16 << 10)}):
            self.expect(400, "POST", "/proxies/default", body)

    def test_half_a_request_holds_nothing_up(self):
        self.start()
        host, port = self.http.split(":")
        halves = [socket.create_connection((host, int(port)), timeout=60) for _ in range(90)]
        for one in halves:
            self.addCleanup(one.close)
        # Four hold the threads and 64 wait: a later one is closed instead of waiting as well.
        for one in halves:
            try:
                one.sendall(b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1")
            except (BrokenPipeError, ConnectionResetError):
                pass
        try:
            self.assertEqual(halves[-1].recv(100), b"")
        except ConnectionResetError:
            pass
        # Were each waited for, the end would take 85 s.
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, 130)

    def test_metrics_count_what_passed(self):
        self.start("--up", "loss 100%", "--down", "delay 1ms")
        self.round_trip(self.relay, data=bytes(500), lossy=True)
        status, text = self.ask("GET", "/metrics")
        self.assertEqual(status, 200)
        values = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line).groups()
            values[name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels))] = float(value)
        up = {("direction", "upstream"), ("proxy", "default")}
        whole = up | {("listener", self.relay), ("upstream", self.target)}
        self.assertEqual(values["toxiproxy_proxy_received_bytes_total", frozenset(whole)], 500)
        self.assertEqual(values["toxiproxy_proxy_sent_bytes_total", frozenset(whole)], 0)
        self.assertEqual(values["mxp_netem_drops_total", frozenset(up | {("reason", "loss")})], 1)
        self.assertEqual(values["mxp_netem_clients_total", frozenset({("proxy", "default")})], 1)

    def test_many_requests_beside_traffic(self):
        self.start(relays=True)
        failures = []
        def change(number):
            for i in range(15):
                name = f"t{number}"
                for method, path, body, expected in (
                        ("POST", "/proxies/default/toxics", {"name": name, "type": "latency", "attributes": {"latency": i}}, 200),
                        ("GET", "/metrics", None, 200), ("GET", "/proxies", None, 200),
                        ("DELETE", f"/proxies/default/toxics/{name}", None, 204)):
                    status, answer = self.ask(method, path, body)
                    if status != expected:
                        failures.append((method, path, status, answer))
        threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        came = self.round_trip(self.relay, count=100)[0]
        for thread in threads:
            thread.join(120)
        self.assertEqual(failures, [])
        self.assertEqual(came, 100)
        self.assertEqual(self.stop()["up"]["out"], 100)

    def test_wrong_usage_is_2_and_a_port_in_use_1(self):
        self.start()
        for arguments, code, says in ((["--http", "nowhere"], 2, ""), ([], 2, "--listen is required"),
                                      (["--http", "0", "-l", "0"], 2, "--target is required"),
                                      (["--http", "0", "--pcap", "x.pcapng"], 2, "--pcap needs --listen"),
                                      (["--http", "0", "delay 1ms"], 2, "need --listen and --target"),
                                      (["--http", "0", "--up", "delay 1ms"], 2, "need --listen and --target"),
                                      (["--http", "0", "--down", ""], 2, "need --listen and --target"),
                                      (["--http", "0", "--scenario", "x"], 2, "need --listen and --target"),
                                      (["--http", "0", "--tcp"], 2, "need --listen and --target"),
                                      (["--http", "0", "--per-client"], 2, "need --listen and --target"),
                                      (["--http", "0", "--replay", "x"], 2, "need --listen and --target"),
                                      (["--http", self.http], 1, "cannot listen")):
            ended = subprocess.run([NETEM, *arguments], capture_output=True, text=True, timeout=20)
            self.assertEqual(ended.returncode, code, ended.stderr)
            self.assertIn(says, ended.stderr)


if __name__ == "__main__":
    side_by_side.main()
