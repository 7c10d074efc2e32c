#!/usr/bin/env python3
"""mxp-dump --html: what the page holds, of captures with known answers; and, where there is a Chromium, what it shows with no network."""
import base64
import hashlib
import html
import json
import re
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import browser  # noqa: E402
import dump_wire as wire  # noqa: E402
from dump_filter_test import CAPTURE, SESSION  # noqa: E402
from dump_test import DUMP, ENVIRONMENT, DumpCase  # noqa: E402

MS = 1_000_000
HANDSHAKE = [(0, wire.udp(wire.CLIENT, wire.SERVER, wire.message_1())), (5 * MS, wire.udp(wire.SERVER, wire.CLIENT, wire.message_2()))]
LOSSY = wire.pcap(wire.Session(packets=240, skipped=(), lost=tuple(range(20, 220, 10))).frames, nanoseconds=True)  # enough for a finding
DATA = wire.stream(0, 0, b"x" * 50)


def relayed():
    """Both sides of a relay at 10.0.0.9, which takes 300 us to the server and 1 ms to the client, and loses a packet each way."""
    near, far = (wire.CLIENT, ("10.0.0.9", 9000)), (("10.0.0.9", 5555), wire.SERVER)
    frames = []

    def up(time, packet, lost=False):
        frames.append((time, wire.udp(*near, packet)))
        if not lost:
            frames.append((time + 300_000, wire.udp(*far, packet)))

    def down(time, packet, lost=False):
        frames.append((time, wire.udp(*far[::-1], packet)))
        if not lost:
            frames.append((time + MS, wire.udp(*near[::-1], packet)))

    up(0, wire.message_1())
    down(5 * MS, wire.message_2())
    for i in range(6):
        up((10 + i) * MS, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, i, DATA), lost=i == 2)
    down(20 * MS, wire.one_rtt(wire.S2C_SECRET, wire.CLIENT_ID, 0, wire.ack((3, 5), (0, 1)) + b"\1"))
    down(22 * MS, wire.one_rtt(wire.S2C_SECRET, wire.CLIENT_ID, 1, b"\1"), lost=True)
    for i in range(2, 6):
        down((22 + i) * MS, wire.one_rtt(wire.S2C_SECRET, wire.CLIENT_ID, i, b"\1"))
    up(40 * MS, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 6, wire.ack((2, 5), (0, 0))))
    return sorted(frames, key=lambda frame: frame[0])


class PageCase(DumpCase):
    def page(self, frames, *arguments, keys=True, code=0, name="page.html"):
        """The path of the page, and what was said."""
        capture = self.file("c", frames if isinstance(frames, bytes) else wire.pcap(frames, nanoseconds=True))
        more = ["--keylog", self.file("k", wire.KEY_LOG)] if keys else []
        out, err = self.dump("-r", capture, "--html", str(self.folder / name), *more, *arguments, code=code)
        self.assertEqual(out, "")
        return self.folder / name, err

    def data(self, frames, *arguments, keys=True):
        path, _ = self.page(frames, "--force", *arguments, keys=keys)
        return browser.data_of(path.read_text())


class Content(PageCase):
    def test_lost_packets_are_marked_by_their_numbers_times_and_frames(self):
        data = self.data(CAPTURE)
        self.assertEqual((data["connections"], len(data["shown"]), data["others"], data["not_listed"]), (1, 1, [], 0))
        way = data["shown"][0]["places"][0]["client_to_server"]
        self.assertEqual([number for _, _, number, _ in way["losses"]], sorted(SESSION.lost))
        for time, position, number, frame in way["losses"]:
            at = SESSION.c2s[number]
            self.assertEqual(frame, at + 1)
            self.assertAlmostEqual(time, SESSION.frames[at][0] / MS, places=3)
            sent = sum(len(packet) - 28 for _, packet in SESSION.frames[:at + 1] if packet[12:16] == bytes([10, 0, 0, 1]))
            self.assertEqual(position, sent)
        self.assertEqual((way["lost"], way["losses_each_stand_for"]), (3, 1))
        self.assertEqual(data["shown"][0]["places"][0]["server_to_client"]["losses"], [])
        self.assertEqual(data["summary"]["lost"], 3)

    def test_columns_end_in_what_was_sent_and_acknowledged(self):
        plot = self.data(CAPTURE)["shown"][0]["places"][0]
        total = sum(len(packet) - 28 for _, packet in SESSION.frames if packet[12:16] == bytes([10, 0, 0, 1]))
        columns = plot["client_to_server"]["columns"]
        self.assertEqual({len(column) for column in columns.values()}, {len(columns["slot"])})
        self.assertEqual(max(value for value in columns["sent"] if value is not None), total)
        # The last acknowledgement names the last packet.
        self.assertEqual(max(value for value in columns["acknowledged"] if value is not None), total)
        # Each acknowledgement comes 300 us after its largest packet, and says that it waited 25.
        self.assertEqual({value for value in columns["rtt_min_ms"] if value is not None}, {0.275})
        self.assertEqual([row["label"] for row in plot["streams"]["rows"]], ["stream 0"])
        self.assertEqual(plot["streams"]["rows"][0]["bytes"], 40 * len(SESSION.c2s))

    def test_findings_are_those_of_why(self):
        capture, keys = self.file("c", LOSSY), self.file("k", wire.KEY_LOG)
        why = json.loads(self.dump("why", capture, "--keylog", keys, "-T", "json")[0])
        shown = self.data(LOSSY)["shown"][0]
        self.assertGreater(len(why["findings"]), 0)
        self.assertEqual({name: shown[name] for name in why}, why)

    def test_without_keys_there_is_what_the_clear_part_tells(self):
        shown = self.data(CAPTURE, keys=False)["shown"][0]
        self.assertFalse(shown["places"][0]["readable"])
        way = shown["places"][0]["client_to_server"]
        self.assertEqual((way["losses"], shown["places"][0]["streams"]["rows"]), ([], []))
        self.assertGreater(way["bytes"], 0)

    def test_each_side_of_a_relay_is_a_plot_of_its_own_and_each_loss_counts_once(self):
        shown = self.data(relayed())["shown"][0]
        near, far = shown["places"]
        self.assertEqual([(place["client"], place["server"]) for place in shown["places"]], [("10.0.0.1:40000", "10.0.0.9:9000"), ("10.0.0.9:5555", "10.0.0.2:9000")])
        self.assertEqual(shown["not_placed"], 0)
        # Number 2 of the client is lost behind the first side and number 1 of the server before it: both sides say so in their own way.
        ways = ("client_to_server", "server_to_client")
        self.assertEqual([[place[way]["packets"] for way in ways] for place in (near, far)], [[8, 6], [7, 7]])
        self.assertEqual([[[number for _, _, number, _ in place[way]["losses"]] for way in ways] for place in (near, far)], [[[2], []], [[], [1]]])
        self.assertEqual([[place[way]["lost_elsewhere"] for way in ways] for place in (near, far)], [[0, 1], [1, 0]])
        # Each acknowledgement ends a round trip at the place where it passes by: 6 ms after number 5 on one side, 4.7 on the other.
        trips = [[value for value in place["client_to_server"]["columns"]["rtt_max_ms"] if value is not None] for place in (near, far)]
        self.assertEqual(trips, [[5.975], [4.675]])
        # Both begin when the connection does, so that they can be laid over one another.
        first = [place["client_to_server"]["columns"]["slot"][0] for place in (near, far)]
        self.assertEqual(first, [0, int(0.3 / far["client_to_server"]["slot_ms"])])
        self.assertGreater(first[1], 0)

    def test_a_client_that_moves_stays_in_its_plot(self):
        moved = wire.udp(("10.0.0.7", 41000), wire.SERVER, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 1, DATA))
        [place] = self.data([*HANDSHAKE, (10 * MS, wire.c2s(0, DATA)), (20 * MS, moved)])["shown"][0]["places"]
        self.assertEqual(place["client_to_server"]["packets"], 3)

    def test_of_more_places_than_four_packets_are_counted(self):
        shown = self.data([(i * MS, wire.udp(("10.0.0.1", 40000 + i), (f"10.0.1.{i}", 9000), wire.message_1())) for i in range(6)], keys=False)["shown"][0]
        self.assertEqual((len(shown["places"]), shown["not_placed"]), (4, 2))

    def test_the_busiest_are_shown_and_it_is_said_what_was_left_out(self):
        frames = []
        for i in range(230):
            client, identity = (f"10.1.{i // 200}.{i % 200 + 1}", 40000), (0x1000 + i).to_bytes(8, "big")
            for _ in range(2 if 100 <= i < 105 else 1):  # five clients ask twice
                frames.append((len(frames) * MS, wire.udp(client, wire.SERVER, wire.message_1(identity, seed=f"one {i}"))))
        data = self.data(frames)
        self.assertEqual((data["connections"], len(data["shown"]), len(data["others"]), data["not_listed"]), (230, 12, 200, 18))
        self.assertEqual({one["client"] for one in data["shown"][:5]}, {f"10.1.0.{i + 1}:40000" for i in range(100, 105)})

    def test_a_long_capture_makes_a_page_of_bounded_size(self):
        # 40,000 packets of a direction, of which 4,000 never are acknowledged; none can be opened, so they are cheap to make.
        packet = wire.udp(wire.CLIENT, wire.SERVER, wire.one_rtt(wire.C2S_SECRET, wire.SERVER_ID, 0, DATA))
        frames = [*HANDSHAKE, *((10 * MS + i * 3_000_000, packet[:37] + i.to_bytes(4, "big") + packet[41:]) for i in range(40_000))]
        path, _ = self.page(frames, keys=False)
        way = browser.data_of(path.read_text())["shown"][0]["places"][0]["client_to_server"]
        self.assertEqual(way["packets"], 40_001)
        self.assertLessEqual(len(way["columns"]["slot"]), 512)
        self.assertLess(path.stat().st_size, 250_000)

    def test_what_a_peer_wrote_is_text(self):
        evil = b"</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J"
        frames = [*HANDSHAKE, (10 * MS, wire.c2s(0, DATA)), (12 * MS, wire.s2c(0, wire.close(evil, code=9)))]
        path, _ = self.page(frames)
        text = path.read_text()
        self.assertIn("alert(1)", json.dumps(browser.data_of(text)))
        self.assertNotIn("<script>alert", text)
        self.assertNotIn("<img", text)
        self.assertNotIn("\x1b", text)
        # A name of a file with markup in it stands in the title.
        capture = self.file("<b>&.pcap", CAPTURE)
        self.dump("-r", capture, "--html", str(path), "--force")
        self.assertIn(html.escape(capture), path.read_text())

    def test_only_its_own_scripts_may_run_and_nothing_is_loaded(self):
        text = self.page(CAPTURE)[0].read_text()
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        self.assertTrue(policy.startswith("default-src 'none'; script-src 'sha256-"))
        self.assertNotIn("unsafe-eval", policy)
        self.assertNotIn("'unsafe-inline'", policy.split("style-src")[0])
        scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
        self.assertEqual(len(scripts), 2)
        for script in scripts:
            self.assertIn("'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'", policy)
        self.assertEqual(re.findall(r'(?:src|href)="(?!data:)[^"]*"', re.sub(r"<script.*?</script>", "", text, flags=re.S)), [])
        self.assertNotIn("sourceMappingURL", text)


class Files(PageCase):
    def test_what_is_there_is_replaced_only_by_force(self):
        path, _ = self.page(CAPTURE)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        path.write_bytes(b"mine")
        self.assertIn("exists and is not overwritten", self.page(CAPTURE, code=2)[1])
        self.assertEqual(path.read_bytes(), b"mine")
        path.chmod(0o644)
        self.page(CAPTURE, "--force")
        self.assertIn("<!DOCTYPE html>", path.read_text())
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_another_output_that_fails_does_not_cost_the_page(self):
        path, err = self.page(CAPTURE, "--to-upper-pdu", "/dev/full", "--force", code=1)
        self.assertIn("/dev/full", err)
        self.assertTrue(path.read_text().endswith("</html>\n"))

    def test_links_and_files_of_the_run_are_refused(self):
        target = self.folder / "target"
        target.write_bytes(b"mine")
        (self.folder / "page.html").symlink_to(target)
        self.assertIn("symbolic link", self.page(CAPTURE, "--force", code=2)[1])
        self.assertEqual(target.read_bytes(), b"mine")
        self.assertIn("is the same file as", self.page(CAPTURE, "--force", code=2, name="c")[1])

    def test_a_full_disk_is_an_error_with_the_name_of_the_file(self):
        path = self.folder / "page.html"
        for target, limit in (("/dev/full", None), (str(path), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))):
            done = subprocess.run([DUMP, "-r", self.file("c", CAPTURE), "--html", target], capture_output=True, text=True, timeout=60, env=ENVIRONMENT, preexec_fn=limit)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(target, done.stderr)

    def test_wrong_use_is_2_with_a_word(self):
        capture, page = self.file("c", CAPTURE), str(self.folder / "page.html")
        for arguments, word in ((["-r", "-", "--html", page], "--html needs a file"), (["-r", capture, "--html", page, "-Y", "mxp.lost"], "whole connections"),
                                (["-r", capture, "--html", "-"], "/dev/stdout is one"), (["-r", capture, "--html", "/no/such/folder/x.html"], "/no/such/folder")):
            with self.subTest(arguments):
                code = 1 if "folder" in word else 2
                self.assertIn(word, self.dump(*arguments, code=code)[1])

    def test_a_damaged_capture_gives_the_page_of_what_is_whole(self):
        path, err = self.page(CAPTURE[:-30], code=2)
        self.assertIn("ends in the middle", err)
        self.assertIn("ends in the middle", browser.data_of(path.read_text())["summary"]["error"]["message"])

    def test_no_mxp_makes_a_page_that_says_so(self):
        data = self.data([(0, wire.udp(("10.0.0.3", 53), wire.CLIENT, b"no packet of ours"))])
        self.assertEqual((data["connections"], data["shown"]), (0, []))


@unittest.skipIf(browser.PROGRAM is None, "there is no Chromium here: the page was not opened")
class InABrowser(PageCase):
    @classmethod
    def setUpClass(cls):
        cls.profile = tempfile.mkdtemp(prefix="mxp-browser-")
        cls.addClassCleanup(shutil.rmtree, cls.profile, ignore_errors=True)
        cls.browser = browser.Browser(cls.profile)
        cls.addClassCleanup(cls.browser.close)

    def test_it_shows_plots_and_findings_at_the_width_of_a_desktop_and_of_a_phone(self):
        path, _ = self.page(LOSSY)
        finding = browser.data_of(path.read_text())["shown"][0]["findings"][0]
        for width, dark in ((1280, False), (390, False), (390, True)):
            with self.subTest(width=width, dark=dark):
                self.assertEqual(self.browser.open(path, width, dark=dark), ([], []))
                self.assertEqual(self.browser.run("innerWidth"), width)
                shown = self.browser.run("document.getElementById('page').innerText")
                for text in ("Bytes of packets over time", "Rate of UDP payload", "Round trips", "Bytes in flight", "Streams", "client → server, lost", finding["title"], finding["detail"]):
                    self.assertIn(text, shown)
                canvases = self.browser.run("""[...document.querySelectorAll('canvas')].map((one) => {
                    const pixels = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
                    return [one.getBoundingClientRect().left, one.getBoundingClientRect().right, pixels.some((value) => value > 0)]; })""")
                self.assertEqual(len(canvases), 10)  # two for each plot, the upper one for what is pointed at
                self.assertEqual(sum(drawn for _, _, drawn in canvases), 5)
                for left, right, _ in canvases:
                    self.assertGreaterEqual(left, 0)
                    self.assertLessEqual(right, width)
                    self.assertGreater(right - left, 0.75 * width)
                # Nothing makes the page wider than the screen.
                self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width)
                back = self.browser.run("getComputedStyle(document.body).backgroundColor")
                self.assertEqual(int(re.findall(r"\d+", back)[0]) < 128, dark, back)

    def test_the_other_connections_open_when_they_are_asked_for(self):
        frames = []
        for i in range(3):
            client, identity = (f"10.1.0.{i + 1}", 40000), (0x1000 + i).to_bytes(8, "big")
            frames += [(i * 10 * MS, wire.udp(client, wire.SERVER, wire.message_1(identity, seed=f"one {i}"))), ((i * 10 + 5) * MS, wire.udp(wire.SERVER, client, wire.message_2(identity, seed=f"two {i}")))]
        path, _ = self.page(frames)
        self.assertEqual(self.browser.open(path, 390), ([], []))
        before = self.browser.run("document.querySelectorAll('canvas').length")
        self.browser.run("document.querySelectorAll('details')[2].open = true; new Promise((done) => setTimeout(done))")
        self.assertEqual(self.browser.run("document.querySelectorAll('canvas').length"), 2 * before)

    def test_the_sides_of_a_relay_are_drawn_one_at_a_time(self):
        path, _ = self.page(relayed())
        pressed = "[...document.querySelectorAll('.choice button')].map((one) => one.getAttribute('aria-pressed'))"
        figures = "[...document.querySelectorAll('.plots .figures b')].map((one) => one.innerText)"
        for width in (1280, 390):
            with self.subTest(width=width):
                self.assertEqual(self.browser.open(path, width), ([], []))
                shown = self.browser.run("document.getElementById('page').innerText")
                for text in ("Seen at 2 places", "10.0.0.1:40000 → 10.0.0.9:9000", "10.0.0.9:5555 → 10.0.0.2:9000"):
                    self.assertIn(text, shown)
                self.assertEqual((self.browser.run(pressed), self.browser.run(figures)[2:]), (["true", "false"], ["1", "0"]))
                canvases = self.browser.run("document.querySelectorAll('canvas').length")
                for chosen in (1, 0, 1):
                    self.browser.run(f"document.querySelectorAll('.choice button')[{chosen}].click()")
                    self.assertEqual(self.browser.run("document.querySelectorAll('canvas').length"), canvases)
                    self.assertEqual(self.browser.run("charts.length"), canvases // 2)
                self.assertEqual((self.browser.run(pressed), self.browser.run(figures)[2:]), (["false", "true"], ["0", "1"]))
                self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width)

    def test_a_script_that_is_not_its_own_does_not_run_and_nothing_is_fetched(self):
        path, _ = self.page(CAPTURE)
        path.write_text(path.read_text().replace("<main", '<script>document.title = "taken"</script><img src="http://192.0.2.1/x.png"><main'))
        problems, _ = self.browser.open(path, 1280)
        self.assertNotEqual(self.browser.run("document.title"), "taken")
        self.assertEqual(len([text for text in problems if "Content Security Policy" in text]), 2, problems)  # these tests do see what goes wrong


if __name__ == "__main__":
    unittest.main()
