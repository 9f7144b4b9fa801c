"""Programs and schedules as numbered lines.

3  z = add(v2, 0.bias)          [n, 128]   (1) z = x @ 0.weight.T + 0.bias   in place of v2

The lines of the body of a loop stand below it, further in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from symgrad.cli.costs import cost_rows
from symgrad.emit.identifiers import Names, common_name
from symgrad.emit.numbering import Equations
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import number_text
from symgrad.expr.leaf import Named
from symgrad.program.cost import cost
from symgrad.program.instruction import (
    VIEWS,
    Instruction,
    Literal,
    Operand,
    Program,
    Value,
    every_line,
)
from symgrad.program.loop import Loop
from symgrad.program.schedule import Schedule

COLUMN = 52


def value_names(program: Program, equations: Equations) -> dict[Value, str]:
    """Each value's name: the argument's, the equation's for the last value that holds it, or v3."""
    names: dict[Value, str] = {}
    scope = Names()
    for node, value in program.arguments.items():
        assert isinstance(node, Named)
        names[value] = equations.names.get(node, node.name)
        scope.unique(names[value])
    taken = set(names.values())
    lines = list(every_line(program.instructions))
    loops: list[Loop] = [line.options["loop"] for line in lines if line.op == "loop"]
    for state in (state for loop in loops for state in loop.carried):
        wish = equations.names.get(state.bound) or state.before.argument or "state"
        names[state.before] = common_name(wish, [scope])
        taken.add(names[state.before])
    for line in reversed(lines):
        name = equations.names.get(line.result.node) if line.result.node is not None else None
        if name is not None and name not in taken and line.op not in VIEWS:
            names[line.result] = name
            taken.add(name)
    for number, line in enumerate(lines, start=1):
        names.setdefault(line.result, f"v{number}")
    for kept in (kept for loop in loops for kept in loop.kept):
        array = names.get(kept.array, "array")
        names[kept.slot] = f"{array}[{str(kept.at).replace('_', '')}]"
    return names


def program_lines(program: Program, equations: Equations) -> list[str]:
    """The instructions of a program, as lowered."""
    return _lines(program, value_names(program, equations), equations, {})


def schedule_lines(plan: Schedule, equations: Equations) -> list[str]:
    """The instructions in their final order, with memory: in place, reused, freed; then costs."""
    program = plan.program
    names = value_names(program, equations)
    lines = _lines(program, names, equations, _marks(plan, names))
    return [*lines, "", *(f"{label.ljust(8)} {text}" for label, text in cost_rows(cost(plan)))]


def _marks(plan: Schedule, names: Mapping[Value, str]) -> dict[Instruction, list[str]]:
    """What is to be said of the memory of each line, in loops too."""
    program = plan.program
    marks: dict[Instruction, list[str]] = {line: [] for line in program.instructions}
    for line in program.instructions:
        target = plan.written_to.get(line)
        if target is not None:
            how = "in place of" if target in line.operands else "into the memory of"
            marks[line].append(f"{how} {names.get(target, names[target.root])}")
        if line in plan.bodies:
            marks |= _marks(plan.bodies[line], names)
    made = {line.result for line in program.instructions}
    for value, position in plan.last_use.items():
        if value in made and position < len(program.instructions):
            line = program.instructions[position]
            if plan.written_to.get(line) is not value and line.result is not value:
                marks[line].append(f"frees {names[value]}")
    return marks


def _lines(
    program: Program,
    names: Mapping[Value, str],
    equations: Equations,
    marks: Mapping[Instruction, list[str]],
) -> list[str]:
    lines = []
    for value in program.arguments.values():
        kind = "" if value.dtype == "float" else f" {value.dtype}"
        lines.append(f"      {names[value].ljust(COLUMN)} {shape_text(value.shape)}{kind}")
    lines += _numbered(program, names, equations, marks, count(1), "")
    for key, value in program.results.items():
        lines.append(f"return {key} = {names[value]}")
    return lines


def _numbered(
    program: Program,
    names: Mapping[Value, str],
    equations: Equations,
    marks: Mapping[Instruction, list[str]],
    numbers: Iterator[int],
    indent: str,
) -> list[str]:
    lines = []
    for line in program.instructions:
        number = next(numbers)
        text = f"{indent}{names[line.result]} = {_call(line, names)}"
        owner = equations.owner(line.node)
        of = f"  ({equations.numbers[owner]})" if owner in equations.numbers else ""
        mark = f"  {', '.join(marks[line])}" if marks.get(line) else ""
        shape = shape_text(line.result.shape)
        lines.append(f"{number:>4}  {text.ljust(COLUMN)} {shape}{of}{mark}".rstrip())
        if line.op == "loop":
            loop: Loop = line.options["loop"]
            inner = indent + "    "
            lines += _numbered(loop.body, names, equations, marks, numbers, inner)
            lines += [
                f"      {inner}{names[state.before]} <- {names[state.after]}"
                for state in loop.carried
            ]
    return lines


def _call(line: Instruction, names: Mapping[Value, str]) -> str:
    options = dict(line.options)
    head = str(options.pop("name", line.op))
    if head != line.op and line.op not in ("ufunc", "call"):
        head = f"{line.op} {head}"
    if "loop" in options:
        loop = options.pop("loop")
        options |= {"length": loop.length, "reversed": loop.is_reversed}
    for told_elsewhere in ("hint", "about", "shares"):
        options.pop(told_elsewhere, None)
    options |= dict(options.pop("keywords", ()))
    arguments = [_operand(operand, names) for operand in line.operands]
    arguments += [f"{key}={_option(value)}" for key, value in options.items()]
    return f"{head}({', '.join(arguments)})"


def _operand(operand: Operand, names: Mapping[Value, str]) -> str:
    return number_text(operand.number) if isinstance(operand, Literal) else names[operand]


def _option(value: object) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(_option(part) for part in value) + ")"
    return str(value)
