"""Files that a command makes and that are committed: written, or compared with what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_or_check(
    arguments: Sequence[str],
    command: str,
    folder: Path,
    texts: Mapping[str, str],
    differences: Callable[[Mapping[str, str]], list[str]],
    size: Callable[[str], str],
) -> int:
    """Writes `texts` into `folder`; with --check prints `differences`. Returns the exit status."""
    name = folder.relative_to(ROOT)
    if "--check" in arguments:
        wrong = differences(texts)
        for line in wrong:
            print(line)
        print(f"{name}/ is current" if not wrong else f"run: {command}")
        return 1 if wrong else 0
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
        print(f"wrote {name}/{file}: {size(text)}")
    return 0
