"""Scans: the adjoint of a scan is a scan in the other direction, its step the adjoint of the step.

    s[t] = f(s[t-1], x[t], w)       a = s'[T]; for t = T-1, ..., 0:  a, x'[t], w' += J_f(t)^T a

This is backpropagation through time. The derived step reads the tensors of the step that it came
from, so it stands over the same bound tensors: the state before each step has become a sequence,
`Stacked(scan, state)`, and nothing is written twice. What the steps add to a fixed tensor is asked
for at every step and summed afterwards, which makes a weight's gradient one product.
"""

from __future__ import annotations

import sympy
from sympy.core.containers import Tuple

from symgrad.calculus import batching, forward, reverse
from symgrad.calculus.axes import unbroadcast
from symgrad.calculus.journal import journal_within
from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.contraction import spread, sum_over, transpose
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.scan import (
    Bound,
    Bundle,
    Final,
    Inner,
    Scan,
    Stacked,
    Step,
    key_of,
    stacked,
    wishes,
)
from symgrad.expr.step_index import LATER
from symgrad.expr.walk import depends_on, postorder


@adjoint(Bound)
def bound_adjoint(g: Node, node: Bound) -> Contributions:
    """What is bound has no operands."""
    return ()


@tangent(Bound)
def bound_tangent(tangents: tuple[Node | None, ...], node: Bound) -> None:
    """What is bound moves only as the scan says."""
    return None


@batcher(Bound)
def bound_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """What is bound and not replaced is the same for each entry of the batch."""
    return node


# Results of a scan


@adjoint(Final)
def final_adjoint(g: Node, node: Final, scan: Node) -> Contributions:
    """s = s[T]  =>  the reversed scan starts with a = G."""
    return (Bundle((key_of(node),), g),)


@adjoint(Stacked)
def stacked_adjoint(g: Node, node: Stacked, scan: Node) -> Contributions:
    """Y[t] = y of step t  =>  step t of the reversed scan adds G[t] to what arrives at y."""
    return (Bundle((key_of(node),), g),)


@adjoint(Bundle)
def bundle_adjoint(g: Node, node: Bundle, *operands: Node) -> Contributions:
    """A bundle lives within one derivation; nothing flows back into it."""
    raise AssertionError("a bundle of cotangents is never differentiated")


@tangent(Bundle)
def bundle_tangent(tangents: tuple[Node | None, ...], node: Bundle, *operands: Node) -> None:
    """A bundle lives within one derivation, and no other meets it."""
    raise AssertionError("a bundle of cotangents is never differentiated")


@batcher(Bundle)
def bundle_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """A bundle lives within one derivation, and is never batched."""
    raise AssertionError("a bundle of cotangents is never batched")


@tangent(Final)
def final_tangent(tangents: tuple[Node | None, ...], node: Final, scan: Node) -> Node | None:
    """s = s[T]  =>  ds = ds[T]."""
    (moved,) = tangents
    assert isinstance(moved, Scan | None) and isinstance(scan, Scan)
    t = None if moved is None else moved.step.companions.get(node.state)
    if t is None:
        return None
    assert isinstance(moved, Scan)
    return Final(moved, t)


@tangent(Stacked)
def stacked_tangent(tangents: tuple[Node | None, ...], node: Stacked, scan: Node) -> Node | None:
    """Y[t] = y of step t  =>  dY[t] = dy of step t."""
    (moved,) = tangents
    if moved is None or node.inner.dtype != FLOAT:
        return None
    assert isinstance(moved, Scan)
    (t,) = forward.directional([node.inner], moved.step.companions)
    return None if _is_zero(t) else stacked(moved, t)


@batcher(Final)
def final_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """S[b] = s[T] of entry b."""
    (scan,) = operands
    assert isinstance(scan, Scan) and isinstance(node, Final)
    of_batch = scan.step.companions.get(node.state)
    if of_batch is None:
        return spread(Final(scan, node.state), {0: size})
    return Final(scan, of_batch)


@batcher(Stacked)
def stacked_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """Y[b, t] = y of step t of entry b."""
    (scan,) = operands
    assert isinstance(scan, Scan) and isinstance(node, Stacked)
    became = batching.batched_nodes([node.inner], scan.step.companions, size)
    if node.inner not in became:
        return spread(stacked(scan, node.inner), {0: size})
    whole = stacked(scan, became[node.inner])
    return transpose(whole, [1, 0, *range(2, whole.ndim)])


# The scan itself


@adjoint(Scan)
def scan_adjoint(g: Node, node: Scan, *operands: Node) -> Contributions:
    """s[t] = f(s[t-1], x[t], w)  =>  a[t-1] = J_s(t)^T a[t], X'[t] = J_x(t)^T a[t],
    w' = sum_t J_w(t)^T a[t].  [Werbos 1990, backpropagation through time]
    """
    assert isinstance(g, Bundle)
    step = node.step
    states = [k for k, state in enumerate(step.carried) if state.dtype == FLOAT]
    arrived = dict(zip(g.keys, g.operands, strict=True))
    last = {k: arrived.pop(Tuple(Inner(step.carried[k])), None) for k in states}
    arriving = {
        inner: Bound.like(inner.node, ("d", node, inner), _d(inner.node))
        for inner in arrived
        if isinstance(inner, Inner)
    }
    carried = step.carried
    shared = _read_elsewhere(step, [inner.node for inner in arriving])
    later = {k: _d(carried[k]) + (LATER if step.following[k] in shared else "") for k in states}
    after = {k: Bound.like(carried[k], ("d", node, k), later[k]) for k in states}
    seeds = [(step.following[k], after[k]) for k in states]
    seeds += [(inner.node, cotangent) for inner, cotangent in arriving.items()]
    wrt = [bound for bound in step.bound if bound.dtype == FLOAT]
    slopes = dict(zip(wrt, _slopes(node, seeds, wrt), strict=True))
    reversed_step = Step(
        carried=after.values(),
        following=(slopes[step.carried[k]] for k in states),
        sequences=(*step.carried, *step.sequences, *arriving.values()),
        fixed=step.fixed,
    )
    seen = [stacked(node, state) for state in step.carried]
    sequences = [arrived[inner] for inner in arriving]
    after_all = len(step.carried) + len(step.sequences)
    back = Scan(
        reversed_step,
        node.length,
        not node.is_reversed,
        *(_or_zeros(last[k], step.carried[k]) for k in states),
        *seen,
        *operands[len(step.carried) : after_all],
        *sequences,
        *operands[after_all:],
    )
    assert isinstance(back, Scan)
    of_states: list[Node | None] = [
        Final(back, after[k]) if k in states else None for k in range(len(step.carried))
    ]
    of_sequences = [_each(back, slopes.get(x)) for x in step.sequences]
    of_fixed = [_summed(back, slopes.get(w)) for w in step.fixed]
    return (*of_states, *of_sequences, *of_fixed)


def _slopes(scan: Scan, seeds: list[tuple[Node, Node]], wrt: list[Node]) -> list[Node]:
    """The gradients of one step; what arrives at a named tensor is named after it."""
    journal = journal_within(scan)
    slopes = reverse.pullback(seeds, wrt, journal)
    for (_, cotangent), nodes in journal.sharing.items():
        if isinstance(cotangent, Bound | Constant):
            continue
        named = [node for node in nodes if node.label is not None or node in wishes]
        named += [node for node in nodes if isinstance(node, Bound)]
        if named:
            wishes.setdefault(cotangent, _d(named[0]))
    return [unbroadcast(slope, x.shape) for slope, x in zip(slopes, wrt, strict=True)]


def _read_elsewhere(step: Step, arrived: list[Node]) -> set[Node]:
    """The next states at which more arrives than comes from the step after."""
    order = postorder([*step.following, *arrived])
    read = {operand for node in order for operand in node.operands}
    twice = {node for node in step.following if step.following.count(node) > 1}
    return read | twice | set(arrived)


def _d(node: Node) -> str:
    return f"d_{node.label or wishes.get(node) or getattr(node, 'name', None) or 'part'}"


def _is_zero(node: Node) -> bool:
    return isinstance(node, Constant) and node.value == 0


def _or_zeros(cotangent: Node | None, state: Node) -> Node:
    return Constant(0, state.shape, FLOAT) if cotangent is None else cotangent


def _each(back: Scan, slope: Node | None) -> Node | None:
    return None if slope is None or _is_zero(slope) else stacked(back, slope)


def _summed(back: Scan, slope: Node | None) -> Node | None:
    each = _each(back, slope)
    return None if each is None else sum_over(each, [0])


@tangent(Scan)
def scan_tangent(tangents: tuple[Node | None, ...], node: Scan, *operands: Node) -> Node | None:
    """s[t] = f(s[t-1], x[t], w)  =>  ds[t] = J_s(t) ds[t-1] + J_x(t) dx[t] + J_w(t) dw."""
    step = node.step
    given = {b: t for b, t in zip(step.bound, tangents, strict=True) if t is not None}
    moving = _moving(step, set(given))
    if not moving:
        return None
    companions = {
        b: Bound.like(b, ("t", node, b), f"t_{b.name}") for b in step.bound if b in moving
    }
    states = [k for k, state in enumerate(step.carried) if state in moving]
    following = [step.following[k] for k in states]
    changes = forward.directional(following, companions, journal_within(node))
    moved = [x for x in step.sequences if x in moving]
    fixed = [w for w in step.fixed if w in moving]
    of_step = len(step.carried)
    of_sequences = of_step + len(step.sequences)
    return Scan(
        Step(
            carried=(companions[step.carried[k]] for k in states),
            following=changes,
            sequences=(*step.carried, *step.sequences, *(companions[x] for x in moved)),
            fixed=(*step.fixed, *(companions[w] for w in fixed)),
            companions=companions,
        ),
        node.length,
        node.is_reversed,
        *(_or_zeros(given.get(step.carried[k]), step.carried[k]) for k in states),
        *(stacked(node, state) for state in step.carried),
        *operands[of_step:of_sequences],
        *(given[x] for x in moved),
        *operands[of_sequences:],
        *(given[w] for w in fixed),
    )


def _moving(step: Step, moving: set[Node]) -> set[Node]:
    """What of a step moves: with it the states that follow from what moves, round after round."""
    while True:
        order = postorder(step.following)
        reached = reverse.active_nodes(order, list(moving))
        more = {
            state
            for state, follows in zip(step.carried, step.following, strict=True)
            if follows in reached and state.dtype == FLOAT
        }
        if more <= moving:
            return moving
        moving = moving | more


@batcher(Scan)
def scan_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """s[b, t] = f(s[b, t-1], x[b, t], w[b]): one scan over states that hold the batch."""
    assert isinstance(node, Scan)
    step = node.step
    moves = _batched(step, {b for b, is_moved in zip(step.bound, batched, strict=True) if is_moved})
    companions = {
        b: Bound(b.name, ("batch", node, size, b), (size, *b.shape), b.dtype)
        for b in step.bound
        if b in moves
    }
    for old, new in companions.items():
        new.label = old.label
    became = batching.batched_nodes(step.following, companions, size)
    following = [
        _repeated(became.get(follows), follows, size) if state in moves else follows
        for state, follows in zip(step.carried, step.following, strict=True)
    ]
    given = []
    for bound, operand, is_moved in zip(step.bound, operands, batched, strict=True):
        if is_moved and bound in step.sequences:
            operand = transpose(operand, [1, 0, *range(2, operand.ndim)])
        elif bound in moves and not is_moved:
            operand = spread(operand, {0: size})
        given.append(operand)
    return Scan(
        Step(
            carried=(companions.get(b, b) for b in step.carried),
            following=following,
            sequences=(companions.get(b, b) for b in step.sequences),
            fixed=(companions.get(b, b) for b in step.fixed),
            companions=companions,
        ),
        node.length,
        node.is_reversed,
        *given,
    )


def _batched(step: Step, moves: set[Node]) -> set[Node]:
    """What of a step differs within the batch, with the states that follow from it."""
    while True:
        found = depends_on(step.following, moves)
        more = {
            state
            for state, follows in zip(step.carried, step.following, strict=True)
            if follows in found
        }
        if more <= moves:
            return moves
        moves = moves | more


def _repeated(batched: Node | None, node: Node, size: sympy.Expr) -> Node:
    return spread(node, {0: size}) if batched is None else batched
