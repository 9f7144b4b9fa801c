"""Names and numbers for the equations of a module: one of each per tensor that is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import sympy

from symgrad.emit.identifiers import Names, common_name
from symgrad.emit.numbering import Equations
from symgrad.expr.contraction import Contraction
from symgrad.expr.equation import REDUCTION_NAMES, right_side
from symgrad.expr.formula import heads
from symgrad.expr.leaf import Leaf, Named
from symgrad.expr.linear_algebra import LinearAlgebra
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
from symgrad.expr.scan import Bound, Final, Scan, Stacked
from symgrad.program.instruction import VIEWS, Program, every_line
from symgrad.program.loop import Loop

POWERS = {sympy.S.Half: "sqrt", sympy.S.NegativeOne: "reciprocal", sympy.Integer(2): "square"}
LONGEST_PART = 60  # letters of an inner formula up to which it needs no equation of its own


def number_equations(
    programs: Sequence[Program],
    wishes: Mapping[Node, str],
    local: Mapping[Named, str],
    dims: Iterable[str],
) -> tuple[Equations, ...]:
    """The equations of each function of a module; what they share has one name and number.

    They are numbered in the order of their first line, the longest function first. `wishes`: names
    from the definition and the derivation; a tensor without one is named after what it is.
    Arguments keep the names of `local`.
    """
    taken = frozenset(local.values()) | frozenset(dims)
    scopes = [Names(taken) for _ in programs]
    loops = [_loops(program) for program in programs]
    wishes = _wishes_inside(loops) | dict(wishes)
    orders = [_computed(program) for program in programs]
    parts = [_parts(order, wishes, each) for order, each in zip(orders, loops, strict=True)]
    follows = _follows(loops)
    functions = sorted(range(len(programs)), key=lambda k: -len(programs[k].instructions))
    users: dict[Node, list[int]] = {}
    for k in functions:
        for node in orders[k]:
            if node not in parts[k]:
                users.setdefault(node, []).append(k)
    names: dict[Node, str] = dict(local)
    for node in users:  # wished names first: an automatic name must not take one away
        if node in wishes and node not in follows:
            names[node] = common_name(wishes[node], [scopes[k] for k in users[node]])
    numbers: dict[Node, int] = {}
    for node in sorted(users, key=lambda node: isinstance(node, Stacked)):  # after what is inside
        functions_of = users[node]
        if node in follows:
            names[node] = names[follows[node]]
        elif node not in names:
            names[node] = common_name(_automatic(node, names), [scopes[k] for k in functions_of])
        if not isinstance(node, Bound | Final | Stacked):
            numbers[node] = len(numbers) + 1
    result = []
    for k in range(len(programs)):
        own = {node: names[node] for node in orders[k] if node not in parts[k]}
        result.append(Equations(dict(local) | own, numbers, parts[k]))
    return tuple(result)


def _computed(program: Program) -> list[Node]:
    """The tensors that have lines of their own, in that order."""
    found: dict[Node, None] = {}
    for line in every_line(program.instructions):
        helps = line.op in VIEWS or line.op == "guard" or "turned" in line.options
        if not helps and not isinstance(line.node, Leaf):
            found.setdefault(line.node)
        if line.op == "loop":
            loop = line.options["loop"]
            found.update((state.bound, None) for state in loop.carried)
            arrays = (kept.array.node for kept in loop.kept)
            found.update((node, None) for node in arrays if node is not None)
    return list(found)


def _loops(program: Program) -> list[Loop]:
    return [x.options["loop"] for x in every_line(program.instructions) if x.op == "loop"]


def _wishes_inside(loops: Sequence[Sequence[Loop]]) -> dict[Node, str]:
    """The names that the tensors of steps have from where they were defined or derived."""
    wishes: dict[Node, str] = {}
    for loop in (loop for each in loops for loop in each):
        for state in loop.carried:
            assert isinstance(state.bound, Bound)
            wishes.setdefault(state.bound, state.bound.label or state.bound.name)
        for line in loop.body.instructions:
            if line.node.label is not None:
                wishes.setdefault(line.node, line.node.label)
    return wishes


def _follows(loops: Sequence[Sequence[Loop]]) -> dict[Node, Node]:
    """What a state becomes, and what it is in the end, is called what it is."""
    found: dict[Node, Node] = {}
    for loop in (loop for each in loops for loop in each):
        made = {line.node for line in loop.body.instructions}
        for state in loop.carried:
            node = state.after.node
            if node in made and not isinstance(node, Leaf):
                found.setdefault(node, state.bound)
        for value, state in loop.finals.items():
            if value.node is not None:
                found.setdefault(value.node, state.bound)
    return found


def _parts(
    order: list[Node], names: Mapping[Node, str], loops: Sequence[Loop]
) -> dict[Node, Node]:
    """Nameless tensors that only one other reads: they are written inside its equation.

    What a loop begins with, carries on or keeps is read by the loop, and has its own.
    """
    apart = {value.node for loop in loops for value in loop.body.results.values()}
    apart |= {kept.value.node for loop in loops for kept in loop.kept}
    apart |= {kept.array.node for loop in loops for kept in loop.kept}
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
        if node in names or len(users) != 1 or length[node] > LONGEST_PART or node in apart:
            continue
        (user,) = users
        if not isinstance(user, Scan) and not isinstance(
            node, ScatterAdd | ScatterAlong | Embed | Scan | Final | Stacked
        ):
            parts[node] = user
    return parts


def _is_silent(node: Node) -> bool:
    """Whether `node` is written inside others and has no line of its own."""
    return isinstance(node, Reshape | Slice) or (isinstance(node, Contraction) and node.is_view)


def _of_formula(formula: sympy.Expr) -> str:
    """The function that a formula is, or what its arithmetic gives; else a term."""
    found = sorted(heads(formula))
    if len(found) == 1 and found[0] not in ("add", "multiply"):
        return POWERS.get(formula.exp, found[0]) if formula.is_Pow else found[0].lower()
    if formula.is_Add:
        minus = [arg for arg in formula.args if arg.could_extract_minus_sign()]
        return "difference" if minus and len(formula.args) == 2 else "sum"
    if formula.is_Mul:
        divides = any(arg.is_Pow and arg.exp.is_negative for arg in formula.args)
        return "ratio" if divides else "product"
    return "term"


def _automatic(node: Node, names: Mapping[Node, str]) -> str:
    """A name that says what a tensor is: `max_z`, `sum_e`, `exp_z`."""
    source = next((names[o] for o in node.operands if o in names), "")
    if isinstance(node, Final):
        state = node.scan.step.carried[node.index]
        return f"{state.label or state.name}_last"
    if isinstance(node, Stacked):
        return f"{names.get(node.inner) or getattr(node.inner, 'name', 'entry')}_all"
    kind = REDUCTION_NAMES.get(type(node).__name__)
    if isinstance(node, Take | TakeAlong):
        kind = "picked"
    if isinstance(node, ScatterAdd | ScatterAlong):
        kind = "scattered"
    if isinstance(node, Embed):
        kind = "padded"
    if kind is None and isinstance(node, Contraction):
        kind = "total" if len(node.operands) == 1 else "product"
        inner = node.operands[0] if node.operands else None
        if kind == "total" and isinstance(inner, Map) and heads(inner.formula) == {"exp"}:
            return "sum_exp"
    if kind is None and isinstance(node, Map):
        kind = _of_formula(node.formula)
    if isinstance(node, LinearAlgebra):
        kind = node.noun
    if kind is None:
        kind = type(node).__name__.lower()
    if kind == "sum" and source.startswith("sum_"):  # a sum of a sum is another sum
        return re.sub(r"_\d+\Z", "", source)
    if source and len(source) <= 16:
        return f"{kind}_{source}"
    return "term" if kind == "sum" else kind  # `sum` is Python's
