"""What each equation of a program costs, and what the forward and the backward part cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Sequence
from dataclasses import dataclass

import sympy

from symgrad.expr.node import Node
from symgrad.program.cost import Cost, Moment, line_flops, line_traffic, moments, peak_of
from symgrad.program.cost_bounds import Bytes, difference
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
    all_moments = moments(plan)
    peaks = _peaks(all_moments, owner)
    of_parts = _peaks(all_moments, lambda node: owner(node) in forward)
    equations = {
        node: Cost(
            sympy.expand(flops[node]),
            sympy.expand(traffic[node]),
            peaks.get(node, ZERO),
        )
        for node in flops
    }
    parts = []
    for is_forward in (True, False):
        nodes = [node for node in equations if (node in forward) == is_forward]
        parts.append(
            Cost(
                sympy.expand(sympy.Add(*(equations[node].flops for node in nodes))),
                sympy.expand(sympy.Add(*(equations[node].traffic for node in nodes))),
                of_parts.get(is_forward, ZERO),
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


def _peaks(
    moments: Sequence[Moment], group: Callable[[Node], Hashable]
) -> dict[Hashable, sympy.Expr]:
    """The most bytes alive in the moments of each group, with what earlier moments keep."""
    kept: Bytes = Counter()
    told: dict[Hashable, Bytes] = {}  # what of it the moments of a group tell of
    found: dict[Hashable, list[Moment]] = {}
    for node, made, needed in moments:
        kept.update(made)
        key = group(node)
        before = told.get(key, Counter())
        found.setdefault(key, []).append((node, difference(kept, before), needed))
        told[key] = Counter(kept)
    return {key: peak_of(own) for key, own in found.items()}
