"""Which entries of a journal are told as one step, and in which order.

    1 seed L   2 scan's part from h[T-1]   3 scan's part from y   4 scan   5 add up the paths to W
    ->  1      2 to 4, as the loop         5

A loop is gone back through once all that arrives at it has been told; forwards every tensor is told
after all that is written inside of it.
"""

from __future__ import annotations

from collections.abc import Callable

from symgrad.calculus.journal import FORWARD, Journal, Step
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Final, Scan, Stacked

RULES = ("rule", "unbroadcast", "broadcast")  # kinds of entries that apply a rule, and fit shapes


def step_groups(
    journal: Journal, owner: Callable[[Node], Node], is_every: bool
) -> list[tuple[Node, list[Step]]]:
    """The tensor that each step is about, and its entries.

    owner: the tensor with a name that another is written inside of; they are told together, unless
    `is_every` entry is a step.
    """
    groups: dict[object, list[Step]] = {}
    passes, before = 0, ""
    for step in journal.steps:  # each direction is a pass of its own
        passes += step.kind == "seed" != before
        before = step.kind
        key = passes, _group(step, owner, is_every)
        entries = groups.setdefault(key, [])
        if step.mode == FORWARD or all(isinstance(each.result, Bundle) for each in entries):
            groups[key] = groups.pop(key)
        entries.append(step)
    return [(_about(steps[0], owner, is_every), steps) for steps in groups.values()]


def _about(step: Step, owner: Callable[[Node], Node], is_every: bool) -> Node:
    if isinstance(step.node, Final | Stacked) and isinstance(step.result, Bundle):
        return step.node.scan
    is_inside = step.kind in RULES or (step.kind == "accumulate" and not is_every)
    return owner(step.node) if is_inside else step.node


def _group(step: Step, owner: Callable[[Node], Node], is_every: bool) -> object:
    about = _about(step, owner, is_every)
    if isinstance(about, Scan):
        return about, step.mode
    if is_every and step.kind in RULES:
        return step.number if step.kind == "rule" else (step.number, step.kind)
    is_inside = step.kind == "accumulate" and about is not step.node
    return about, step.mode, "rule" if step.kind in RULES or is_inside else step.kind
