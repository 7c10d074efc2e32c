#!/usr/bin/env python3
"""mxp-perf-mpi: several ranks as one client, their exact sum, and those that die or stop."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from perf_schema import report_of, strict
from perf_support import Server, at_once, perf

TOOL = os.path.join(os.environ["MXP_BIN"], "mxp-perf-mpi")
MPIRUN = shutil.which("mpirun")
RANKS = 4
# A process that begins MPI as a rank and then does what `{}` says: it is no mxp-perf-mpi of this version, or hangs.
STRANGER = '''
import ctypes, os, time
mpi = ctypes.CDLL("libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
mpi.MPI_Init(None, None)
def say(text, tag=0):
    world, char = (ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, name))) for name in ("ompi_mpi_comm_world", "ompi_mpi_char"))
    assert mpi.MPI_Send(text.encode(), len(text.encode()), char, 0, tag, world) == 0
def tells_and_moves_its_clock(introduction, outcome, moved):
    """As rank 1: answers for its clock until it is told when to begin, tells a result, and then has another clock."""
    world, char, double = (ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, name))) for name in ("ompi_mpi_comm_world", "ompi_mpi_char", "ompi_mpi_double"))
    def hears(ahead):
        number, status = ctypes.c_double(), (ctypes.c_int * 64)()
        while True:
            assert mpi.MPI_Recv(ctypes.byref(number), 1, double, 0, -1, world, status) == 0
            if status[1] == 12:
                return number.value
            assert mpi.MPI_Send(ctypes.byref(ctypes.c_double(time.time() + ahead)), 1, double, 0, 11, world) == 0
    assert hears(0) == 1
    say(introduction)
    begin = hears(0)
    say(outcome.replace("BEGIN", repr(begin)), 1)
    if moved is None:  # hangs
        return
    assert hears(moved) == 0
    mpi.MPI_Finalize()
    raise SystemExit
def hears_of(rank, path):
    """In the place of rank 0: there is a test; who is it? And then there is none."""
    world, char, double = (ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, name))) for name in ("ompi_mpi_comm_world", "ompi_mpi_char", "ompi_mpi_double"))
    text, status = ctypes.create_string_buffer(65536), ctypes.create_string_buffer(256)
    assert mpi.MPI_Send(ctypes.byref(ctypes.c_double(1)), 1, double, rank, 12, world) == 0
    assert mpi.MPI_Recv(text, 65536, char, rank, 0, world, status) == 0
    assert mpi.MPI_Send(ctypes.byref(ctypes.c_double(0)), 1, double, rank, 12, world) == 0
    open(path, "wb").write(text.value)
    mpi.MPI_Finalize()
    raise SystemExit
{}
time.sleep(60)
'''
CALLS = ("--test", "rr", "--rate", "200")
LATE = re.compile(r" began .* late: the run is not valid")


def mpirun(ranks, *arguments, **options):
    return subprocess.Popen([MPIRUN, "--allow-run-as-root", "--oversubscribe", "-n", str(ranks), TOOL, *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finished(ranks, *arguments):
    process = mpirun(ranks, *arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def with_another(other, *arguments, others=1, **options):
    """Rank 0 as these arguments say, and another program as rank 1, or as all others."""
    return mpirun(1, *arguments, ":", "-n", str(others), *other, **options)


def finished_with_another(other, *arguments):
    process = with_another(other, *arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def finished_on_time(ranks, *arguments):
    """A machine that is busy with other work may hold a rank up before it begins. Such a run says so, and is no result."""
    for _ in range(4):
        done = finished(ranks, *arguments)
        if not LATE.search(done[2]):
            break
    return done


def cannot_run():
    """Why no rank can be started here, or nothing."""
    if not os.path.exists(TOOL):
        return "mxp-perf-mpi was not built: Open MPI was not found"
    if not MPIRUN:
        return "mpirun is not installed"
    tried = subprocess.run([MPIRUN, "--allow-run-as-root", "--oversubscribe", "-n", "2", "true"], capture_output=True, text=True)
    return f"mpirun starts nothing here: {tried.stderr.strip()[:200]}" if tried.returncode else ""


CANNOT_RUN = cannot_run()


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rank_process(launcher, rank):
    """The process of a rank, once it runs: it says in its environment which one it is."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for pid in children(launcher):
            try:
                if f"OMPI_COMM_WORLD_RANK={rank}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    return pid
            except OSError:
                pass
        time.sleep(0.02)
    raise AssertionError(f"rank {rank} does not run")


@unittest.skipIf(CANNOT_RUN, CANNOT_RUN)
class Ranks(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)
        self.server = Server("--json")
        self.addCleanup(self.server.__exit__)

    def document(self, name="all.json"):
        return strict((self.folder / name).read_text())

    def test_the_result_is_the_exact_sum_of_all_ranks(self):
        code, out, err = finished_on_time(RANKS, self.server.url, *CALLS, "--duration", "3s", f"--json={self.folder}/all.json", "--hlog", self.folder / "all.hlog", "--assert", "calls>=1")
        self.assertEqual(code, 0, err)
        document = self.document()
        logs = [self.folder / f"all.hlog.rank-{rank}" for rank in range(RANKS)]
        done = perf("merge", *logs, "--hlog", self.folder / "offline.hlog", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "offline.hlog").read_bytes(), (self.folder / "all.hlog").read_bytes())
        for row in strict(done.stdout)["merged"]["histograms"]:
            name = row["tag"].removeprefix("rr.")
            self.assertEqual(row["histogram"], document["histograms"][name])
            self.assertEqual(row["latency_us"], document["result"]["one_way_us"][name] if name.startswith("to_") else document["result"][f"{name}_us"])
        self.assertEqual(set(document["histograms"]), {"latency", "service_time", "sender_late", "to_server", "to_client"})
        hosts = document["hosts"]
        self.assertEqual([host["rank"] for host in hosts], list(range(RANKS)))
        for part in ("due", "answered", "unanswered"):
            self.assertEqual(document["result"]["calls"][part], sum(host["result"]["calls"][part] for host in hosts))
        self.assertEqual(document["result"]["calls"]["due"], 600)
        self.assertEqual([host["result"]["calls"]["due"] for host in hosts], [150] * RANKS)
        self.assertEqual(document["config"]["calls_per_second"], 200)
        self.assertEqual(document["config"]["ranks"], RANKS)
        for host in hosts:  # one machine, one clock
            self.assertLessEqual(abs(host["clock_offset_us"]), host["clock_error_us"] + 1)
            self.assertEqual("clock_drift_us" in host, host["rank"] != 0)
            self.assertLessEqual(abs(host.get("clock_drift_us", 0)), 2 * host["clock_error_us"] + 1)
            self.assertGreaterEqual(host["start_late_us"], -1)
        self.adds_up(document)
        self.assertEqual(len([line for line in out.splitlines() if line.startswith("rank ")]), RANKS)

    def adds_up(self, document):
        """What is of all follows from what is of each."""
        hosts, result = document["hosts"], document["result"]
        for part in ("datagrams_sent", "datagrams_received", "sends_blocked", "receive_overflows"):
            self.assertEqual(document["socket"]["client"][part], sum(host["socket"]["client"][part] for host in hosts), part)
        self.assertGreater(document["socket"]["server"]["datagrams_received"], 0)
        for part in ("connections", "packets_sent", "packets_lost"):
            self.assertEqual(document["transport"][part], sum(host["transport"][part] for host in hosts), part)
        self.assertEqual(document["transport"]["min_rtt_us"], min(host["transport"]["min_rtt_us"] for host in hosts))
        begins = [host["start_late_us"] * 1e-6 for host in hosts]
        ends = [begin + host["result"]["seconds"] for begin, host in zip(begins, hosts)]
        self.assertAlmostEqual(result["seconds"], max(ends) - min(begins), 6)
        for rate in [name for name in result if name.endswith("_per_second")]:
            self.assertLessEqual(result[rate], sum(host["result"][rate] for host in hosts) * 1.000001, rate)
            self.assertGreater(result[rate], sum(host["result"][rate] for host in hosts) * 0.5, rate)
        if "one_way_us" in result:
            of_each = [host["result"]["one_way_us"] for host in hosts]
            self.assertEqual(result["one_way_us"]["probes"], sum(one["probes"] for one in of_each))
            self.assertEqual(result["one_way_us"]["error_bound"], max(one["error_bound"] for one in of_each))
            self.assertNotIn("clock_offset", result["one_way_us"])  # each rank has its own

    def test_bytes_of_all_ranks_came_to_the_server(self):
        code, _, err = finished_on_time(2, self.server.url, "--duration", "2s", f"--json={self.folder}/all.json")
        self.assertEqual(code, 0, err)
        document = self.document()
        self.assertEqual(document["result"]["bytes"], sum(host["result"]["bytes"] for host in document["hosts"]))
        self.assertEqual(document["transport"]["connections"], 2)
        self.adds_up(document)
        self.assertAlmostEqual(document["result"]["goodput_bits_per_second"], document["result"]["bytes"] * 8 / document["result"]["seconds"], delta=1)

    def test_one_rank_has_what_the_client_has(self):
        code, _, err = finished_on_time(1, self.server.url, *CALLS, "--duration", "2s", f"--json={self.folder}/all.json")
        self.assertEqual(code, 0, err)
        document, plain = self.document(), report_of("client", self.server.url, *CALLS, "--duration", "2s", "--start-at", f"{time.time() + 1:.3f}")
        self.assertEqual(set(document) - set(plain), {"hosts"})
        self.assertEqual(set(plain) - set(document), set())
        self.assertEqual({**document["config"], "start_at_unix_seconds": 0}, {**plain["config"], "start_at_unix_seconds": 0, "ranks": 1})
        self.assertEqual(set(document["result"]), set(plain["result"]))
        self.assertEqual(document["result"]["calls"], plain["result"]["calls"])
        self.assertEqual(document["hosts"][0]["result"], document["result"])

    def test_a_rank_that_is_killed_is_named(self):
        process = mpirun(RANKS, self.server.url, *CALLS, "--duration", "20s", "--interval", "100ms", f"--json={self.folder}/all.json")
        self.wait_for_load(process)
        os.kill(rank_process(process.pid, 2), signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        self.assertRegex(err, r"mxp-perf-mpi: rank 2 on \S+ gave no result")
        self.invalid(2)

    def test_a_rank_that_stops_is_named(self):
        process = mpirun(RANKS, self.server.url, *CALLS, "--duration", "3s", "--interval", "100ms", f"--json={self.folder}/all.json")
        self.wait_for_load(process)
        os.kill(rank_process(process.pid, 1), signal.SIGSTOP)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 1 on \S+ gave no result")
        self.invalid(1)

    def test_a_rank_that_is_killed_before_anything_counts_is_named(self):
        process = mpirun(2, self.server.url, *CALLS, "--duration", "20s", "--omit", "15s", "--interval", "100ms", f"--json={self.folder}/all.json")
        self.wait_for_load(process)
        os.kill(rank_process(process.pid, 1), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        self.assertRegex(err, r"mxp-perf-mpi: rank 1 on \S+ gave no result")
        self.assertIn("verdict   none: the run is not valid", out)
        document = self.document()
        self.assertEqual(document["error"]["kind"], "network")
        self.assertEqual([host["rank"] for host in document["hosts"] if "result" not in host], [1])

    def wait_for_load(self, process):
        """Until rank 0 tells of its second interval: then all ranks have long begun."""
        for line in process.stderr:
            if re.match(r" +0\.[2-9]\d s  ", line):
                return
        self.fail("the test did not begin")

    def invalid(self, rank):
        document = self.document()
        self.assertEqual(document["error"]["kind"], "network")
        self.assertIn(f"rank {rank} on", document["error"]["message"])
        self.assertIn("not valid", document["error"]["message"])
        self.assertEqual((document["verdict"], document["verdict_reason"]), ("none", "the run is not valid"))
        self.assertEqual([host["rank"] for host in document["hosts"] if "result" not in host], [rank])
        self.assertGreater(document["result"]["latency_us"]["p50"], 0)

    def test_ranks_that_begin_late_are_no_load(self):
        code, _, err = finished(2, self.server.url, *CALLS, "--duration", "2s", "--link", "delay 500ms", f"--json={self.folder}/all.json")
        self.assertEqual(code, 1, err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 0 on \S+ began .* late: the run is not valid")
        document = self.document()
        self.assertEqual(document["error"]["kind"], "network")
        for host in document["hosts"]:
            self.assertGreater(host["start_late_us"], 200_000)

    def test_datagrams_of_all_ranks_keep_the_rate(self):
        code, _, err = finished_on_time(2, self.server.url, "--test", "datagrams", "--rate", "200", "--duration", "2s", f"--json={self.folder}/all.json")
        self.assertEqual(code, 0, err)
        document = self.document()
        self.assertEqual(document["result"]["datagrams"]["sent"], sum(host["result"]["datagrams"]["sent"] for host in document["hosts"]))
        begins = [host["start_late_us"] * 1e-6 for host in document["hosts"]]
        together = max(begins) - min(begins) <= 0.02 * max(host["result"]["seconds"] for host in document["hosts"])
        self.assertIs(document["result"]["rate_kept"], together and all(host["result"]["rate_kept"] for host in document["hosts"]))

    def test_rank_0_alone_is_watched(self):
        audit, qlog = self.folder / "audit.jsonl", self.folder / "qlog"
        qlog.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        code, _, err = finished(2, self.server.url, *CALLS, "--duration", "2s", "--metrics", port, "--audit", audit, "--qlog", qlog)
        self.assertTrue(code == 0 or LATE.search(err), err)
        self.assertEqual(len(list(qlog.iterdir())), 1)
        self.assertTrue(audit.exists())

    def test_logs_of_ranks_are_opened_first_and_those_of_another_run_go(self):
        log = self.folder / "all.hlog"
        beside = {rank: self.folder / f"all.hlog.rank-{rank}" for rank in (0, 1, 2, 3, 4, 20)}
        perf("merge", self.made_log(), "--hlog", beside[2])
        beside[3].touch()
        not_of_a_rank = self.folder / "all.hlog.rank-04"
        not_of_a_rank.write_text("notes")
        with self.subTest("a file that is no log"):
            beside[20].write_text("notes")
            code, _, err = finished(2, self.server.url, *CALLS, "--hlog", log, f"--json={self.folder}/all.json")
            self.assertEqual(code, 2, err)
            self.assertIn(f"--hlog: {beside[20]} has the name of a rank's log, but there are 2 ranks, and it is no log of mxp-perf", err)
            self.assertEqual(self.document()["error"]["kind"], "usage")
            self.assertEqual(beside[20].read_text(), "notes")
            self.assertGreater(beside[2].stat().st_size, 0)
            self.assertFalse(beside[0].exists())
            beside[20].unlink()
        with self.subTest("a file of this run"):
            code, _, err = finished(2, self.server.url, *CALLS, "--hlog", log, f"--json={beside[4]}")
            self.assertEqual(code, 2, err)
            self.assertIn(f"{beside[4]} has the name of a rank's log, but there are 2 ranks, and it is used otherwise", err)
            self.assertEqual(strict(beside[4].read_text())["error"]["kind"], "usage")
            beside[4].unlink()
        with self.subTest("a name that cannot be written to"):
            beside[1].mkdir()
            code, _, err = finished(2, self.server.url, *CALLS, "--hlog", log)
            self.assertEqual(code, 2, err)
            self.assertIn(f"--hlog: {beside[1]}", err)
            beside[1].rmdir()
        code, _, err = finished_on_time(2, self.server.url, *CALLS, "--duration", "1s", "--hlog", log)
        self.assertEqual(code, 0, err)
        self.assertEqual({rank for rank, path in beside.items() if path.exists()}, {0, 1})
        self.assertEqual(not_of_a_rank.read_text(), "notes")

    def made_log(self):
        made = self.folder / "made.hlog"
        done = perf("client", self.server.url, "--test", "rr", "--duration", "200ms", "--no-limits", "--hlog", made)
        self.assertEqual(done.returncode, 0, done.stderr)
        return made

    def test_a_failure_of_rank_0_prevails_over_ranks_that_still_measure(self):
        arguments = (self.server.url, *CALLS, "--duration", "20s", f"--json={self.folder}/all.json")
        missing = self.folder / "no.key"
        process = mpirun(1, *arguments, "--identity", missing, ":", "-n", "2", TOOL, *arguments)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2, err)
        self.assertRegex(err, rf"mxp-perf-mpi: rank 0 on \S+: .*{re.escape(str(missing))}")
        self.assertNotIn("gave no result", err)
        document = self.document()
        self.assertEqual(document["error"]["kind"], "usage")
        self.assertEqual([host["error"]["kind"] for host in document["hosts"]], ["usage", "interrupted", "interrupted"])

    def test_ranks_that_the_server_refuses_end_with_3(self):
        keys = self.folder / "keys"
        keys.write_text("# nobody\n")
        with Server("--authorized-keys", keys) as server:
            code, out, err = finished(2, server.url, *CALLS, "--duration", "5s", f"--json={self.folder}/all.json")
        self.assertEqual((code, out), (3, ""), err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 0 on \S+: ")
        document = self.document()
        self.assertEqual(document["error"]["kind"], "auth")
        self.assertEqual([host["rank"] for host in document["hosts"]], [0, 1])
        self.assertEqual(document["hosts"][0]["error"]["kind"], "auth")

    def test_ranks_with_other_options_are_named(self):
        other = (TOOL, self.server.url, "--test", "rr", "--rate", "200", "--size", "100")
        code, out, err = finished_with_another(other, self.server.url, *CALLS, f"--json={self.folder}/all.json", "--hlog", self.folder / "all.hlog")
        self.assertEqual((code, out), (2, ""), err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 1 on \S+ has size_bytes 100, and rank 0 has 64: all ranks take the same options")
        self.assertEqual(self.document()["error"]["kind"], "usage")

    def test_a_rank_whose_options_are_refused_is_named(self):
        code, out, err = finished_with_another((TOOL, self.server.url, "--tset", "rr"), self.server.url, f"--json={self.folder}/all.json")
        self.assertEqual((code, out), (2, ""), err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 1 on \S+: not expected: --tset rr")
        self.assertEqual(err.count("--tset"), 1, err)
        self.assertEqual(self.document()["error"]["kind"], "usage")

    def test_a_rank_of_another_version_is_named(self):
        says = """say('{"host":"far\\\\u0007","program":"0.0.9"}')"""
        code, out, err = finished_with_another(("python3", "-c", STRANGER.format(says)), self.server.url, f"--json={self.folder}/all.json")
        self.assertEqual((code, out), (2, ""), err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 1 on far\S* is 0\.0\.9, and rank 0 on \S+ is [\d.]+[^:]*: all ranks must be one version")
        self.assertNotIn("\x07", err)

    def introduction(self, *arguments):
        """What a rank with these arguments says of itself."""
        path = self.folder / "introduction"
        stranger = STRANGER.format(f"hears_of(1, {str(path)!r})")
        asked = subprocess.run([MPIRUN, "--allow-run-as-root", "--oversubscribe", "-n", "1", "python3", "-c", stranger, ":", "-n", "1", TOOL, self.server.url, *arguments],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual((asked.returncode, asked.stdout), (0, ""), asked.stderr)
        return path.read_text()

    def test_a_rank_that_hangs_before_the_start_is_waited_for_so_long_and_named(self):
        says_so = f"say({self.introduction()!r})"
        begun = time.monotonic()
        runs = {f"rank 1 on {socket.gethostname()} did not answer when its clock was asked": ("clock.json", says_so, 1),
                "rank 1 did not come to the agreement within 10.00 s": ("silent.json", "", 1),
                # What one rank tells twice is not what another one tells.
                "rank 2 did not come to the agreement within 10.00 s": ("twice.json", f"if os.environ['OMPI_COMM_WORLD_RANK'] == '1': {says_so}; {says_so}", 2)}
        processes = {message: with_another(("python3", "-c", STRANGER.format(hangs)), self.server.url, f"--json={self.folder / name}", others=others)
                     for message, (name, hangs, others) in runs.items()}
        for message, process in processes.items():
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (1, ""), err)
            self.assertIn(f"mxp-perf-mpi: {message}", err)
            self.assertEqual(self.document(runs[message][0])["error"]["kind"], "network")
        self.assertGreater(time.monotonic() - begun, 9)

    def test_a_process_that_never_begins_mpi_is_waited_for_so_long(self):
        stale = self.folder / "all.json"
        stale.write_text("{}")
        begun = time.monotonic()
        process = with_another(("sleep", "60"), self.server.url, f"--json={stale}", env={**os.environ, "MXP_PERF_MPI_START_LIMIT": "2s"})
        out, err = process.communicate(timeout=60)
        self.assertGreater(time.monotonic() - begun, 2)
        self.assertEqual((process.returncode, out), (1, ""), err)
        self.assertIn("mxp-perf-mpi: rank 0: MPI has not begun after 2.00 s: a process of the job does not start", err)
        self.assertEqual(self.document()["error"]["kind"], "network")
        process = mpirun(2, self.server.url, f"--json={stale}", env={**os.environ, "MXP_PERF_MPI_START_LIMIT": "2h"})
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (2, ""), err)
        self.assertIn("mxp-perf-mpi: MXP_PERF_MPI_START_LIMIT takes 1.00 s to ", err)
        self.assertEqual(self.document()["error"]["kind"], "usage")

    def test_a_clock_that_moves_during_the_test_is_told_and_makes_no_run_where_it_is_too_much(self):
        arguments = ("--test", "rr", "--rate", "200", "--duration", "2s")
        log = self.folder / "own.hlog"
        document = report_of("client", self.server.url, "--test", "rr", "--rate", "100", "--duration", "2s", "--hlog", log, "--no-limits")
        document["start"] = {"late_us": 0, "asked_unix_seconds": "BEGIN"}
        outcome = json.dumps({"document": document, "hlog": log.read_text(), "answers": 0, "held_seconds": 0}).replace('"BEGIN"', "BEGIN")
        introduction = self.introduction(*arguments)
        def run(moved):
            path = self.folder / f"moved-{moved}.json"
            does = f"tells_and_moves_its_clock({introduction!r}, {outcome!r}, {moved})"
            for _ in range(4):
                code, _, err = finished_with_another(("python3", "-c", STRANGER.format(does)), self.server.url, *arguments, f"--json={path}")
                if not LATE.search(err):
                    break
            return code, err, strict(path.read_text())
        cases = (0.02, 5, -5, None)
        for moved, (code, err, document) in zip(cases, at_once(run, [(moved,) for moved in cases])):
            with self.subTest(moved=moved):
                hosts = document["hosts"]
                self.assertNotIn("clock_drift_us", hosts[0])
                if moved is None:
                    self.assertRegex(err, r"mxp-perf-mpi: rank 1 on \S+ did not tell its time after the test: the run is not valid")
                    self.assertNotIn("clock_drift_us", hosts[1])
                else:
                    self.assertAlmostEqual(hosts[1]["clock_drift_us"] * 1e-6, moved, delta=0.02)
                    self.assertGreaterEqual(hosts[1]["clock_error_us"], abs(hosts[1]["clock_drift_us"]))
                if moved == 0.02:
                    self.assertEqual(code, 0, err)
                    self.assertNotIn("error", document)
                    continue
                self.assertEqual((code, document["error"]["kind"]), (1, "network"), err)
                if moved:
                    self.assertRegex(err, r"mxp-perf-mpi: the clock of rank 1 on \S+ moved by (5\.0\d|4\.9\d) s against that of rank 0, of a test of 2\.00 s: the run is not valid")

    def test_help_is_said_once_and_needs_no_launcher(self):
        alone = subprocess.run([TOOL, "--help"], capture_output=True, text=True, timeout=20)
        self.assertEqual((alone.returncode, alone.stderr), (0, ""))
        self.assertIn("mxp-perf-mpi [OPTIONS] url", alone.stdout)
        self.assertNotIn("--json-stream", alone.stdout)
        code, out, err = finished(2, "--help")
        self.assertEqual((code, out), (0, alone.stdout), err)

    def test_what_speaks_of_one_process_is_2(self):
        for arguments in (("--json-stream",), ("--iperf3-json", self.folder / "i.json")):
            with self.subTest(arguments):
                code, _, err = finished(1, self.server.url, *arguments)
                self.assertEqual(code, 2, err)
                self.assertIn("mxp-perf-mpi: --json-stream and --iperf3-json are not for mxp-perf-mpi", err)

    def test_a_rank_that_fails_says_why_and_a_wrong_word_is_said_once(self):
        with Server() as gone:
            url = gone.url
        code, _, err = finished(2, url, "--duration", "1s", f"--json={self.folder}/all.json")
        self.assertEqual(code, 1, err)
        self.assertRegex(err, r"mxp-perf-mpi: rank 0 on \S+: 127\.0\.0\.1:\d+: nobody listens there")
        self.assertEqual(self.document()["error"]["kind"], "network")
        code, out, err = finished(2, self.server.url, "--tset", "rr", "--json")
        self.assertEqual(code, 2)
        self.assertEqual(err.count("mxp-perf-mpi: not expected: --tset"), 1, err)
        self.assertEqual(strict(out)["error"]["kind"], "usage")


if __name__ == "__main__":
    unittest.main()
