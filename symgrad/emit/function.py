"""One scheduled program as the text of a Python function."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.emit.door import Door
from symgrad.emit.identifiers import Names, identifier
from symgrad.emit.layout import broken
from symgrad.emit.quiet import quiet
from symgrad.emit.statement import Statements
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import equation
from symgrad.expr.leaf import Arange, Constant, Identity, Leaf, Named, Table
from symgrad.expr.node import Node
from symgrad.program.expansion import LOG_MAX
from symgrad.program.inlining import inlined_values
from symgrad.program.instruction import VIEWS, Instruction, Literal, Value
from symgrad.program.schedule import Schedule

LONGEST_SOURCE = 20  # letters of a name up to which what is computed from it is named after it
WIDTH = 96
SHORT = {
    "multiply": "product", "divide": "ratio", "add": "sum", "subtract": "difference",
    "less": "mask", "less_equal": "mask", "equal": "mask", "not_equal": "mask", "dot": "product",
    "matmul": "product", "vecdot": "product", "square": "squared", "cast": "float",
    "maximum": "max", "minimum": "min", "negative": "negated",
}  # fmt: skip


@dataclass(frozen=True)
class FunctionView:
    """What the template lays out for one function: finished strings."""

    name: str
    decorators: tuple[str, ...]
    signature: str
    docstring: tuple[str, ...]
    door: tuple[str, ...]
    body: tuple[str, ...]
    returned: tuple[str, ...]


@dataclass(frozen=True)
class Equations:
    """The equations of one function: names, numbers, and what is written inside which."""

    names: Mapping[Node, str]
    numbers: Mapping[Node, int]
    parts: Mapping[Node, Node]

    def name_of(self, node: Node) -> str | None:
        return self.names.get(node)

    def owner(self, node: Node) -> Node:
        """The equation in which `node` is written: its own, or that of its only reader."""
        while node in self.parts:
            node = self.parts[node]
        return node


def write_function(
    name: str,
    plan: Schedule,
    equations: Equations,
    door: Door,
    returned: Any,
    docstring: tuple[str, ...],
) -> FunctionView:
    """The view of one function. `returned`: nested tuples and dicts of result names."""
    values = name_values(plan, equations, door)
    statements = Statements(name, plan, values)
    body: list[str] = []
    if any(
        o.number.has(LOG_MAX)
        for line in plan.program.instructions
        for o in line.operands
        if isinstance(o, Literal)
    ):
        body.append("log_max = _LOG_MAX[dtype]")
    current: Node | None = None
    seen: set[Node] = set()
    for line in plan.program.instructions:
        written = statements.line(line)
        if not written:
            continue
        node = equations.owner(line.node)
        starts = node is not current and node in equations.names and not isinstance(node, Leaf)
        if starts and line.op != "guard":
            if body:
                body.append("")
            if node in seen:
                body.append(f"# ({equations.numbers[node]}) continued")
            else:
                body.extend(_comment(node, equations))
            seen.add(node)
            current = node
        body.extend(part for text in written for part in broken(text, WIDTH))
    results = plan.program.results
    return FunctionView(
        name=name,
        decorators=quiet(plan.program.instructions),
        signature=door.signature(name),
        docstring=docstring,
        door=door.lines(name),
        body=tuple(body),
        returned=_return_lines(
            returned, {k: statements.text(v) for k, v in results.items()}, door.out is not None
        ),
    )


def _comment(node: Node, equations: Equations) -> list[str]:
    """The equation of a group of lines, its number, and the shape at the side."""
    number = f"({equations.numbers[node]}) " if node in equations.numbers else ""
    text = equation(node, equations.name_of)
    text = text.replace("\n", " ")
    shape = f"   {shape_text(node.shape)}" if node.shape else ""
    lines = textwrap.wrap(
        f"# {number}{text}{shape}",
        WIDTH - 4,
        subsequent_indent="#" + " " * (len(number) + 5),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines


def name_values(plan: Schedule, equations: Equations, door: Door) -> dict[Value, str]:
    """A name for every value that the function assigns; views are written where they are used."""
    taken = Names(frozenset(door.locals) | frozenset(equations.names.values()))
    named: dict[Value, str] = {}
    for node, value in plan.program.arguments.items():
        assert isinstance(node, Named)
        named[value] = door.local(node)
    lines = plan.program.instructions
    used: set[str] = set()
    for line in lines:
        held = line.result.node
        if held is None or line.op in VIEWS or held not in equations.names:
            continue
        if isinstance(held, Named):
            continue  # a copy of an argument, which keeps its name
        name = equations.names[held]
        if name not in used:
            named[line.result] = name
            used.add(name)
    successor: dict[Value, Instruction] = {target: line for line, target in plan.written_to.items()}
    inlined = inlined_values(lines)
    for line in reversed(lines):
        value = line.result
        if value in named or line.op in VIEWS or line.op == "guard" or value in inlined:
            continue
        after = successor.get(value)
        if (
            after is not None
            and value in after.operands
            and after.result in named
            and equations.owner(after.node) is equations.owner(line.node)
        ):
            named[value] = named[after.result]
        else:
            named[value] = taken.unique(_hint(line, equations))
    return named


def _hint(line: Instruction, equations: Equations) -> str:
    if "hint" in line.options:
        return str(line.options["hint"])
    if isinstance(line.node, Leaf):
        return _leaf_hint(line.node)
    if line.op == "ufunc" and len(line.values) == len(line.operands) == 1:
        (source,) = line.values
        name = equations.names.get(source.node) if source.node is not None else None
        if name is not None and len(name) <= LONGEST_SOURCE:
            return f"{line.options['name']}_{name}"
    base = equations.names.get(equations.owner(line.node), "part")
    kind = str(line.options.get("name", line.op))
    return identifier(f"{base}_{SHORT.get(kind, kind)}")


def _leaf_hint(leaf: Leaf) -> str:
    if isinstance(leaf, Constant):
        return {sympy.S.Zero: "zeros", sympy.S.One: "ones"}.get(leaf.value, "constant")
    return {Identity: "identity", Arange: "positions", Table: "table"}.get(type(leaf), "copy")


def _return_lines(structure: Any, sources: Mapping[str, str], accepts_out: bool) -> tuple[str, ...]:
    """The last lines; gradients may go into the memory that the caller passes as `out`."""
    if not accepts_out:
        return tuple(f"return {_returned(structure, sources)}".split("\n"))
    first, grads = structure if isinstance(structure, tuple) else (None, structure)
    value = "" if first is None else f"{_returned(first, sources)}, "
    return (
        *f"grads = {_returned(grads, sources)}".split("\n"),
        f"return {value}grads if out is None else _written(grads, out)",
    )


def _row(key: str, value: str) -> str:
    row = f"{key!r}: {value}"
    return row if "\n" in row else "\n".join(broken(row, WIDTH - 16))


def _returned(structure: Any, sources: Mapping[str, str]) -> str:
    if isinstance(structure, tuple):
        return ", ".join(_returned(part, sources) for part in structure)
    if isinstance(structure, dict):
        rows = [_row(key, _returned(part, sources)) for key, part in structure.items()]
        inline = "{" + ", ".join(rows) + "}"
        if len(inline) <= 60:
            return inline.replace("'", '"')
        inner = ",\n".join(textwrap.indent(row, "    ") for row in rows)
        return ("{\n" + inner + ",\n}").replace("'", '"')
    return sources[structure]
