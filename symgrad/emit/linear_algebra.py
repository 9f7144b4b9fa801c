"""Lines of linear algebra: `_solve("loss", "K", K, b)`, `np.linalg.det(A)`, `K_eigh.eigenvectors`.

A function of the module's own is told which emitted function calls it and what its matrix is
called, so that an error can say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symgrad.program.instruction import Instruction, Operand

NUMPY = frozenset({"det", "slogdet"})  # what NumPy does as it should be, without a word to add
LONGEST_NAME = 40  # letters of a matrix's name in an error


def call(line: Instruction, function: str, text: Callable[[Operand], str]) -> str:
    """The expression of a `linalg` line in the emitted function `function`."""
    name = line.options["name"]
    sources = [text(operand) for operand in line.operands]
    sources += [f"{key}={value}" for key, value in line.options.get("keywords", ())]
    if name in NUMPY:
        called = f"np.linalg.{name}({', '.join(sources)})"
    else:
        about = text(line.options["about"]).replace('"', "'")
        about = about if len(about) <= LONGEST_NAME else f"{about[: LONGEST_NAME - 3]}..."
        sources = [f'"{function}"', f'"{about}"', *sources]
        called = f"_{name}({', '.join(sources)})"
    return f"{called}.{line.options['part']}" if "part" in line.options else called


def part(line: Instruction, text: Callable[[Operand], str]) -> str:
    """The expression that takes one result of a line with several."""
    return f"{text(line.operands[0])}.{line.options['part']}"


def name_of_several(line: Instruction, about: str | None) -> str:
    """What the results of a line with several are called together: `K_eigh`."""
    return f"{about}_{line.options['name']}" if about else str(line.options["name"])


def helpers_of(lines: Iterable[Instruction]) -> set[str]:
    """The functions of the module's own that `lines` call."""
    return {
        str(line.options["name"])
        for line in lines
        if line.op == "linalg" and line.options["name"] not in NUMPY
    }
