#!/usr/bin/env python3
"""Files with mxp-cat beyond the plain case: sets that are not whole, odd names, holes, full disks, and what others prepared in a shared folder."""
import os
import re
import resource
import shutil
import stat
import subprocess
import unittest

from cat_test import CAT, LIMIT, CatTest, content

ROOT = os.geteuid() == 0
OTHER = 65534  # nobody


class FilesTest(CatTest):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"

    def send(self, *arguments, listener_options=(), listener={}, **options):
        receiver = self.listener("--recv", self.inbox, *listener_options, **listener)
        result = self.cat(receiver.url, "--send", *arguments, **options)
        code, _, stderr = receiver.finish()
        return result.returncode, result.stderr.decode(), code, stderr

    def arrives(self, *arguments, **options):
        sender, said, receiver, heard = self.send(*arguments, **options)
        self.assertEqual((sender, receiver), (0, 0), said + heard)

    def received(self, below=""):
        return {str(p.relative_to(self.inbox / below)): p.read_bytes() for p in (self.inbox / below).rglob("*") if p.is_file()}


class OnTheDisk(FilesTest):
    def test_the_umask_of_the_receiver_counts(self):
        source = self.write("tool", b"x")
        source.chmod(0o777)
        for mask in (0o077, 0o027, 0o000):
            shutil.rmtree(self.inbox, ignore_errors=True)
            self.arrives(source, listener={"umask": mask})
            self.assertEqual(stat.S_IMODE((self.inbox / "tool").stat().st_mode), 0o777 & ~mask)

    def test_a_sparse_file_stays_sparse(self):
        source = self.folder / "sparse"
        with open(source, "wb") as file:
            file.write(b"begin")
            file.seek(20 << 20)
            file.write(b"middle")
            file.truncate(50_000_000)
        self.arrives(source)
        arrived = self.inbox / "sparse"
        self.assertEqual(arrived.read_bytes(), source.read_bytes())
        self.assertLess(arrived.stat().st_blocks * 512, 1 << 20)

    @unittest.skipUnless(ROOT, "mounts a small file system")
    def test_a_file_without_room_is_refused_before_it_is_sent(self):
        self.inbox.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.inbox], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no right to mount")
        self.addCleanup(subprocess.run, ["umount", self.inbox], check=True)
        # tearDown removes the folder's content first; the mount goes after it.
        sender, said, receiver, heard = self.send(self.write("large", content(3 << 20)), self.write("small", b"fits"))
        self.assertEqual((sender, receiver), (5, 1), said + heard)
        self.assertIn("no room for", heard)
        self.assertEqual(self.received(), {"small": b"fits"})

    @unittest.skipUnless(shutil.which("strace"), "strace shows the order of system calls")
    def test_a_file_gets_its_name_only_once_it_is_on_the_disk(self):
        log = self.folder / "calls"
        receiver = self.folder / "receiver"
        receiver.write_text(f'#!/bin/sh\nexec strace -f -o {log} -e trace=fsync,renameat2 {CAT} "$@"\n')
        receiver.chmod(0o755)
        if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
            self.skipTest("strace is not allowed to trace here")
        errors = self.folder / "receiver.err"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen([receiver, "listen", "127.0.0.1:0", "--recv", self.inbox], stdin=subprocess.DEVNULL, stderr=stderr, env=self.env)
        self.processes.append(process)
        self.wait_for(lambda: b"\n" in errors.read_bytes(), "the listener")
        url = errors.read_text().splitlines()[0].split()[1]
        result = self.cat(url, "--send", self.write("f", b"x"))
        self.assertEqual((result.returncode, process.wait(LIMIT)), (0, 0), errors.read_text())
        calls = re.findall(r"(fsync|renameat2)\((\d+).* = 0", log.read_text())
        calls = calls[-3:]  # the new identity of the receiver was synced before
        self.assertEqual([name for name, _ in calls], ["fsync", "renameat2", "fsync"])
        self.assertNotEqual(calls[0][1], calls[2][1])
        self.assertEqual(calls[1][1], calls[2][1])  # the folder in which the file was renamed


class InSharedFolders(FilesTest):
    def test_a_part_that_others_may_open_is_not_written_into(self):
        self.write("in/report.part", b"theirs").chmod(0o666)
        sender, said, receiver, heard = self.send(self.write("report", b"secret"))
        self.assertEqual((sender, receiver), (5, 2), said + heard)
        self.assertIn("report.part", heard)
        self.assertEqual(self.received(), {"report.part": b"theirs"})

    @unittest.skipUnless(ROOT, "makes a file of another user")
    def test_a_part_of_another_user_is_not_written_into(self):
        part = self.write("in/report.part", b"theirs")
        part.chmod(0o600)
        os.chown(part, OTHER, OTHER)
        sender, said, receiver, heard = self.send(self.write("report", b"secret"))
        self.assertEqual((sender, receiver), (5, 2), said + heard)
        self.assertIn("report.part", heard)
        self.assertEqual(self.received(), {"report.part": b"theirs"})

    def key_log(self, path):
        return self.cat("listen", "127.0.0.1:0", "--timeout", "50ms", env={**self.env, "MXPKEYLOGFILE": str(path)})

    def test_a_key_log_goes_through_no_link(self):
        target = self.write("target", b"")
        link = self.folder / "link"
        link.symlink_to(target)
        self.fails(self.key_log(link), 2, "symbolic link", str(link))
        self.assertEqual(self.key_log(target).returncode, 4)

    @unittest.skipUnless(ROOT, "makes a file of another user")
    def test_a_key_log_of_another_user_is_refused(self):
        theirs = self.write("keys", b"")
        os.chown(theirs, OTHER, OTHER)
        theirs.chmod(0o600)
        self.fails(self.key_log(theirs), 2, "another user", str(theirs))
        self.assertEqual(theirs.read_bytes(), b"")


if __name__ == "__main__":
    unittest.main()
