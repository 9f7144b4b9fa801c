"""Regions: adjacent maps seen as one scalar formula, as far as the stabiliser makes use of it.

    p = exp(z) / s,  s = sum_j exp(z)     ->   exp(_0 - _1)   over z and logsumexp(z)
    log(p)                                ->   _0 - _1        over the same
    1/(1 + exp(-x)), one map each step    ->   sigmoid(_0)    over x

A region is a map and some of the maps below it. It grows level by level while it is small, and is
kept only if a rewrite crosses its inner boundaries; those that no rewrite crosses are put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import Expr, exp

from symgrad.expr.formula import heads, operation_count, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.slots import fold
from symgrad.passes.logspace import Logarithms, through_view
from symgrad.passes.maps import composed, renumbered
from symgrad.passes.stability import stabilise_formula
from symgrad.passes.views import canonical, view_of

MOST_OPERATIONS = 40
MOST_LEVELS = 6
# Below a map without one of these no rule has anything to do.
TELLING = frozenset(
    {"exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "log1mexp", "bose", "power"}
    | {"sigmoid", "softplus", "logaddexp", "logaddexp2", "logcosh", "cos", "cosh", "sinh"}
    | {"versin", "hypot", "absolute", "sign", "reciprocal"}
)


@dataclass(frozen=True)
class Whole:
    """A formula over nodes, of which views are in canonical form."""

    formula: Expr
    operands: tuple[Node, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "operands", tuple(map(canonical, self.operands)))


@dataclass(frozen=True)
class Part(Whole):
    """What a node below a map is made of.

    is_sum: it is a sum of exponentials read in log space, of use only if the exp cancels.
    """

    is_sum: bool = False


class Regions:
    """Finds the region below each map of one graph."""

    def __init__(self) -> None:
        self._logarithms = Logarithms()
        self._parts: dict[Node, Part | None] = {}
        self._distance: dict[Node, int] = {}

    def stable(self, root: Map) -> Whole | None:
        """`root` as a formula over nodes further down; None if no rewrite asks for that."""
        if self._levels_to_telling(root) > MOST_LEVELS:
            return None
        opened = self._grown(root)
        if not opened:
            return None
        lost = self._uncancelled(self._composed(root, opened), opened)
        opened = [x for x in opened if x not in lost]
        while opened:
            superfluous = self._superfluous(root, opened)
            if superfluous is None:
                break
            opened.remove(superfluous)
        whole = self._composed(root, opened)
        return whole if opened and not self._uncancelled(whole, opened) else None

    # -- parts -------------------------------------------------------------------------------

    def _part(self, node: Node) -> Part | None:
        if node not in self._parts:
            self._parts[node] = self._find(node)
        return self._parts[node]

    def _find(self, node: Node) -> Part | None:
        if node.dtype != FLOAT:
            return None
        if isinstance(node, Map):
            return Part(stabilise_formula(node.formula), node.operands)
        logarithm = self._logarithms.of_sum(node)
        if logarithm is not None:
            return Part(exp(logarithm.formula), logarithm.operands, is_sum=True)
        found = view_of(node)
        if found is None or not isinstance(found[0], Map):
            return None
        inner, axes = found
        operands = through_view(inner.operands, inner.shape, axes, node.shape)
        return Part(stabilise_formula(inner.formula), operands)

    def _levels_to_telling(self, node: Node) -> int:
        """How far below `node` the nearest telling function is, counted to MOST_LEVELS + 1."""
        if node not in self._distance:
            part = self._part(node)
            if part is None:
                distance = MOST_LEVELS + 1
            elif part.is_sum or heads(part.formula) & TELLING:
                distance = 0
            else:
                below = (self._distance.get(x, 0 if self._part(x) else 99) for x in part.operands)
                distance = min(1 + min(below), MOST_LEVELS + 1)
            self._distance[node] = distance
        return self._distance[node]

    # -- growth ------------------------------------------------------------------------------

    def _grown(self, root: Map) -> list[Node]:
        """The nodes down to the deepest level at whose boundary a rewrite fired."""
        whole = Whole(stabilise_formula(root.formula), root.operands)
        opened: list[Node] = []
        deepest = 0
        for _ in range(MOST_LEVELS):
            level = self._level(whole, whole.operands)
            raw = _opened(whole, level)
            if not level or operation_count(raw.formula) > MOST_OPERATIONS:
                break
            opened += [x for x in level if x not in opened]
            stable = _stabilised(raw)
            if stable.formula != raw.formula or _cancels(whole, level, raw):
                deepest = len(opened)
            whole = stable
        return opened[:deepest]

    def _level(self, whole: Whole, candidates: Iterable[Node]) -> dict[Node, Part]:
        inside = set(candidates)
        parts = {x: self._part(x) for x in whole.operands if x in inside}
        found = {x: part for x, part in parts.items() if part is not None}
        # one below another waits for it: opened here and closed there it would look like two
        below = set[Node]().union(*map(self._below, found)) if len(found) > 1 else set[Node]()
        return {x: part for x, part in found.items() if x not in below}

    def _below(self, node: Node) -> set[Node]:
        """The nodes that opening `node`, and what it is made of, may bring to light."""
        found: set[Node] = set()
        level = {node}
        for _ in range(MOST_LEVELS):
            parts = [part for x in level if (part := self._part(x)) is not None]
            level = {x for part in parts for x in part.operands} - found
            found |= level
        return found

    def _composed(self, root: Whole | Map, opened: Iterable[Node]) -> Whole:
        """`root` over the operands that are left once the nodes of `opened` are opened."""
        inside = set(opened)
        whole = Whole(stabilise_formula(root.formula), root.operands)
        while level := self._level(whole, inside):
            inside -= set(level)
            whole = _stabilised(_opened(whole, level))
        return whole

    # -- which boundaries matter -------------------------------------------------------------

    def _superfluous(self, root: Map, opened: list[Node]) -> Node | None:
        """A node of `opened` whose boundary no rewrite crosses, or that is never reached."""
        whole = self._composed(root, opened)
        for node in opened:
            others = [x for x in opened if x is not node]
            closed = self._composed(root, others)
            if node not in closed.operands:
                return node
            part = self._part(node)
            assert part is not None
            inner = {node: self._composed(part, others)}
            reopened = _opened(closed, inner)
            if _is_same(reopened, whole) and not _cancels(closed, inner, reopened):
                return node
        return None

    def _uncancelled(self, whole: Whole, opened: Iterable[Node]) -> set[Node]:
        """The sums of `opened` whose exponential still stands alone in `whole`."""
        position = {x: i for i, x in enumerate(whole.operands)}
        alone = _slots_of_exponentials(whole.formula)
        found = set()
        for node in opened:
            part = self._part(node)
            if part is None or not part.is_sum:
                continue
            own = {position[x] for x in part.operands if x in position}
            if any(slots and slots <= own for slots in alone):
                found.add(node)
        return found


def _opened(whole: Whole, parts: Mapping[Node, Whole]) -> Whole:
    inner = {
        i: (parts[x].formula, parts[x].operands)
        for i, x in enumerate(whole.operands)
        if x in parts
    }
    return Whole(*composed(whole.formula, whole.operands, inner))


def _stabilised(whole: Whole) -> Whole:
    """The stable formula over the operands that are still in it."""
    formula = stabilise_formula(whole.formula)
    used = slots_of(formula)
    moved = tuple((i, k) for k, i in enumerate(used))
    return Whole(renumbered(formula, moved), tuple(whole.operands[i] for i in used))


def _is_same(a: Whole, b: Whole) -> bool:
    """Whether two formulas over nodes are one, whatever the order of the nodes."""
    position = {x: i for i, x in enumerate(b.operands)}
    used = slots_of(a.formula)
    if {a.operands[i] for i in used} != {b.operands[i] for i in slots_of(b.formula)}:
        return False
    moved = tuple((i, position[a.operands[i]]) for i in used)
    return bool(renumbered(a.formula, moved) == b.formula)


def _cancels(whole: Whole, parts: Mapping[Node, Whole], opened: Whole) -> bool:
    """Whether functions, operands or operations cancelled when `parts` were put into `whole`."""
    apart = [whole.formula, *(part.formula for part in parts.values())]
    if operation_count(opened.formula) < max(map(operation_count, apart)):
        return True
    position = {x: i for i, x in enumerate(opened.operands)}
    below: set[Any] = set()
    for part in parts.values():
        moved = tuple((k, position[x]) for k, x in enumerate(part.operands))
        below |= _functions(renumbered(part.formula, moved))
    if len(_functions(opened.formula)) < len(_functions(whole.formula)) + len(below):
        return True
    return len(slots_of(opened.formula)) < len(opened.operands)


@lru_cache(maxsize=65536)
def _functions(formula: Expr) -> frozenset[Any]:
    """The distinct functions and powers in a formula."""
    found: set[Any] = set()

    def note(node: Any, _: tuple[None, ...]) -> None:
        if node.args and not node.is_Add and not node.is_Mul and slots_of(node):
            found.add(node)

    fold(formula, note)
    return frozenset(found)


@lru_cache(maxsize=16384)
def _slots_of_exponentials(formula: Expr) -> tuple[frozenset[int], ...]:
    """The slots in the exponent of each exponential of a formula."""
    found: list[frozenset[int]] = []

    def note(node: Any, _: tuple[None, ...]) -> None:
        if isinstance(node, exp):
            found.append(frozenset(slots_of(node)))

    fold(formula, note)
    return tuple(found)
