#!/usr/bin/env python3
"""Files with mxp-cat beyond the plain case: sets that are not whole, odd names, holes, full disks, and what others prepared in a shared folder."""
import hashlib
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import unittest

import side_by_side
from cat_test import CAT, LIMIT, CatTest, content
from sanitized import SANITIZED

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

    def traced(self, calls):
        """A command that runs mxp-cat, and the file in which it notes these system calls."""
        if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
            self.skipTest("strace is not allowed to trace here")
        log = self.folder / "calls"
        command = self.folder / "traced"
        # Who is traced cannot look for leaks at its end.
        command.write_text(f'#!/bin/sh\nASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" exec strace -f -o {log} -e trace={calls} {CAT} "$@"\n')
        command.chmod(0o755)
        self.cat("keygen")  # before the trace: a new identity is read and synced too
        return command, log

    def received(self, below=""):
        return {str(p.relative_to(self.inbox / below)): p.read_bytes() for p in (self.inbox / below).rglob("*") if p.is_file()}


class Sets(FilesTest):
    """A listener that sends has made its list by the time that it says its address: what changes after that, changes meanwhile."""

    def tree(self, *names):
        for name in names:
            self.write(f"tree/{name}", content(1000, name))
        return self.folder / "tree"

    def offered(self, *arguments, meanwhile):
        sender = self.listener("--send", *arguments)
        meanwhile()
        result = self.cat(sender.url, "--recv", self.inbox)
        code, _, said = sender.finish()
        return code, said, result.returncode, result.stderr.decode()

    def test_files_that_vanished_are_named_at_both_ends(self):
        tree = self.tree("a", "gone", "sub/gone too", "z")

        def delete():
            (tree / "gone").unlink()
            shutil.rmtree(tree / "sub")

        sender, said, receiver, heard = self.offered(tree, meanwhile=delete)
        self.assertEqual((sender, receiver), (1, 5), said + heard)
        for name in ("tree/gone", "tree/sub/gone too", "tree/sub"):
            self.assertIn(name, said)
            self.assertIn(name, heard)
        self.assertEqual(set(self.received("tree")), {"a", "z"})
        self.assertFalse((self.inbox / "tree/sub").exists())

    def test_a_set_of_which_nothing_is_left_is_no_success(self):
        only = self.write("only", b"x")
        sender, said, receiver, heard = self.offered(only, meanwhile=only.unlink)
        self.assertEqual((sender, receiver), (1, 5), said + heard)
        self.assertIn("only", heard)

    def change_while_it_is_sent(self, change):
        large = self.folder / "large"
        with open(large, "wb") as file:
            file.truncate(256 << 20)
        other = self.write("other", b"other")
        sender = self.listener("--send", large, other)
        receiver = self.start(sender.url, "--recv", self.inbox, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait_for(lambda: (self.inbox / "large.part").exists() or receiver.poll() is not None, "the transfer to begin")
        receiver.send_signal(signal.SIGSTOP)  # its window ends the sending until the change is made
        change(large)
        receiver.send_signal(signal.SIGCONT)
        heard = receiver.stderr.read().decode()
        code, _, said = sender.finish()
        self.assertEqual((code, receiver.wait(LIMIT)), (1, 1), said + heard)
        self.assertIn("large", said)
        self.assertIn("large", heard)
        self.assertFalse((self.inbox / "large").exists())
        self.assertEqual((self.inbox / "other").read_bytes(), b"other")
        return said

    def test_a_file_that_grew_is_not_taken_for_whole(self):
        def grow(path):
            with open(path, "ab") as file:
                file.write(b"more")

        self.assertIn("changed while", self.change_while_it_is_sent(grow))

    def test_a_file_that_shrank_is_not_taken_for_whole(self):
        self.assertIn("shorter", self.change_while_it_is_sent(lambda path: os.truncate(path, 0)))

    def test_a_file_written_to_in_its_middle_is_not_taken_for_whole(self):
        def overwrite(path):
            with open(path, "r+b") as file:
                file.write(b"new")

        self.assertIn("changed while", self.change_while_it_is_sent(overwrite))

    def test_what_was_exchanged_for_a_link_is_not_followed(self):
        secret = self.write("secret/file", b"secret")
        for exchange in ("file", "folder", "argument", "root"):
            with self.subTest(exchange):
                shutil.rmtree(self.folder / "tree", ignore_errors=True)
                shutil.rmtree(self.inbox, ignore_errors=True)
                tree = self.tree("good", "sub/file")

                def swap():
                    victim = {"file": tree / "sub/file", "folder": tree / "sub", "argument": tree / "good", "root": tree}[exchange]
                    victim.rename(self.folder / f"moved-{exchange}")
                    victim.symlink_to(secret if victim.name in ("file", "good") else secret.parent)

                sender, said, receiver, heard = self.offered(tree / "good" if exchange == "argument" else tree, meanwhile=swap)
                self.assertEqual((sender, receiver), (1, 5), said + heard)
                self.assertIn("is not what it was", said)
                self.assertNotIn(b"secret", self.received().values())

    def test_the_same_file_behind_a_link_is_not_followed_either(self):
        for exchange in ("file", "folder"):
            with self.subTest(exchange):
                shutil.rmtree(self.inbox, ignore_errors=True)
                shutil.rmtree(self.folder / "tree", ignore_errors=True)
                tree = self.tree("good", "sub/file")
                victim = tree / "sub/file" if exchange == "file" else tree / "sub"

                def swap():
                    moved = victim.rename(self.folder / f"original-{exchange}")
                    victim.symlink_to(moved)

                sender, said, receiver, heard = self.offered(tree, meanwhile=swap)
                self.assertEqual((sender, receiver), (1, 5), said + heard)
                self.assertEqual(set(self.received("tree")), {"good"})

    def test_what_was_exchanged_for_another_file_is_not_sent(self):
        tree = self.tree("good", "victim")
        other = self.write("other", b"another file")
        sender, said, receiver, heard = self.offered(tree, meanwhile=lambda: other.rename(tree / "victim"))
        self.assertEqual((sender, receiver), (1, 5), said + heard)
        self.assertIn("is not what it was", said)
        self.assertEqual(set(self.received("tree")), {"good"})

    def test_names_that_no_receiver_takes_are_left_out_and_named(self):
        tree = self.tree("good", "sub/fine")
        odd = {b"bad\xffutf8": "bad\\xffutf8", b"new\nline": "new\\x0aline", b"x" * 251: "x" * 251, b"film.part": "film.part"}
        for name in odd:
            with open(os.path.join(os.fsencode(tree), name), "wb") as file:
                file.write(b"odd")
        os.mkdir(os.path.join(os.fsencode(tree), b"odd\xfffolder"))
        with open(os.path.join(os.fsencode(tree), b"odd\xfffolder", b"inside"), "wb") as file:
            file.write(b"odd")
        sender, said, receiver, heard = self.send(tree)
        self.assertEqual((sender, receiver), (1, 5), said + heard)
        for shown in (*odd.values(), "odd\\xfffolder"):
            self.assertIn(f"tree/{shown}", said)
            self.assertIn(f"did not send tree/{shown}", heard)
        self.assertEqual(set(self.received("tree")), {"good", "sub/fine"})

    def test_nothing_but_odd_names_is_a_usage_error(self):
        os.mkdir(self.folder / "odd")
        with open(os.path.join(os.fsencode(self.folder), b"bad\xff"), "wb"):
            pass
        self.fails(self.cat(f"mxp://{'A' * 43}@127.0.0.1:9", "--send", os.path.join(os.fsencode(self.folder), b"bad\xff").decode(errors="surrogateescape")), 2, "UTF-8")

    def test_empty_folders_and_the_modes_of_folders_arrive(self):
        tree = self.tree("readonly/file", "plain/file")
        (tree / "empty/deeper").mkdir(parents=True)
        modes = {".": 0o755, "readonly": 0o555, "plain": 0o775, "empty": 0o750, "empty/deeper": 0o700}
        for name, mode in modes.items():
            (tree / name).chmod(mode)
        self.arrives(tree, listener={"umask": 0o022})
        for name, mode in modes.items():
            self.assertEqual(oct(stat.S_IMODE((self.inbox / "tree" / name).stat().st_mode)), oct(mode & ~0o022), name)
        self.assertEqual(set(self.received("tree")), {"readonly/file", "plain/file"})

    def test_a_folder_that_was_there_keeps_its_mode(self):
        (self.inbox / "tree").mkdir(parents=True)
        (self.inbox / "tree").chmod(0o711)
        tree = self.tree("file")
        tree.chmod(0o755)
        self.arrives(tree)
        self.assertEqual(stat.S_IMODE((self.inbox / "tree").stat().st_mode), 0o711)

    def test_only_an_empty_folder(self):
        (self.folder / "nothing").mkdir()
        self.arrives(self.folder / "nothing")
        self.assertTrue((self.inbox / "nothing").is_dir())

    def test_a_folder_goes_through_no_link_and_replaces_no_file(self):
        (self.folder / "tree/sub").mkdir(parents=True)
        outside = self.folder / "outside"
        outside.mkdir()
        self.inbox.mkdir()
        for prepare in (lambda: (self.inbox / "tree").symlink_to(outside), lambda: (self.inbox / "tree").write_bytes(b"mine")):
            prepare()
            sender, said, receiver, heard = self.send(self.folder / "tree", listener_options=["--force"])
            self.assertEqual((sender, receiver), (5, 2), said + heard)
            self.assertEqual(list(outside.iterdir()), [])
            (self.inbox / "tree").unlink()

    def test_the_json_is_not_written_among_what_is_sent(self):
        tree = self.tree("file")
        log = self.write("tree/log", b"precious")
        for path in (log, tree / "new"):
            self.fails(self.cat(f"mxp://{'A' * 43}@127.0.0.1:9", "--send", tree, f"--json={path}"), 2, "lies in")
        self.assertEqual(log.read_bytes(), b"precious")
        self.assertFalse((tree / "new").exists())

    @unittest.skipUnless(ROOT, "makes a block device")
    def test_block_devices_go_with_a_flag_only(self):
        image = self.write("image", content(3 << 20))
        loop = subprocess.run(["losetup", "--find", "--show", "--read-only", image], capture_output=True, text=True)
        device = loop.stdout.strip() if loop.returncode == 0 else self.folder / "block"
        if loop.returncode == 0:
            self.addCleanup(subprocess.run, ["losetup", "-d", device], check=True)
        else:
            os.mknod(device, stat.S_IFBLK | 0o600, os.makedev(7, 250))
        self.fails(self.cat(f"mxp://{'A' * 43}@127.0.0.1:9", "--send", device), 2, "--devices")
        if loop.returncode != 0:
            self.skipTest("no loop device here: only the refusal is tested")
        self.arrives(device, "--devices")
        self.assertEqual(list(self.received().values()), [image.read_bytes()])


class Records(FilesTest):
    """Streams made by hand, as docs/file-transfer.md has them."""

    def record(self, kind, name, mode=0o755):
        return b"MXPF\x02" + bytes([kind]) + mode.to_bytes(2, "little") + len(name).to_bytes(2, "little") + name

    def raw(self, stream):
        receiver = self.listener("--recv", self.inbox)
        result = self.cat(receiver.url, input=stream)
        code, _, heard = receiver.finish()
        return result, code, heard

    def test_a_folder(self):
        result, code, heard = self.raw(self.record(1, b"a/b", 0o700))
        self.assertEqual((result.returncode, result.stdout, code), (0, b"\x01", 0), heard)
        self.assertEqual(stat.S_IMODE((self.inbox / "a/b").stat().st_mode), 0o700)

    def test_a_notice_fails_the_receiver_and_becomes_no_path(self):
        result, code, heard = self.raw(self.record(2, b"../../etc/\x1b[31mshadow"))
        self.assertEqual((result.returncode, result.stdout, code), (0, b"\x01", 5), heard)
        self.assertIn("../../etc/", heard)
        self.assertNotIn("\x1b", heard)
        self.assertEqual(list(self.inbox.iterdir()), [])

    def test_what_is_malformed_is_refused(self):
        for stream in (self.record(0, b"a"), self.record(4, b"a"), self.record(1, b"../up"), self.record(1, b""), self.record(1, b"a.part"), self.record(1, b"/tmp/x"),
                       self.record(1, b"a", 0o4755), self.record(1, b"a") + b"content", self.record(2, b"a") + b"content", self.record(1, b"long name")[:-1]):
            with self.subTest(stream=stream):
                result, code, heard = self.raw(stream)
                self.assertEqual((result.returncode, code), (5, 1), heard)
                self.assertEqual(list(self.inbox.iterdir()), [])
        self.assertFalse((self.folder / "up").exists())

    def unsized(self, *chunks, name=b"f", ends=True, digest=None):
        body = b"".join(len(chunk).to_bytes(4, "little") + chunk for chunk in chunks)
        end = bytes(4) + (digest or hashlib.sha256(b"".join(chunks)).digest())
        return self.record(3, name, 0o640) + body + (end if ends else b"")

    def test_a_file_of_a_size_that_is_not_known_in_advance(self):
        for chunks in ((), (b"x",), (b"one", b"two" * 100_000, b"3")):
            result, code, heard = self.raw(self.unsized(*chunks))
            self.assertEqual((result.returncode, result.stdout, code), (0, b"\x01", 0), heard)
            self.assertEqual((self.inbox / "f").read_bytes(), b"".join(chunks))
            (self.inbox / "f").unlink()

    def test_an_unsized_file_without_its_end_or_with_another_digest_is_not_whole(self):
        content_that_ends_like_one = b"x" + bytes(4) + hashlib.sha256(b"x").digest()
        for stream in (self.unsized(b"x", ends=False), self.unsized(content_that_ends_like_one, ends=False), self.unsized(b"x")[:-1], self.unsized(b"x") + b"y",
                       self.unsized(b"x")[:-33], self.unsized(b"x", digest=bytes(32)), self.record(3, b"f")):
            with self.subTest(stream=stream):
                result, code, heard = self.raw(stream)
                self.assertEqual((result.returncode, code), (5, 1), heard)
                self.assertFalse((self.inbox / "f").exists())


class Pipes(FilesTest):
    def pipe(self, name="pipe"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path, 0o640)
        return path

    def test_a_pipe_goes_with_a_flag_only(self):
        self.fails(self.cat(f"mxp://{'A' * 43}@127.0.0.1:9", "--send", self.pipe()), 2, "pipe", "--devices")
        self.pipe("tree/pipe")
        self.write("tree/file", b"file")
        receiver = self.listener("--recv", self.inbox)
        result = self.cat(receiver.url, "--send", self.folder / "tree")
        self.assertEqual((result.returncode, receiver.finish()[0]), (0, 0))
        self.assertIn(b"a pipe (--devices", result.stderr)
        self.assertEqual(self.received("tree"), {"file": b"file"})

    def test_what_comes_out_of_a_pipe_arrives_as_a_file_whenever_its_writer_comes(self):
        path = self.pipe("tree/pipe")
        self.write("tree/file", b"file")
        receiver = self.listener("--recv", self.inbox, "--digest")
        sender = self.start(receiver.url, "--send", self.folder / "tree", "--devices", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait_for(lambda: (self.inbox / "tree/file").exists() and (self.inbox / "tree/pipe.part").exists(), "the file, while the pipe waits")
        data = content(5_000_000)
        with open(path, "wb") as writer:
            writer.write(data[:10])
            writer.flush()
            writer.write(data[10:])
        said = sender.stderr.read().decode()
        self.assertEqual((sender.wait(LIMIT), receiver.finish()[0]), (0, 0), said)
        self.assertEqual((self.inbox / "tree/pipe").read_bytes(), data)
        self.assertTrue(stat.S_ISREG((self.inbox / "tree/pipe").stat().st_mode))
        self.assertIn(hashlib.sha256(data).hexdigest(), receiver.errors.read_text())

    def test_pipes_of_the_shell_are_read_whenever_their_writers_ended(self):
        receiver = self.listener("--recv", self.inbox)
        script = f"{CAT} {receiver.url} --devices --send <(true) <(printf text) <(sleep 0.2; printf late)"
        result = subprocess.run(["bash", "-c", script], env=self.env, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
        self.assertEqual((result.returncode, receiver.finish()[0]), (0, 0), result.stderr)
        self.assertEqual(sorted(self.received().values()), [b"", b"late", b"text"])

    def test_a_pipe_that_waits_for_its_writer_is_interrupted_cleanly(self):
        receiver = self.listener("--recv", self.inbox)
        sender = self.start(receiver.url, "--send", self.pipe(), "--devices", stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(lambda: (self.inbox / "pipe.part").exists(), "the pipe's turn")
        sender.send_signal(signal.SIGINT)
        self.assertEqual(sender.wait(LIMIT), 130)
        code, _, heard = receiver.finish()
        self.assertEqual(code, 5, heard)
        self.assertIn("pipe.part is unfinished (0 B of a size that is not known)", heard)

    def test_a_listener_without_recv_says_what_to_add(self):
        plain = self.listener()
        result = self.cat(plain.url, "--send", self.write("file", b"x"))
        self.assertEqual(result.returncode, 5)
        self.assertIn("--recv", result.stderr.decode())
        _, _, heard = plain.finish()
        self.assertIn("seems to send files (--send)", heard)
        self.assertIn("--recv DIR", heard)


@unittest.skipIf(SANITIZED, "the undefined-behaviour sanitizer opens a pipe to see whether memory can be read, and reports a fault where it cannot")
class FewDescriptors(FilesTest):
    """`ulimit -n`: what finds no descriptor waits for one."""

    def limited(self, count):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    def tree(self, count, size):
        self.cat("keygen")
        for number in range(count):
            self.write(f"tree/{number % 3}/{number:02}", content(size + number, number))
        return self.folder / "tree"

    def expected(self):
        return {str(p.relative_to(self.folder / "tree")): p.read_bytes() for p in (self.folder / "tree").rglob("*") if p.is_file()}

    def test_a_receiver_takes_files_as_it_has_descriptors_for_them(self):
        # More than the windows of all streams together hold, so that those who wait must not keep out those who are served.
        tree = self.tree(24, 1_500_000)
        (tree / "empty").mkdir()
        self.arrives(tree, listener={"preexec_fn": self.limited(16)})
        self.assertEqual(self.received("tree"), self.expected())
        self.assertTrue((self.inbox / "tree/empty").is_dir())

    def test_clients_wait_for_each_others_files(self):
        self.cat("keygen")
        receiver = self.listener("--recv", self.inbox, "--keep-open", preexec_fn=self.limited(16))
        senders = []
        for number in range(4):
            for part in range(8):
                self.write(f"{number}/{part}", content(800_000, 10 * number + part))
            senders.append(self.start(receiver.url, "--send", self.folder / str(number), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE))
        for sender in senders:
            self.assertEqual(sender.wait(LIMIT), 0, sender.stderr.read())
        for number in range(4):
            self.assertEqual(self.received(str(number)), {str(part): content(800_000, 10 * number + part) for part in range(8)})
        receiver.process.send_signal(signal.SIGTERM)
        self.assertNotIn("Too many", receiver.finish()[2])

    def test_a_sender_opens_files_as_it_has_descriptors_for_them(self):
        tree = self.tree(24, 100_000)
        self.arrives(tree, preexec_fn=self.limited(18))
        self.assertEqual(self.received("tree"), self.expected())

    def test_where_nothing_is_open_the_limit_is_named(self):
        self.cat("keygen")
        file = self.write("file", b"x")
        receiver = self.listener("--recv", self.inbox)
        # Once it listens: how many descriptors a process needs to start depends on its libraries and on sanitizers.
        used = {int(name) for name in os.listdir(f"/proc/{receiver.process.pid}/fd")}
        none_left = next(number for number in range(len(used) + 1) if number not in used)
        resource.prlimit(receiver.process.pid, resource.RLIMIT_NOFILE, (none_left, none_left))
        result = self.cat(receiver.url, "--send", file)
        code, _, heard = receiver.finish()
        self.assertEqual((result.returncode, code), (5, 1), heard)
        self.assertIn("ulimit -n", heard)
        self.assertFalse((self.inbox / "file").exists())


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
    def test_new_folders_are_on_the_disk_before_the_file_in_them_is_vouched_for(self):
        receiver, log = self.traced("mkdirat,mkdir,fsync,renameat2")
        errors = self.folder / "receiver.err"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen([receiver, "listen", "127.0.0.1:0", "--recv", self.inbox], stdin=subprocess.DEVNULL, stderr=stderr, env=self.env)
        self.processes.append(process)
        self.wait_for(lambda: b"\n" in errors.read_bytes(), "the listener")
        self.write("a/b/f", b"x")
        result = self.cat(errors.read_text().splitlines()[0].split()[1], "--send", self.folder / "a")
        self.assertEqual((result.returncode, process.wait(LIMIT)), (0, 0), errors.read_text())
        calls = re.findall(r"(mkdirat|mkdir|fsync|renameat2)\((\d+|\S+).* = 0", log.read_text())
        made = [i for i, (name, _) in enumerate(calls) if name in ("mkdirat", "mkdir")]
        self.assertEqual(len(made), 3, calls)
        for i in made:  # the folder that holds the new one
            self.assertEqual(calls[i + 1][0], "fsync", calls)
            if calls[i][0] == "mkdirat":
                self.assertEqual(calls[i + 1][1], calls[i][1], calls)
        self.assertEqual([name for name, _ in calls[-3:]], ["fsync", "renameat2", "fsync"])

    @unittest.skipUnless(shutil.which("strace"), "strace shows the order of system calls")
    def test_a_file_gets_its_name_only_once_it_is_on_the_disk(self):
        self.inbox.mkdir()
        receiver, log = self.traced("fsync,renameat2")
        errors = self.folder / "receiver.err"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen([receiver, "listen", "127.0.0.1:0", "--recv", self.inbox], stdin=subprocess.DEVNULL, stderr=stderr, env=self.env)
        self.processes.append(process)
        self.wait_for(lambda: b"\n" in errors.read_bytes(), "the listener")
        url = errors.read_text().splitlines()[0].split()[1]
        result = self.cat(url, "--send", self.write("f", b"x"))
        self.assertEqual((result.returncode, process.wait(LIMIT)), (0, 0), errors.read_text())
        calls = re.findall(r"(fsync|renameat2)\((\d+).* = 0", log.read_text())
        self.assertEqual([name for name, _ in calls], ["fsync", "renameat2", "fsync"])
        self.assertNotEqual(calls[0][1], calls[2][1])
        self.assertEqual(calls[1][1], calls[2][1])  # the folder in which the file was renamed


    @unittest.skipUnless(shutil.which("strace"), "strace kills the receiver while it waits for the disk")
    def test_what_a_receiver_leaves_that_died_before_the_name_is_started_over(self):
        self.traced("fsync")  # skips where nothing can be traced
        self.inbox.mkdir()
        file = self.write("f", b"x")
        file.chmod(0o444)
        errors = self.folder / "receiver.err"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen(["strace", "-f", "-o", "/dev/null", "-e", "inject=fsync:signal=KILL:when=1", CAT, "listen", "127.0.0.1:0", "--recv", self.inbox],
                                       stdin=subprocess.DEVNULL, stderr=stderr, env=self.env)
        self.processes.append(process)
        self.wait_for(lambda: b"\n" in errors.read_bytes(), "the listener")
        sender = self.start(errors.read_text().splitlines()[0].split()[1], "--send", file, "--idle-timeout", "1s", stderr=subprocess.DEVNULL)
        process.wait(LIMIT)
        self.assertNotEqual(sender.wait(LIMIT), 0)
        self.assertEqual(stat.S_IMODE((self.inbox / "f.part").stat().st_mode), 0o600)
        self.arrives(file)
        self.assertEqual(stat.S_IMODE((self.inbox / "f").stat().st_mode), 0o444)


class Handshake(FilesTest):
    @unittest.skipUnless(shutil.which("strace"), "strace shows the order of system calls")
    def test_the_handshake_is_confirmed_before_a_file_is_read(self):
        sender, log = self.traced("sendmsg,sendmmsg,openat,read")
        receiver = self.listener("--recv", self.inbox)
        large = self.write("large", content(3 << 20))
        result = subprocess.run([sender, receiver.url, "--send", large], env=self.env, capture_output=True, timeout=LIMIT)
        self.assertEqual((result.returncode, receiver.finish()[0]), (0, 0), result.stderr)
        calls = log.read_text().splitlines()
        opened = next(i for i, call in enumerate(calls) if str(large) in call and "openat(" in call)
        # Message 1 and the packet that answers message 2 (docs/protocol.md §2.3); a repeated message 1 may come before.
        self.assertGreaterEqual(sum("sendmsg(" in call or "sendmmsg(" in call for call in calls[:opened]), 2, calls[:opened + 1])


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
    side_by_side.main()
