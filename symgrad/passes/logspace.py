"""Sums of exponentials in log space: which tensors are exp(v), with v a formula over nodes.

    sum_j exp(z[i,j])             is exp(L[i]),              L = logsumexp(z)
    mean_j exp(z[i,j] - m[i])     is exp(L[i] - m[i] - log n)

Reading a sum this way costs nothing and promises nothing: whoever reads it must get rid of the
exponential, since exp(L) overflows where the sum does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr, S, exp, log

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import Shape, product
from symgrad.expr.formula import slot, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import Reshape
from symgrad.passes.maps import composed, map_of, renumbered
from symgrad.passes.views import arranged, view_axes, view_of


@dataclass(frozen=True)
class Logarithm:
    """The logarithm of a tensor: `formula` over `operands`, broadcast."""

    formula: Expr
    operands: tuple[Node, ...]


class Logarithms:
    """Finds logarithms, each once."""

    def __init__(self) -> None:
        self._known: dict[Node, Logarithm | None] = {}

    def of_sum(self, node: Node) -> Logarithm | None:
        """The logarithm of a sum of exponentials, or of a view or positive multiple of one."""
        if node not in self._known:
            self._known[node] = self._find(node)
        return self._known[node]

    def _find(self, node: Node) -> Logarithm | None:
        if isinstance(node, Reshape):
            found = view_of(node)
            return None if found is None else self._seen(self.of_sum(found[0]), node, found[1])
        if not isinstance(node, Contraction) or len(node.operands) != 1:
            return None
        source, axes = _kept_axes(node)
        if axes is None or not _is_positive(node.scale):
            return None
        summed = [a for a, i in enumerate(node.indices[0]) if i in node.summed]
        inner = self._of(source)
        if inner is None:
            return None
        if any(source.shape[a] != 1 for a in summed):
            inner = logarithm_of_sum(inner, source.shape, summed)
            renumber = {a: k for k, a in enumerate(_rest(source.ndim, summed))}
            axes = [None if a is None else renumber[a] for a in axes]
            shape = tuple(source.shape[a] for a in renumber)
        else:
            shape = source.shape
        viewed = _viewed(inner, shape, axes, node.shape)
        return Logarithm(viewed.formula + _log_of_number(node.scale), viewed.operands)

    def _of(self, node: Node) -> Logarithm | None:
        """The logarithm of an exponential, of a sum of them, or of a view of one."""
        if isinstance(node, Map):
            exponent = _exponent(node.formula)
            return None if exponent is None else Logarithm(exponent, node.operands)
        found = view_of(node)
        if found is not None and isinstance(found[0], Map):
            return self._seen(self._of(found[0]), node, found[1])
        return self.of_sum(node)

    def _seen(
        self, inner: Logarithm | None, view: Node, axes: Sequence[int | None]
    ) -> Logarithm | None:
        if inner is None:
            return None
        return _viewed(inner, view.operands[0].shape, axes, view.shape)


def logarithm_of_sum(inner: Logarithm, shape: Shape, summed: Sequence[int]) -> Logarithm:
    """log sum exp over `summed`; what does not vary along those axes is added afterwards.

    `inner` is broadcast to `shape`; the result has the other axes, in order.
    """
    inner = _with_sums_opened(inner)
    rest = _rest(len(shape), summed)
    count = product(shape[a] for a in summed)
    moves, stays = S.Zero, S.Zero
    for term in sympy.Add.make_args(inner.formula):
        operands = [inner.operands[i] for i in slots_of(term)]
        if any(_varies(x, len(shape), summed) for x in operands):
            moves = moves + term
        else:
            stays = stays + term
    used = slots_of(stays)
    operands = [_at(inner.operands[i], len(shape), rest) for i in used]
    stays = renumbered(stays, tuple((i, k) for k, i in enumerate(used)))
    if not slots_of(moves):
        return Logarithm(stays + moves + _log_of_number(count), tuple(operands))
    kept_shape = tuple(shape[a] for a in rest)
    whole = map_of(moves, inner.operands, shape, FLOAT)
    order = [*rest, *summed]
    last = arranged(whole, order, tuple(shape[a] for a in order))
    if len(summed) > 1:
        last = Reshape(last, (*kept_shape, count))
    operands.append(LogSumExp(last, len(rest)))
    return Logarithm(stays + slot(len(operands) - 1), tuple(operands))


def _with_sums_opened(inner: Logarithm) -> Logarithm:
    """The same with terms that are maps of sums written out, so that each term is seen."""
    while True:
        opened = {}
        for term in sympy.Add.make_args(inner.formula):
            (i, *others) = slots_of(term) or (None,)
            if i is None or others or term not in (slot(i), -slot(i)):
                continue
            operand = inner.operands[i]
            if isinstance(operand, Map) and operand.formula.is_Add:
                opened[i] = operand.formula, operand.operands
        if not opened:
            return inner
        inner = Logarithm(*composed(inner.formula, inner.operands, opened))


def through_view(
    operands: Iterable[Node], shape: Shape, axes: Sequence[int | None], view: Shape
) -> tuple[Node, ...]:
    """The operands of a map of `shape`, so that the map over them is a view of it.

    Axis r of the view is axis `axes[r]` of the map; a repeated axis is left to broadcasting.
    """
    moved = []
    for x in operands:
        extra = len(shape) - x.ndim
        own = [
            None if a is None or a < extra or x.shape[a - extra] == 1 else a - extra for a in axes
        ]
        sizes = [S.One if a is None else x.shape[a] for a in own]
        lead = next((r for r, a in enumerate(own) if a is not None), len(own))
        moved.append(arranged(x, own[lead:], tuple(sizes[lead:])))
    return tuple(moved)


def _viewed(
    inner: Logarithm, shape: Shape, axes: Sequence[int | None], view: Shape
) -> Logarithm:
    return Logarithm(inner.formula, through_view(inner.operands, shape, axes, view))


def _kept_axes(node: Contraction) -> tuple[Node, list[int | None] | None]:
    """The operand of a sum, and which of its axes each axis of the result is."""
    (source,), (indices,) = node.operands, node.indices
    if len(set(indices)) < len(indices):
        return source, None
    where = {label: axis for axis, label in enumerate(indices)}
    return source, [where.get(label) for label in node.output]


def _rest(rank: int, axes: Sequence[int]) -> list[int]:
    return [a for a in range(rank) if a not in axes]


def _varies(x: Node, rank: int, axes: Sequence[int]) -> bool:
    """Whether a broadcast operand has entries of its own along `axes`."""
    extra = rank - x.ndim
    if any(a >= extra and x.shape[a - extra] != 1 for a in axes):
        found = view_axes(x)
        own = [a - extra for a in axes if a >= extra]
        return found is None or any(found[1][a] is not None for a in own)
    return False


def _at(x: Node, rank: int, rest: Sequence[int]) -> Node:
    """A broadcast operand without the axes that are not in `rest`: it does not vary there."""
    extra = rank - x.ndim
    own = [a - extra for a in rest if a >= extra]
    shape = tuple(x.shape[a] for a in own)
    found = view_axes(x)
    if found is None:
        return arranged(x, own, shape)
    source, axes = found
    return arranged(source, [axes[a] for a in own], shape)


@lru_cache(maxsize=16384)
def _exponent(formula: Expr) -> Expr | None:
    """v, if the formula is exp(v) times a positive number."""
    number, grown = S.One, []
    for factor in sympy.Mul.make_args(formula):
        if isinstance(factor, exp):
            grown.append(factor.args[0])
        elif not slots_of(factor):
            number = number * factor
        else:
            return None
    if not grown or not _is_positive(number):
        return None
    return sympy.Add(*grown) + _log_of_number(number)


@lru_cache(maxsize=4096)
def _is_positive(number: Expr) -> bool:
    """Whether it is for sizes of at least 1."""
    sizes = {s: sympy.Symbol(s.name, positive=True) for s in number.free_symbols}
    return bool(number.xreplace(sizes).is_positive)


def _log_of_number(number: Expr) -> Expr:
    above, below = number.as_numer_denom()
    return log(above) - log(below)
