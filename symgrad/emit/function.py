"""One scheduled program as the text of a Python function."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symgrad.emit.body import WIDTH, Block, Body, Numbered, blocks_of
from symgrad.emit.door import Door
from symgrad.emit.layout import broken
from symgrad.emit.naming import Naming
from symgrad.emit.numbering import Equations
from symgrad.emit.quiet import quiet
from symgrad.program.expansion import LOG_MAX
from symgrad.program.instruction import Literal, Value, every_line
from symgrad.program.schedule import Schedule


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


def write_function(
    name: str,
    plan: Schedule,
    equations: Equations,
    door: Door,
    returned: Any,
    docstring: tuple[str, ...],
) -> FunctionView:
    """The view of one function. `returned`: nested tuples and dicts of result names."""
    lines = list(every_line(plan.program.instructions))
    writer = Body(name, equations, Naming(plan, equations, door))
    body = [text for _, text in _numbered(plan, writer)]
    return FunctionView(
        name=name,
        decorators=quiet(lines),
        signature=door.signature(name),
        docstring=docstring,
        door=door.lines(name),
        body=tuple(body),
        returned=_last_lines(plan, writer, door, returned),
    )


def code_blocks(
    name: str, plan: Schedule, equations: Equations, door: Door, returned: Any
) -> tuple[Block, ...]:
    """The lines of a function behind its door, in blocks of the equations that they compute."""
    writer = Body(name, equations, Naming(plan, equations, door))
    last = Block(None, _last_lines(plan, writer, door, returned))
    return (*blocks_of(_numbered(plan, writer)), last)


def _numbered(plan: Schedule, writer: Body) -> list[Numbered]:
    body = writer.numbered(plan, {})
    lines = every_line(plan.program.instructions)
    if any(o.number.has(LOG_MAX) for x in lines for o in x.operands if isinstance(o, Literal)):
        gap: list[Numbered] = [(None, "")] if body and body[0][1].startswith("#") else []
        body[:0] = [(None, "log_max = _LOG_MAX[dtype]"), *gap]
    return body


def _last_lines(plan: Schedule, writer: Body, door: Door, returned: Any) -> tuple[str, ...]:
    results = plan.program.results
    statements = writer.statements(plan)
    sources = {k: statements.text(v) for k, v in results.items()} | _kept(results, door)
    return _return_lines(returned, sources, door.out is not None)


def _kept(results: Mapping[str, Value], door: Door) -> dict[str, str]:
    """The sources of states that are handed through: `state["running_mean"]`."""
    keys = {f"state {leaf.name}": leaf.name for leaf in door.all_states}
    return {key: f'state["{name}"]' for key, name in keys.items() if key not in results}


def _return_lines(structure: Any, sources: Mapping[str, str], accepts_out: bool) -> tuple[str, ...]:
    """The last lines; gradients may go into the memory that the caller passes as `out`."""
    if not accepts_out:
        return tuple(f"return {_returned(structure, sources)}".split("\n"))
    first, grads, *state = structure if isinstance(structure, tuple) else (None, structure)
    value = "" if first is None else f"{_returned(first, sources)}, "
    grads_lines = f"grads = {_returned(grads, sources)}".split("\n")
    if not state:
        return (*grads_lines, f"return {value}grads if out is None else _written(grads, out)")
    return (
        *grads_lines,
        *f"state = {_returned(state[0], sources)}".split("\n"),
        f"return {value}grads if out is None else _written(grads, out), state",
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
