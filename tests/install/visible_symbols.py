"""Which symbols of a shared library made of libmxp.a can be seen from outside: only what the public headers declare.

    visible_symbols.py LIBRARY INCLUDE_FOLDER
"""

import pathlib
import re
import subprocess
import sys

# Declared in public headers, but only so that a pointer to them can be held.
HIDDEN = {"Impl"}
# Some of each kind of header that programs call: if they are there, the pragmas are.
SEEN = ["Endpoint::poll_transmit", "seal_payload", "MessageCompressor::compress"]


def leaks(symbols, public_words):
    """Those of `symbols` (demangled, with nm's letter before them) which are not part of the public face."""
    found = []
    for line in symbols:
        kind, symbol = line.split(" ", 1)
        # Every name of ours that occurs, be it as a parameter of somebody else's template.
        names = {part.lstrip("~") for chain in re.findall(r"\bmxp((?:::~?\w+)+)", symbol) for part in chain.split("::") if part}
        if names - public_words or names & HIDDEN:
            found.append(symbol)
        elif not names and kind not in "wWvVu":  # what templates of others leave behind is weak
            found.append(symbol)
    return found


def main():
    library, headers = sys.argv[1:]
    text = "".join(path.read_text() for path in sorted(pathlib.Path(headers).glob("*.h")))
    words = set(re.findall(r"\w+", re.sub(r"//[^\n]*", "", text)))
    output = subprocess.run(["nm", "--dynamic", "--demangle", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    symbols = [line[17:] for line in output.splitlines()]
    ours = [symbol for symbol in symbols if "mxp::" in symbol]
    for needed in SEEN:
        if not any(f"mxp::{needed}(" in symbol for symbol in ours):
            sys.exit(f"visible_symbols: {needed} of the public face cannot be seen")
    found = leaks(symbols, words)
    for symbol in found[:20]:
        print(f"visible_symbols: {symbol}", file=sys.stderr)
    if found:
        sys.exit(f"visible_symbols: {len(found)} symbols of the inside can be seen from outside")
    print(f"{len(ours)} symbols of the public face, none of the inside")


if __name__ == "__main__":
    main()
