"""Steps of forward mode, and of all directions at once, computed on both sides at one point."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.calculus.journal import Step
from symgrad.evaluation.carried import Array, change, moving
from symgrad.evaluation.compare import (
    Finding,
    all_compared,
    compared,
    together,
    where_moderate,
)
from symgrad.evaluation.context import Context, Stretch
from symgrad.evaluation.interpreter import Evaluation, Run
from symgrad.evaluation.local_slopes import changed, magnitude
from symgrad.evaluation.map_slopes import MapSlope
from symgrad.evaluation.matrices import SYMMETRIC
from symgrad.expr.leaf import Cotangent, Tangent
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.expr.walk import postorder

DIRECTIONS = 4  # of a basis, that are taken alone at each point


def rule(step: Step, stretch: Stretch, context: Context) -> Finding:
    node = step.node
    tangents = {
        k: stretch.moving[x]
        for k, x in enumerate(node.operands)
        if x in stretch.moving and x.dtype == FLOAT
    }
    if tuple(tangents.values()) != step.before:
        return Finding(0.0, 0)
    given = context.values.value(step.result)
    if isinstance(node, Final | Stacked):
        return _result_moves(node, context.values.value(step.before[0]), given, context)
    directions = dict(zip(tangents, context.values.values(tangents.values()), strict=True))
    if isinstance(node, Map):
        known = context.known(step)
        return MapSlope(node, step.result, directions, np.ones(()), known).holds(
            given, context.sizes
        )
    if isinstance(node, SYMMETRIC) and not _is_symmetric(directions[0]):
        return Finding(0.0, 0)
    slope = changed(node, context.below(node), directions, context.sizes)
    if isinstance(node, Scan):
        return _scan_moves(node, step.result, slope, given)
    slope = where_moderate(slope, context.values.value(node))
    finding = compared(np.broadcast_to(given, np.shape(slope)), slope)
    if finding.holds:
        return finding
    scale = magnitude(node, context.below(node), directions, context.sizes)
    return compared(np.broadcast_to(given, np.shape(slope)), slope, scale)


def _result_moves(node: Final | Stacked, moved: Run, given: Array, context: Context) -> Finding:
    """A result of a scan: as its step says, when what the step is given moves as in `moved`."""
    companions = moved.node.step.companions
    if isinstance(node, Final):
        companion = companions.get(node.state)
        return Finding(np.inf, 1) if companion is None else compared(given, moved.final(companion))
    rows = []
    kept = context.values.value(node)
    for step in moved.steps:
        bound = {b: step.value(b) for b in node.scan.step.bound}
        bound |= {b: moving(bound[b], step.value(c)) for b, c in companions.items() if b in bound}
        rows.append(change(Evaluation(bound, context.sizes).value(node.inner)))
    slopes = np.array(rows).reshape(np.shape(given))
    return compared(given, where_moderate(slopes, kept))


def _scan_moves(node: Scan, moved: Node, run: Run, given: Any) -> Finding:
    """The carried tensors of the derived scan, with how those of `node` change."""
    assert isinstance(moved, Scan)
    findings = []
    for state in node.step.carried:
        companion = moved.step.companions.get(state)
        states = run.final(state), run.stacked(state)
        expected = tuple(where_moderate(change(x), x.real) for x in states)
        found = (
            tuple(np.zeros(np.shape(x)) for x in expected)
            if companion not in moved.step.carried
            else (given.final(companion), given.stacked(companion))
        )
        if state.dtype == FLOAT:
            findings += all_compared(found, expected)
    return together(findings)


def _is_symmetric(direction: Array) -> bool:
    return np.allclose(direction, np.swapaxes(direction, -1, -2), rtol=1e-9, atol=1e-12)


def broadcast(step: Step, stretch: Stretch, context: Context) -> Finding:
    tangent, fitted = context.values.values((step.before[0], step.result))
    return compared(fitted, np.broadcast_to(tangent, context.sizes.shape(step.node.shape)))


def still(step: Step, stretch: Stretch, context: Context) -> Finding:
    """An output that does not move when all moves that does."""
    moved = {
        node: moving(context.values.value(node), context.values.value(stretch.moving[node]))
        for node in stretch.seeds
    }
    (output,) = context.elsewhere(moved, [step.node])
    return compared(change(output), np.zeros(np.shape(output)), output.real)


def batch(step: Step, stretch: Stretch, context: Context) -> Finding:
    (one,) = step.before
    every = context.values.value(step.result)
    leaves = [
        leaf
        for leaf in postorder([one])
        if isinstance(leaf, Tangent | Cotangent) and leaf.name == "_direction"
    ]
    if not leaves:
        return compared(every, np.broadcast_to(context.values.value(one), np.shape(every)))
    shape = context.sizes.shape(leaves[0].shape)
    places = list(np.ndindex(*shape))
    chosen = context.rng.permutation(len(places))[:DIRECTIONS]
    findings = []
    for place in (places[i] for i in chosen):
        unit = np.zeros(shape)
        unit[place] = 1
        (alone,) = context.elsewhere({leaves[0]: unit}, [one])
        findings.append(compared(every[place], alone, np.max(np.abs(every))))
    return together(findings)
