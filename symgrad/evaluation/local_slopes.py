"""The slope of one node at given values of its operands, found by computing the node.

A change is carried along with the operand (`carried.py`). Where that gives no number, since an
infinity stands beside it, central differences are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.evaluation.carried import Array, change, moving
from symgrad.evaluation.compare import Finding, compared, is_moderate
from symgrad.evaluation.interpreter import Value, computed
from symgrad.evaluation.matrices import SYMMETRIC
from symgrad.evaluation.sizes import Sizes
from symgrad.expr.contraction import Contraction
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan

STEP = 1e-5


def changed(
    node: Node, below: Sequence[Value], directions: Mapping[int, Array], sizes: Sizes
) -> Value:
    """How `node` changes when its operands move along `directions`, by their positions."""
    moved = list(below)
    for k, direction in directions.items():
        moved[k] = moving(below[k], np.where(is_moderate(below[k]), direction, 0))
    value = computed(node, moved, sizes)
    if isinstance(node, Scan):
        return value
    slope = change(value)
    if np.all(np.isfinite(slope)):
        return slope
    return np.where(np.isfinite(slope), slope, _by_steps(node, below, directions, sizes))


def _by_steps(
    node: Node, below: Sequence[Value], directions: Mapping[int, Array], sizes: Sizes
) -> Array:
    ahead, behind = (
        computed(node, stepped(below, directions, step), sizes) for step in (STEP, -STEP)
    )
    with np.errstate(invalid="ignore"):
        return (ahead - behind) / (2 * STEP)


def stepped(below: Sequence[Value], directions: Mapping[int, Array], step: float) -> list[Value]:
    """The operands that much further."""
    return [x + step * directions[k] if k in directions else x for k, x in enumerate(below)]


def direction_like(node: Node, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A random change of an operand of `node`; a symmetric one where its matrices are."""
    v = rng.standard_normal(shape)
    return (v + np.swapaxes(v, -1, -2)) / 2 if isinstance(node, SYMMETRIC) else v


def contribution_holds(
    node: Node, below: Sequence[Value], k: int, g: Value, given: Array, context: Any
) -> Finding:
    """Whether <given, v> is the slope of <g, node> when operand k moves along a random v."""
    v = direction_like(node, np.shape(given), context.rng)
    v = np.where(is_moderate(np.broadcast_to(below[k], v.shape)), v, 0)
    slope = changed(node, below, {k: v}, context.sizes)
    pairs = [(g, slope)]
    if isinstance(node, Scan):
        pairs = _of_scan(node, below, {k: v}, g, slope, context.sizes)
    terms = [np.where(each == 0, 0, each * s) for each, s in pairs]
    parts = np.where(v == 0, 0, given * v)
    expected = sum(float(np.sum(term)) for term in terms)
    scale = max(float(np.linalg.norm(np.ravel(x))) for x in (parts, *terms))
    finding = compared(np.sum(parts), np.asarray(expected), scale)
    return Finding(finding.error, max(np.size(given), 1)) if finding.count else finding


def magnitude(
    node: Node, below: Sequence[Value], directions: Mapping[int, Array], sizes: Sizes
) -> Array:
    """What the rounding of the change of `node` is relative to: its terms, without their signs."""
    if isinstance(node, Contraction):
        below = [np.abs(x) for x in below]
    parts = [changed(node, below, {k: np.abs(v)}, sizes) for k, v in directions.items()]
    return sum(np.abs(part) for part in parts)


def _of_scan(
    node: Scan,
    below: Sequence[Value],
    directions: Mapping[int, Array],
    g: Mapping[Any, Array],
    moved: Any,
    sizes: Sizes,
) -> list[tuple[Array, Array]]:
    """What arrived at each result of a scan, with the slope of that result."""
    pairs = [(each, change(result_of(moved, key))) for key, each in g.items()]
    if all(np.all(np.isfinite(slope)) for _, slope in pairs):
        return pairs
    ahead, behind = (
        computed(node, stepped(below, directions, step), sizes) for step in (STEP, -STEP)
    )
    with np.errstate(invalid="ignore"):
        return [
            (each, (result_of(ahead, key) - result_of(behind, key)) / (2 * STEP))
            for key, each in g.items()
        ]


def result_of(run: Any, key: Any) -> Array:
    """What `key` of a bundle stands for, of a scan that was run."""
    if hasattr(key, "node"):
        return run.stacked(key.node)
    return run.final(key.args[0].node)
