#!/usr/bin/env python3
"""What the texts show must be there: each C++ block of docs/api.md stands, line for line, in a file of examples/, which are built;
each test that docs/security.md names exists; and each file that a text names by its path.

Usage: docs_test.py SOURCE_DIR. Exits 1 and names what is wrong."""
import re
import sys
from pathlib import Path

TEXTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "libmxp/README.md"]
PATH = re.compile(r"`((?:libmxp|tests|tools|docs|scripts|examples|cmake)/[\w./-]+\.\w+)`|\b((?:docs|scripts|examples)/[\w/-]+\.(?:md|sh|cpp))\b")


def main(root):
    bad = []
    examples = {path.name: path.read_text() for path in (root / "examples").glob("*.cpp")}
    api = (root / "docs/api.md").read_text()
    blocks = re.findall(r"```cpp\n(.*?)```", api, re.S)
    if not blocks:
        bad.append("docs/api.md shows no code")
    for block in blocks:
        if not any(block in text for text in examples.values()):
            bad.append(f"docs/api.md shows code that is in no example:\n{block}")
    tests = "".join(path.read_text() for path in (root / "tests").rglob("*") if path.suffix in (".cpp", ".py") and path.name != "docs_test.py")
    names = set(re.findall(r"(?:TEST_CASE\(|def )(\w+)", tests))
    for number, line in enumerate((root / "docs/security.md").read_text().splitlines(), 1):
        if re.match(r"\| t\d\d", line):
            for name in re.findall(r"`(\w+)`", line.split("|")[-2]):
                if name not in names:
                    bad.append(f"docs/security.md:{number}: there is no test {name}")
    texts = [root / name for name in TEXTS if (root / name).exists()] + sorted((root / "docs").rglob("*.md"))
    for text in texts:
        for number, line in enumerate(text.read_text().splitlines(), 1):
            for first, second in PATH.findall(line):
                named = first or second
                if not (root / named).exists():
                    bad.append(f"{text.relative_to(root)}:{number}: there is no {named}")
    print("\n".join(bad) if bad else "the texts agree with the tree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
