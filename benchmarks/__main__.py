"""Runs the benchmarks and writes docs/benchmarks.md.

python -m benchmarks                  # all: some minutes
python -m benchmarks --quick          # smaller cases, fewer rounds; prints only
python -m benchmarks --only growth    # one part; prints only
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import architectures, growth, memory, speed
from benchmarks.machine import description

PAGE = Path("docs") / "benchmarks.md"
PARTS: dict[str, Callable[[bool], str]] = {
    "speed": speed.report,
    "architectures": architectures.report,
    "memory": memory.report,
    "growth": growth.report,
}
TITLE = (
    "# Benchmarks\n\n"
    "Written by `python -m benchmarks` (`pip install symgrad[bench]`, and PyTorch).\n\n"
)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--only", choices=PARTS, help="run one part and print it")
    parser.add_argument("--quick", action="store_true", help="a glance in a minute; print it")
    chosen = parser.parse_args(arguments)
    sections = []
    for name, report in PARTS.items():
        if chosen.only in (None, name):
            print(f"measuring {name} ...", file=sys.stderr)
            sections.append(report(chosen.quick))
    page = TITLE + description() + "\n\n" + "\n".join(sections)
    if chosen.only or chosen.quick:
        print(page)
        return
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    print(f"wrote {PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
