"""Names and numbers for the equations of a module: one of each per tensor that is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symgrad.emit.function import Equations
from symgrad.emit.identifiers import Names
from symgrad.expr.contraction import Contraction
from symgrad.expr.equation import REDUCTION_NAMES, right_side
from symgrad.expr.formula import heads
from symgrad.expr.leaf import Leaf, Named
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import (
    Embed,
    Reshape,
    ScatterAdd,
    ScatterAlong,
    Slice,
    Take,
    TakeAlong,
)
from symgrad.program.instruction import VIEWS, Program

LONGEST_PART = 60  # letters of an inner formula up to which it needs no equation of its own


def number_equations(
    programs: Iterable[Program],
    wishes: Mapping[Node, str],
    local: Mapping[Named, str],
    dims: Iterable[str],
) -> Equations:
    """Equations in the order of their first line, over all functions of a module.

    `wishes`: names from the definition and the derivation; a tensor without one is named after
    what it is. Arguments keep the names of `local`.
    """
    names: dict[Node, str] = dict(local)
    taken = Names(frozenset(local.values()) | frozenset(dims))
    numbers: dict[Node, int] = {}
    order: list[Node] = []
    seen: set[Node] = set()
    for program in programs:
        for line in program.instructions:
            node = line.node
            if line.op in VIEWS or line.op == "guard" or node in seen:
                continue
            if isinstance(node, Leaf):
                continue
            seen.add(node)
            order.append(node)
    for node in order:  # wished names first: an automatic name must not take one away
        if node in wishes:
            names[node] = taken.unique(wishes[node])
    parts = _parts(order, names)
    for node in order:
        if node in parts:
            continue
        if node not in names:
            names[node] = taken.unique(_automatic(node, names))
        numbers[node] = len(numbers) + 1
    return Equations(names, numbers, parts)


def _parts(order: list[Node], names: Mapping[Node, str]) -> dict[Node, Node]:
    """Nameless tensors that only one other reads: they are written inside its equation."""
    readers: dict[Node, set[Node]] = {}
    for node in order:
        stack = list(node.operands)
        while stack:
            operand = stack.pop()
            readers.setdefault(operand, set()).add(node)
            if operand not in names and _is_silent(operand):
                stack.extend(operand.operands)
    computed = set(order)
    length: dict[Node, int] = {}
    parts: dict[Node, Node] = {}
    for node in order:
        inside = [o for o in node.operands if o in parts]
        length[node] = len(right_side(node, lambda o: names.get(o, "name" * 3))) + sum(
            length[o] for o in inside
        )
        users = readers.get(node, set()) & computed
        if node in names or len(users) != 1 or length[node] > LONGEST_PART:
            continue
        (user,) = users
        if not isinstance(node, ScatterAdd | ScatterAlong | Embed):
            parts[node] = user
    return parts


def _is_silent(node: Node) -> bool:
    """Whether `node` is written inside others and has no line of its own."""
    return isinstance(node, Reshape | Slice) or (isinstance(node, Contraction) and node.is_view)


def _automatic(node: Node, names: Mapping[Node, str]) -> str:
    """A name that says what a tensor is: `max_z`, `sum_e`, `exp_z`."""
    source = next((names[o] for o in node.operands if o in names), "")
    kind = REDUCTION_NAMES.get(type(node).__name__)
    if isinstance(node, Take | TakeAlong):
        kind = "picked"
    if isinstance(node, ScatterAdd | ScatterAlong):
        kind = "scattered"
    if kind is None and isinstance(node, Contraction):
        kind = "total" if len(node.operands) == 1 else "product"
        inner = node.operands[0] if node.operands else None
        if kind == "total" and isinstance(inner, Map) and heads(inner.formula) == {"exp"}:
            return "sum_exp"
    if kind is None and isinstance(node, Map):
        found = sorted(heads(node.formula))
        kind = found[0].lower() if len(found) == 1 else "term"
    if kind is None:
        kind = type(node).__name__.lower()
    return f"{kind}_{source}" if source and len(source) <= 16 else kind
