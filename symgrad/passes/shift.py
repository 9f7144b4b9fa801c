"""Spells out logsumexp, and reads everything around it relative to the maximum.

    lse = logsumexp(z)            m = max(z); c = z - m; e = exp(c); s = sum(e)
    p = exp(z - lse)              p = e / s
    nll = lse - z[y]              nll = log(s) - c[y]

A formula that does not change when z and lse grow by the same amount may read c and log(s) in
their place: it is then exact to a few ulp even where |z| is large (z - lse would round at the
scale of z), and the exponentials of the forward pass serve the backward pass too. The maximum is
held fixed: derivation is over, so nothing flows through it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import Contraction, spread, sum_over
from symgrad.expr.formula import replace_slots, slot
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp, Max
from symgrad.expr.reindex import Reshape, TakeAlong
from symgrad.expr.walk import postorder, rewrite
from symgrad.passes.form import Form


def shift_logsumexp(form: Form) -> Form:
    """Replaces every LogSumExp of `form` by maximum, exponential, sum and logarithm."""

    def rule(rebuilt: Node, _: Node) -> Node:
        return _relative_to_maximum(rebuilt) if isinstance(rebuilt, Map) else rebuilt

    form = form.rewritten(rewrite(form.outputs.values(), rule))
    form = form.rewritten(rewrite(form.outputs.values(), _spelled_out))
    return replace(form, names=form.names | _names_of_parts(form))


def _names_of_parts(form: Form) -> dict[Node, str]:
    """`z_shifted` for z - max(z), and `sum_exp_z` for the sum of its exponentials."""
    names: dict[Node, str] = {}
    for node in postorder(form.outputs.values()):
        if not isinstance(node, Map) or node.formula != slot(0) - slot(1) or node in form.names:
            continue
        z, top = node.operands
        while isinstance(top, Contraction) and top.is_view:
            (top,) = top.operands
        if isinstance(top, Max) and top.operands[0] is z:
            name = form.names.get(z) or getattr(z, "name", None)
            names[node] = f"{name}_shifted" if name else "shifted"
    return names


def _parts(lse: LogSumExp, alone: bool = False) -> tuple[Node, Node, Node]:
    """The maximum, the shifted operand c, and the sum of exp(c).

    `alone`: the logsumexp itself is wanted, so rows of nothing but -inf, or with inf, are shifted
    by 0 and come out as -inf and inf.
    """
    (z,) = lse.operands
    top = Max(z, lse.axis)
    if alone:
        top = Map(f.where(f.less(f.absolute(slot(0)), sympy.oo), slot(0), sympy.S.Zero), top)
    shifted = Map(slot(0) - slot(1), z, spread(top, {lse.axis: z.shape[lse.axis]}))
    return top, shifted, sum_over(Map(sympy.exp(slot(0)), shifted), [lse.axis])


def _spelled_out(rebuilt: Node, _: Node) -> Node:
    if not isinstance(rebuilt, LogSumExp):
        return rebuilt
    top, _, total = _parts(rebuilt, alone=True)
    return Map(slot(0) + sympy.log(slot(1)), top, total)


def _relative_to_maximum(node: Map) -> Node:
    for position, operand in enumerate(node.operands):
        lse = _logsumexp_of(operand)
        if lse is None:
            continue
        _, shifted, total = _parts(lse)
        new: dict[int, Node] = {}
        for other, candidate in enumerate(node.operands):
            relative = _relative(candidate, lse, shifted)
            if relative is not None and _aligned(operand, candidate, lse):
                new[other] = relative
        if not new or not _ignores_shift(node.formula, position, tuple(new)):
            continue
        operands = list(node.operands)
        for other, relative in new.items():
            operands[other] = relative
        operands[position] = _placed(total, operand, lse)
        formula = replace_slots(node.formula, {position: sympy.log(slot(position))})
        return Map(formula, *operands)
    return node


@lru_cache(maxsize=4096)
def _ignores_shift(formula: sympy.Expr, lse: int, others: tuple[int, ...]) -> bool:
    """Whether adding one number to slot `lse` and to `others` leaves the formula as it is."""
    t = sympy.Symbol("_shift", real=True)
    moved = replace_slots(formula, {i: slot(i) + t for i in (lse, *others)})
    if moved == formula:
        return True
    return bool(
        sympy.expand(moved, deep=True, mul=True, power_exp=False)
        == sympy.expand(formula, power_exp=False)
    ) or (not _simplified(moved).has(t))


def _simplified(formula: sympy.Expr) -> sympy.Expr:
    """`formula` with the sums inside its functions multiplied out."""
    return formula.replace(lambda e: isinstance(e, sympy.Add), sympy.expand)


def _logsumexp_of(node: Node) -> LogSumExp | None:
    """The LogSumExp that `node` is, or spreads or reshapes."""
    while isinstance(node, Reshape) or (isinstance(node, Contraction) and node.is_view):
        node = node.operands[0]
    return node if isinstance(node, LogSumExp) else None


def _relative(node: Node, lse: LogSumExp, shifted: Node) -> Node | None:
    """`node` with the operand of `lse` replaced by the shifted one, if it only reads that."""
    (z,) = lse.operands
    if node is z:
        return shifted
    if isinstance(node, Reshape) or (isinstance(node, Contraction) and node.is_view):
        inner = _relative(node.operands[0], lse, shifted)
        return None if inner is None or inner is shifted else node.with_operands((inner,))
    if isinstance(node, TakeAlong) and node.source is z and node.axis == lse.axis:
        return TakeAlong(shifted, node.indices, node.axis)
    return None


def _aligned(placed: Node, candidate: Node, lse: LogSumExp) -> bool:
    """Whether entry by entry the logsumexp stands beside entries of its own row."""
    (z,) = lse.operands
    rows = lse.shape
    kept = rows[: lse.axis] + (sympy.S.One,) + rows[lse.axis :]
    if candidate is z:
        return placed.shape in (kept, z.shape) and _keeps_rows(placed, lse)
    if isinstance(candidate, TakeAlong):
        return candidate.shape == kept and placed.shape == kept
    return candidate.shape == rows and placed.shape == rows


def _keeps_rows(placed: Node, lse: LogSumExp) -> bool:
    """Whether `placed` inserts the reduced axis where it was, and nothing else."""
    if isinstance(placed, Contraction):
        (indices,) = placed.indices
        output = placed.output
        rows = [i for a, i in enumerate(output) if a != lse.axis]
        if isinstance(placed.operands[0], LogSumExp):
            return list(indices) == rows
        inner = [i for a, i in enumerate(indices) if a != lse.axis]
        return len(indices) == len(output) and inner == rows
    return isinstance(placed, Reshape) and isinstance(placed.operands[0], LogSumExp)


def _placed(total: Node, placed: Node, lse: LogSumExp) -> Node:
    """`total` where `placed` puts the logsumexp."""
    if placed is lse:
        return total
    (inner,) = placed.operands
    return placed.with_operands((_placed(total, inner, lse),))
