"""Reusing outputs: a formula of x reads y = f(x) instead, where y is computed anyway.

    h = tanh(z):  Map(_0*(1 - tanh(_1)**2), g, z)   ->   Map(_0*(1 - _1**2), g, h)
    h = relu(z):  Map(_0*less(0, _1), g, z)         ->   Map(_0*less(0, _1), g, h)

Then z need not be kept for the backward pass, nor f computed again. What of x is left after f(x)
was replaced is looked for among the formulas of y that `symgrad.passes.inversion` finds sound.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

from sympy import Expr

from symgrad.expr.formula import f, heads, operation_count, slot, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.slots import fold, rebuild
from symgrad.expr.walk import postorder, rewrite
from symgrad.passes.fold import folded
from symgrad.passes.form import Form, repeated
from symgrad.passes.inversion import reuse_output
from symgrad.passes.maps import map_of, renumbered
from symgrad.passes.stability import stabilise_formula

MOST_OPERANDS = 5  # of a map in which whole formulas of others are looked for
MOST_OPERATIONS = 60
MOST_MAPS = 16  # of the same operands that each map is compared with


def reuse_outputs(form: Form) -> Form:
    """The same outputs, with maps that read what other maps have computed."""
    return repeated(form, _reused_once)


def reuse_named(form: Form) -> Form:
    """The same, reading only what has a name: a reader knows nothing else to be computed."""
    return repeated(form, lambda now: _reused_once(now, now.names))


def read_instead(form: Form, known: Sequence[Node], kept: Container[Node]) -> Form:
    """The same outputs with maps that read those of `known` whose formulas they hold.

    `known`: tensors that nothing in `form` computes. What is `kept` stays as it is. For readers:
    sigmoid(-x) is 1 - y too, where y = sigmoid(x), though that cancels where y is near 1.
    """
    index = _Outputs(known)
    index.now |= {x: x for y in known for x in (y, *y.operands)}

    def rule(rebuilt: Node, original: Node) -> Node:
        node = rebuilt
        if isinstance(original, Map) and original not in kept and node.dtype == FLOAT:
            for y in index.readable_by(original):
                for reading in (_reading, _reading_complement):
                    new = reading(node, y, index.now) if isinstance(node, Map) else None
                    node = node if new is None else new
        return node

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _reused_once(form: Form, readable: Container[Node] | None = None) -> Form:
    nodes = postorder(form.outputs.values())
    index = _Outputs(nodes if readable is None else [n for n in nodes if n in readable])

    def rule(rebuilt: Node, original: Node) -> Node:
        node = rebuilt
        if isinstance(node, Map) and isinstance(original, Map) and node.dtype == FLOAT:
            for y in index.readable_by(original):
                assert isinstance(node, Map)
                new = _reading(node, y, index.now)
                if new is not None:
                    node = new
                    if not isinstance(node, Map):
                        break
        index.now[original] = node
        return node

    return form.rewritten(rewrite(form.outputs.values(), rule))


class _Outputs:
    """The maps of a graph by what they read. `now`: what those passed already have become.

    A map may only read one that comes before it: two can never come to read each other.
    """

    def __init__(self, order: Iterable[Node]) -> None:
        self.now: dict[Node, Node] = {}
        self._by_operands: dict[frozenset[Node], list[Map]] = {}
        for node in order:
            if isinstance(node, Map) and _is_worth_reading(node):
                known = self._by_operands.setdefault(frozenset(node.operands), [])
                if len(known) < MOST_MAPS:
                    known.append(node)

    def readable_by(self, node: Map) -> Iterable[Map]:
        """Maps passed already whose operands are operands of `node`; those of most come first."""
        operands = tuple(dict.fromkeys(node.operands))
        if len(operands) > MOST_OPERANDS or operation_count(node.formula) > MOST_OPERATIONS:
            return
        for count in range(len(operands), 0, -1):
            for chosen in combinations(operands, count):
                for y in self._by_operands.get(frozenset(chosen), ()):
                    if y in self.now:
                        yield y


def _is_worth_reading(node: Map) -> bool:
    return node.dtype == FLOAT and _has_functions(node.formula)


@lru_cache(maxsize=16384)
def _has_functions(formula: Expr) -> bool:
    """Whether there is more than arithmetic in it: a function, a root or a division by a slot."""

    def has(part: Any, below: tuple[bool, ...]) -> bool:
        is_arithmetic = part.is_Add or part.is_Mul or not part.args or not slots_of(part)
        is_power = part.is_Pow and part.exp.is_Integer and part.exp > 0
        return any(below) or not (is_arithmetic or is_power)

    return fold(formula, has)


def _reading(node: Map, y: Map, now: dict[Node, Node]) -> Node | None:
    """`node` reading what `y` has become; None if that gains nothing."""
    output = now[y]
    own = _places(node, y, now)
    if output is node or own is None:
        return None
    end = len(node.operands)
    formula = None
    if len(own) == 1:
        formula = _without(node.formula, own[0][1], y.formula, end)
    if formula is None:
        formula = _with_literal(node.formula, renumbered(y.formula, own), end)
    if formula is None:
        return None
    return folded(map_of(formula, (*node.operands, output), node.shape, node.dtype))


def _reading_complement(node: Map, y: Map, now: dict[Node, Node]) -> Node | None:
    """`node` with 1 - y for sigmoid(-x), where y = sigmoid(x)."""
    own = _places(node, y, now)
    if own is None or not isinstance(y.formula, f.sigmoid):
        return None
    other = renumbered(f.sigmoid(-y.formula.args[0]), own)
    formula = _replaced(node.formula, other, 1 - slot(len(node.operands)))
    if formula == node.formula:
        return None
    return folded(map_of(formula, (*node.operands, now[y]), node.shape, node.dtype))


def _places(node: Map, y: Map, now: dict[Node, Node]) -> tuple[tuple[int, int], ...] | None:
    """Which operands of `node` those of `y` are, None if it does not read them all."""
    position = {operand: i for i, operand in enumerate(node.operands)}
    operands = [now[operand] for operand in y.operands]
    if any(operand not in position for operand in operands):
        return None
    return tuple((k, position[operand]) for k, operand in enumerate(operands))


@lru_cache(maxsize=65536)
def _with_literal(formula: Expr, whole: Expr, y: int) -> Expr | None:
    """`formula` with `whole`, as it stands, replaced by slot y."""
    if not heads(whole) <= heads(formula):
        return None
    new = _replaced(formula, whole, slot(y))
    return None if new == formula else new


def _replaced(formula: Any, old: Any, new: Any) -> Any:
    return fold(formula, lambda part, args: new if part == old else rebuild(part, args))


@lru_cache(maxsize=65536)
def _without(formula: Expr, x: int, forward: Expr, y: int) -> Expr | None:
    """`formula` with every part that depends on slot x alone as a formula of slot y = forward(x).

    None unless slot x is gone then.
    """
    try:
        new = _exchanged(formula, x, forward, y)
    except _NotReusable:
        return None
    return stabilise_formula(new)


_reuse = lru_cache(maxsize=4096)(reuse_output)


class _NotReusable(Exception):
    """A part of a formula cannot be computed from the output."""


def _exchanged(formula: Any, x: int, forward: Expr, y: int) -> Any:
    if x not in slots_of(formula):
        return formula
    if slots_of(formula) == (x,):
        wanted = renumbered(formula, ((x, 0),))
        found = _reuse(forward, wanted)
        if found is None:
            raise _NotReusable
        return renumbered(found, ((0, y),))
    if formula.is_Add or formula.is_Mul:
        alone = [arg for arg in formula.args if slots_of(arg) == (x,)]
        others = [arg for arg in formula.args if slots_of(arg) != (x,)]
        if len(alone) > 1:
            others.append(formula.func(*alone))
            alone = []
        args = [_exchanged(arg, x, forward, y) for arg in (*alone, *others)]
        return formula.func(*args)
    return formula.func(*(_exchanged(arg, x, forward, y) for arg in formula.args))


