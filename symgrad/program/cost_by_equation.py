"""What each equation of a program costs, and what the forward and the backward part cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass

import sympy

from symgrad.expr.node import Node
from symgrad.program.cost import (
    SAMPLE,
    Bytes,
    Cost,
    line_flops,
    line_traffic,
    moments,
    peak_of,
    polynomial,
)
from symgrad.program.instruction import VIEWS, Instruction
from symgrad.program.schedule import Schedule

Owner = Callable[[Node], Node]


@dataclass(frozen=True)
class Spending:
    """Costs of one call. `equations`: of each, where `peak` is the most bytes alive meanwhile.

    `forward`, `backward`: of the two parts, where `peak` is the most bytes alive in each.
    """

    equations: dict[Node, Cost]
    forward: Cost
    backward: Cost


def spending(plan: Schedule, owner: Owner, forward: Container[Node]) -> Spending:
    """What `plan` costs. `owner`: the equation that a tensor belongs to; `forward`: of values."""
    flops: dict[Node, sympy.Expr] = {}
    traffic: dict[Node, sympy.Expr] = {}
    for line, times in _lines(plan):
        node = owner(line.node)
        flops[node] = flops.get(node, sympy.S.Zero) + times * line_flops(line)
        traffic[node] = traffic.get(node, sympy.S.Zero) + times * line_traffic(line)
    held = _held(plan, owner)
    equations = {
        node: Cost(sympy.expand(flops[node]), sympy.expand(traffic[node]), held.get(node, ZERO))
        for node in flops
    }
    all_moments = moments(plan)
    values = [k for k, (node, _, _) in enumerate(all_moments) if owner(node) in forward]
    end = values[-1] + 1 if values else 0
    first = all_moments[:end]
    kept: Bytes = Counter()
    for _, made, _ in first:
        kept.update(made)
    rest = [*((node, kept, Counter[sympy.Expr]()) for node, _, _ in first[:1]), *all_moments[end:]]
    parts = []
    for is_forward, of_part in ((True, first), (False, rest if all_moments[end:] else [])):
        nodes = [node for node in equations if (node in forward) == is_forward]
        parts.append(
            Cost(
                sympy.expand(sympy.Add(*(equations[node].flops for node in nodes))),
                sympy.expand(sympy.Add(*(equations[node].traffic for node in nodes))),
                peak_of(of_part) if of_part else ZERO,
            )
        )
    return Spending(equations, *parts)


ZERO = sympy.S.Zero


def _lines(plan: Schedule, times: sympy.Expr = sympy.S.One) -> list[tuple[Instruction, sympy.Expr]]:
    """Every line with how often it runs."""
    found: list[tuple[Instruction, sympy.Expr]] = []
    for line in plan.program.instructions:
        if line.op == "loop":
            found += _lines(plan.bodies[line], times * line.options["loop"].length)
        elif line.op not in VIEWS:
            found.append((line, times))
    return found


def _held(plan: Schedule, owner: Owner) -> dict[Node, sympy.Expr]:
    """The bytes alive while an equation is computed: at its moment that holds the most."""
    total: Bytes = Counter()
    most: dict[Node, tuple[int, sympy.Expr]] = {}
    for node, made, needed in moments(plan):
        total.update(made)
        alive = sympy.expand(polynomial(total) + polynomial(needed))
        size = int(alive.subs(dict.fromkeys(alive.free_symbols, SAMPLE)))
        if size >= most.get(owner(node), (-1, ZERO))[0]:
            most[owner(node)] = (size, alive)
    return {node: alive for node, (_, alive) in most.items()}
