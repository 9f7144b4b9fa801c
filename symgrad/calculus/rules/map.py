"""Maps: the derivative is SymPy's, of the scalar formula, slot by slot."""

from __future__ import annotations

import sympy

from symgrad.calculus.axes import insert_axes
from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.formula import partial, replace_slots, slot, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node


@adjoint(Map)
def map_adjoint(g: Node, node: Map, *operands: Node) -> Contributions:
    """y = f(x_0, ..., x_k) elementwise  =>  x_i' = G * df/dx_i."""
    slopes = partials(node)
    return tuple(None if slope is None else _times(g, slope, operands) for slope in slopes)


@tangent(Map)
def map_tangent(tangents: tuple[Node | None, ...], node: Map, *operands: Node) -> Node | None:
    """y = f(x_0, ..., x_k) elementwise  =>  dy = sum_i df/dx_i * dx_i."""
    moving = [
        (slope, t)
        for slope, t in zip(partials(node), tangents, strict=True)
        if slope is not None and t is not None
    ]
    if not moving:
        return None
    if len(moving) == 1:
        return _times(moving[0][1], moving[0][0], operands)
    used = sorted({i for slope, _ in moving for i in slots_of(slope)})
    terms = [_renumbered(slope, used) * slot(len(used) + k) for k, (slope, _) in enumerate(moving)]
    return Map(sympy.Add(*terms), *(operands[i] for i in used), *(t for _, t in moving))


@batcher(Map)
def map_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """Operands align at the right: a batched one of lower rank gets axes of size 1 after the first.

    y[b, ...] = f(x_0[b, 1..., ...], ...).
    """
    aligned = (
        insert_axes(x, range(1, 1 + node.ndim - (x.ndim - 1))) if moves else x
        for x, moves in zip(operands, batched, strict=True)
    )
    return node.with_operands(tuple(aligned))


def partials(node: Map) -> list[sympy.Expr | None]:
    """df/dx_i for each slot; None where it is identically 0 or the operand is not a float.

    A sum is differentiated term by term, each only for the slots that it holds: one of k terms
    costs k steps, not k**2.
    """
    terms_of: dict[int, list[sympy.Expr]] = {}
    for term in sympy.Add.make_args(node.formula):
        for i in slots_of(term):
            terms_of.setdefault(i, []).append(term)
    slopes: list[sympy.Expr | None] = []
    for i, operand in enumerate(node.operands):
        if operand.dtype != FLOAT or i not in terms_of:
            slopes.append(None)
            continue
        slope = sympy.Add(*(partial(term, i) for term in terms_of[i]))
        slopes.append(None if slope == 0 else slope)
    return slopes


def _times(g: Node, slope: sympy.Expr, operands: tuple[Node, ...]) -> Node:
    """g * slope, as a map over the operands that the slope needs."""
    if slope == 1:
        return g
    used = list(slots_of(slope))
    formula = _renumbered(slope, used) * slot(len(used))
    return Map(formula, *(operands[i] for i in used), g)


def _renumbered(slope: sympy.Expr, used: list[int]) -> sympy.Expr:
    return replace_slots(slope, {i: slot(k) for k, i in enumerate(used) if i != k})
