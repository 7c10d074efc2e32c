#!/usr/bin/env python3
"""Who may include whom: the table of docs/architecture.md, held against every #include of the tree and against what each room links.

Usage: includes_test.py SOURCE_DIR. Exits 1 and names each offending line."""
import re
import sys
from pathlib import Path

ROOMS = {
    "core": {"core"},
    "crypto": {"core", "crypto"},
    "reliability": {"core", "reliability"},
    "scheduler": {"core", "message", "scheduler"},
    "message": {"core", "crypto", "message"},
    "connection": {"core", "crypto", "reliability", "scheduler", "message", "connection"},
    "endpoint": {"core", "crypto", "connection", "endpoint"},
    "trace": {"trace"},
    "udp": {"core", "crypto", "endpoint", "udp"},
    "netem": {"core", "netem"},
    "include/mxp": set(),
}
# Tools see the public face, trace, udp and netem; the dissector and the calibrator also the wire and the ciphers.
TOOLS = {"common": {"trace", "udp", "netem"}, "mxp-cat": {"trace", "udp", "netem"}, "mxp-netem": {"trace", "udp", "netem"},
         "mxp-dump": {"trace", "udp", "netem", "core", "crypto", "message"}, "mxp-perf": {"trace", "udp", "netem"}}
CALIBRATOR = re.compile(r"tools/mxp-perf/limits")
# Only these may touch sockets, clocks or the system's randomness inside the library.
SYSTEM_HEADER = re.compile(r"#\s*include\s*<(sys/socket|netinet/|arpa/|sys/epoll|poll|sys/random|sys/timerfd|time)\.?h?[^>]*>")
# The thread that writes the sinks' files waits for the readers of pipes; it is no socket, and no connection waits for it.
WAITS_FOR_PIPES = ("background_writer.cpp", "#include <poll.h>")
CLOCK = re.compile(r"(steady_clock|system_clock|high_resolution_clock)::now|clock_gettime|gettimeofday|random_device|getrandom")
LINK_LINE = re.compile(r"^mxp_room\((\w+)(?: ROOMS ([\w ]+?))?(?: LIBS [^)]*)?\)$", re.M)
QUOTED = re.compile(r'#\s*include\s*"([^"]+)"')


def room_of(include):
    first = include.split("/")[0]
    return first if first in ROOMS else None


def main(root):
    bad = []

    def complain(path, number, text):
        bad.append(f"{path.relative_to(root)}:{number}: {text}")

    links = {room: {room, *rooms.split()} for room, rooms in LINK_LINE.findall((root / "libmxp/CMakeLists.txt").read_text())}
    for room in sorted((ROOMS.keys() | links.keys()) - {"include/mxp"}):
        if links.get(room) != ROOMS.get(room):
            bad.append(f"libmxp/CMakeLists.txt: {room} links {sorted(links.get(room, []))}, the table here says {sorted(ROOMS.get(room, []))}")
    for room, allowed in ROOMS.items():
        for path in sorted((root / "libmxp" / room).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = QUOTED.search(line)
                if found and found[1].split("/")[0] != "mxp":
                    target = room_of(found[1])
                    if target is None:
                        complain(path, number, f'"{found[1]}" is not the path of a room')
                    elif target not in allowed:
                        complain(path, number, f"{room} may not include {target}")
                if room != "udp" and (path.name, line) != WAITS_FOR_PIPES and (SYSTEM_HEADER.search(line) or CLOCK.search(line.split("//")[0])):
                    complain(path, number, f"{room} may not use sockets, clocks or system randomness")
    for tool, allowed in TOOLS.items():
        for path in sorted((root / "tools" / tool).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            relative = str(path.relative_to(root))
            extra = {"core", "crypto"} if CALIBRATOR.match(relative) else set()
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = QUOTED.search(line)
                if not found:
                    continue
                first = found[1].split("/")[0]
                if first in ("mxp", "common", tool):
                    continue
                target = room_of(found[1])
                if target is None:
                    complain(path, number, f'"{found[1]}" is neither public, common nor of this tool')
                elif target not in allowed | extra:
                    complain(path, number, f"{tool} may not include {target}")
    print("\n".join(bad) if bad else "includes follow the table")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
