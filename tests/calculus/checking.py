"""The checkers of this folder: each raises Mismatch, and `test_mutations` proves that it can.

Finite differences are central, in float64, along random directions. A derivative `a` and a
difference quotient `fd` agree if |a - fd| <= 1e-6 (|a| + |fd|) + 4 eps |f| / h; what is not a
number never agrees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import sympy
from catalogue import SIZES, Case, actual_shape
from numpy_evaluator import evaluate as evaluate_nodes

from symgrad.calculus.batching import batch
from symgrad.calculus.forward import directional
from symgrad.calculus.reverse import gradients, pullback
from symgrad.expr.contraction import sum_over
from symgrad.expr.leaf import Cotangent, Input, Tangent
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import slot

STEP = 1e-5
EPS = float(np.finfo(np.float64).eps)
Values = dict[Node, np.ndarray]


class Mismatch(AssertionError):
    """A derivative is wrong."""


def evaluate(roots: Sequence[Node], values: Values) -> list[np.ndarray]:
    return evaluate_nodes(roots, values, SIZES)


def agree(a: float, fd: float, magnitude: float) -> bool:
    return abs(a - fd) <= 1e-6 * (abs(a) + abs(fd)) + 4 * EPS * magnitude / STEP


def floats(leaves: Sequence[Node]) -> list[Node]:
    return [leaf for leaf in leaves if leaf.dtype == "float"]


def weighted_sum(y: Node, name: str = "weights") -> tuple[Node, Node]:
    """sum(weights * y) and the leaf of the weights: every entry of y counts, differently."""
    weights = Input(name, y.shape)
    product = Map(slot(0) * slot(1), weights, y)
    return sum_over(product, range(y.ndim)), weights


def drawn(leaf: Node, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=actual_shape(leaf.shape))


def check_gradient(
    loss: Node, wrt: Sequence[Node], values: Values, rng: np.random.Generator
) -> None:
    """The gradients of a scalar loss against differences, for each leaf apart."""
    nodes = gradients(loss, wrt)
    if not all(node.dtype == "float" for node in nodes):
        raise Mismatch(f"the gradients {nodes} are not all floats")
    value, *slopes = evaluate([loss, *nodes], values)
    for leaf, slope in zip(wrt, slopes, strict=True):
        if slope.shape != values[leaf].shape:
            raise Mismatch(f"gradient of {leaf}: shape {slope.shape}")
        v = rng.normal(size=slope.shape)
        along = float(np.sum(slope * v))
        fd = _quotient(loss, leaf, v, values)
        if not agree(along, fd, abs(float(value))):
            raise Mismatch(f"gradient of {leaf}: {along!r}, differences give {fd!r}")


def check_tangent(
    output: Node, wrt: Sequence[Node], values: Values, rng: np.random.Generator
) -> None:
    """Forward mode along one direction of all leaves against differences."""
    loss, weights = weighted_sum(output)
    values = values | {weights: drawn(weights, rng)}
    tangents = {leaf: Tangent(f"t_{leaf.name}", leaf.shape) for leaf in wrt}
    (t,) = directional([output], tangents)
    directions = {leaf: rng.normal(size=values[leaf].shape) for leaf in wrt}
    given = values | {tangents[leaf]: v for leaf, v in directions.items()}
    change, w, value = evaluate([t, weights, loss], given)
    if change.shape != w.shape:
        raise Mismatch(f"tangent of shape {change.shape} for {w.shape}")
    along = float(np.sum(change * w))
    moved = [
        {leaf: values[leaf] + sign * STEP * v for leaf, v in directions.items()} for sign in (1, -1)
    ]
    up, down = (float(evaluate([loss], values | move)[0]) for move in moved)
    fd = (up - down) / (2 * STEP)
    if not agree(along, fd, abs(float(value))):
        raise Mismatch(f"tangent: {along!r}, differences give {fd!r}")


def check_duality(
    output: Node, wrt: Sequence[Node], values: Values, rng: np.random.Generator
) -> None:
    """<c, J t> = <J^T c, t>: forward and reverse mode are each other's transpose."""
    tangents = {leaf: Tangent(f"t_{leaf.name}", leaf.shape) for leaf in wrt}
    c = Cotangent("c", output.shape)
    (change,) = directional([output], tangents)
    slopes = pullback([(output, c)], wrt)
    given = values | {t: rng.normal(size=values[leaf].shape) for leaf, t in tangents.items()}
    given[c] = drawn(c, rng)
    ran, *pulled = evaluate([change, *slopes], given)
    left = np.sum(ran * given[c])
    parts = [p * given[tangents[leaf]] for p, leaf in zip(pulled, wrt, strict=True)]
    right = sum(np.sum(part) for part in parts)
    size = np.sum(np.abs(ran * given[c])) + sum(np.sum(np.abs(part)) for part in parts)
    if not abs(left - right) <= 1e-12 * size:
        raise Mismatch(f"<c, J t> = {left!r} but <J^T c, t> = {right!r}")


def check_batch(
    output: Node, batched: Mapping[Node, bool], values: Values, rng: np.random.Generator
) -> None:
    """A batch of three against three evaluations; each leaf is batched or the same for all."""
    size = 3
    leaves = {
        leaf: Input(f"many_{leaf.name}", (size, *leaf.shape), leaf.dtype)
        for leaf, moves in batched.items()
        if moves
    }
    (together,) = batch([output], leaves, sympy.Integer(size))
    many = {leaf: np.stack([_varied(values[leaf], k, rng) for k in range(size)]) for leaf in leaves}
    (found,) = evaluate([together], values | {leaves[leaf]: a for leaf, a in many.items()})
    for k in range(size):
        (expected,) = evaluate([output], values | {leaf: a[k] for leaf, a in many.items()})
        if found[k].shape != expected.shape or not np.allclose(
            found[k], expected, rtol=1e-12, atol=1e-12, equal_nan=True
        ):
            raise Mismatch(f"entry {k} of the batch: {found[k]!r}, alone {expected!r}")


def _varied(array: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Other values from the same domain: the same entries in another order."""
    return rng.permutation(array.reshape(-1)).reshape(array.shape) if k else array


def _quotient(loss: Node, leaf: Node, v: np.ndarray, values: Values) -> float:
    (up,) = evaluate([loss], values | {leaf: values[leaf] + STEP * v})
    (down,) = evaluate([loss], values | {leaf: values[leaf] - STEP * v})
    return float((up - down) / (2 * STEP))


def case_graph(case: Case, rng: np.random.Generator) -> tuple[Node, list[Node], Values]:
    """The node of a case, its leaves, and values for them."""
    leaves = case.leaves()
    return case.build(*leaves), leaves, dict(zip(leaves, case.values(rng), strict=True))


def check_rule(case: Case, rng: np.random.Generator) -> None:
    """The adjoint of a case: alone, inside an outer factor, around an inner function."""
    y, leaves, values = case_graph(case, rng)
    wrt = floats(leaves)
    alone, weights = weighted_sum(y)
    values[weights] = drawn(weights, rng)
    check_gradient(alone, wrt, values, rng)
    outside, _ = weighted_sum(Map(sympy.sin(slot(0)) * slot(0), y))
    check_gradient(outside, wrt, values, rng)
    inner = {x: _into_range(x) for x in wrt}
    around, _ = weighted_sum(case.build(*(inner.get(x, x) for x in leaves)))
    check_gradient(around, wrt, values, rng)


def _into_range(x: Node) -> Node:
    """A bijection of the sample range -2..2 into itself, with no slope of 1."""
    return Map(slot(0) / 2 + sympy.sin(slot(0)) / 3, x)
