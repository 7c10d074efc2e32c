#!/usr/bin/env python3
"""What the texts show must be there: each C++ block of docs/api.md stands, line for line, in a file of examples/, which are built;
each test that docs/security.md names exists; each file that a text names by its path; each relative link leads to a file; and each
record of docs/decisions stands in the tables of its index and of docs/architecture.md.

Usage: docs_test.py SOURCE_DIR. Exits 1 and names what is wrong."""
import re
import sys
from pathlib import Path

TEXTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "libmxp/README.md"]
PATH = re.compile(r"`((?:libmxp|tests|tools|docs|scripts|examples|cmake)/[\w./-]+\.\w+)`|\b((?:docs|scripts|examples)/[\w/-]+\.(?:md|sh|cpp))\b")


LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")  # without a scheme: a file of the tree


def links(root, text):
    """The relative links of a text outside its code blocks that lead nowhere."""
    prose = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text.read_text(), flags=re.S | re.M)
    for number, line in enumerate(prose.splitlines(), 1):
        for target in LINK.findall(line):
            if not (text.parent / target).exists():
                yield f"{text.relative_to(root)}:{number}: there is no {target}"


def decisions(root):
    """Records that an index does not list, and records without their three headings."""
    for record in sorted((root / "docs/decisions").glob("[0-9]*.md")):
        for index, link in (("docs/decisions/README.md", record.name), ("docs/architecture.md", f"decisions/{record.name}")):
            if f"]({link})" not in (root / index).read_text():
                yield f"{index} does not list {record.name}"
        for heading in ("**Context.**", "**Decision.**", "**Consequence.**"):
            if heading not in record.read_text():
                yield f"docs/decisions/{record.name} has no {heading}"


def main(root):
    bad = []
    examples = {path: path.read_text() for path in (root / "examples").rglob("*.cpp")}
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
    bad += decisions(root)
    texts = [root / name for name in TEXTS if (root / name).exists()] + sorted((root / "docs").rglob("*.md"))
    for text in texts:
        bad += links(root, text)
        for number, line in enumerate(text.read_text().splitlines(), 1):
            for first, second in PATH.findall(line):
                named = first or second
                if not (root / named).exists():
                    bad.append(f"{text.relative_to(root)}:{number}: there is no {named}")
    print("\n".join(bad) if bad else "the texts agree with the tree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
