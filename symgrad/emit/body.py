"""The lines of a scheduled program, each group under its equation; loops with their bodies.

# (3) for t = 0, ..., T - 1, from h[-1] = h0   [T, n, 3]
h = h0
for t in range(T):
    # (4) h[t] = tanh(u[t] + h[t-1] @ W)   [n, 3]
    h = np.tanh(u[t] + h @ W)
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from symgrad.emit.layout import broken
from symgrad.emit.literal import shape_source, size_source
from symgrad.emit.naming import Naming
from symgrad.emit.numbering import Equations
from symgrad.emit.statement import Statements
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import equation, reference
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import BOOL, FLOAT, Node
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.expr.step_index import first_index, given_at, made_at
from symgrad.program.instruction import ACTS, VIEWS, Instruction, every_line
from symgrad.program.loop import Kept, Loop
from symgrad.program.schedule import Schedule

WIDTH = 96
KINDS = {FLOAT: "dtype", BOOL: "bool"}

Told = Mapping[Node, str]  # how tensors are written in equations where that is not their name
Numbered = tuple[int | None, str]  # a line, and the number of the equation that it belongs to


@dataclass(frozen=True)
class Block:
    """Lines of a function that follow each other, and the equation that they compute.

    `number` is None for lines that belong to no equation.
    """

    number: int | None
    lines: tuple[str, ...]


def blocks_of(lines: Sequence[Numbered]) -> tuple[Block, ...]:
    """`lines` in blocks of one equation each, without the empty lines between them."""
    groups = groupby(lines, lambda line: line[0])
    blocks = [(number, [text for _, text in group]) for number, group in groups]
    return tuple(
        Block(number, tuple(texts[: -1 if not texts[-1] else None]))
        for number, texts in blocks
        if any(texts)
    )


class Body:
    """Writes the lines of one program, and of the loops in it."""

    def __init__(self, function: str, equations: Equations, naming: Naming) -> None:
        self.function, self.equations, self.naming = function, equations, naming

    def statements(self, plan: Schedule) -> Statements:
        return Statements(self.function, plan, self.naming.names, self.naming.indices)

    def numbered(self, plan: Schedule, told: Told, width: int = WIDTH) -> list[Numbered]:
        """The statements of `plan`, with a comment where an equation begins.

        Each line comes with the number of its equation.
        """
        statements = self.statements(plan)
        told = dict(told)
        inside = _scans_around(plan)
        for line in plan.program.instructions:
            if line.op in VIEWS and isinstance(line.result.node, Final | Stacked):
                told[line.result.node] = statements.text(line.result)
            if line.op == "loop" and isinstance(line.node, Scan):
                told.update(self._fixed(line.node, told))
        body: list[Numbered] = []
        number: int | None = None
        current: Node | None = None
        seen: set[Node] = set()
        # What belongs to no equation waits for that which follows: views, the makings of a loop.
        views: list[str] = []
        leaves: list[str] = []
        written: list[Numbered]
        for line in plan.program.instructions:
            if line.op == "loop":
                written = self._loop(line, plan, statements, told, width)
            else:
                parts = (part for text in statements.line(line) for part in broken(text, width))
                written = _of(None, parts)
            if not written:
                continue
            if line.node not in self.equations.numbers and line.op in VIEWS:
                views += [text for _, text in written]
                continue
            if isinstance(line.node, Leaf) and line.op not in ACTS:
                leaves += [text for _, text in written]
                continue
            if line.op != "loop":
                body.extend(_of(number, leaves))
                leaves = []
            node = self.equations.owner(line.node)
            node = inside.get(node, node)
            starts = node is not current and node in self.equations.numbers
            if starts and line.op != "guard" and not isinstance(node, Leaf):
                if body:
                    body.append((number, ""))
                number = self.equations.numbers[node]
                if node in seen:
                    body.append((number, f"# ({number}) continued"))
                elif isinstance(node, Scan):
                    body.extend(_of(number, self._header(node, plan, told, width)))
                else:
                    body.extend(_of(number, self._comment(node, told, width)))
                seen.add(node)
                current = node
            body.extend(_of(number, [*leaves, *views]))
            body.extend((number if inner is None else inner, text) for inner, text in written)
            leaves, views = [], []
        return [*body, *_of(number, [*leaves, *views])]

    def _comment(self, node: Node, told: Told, width: int) -> list[str]:
        """The equation of a group of lines, its number, and the shape at the side."""
        text = equation(node, lambda n: told.get(n) or self.equations.name_of(n))
        return self._numbered(node, text, shape_text(node.shape) if node.shape else "", width)

    def _numbered(self, node: Node, text: str, shape: str, width: int) -> list[str]:
        number = f"({self.equations.numbers[node]}) " if node in self.equations.numbers else ""
        text = text.replace("\n", " ")
        return textwrap.wrap(
            f"# {number}{text}{'   ' if shape else ''}{shape}",
            width - 4,
            subsequent_indent="#" + " " * (len(number) + 5),
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _written(self, node: Node, told: Told) -> str:
        return reference(node, lambda n: told.get(n) or self.equations.name_of(n))

    # -- loops -------------------------------------------------------------------------------

    def _fixed(self, scan: Scan, told: Told) -> dict[Node, str]:
        """How equations tell what is given to the steps of `scan`, the same or by entries."""
        return {
            bound: self._written(operand, told)
            for bound, operand in scan.inputs[len(scan.step.carried) :]
        }

    def _header(self, scan: Scan, plan: Schedule, told: Told, width: int) -> list[str]:
        """`for t = 0, ..., T - 1, from h[-1] = h0`."""
        lines = plan.program.instructions
        loop: Loop = next(x for x in lines if x.node is scan and x.op == "loop").options["loop"]
        t, last = self._index(loop), size_source(loop.length - 1)
        order = f"{last}, ..., 0" if loop.is_reversed else f"0, ..., {last}"
        firsts = [
            f"{self.naming.names[state.before]}[{size_source(first_index(scan, state.bound))}] = "
            f"{self._written(first, told)}"
            for state, first in zip(loop.carried, scan.first, strict=True)
        ]
        text = f"for {t} = {order}" + (f", from {', '.join(firsts)}" if firsts else "")
        return self._numbered(scan, text, "", width)

    def _index(self, loop: Loop) -> str:
        return str(self.naming.indices[loop.index])

    def _loop(
        self, line: Instruction, plan: Schedule, statements: Statements, told: Told, width: int
    ) -> list[Numbered]:
        loop: Loop = line.options["loop"]
        names = self.naming.names
        lines: list[str] = []
        for state in loop.carried:
            name, first = names[state.before], statements.text(state.first)
            trail = loop.trails.get(state)
            if trail is not None:
                at = size_source(loop.length) if loop.is_reversed else "0"
                lines += [self._array(trail), f"{names[trail.array]}[{at}] = {first}"]
                lines.append(f"{name} = {names[trail.array]}[{at}]")
            elif name != first:
                lines.append(f"{name} = {first}")
        lines += [self._array(kept) for kept in loop.kept if kept.trail_of is None]
        count = f"range({size_source(loop.length)})"
        count = f"reversed({count})" if loop.is_reversed else count
        lines.append(f"for {self._index(loop)} in {count}:")
        body = self._body(line.node, loop, plan.bodies[line], statements, told, width - 4)
        after = [
            f"{names[value]} = {names[state.before]}"
            for value, state in loop.finals.items()
            if names[value] != names[state.before]
        ]
        return [
            *_of(None, (part for text in lines for part in _broken(text, width))),
            *((number, f"    {text}" if text else "") for number, text in body),
            *_of(None, (part for text in after for part in _broken(text, width))),
        ]

    def _array(self, kept: Kept) -> str:
        kind = KINDS.get(kept.array.dtype, "np.intp")
        shape = shape_source(kept.array.shape)
        return f"{self.naming.names[kept.array]} = np.empty({shape}, {kind})"

    def _body(
        self, scan: Node, loop: Loop, body: Schedule, around: Statements, told: Told, width: int
    ) -> list[Numbered]:
        """The lines of one step, and at its end the states that have not got their names yet."""
        assert isinstance(scan, Scan)
        names = self.naming.names
        t = self._index(loop)
        inside = dict(told) | self._fixed(scan, told)
        for line in body.program.instructions:
            if line.op == "entry" and line.result.node is not None:
                inside[line.result.node] = f"{around.text(line.operands[0])}[{t}]"
        for bound, value in body.program.arguments.items():
            inside[bound] = f"{names[value]}[{_beside(t, given_at(scan, bound))}]"
        for state in loop.carried:
            follows = state.after.node
            if follows is not None and not isinstance(follows, Leaf) and follows not in inside:
                made = _beside(t, made_at(scan, state.bound))
                inside[follows] = f"{names[state.before]}[{made}]"
        lines = self.numbered(body, inside, width)
        statements = self.statements(body)
        left = [
            (names[state.before], statements.text(state.after))
            for state in loop.carried
            if names[state.before] != statements.text(state.after)
        ]
        if left:
            targets, sources = zip(*left, strict=True)
            lines.append((None, f"{', '.join(targets)} = {', '.join(sources)}"))
        return lines or [(None, "pass")]


def _beside(t: str, offset: int) -> str:
    """`t-1`, `t` or `t+1`."""
    return f"{t}{offset:+d}" if offset else t


def _of(number: int | None, lines: Iterable[str]) -> list[Numbered]:
    return [(number, text) for text in lines]


def _broken(text: str, width: int) -> list[str]:
    """A line of a loop: what is indented has been broken already."""
    return [text] if text.startswith((" ", "for ")) or not text else broken(text, width)


def _scans_around(plan: Schedule) -> dict[Node, Node]:
    """For what is computed only inside a loop: the scan that the loop is."""
    found: dict[Node, Node] = {}
    for line in plan.program.instructions:
        if line.op == "loop":
            for inner in every_line(line.options["loop"].body.instructions):
                if inner.op not in VIEWS:
                    found.setdefault(inner.node, line.node)
    return found
