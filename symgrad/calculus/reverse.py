"""Reverse mode: one visit per node, shared cotangents, broadcasts undone and sums made once.

    loss = sum(tanh(x @ W))        d_loss = 1
                                   d_h    = 1 (broadcast)       contraction_adjoint
                                   d_z    = d_h * (1 - tanh(z)**2)      map_adjoint
                                   d_W    = x.T @ d_z           contraction_adjoint

The result is linear in the size of the graph, whatever is shared in it, and meets no recursion
limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy.core.basic import Basic

from symgrad.calculus import rules as rules  # fills the tables
from symgrad.calculus.axes import unbroadcast
from symgrad.calculus.journal import REVERSE, Journal, writing
from symgrad.calculus.rules.contraction import total
from symgrad.calculus.rules.registry import ADJOINTS
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.scan import Bundle, Scan
from symgrad.expr.walk import postorder


def gradients(
    loss: Node, wrt: Sequence[Node], seed: Node | None = None, journal: Journal | None = None
) -> list[Node]:
    """The gradient of sum(seed * loss) with respect to each of `wrt`, each of its shape.

    `seed` is 1 where it is not given. What the loss does not depend on gets Constant(0).
    """
    if seed is None:
        seed = Constant(1, loss.shape, FLOAT)
    return pullback([(loss, seed)], wrt, journal)


def pullback(
    seeds: Sequence[tuple[Node, Node]], wrt: Sequence[Node], journal: Journal | None = None
) -> list[Node]:
    """The gradient of sum(seed * output), added up over `seeds`, for each of `wrt`."""
    order = postorder(output for output, _ in seeds)
    active = active_nodes(order, wrt)
    arrived: dict[Node, list[Node]] = {}
    for output, seed in seeds:
        assert same_shape(seed.shape, output.shape), (seed, output)
        arrived.setdefault(output, []).append(seed)
        if journal is not None:
            journal.record(REVERSE, "seed", output, seed)
    cotangents: dict[Node, Node] = {}
    for node in reversed(order):
        if node not in active or node not in arrived:
            continue
        g = _accumulated(node, arrived.pop(node), journal)
        cotangents[node] = g
        if any(operand in active for operand in node.operands):
            _propagate(g, node, active, arrived, journal)
    below = set(order)
    return [_gradient(node, cotangents, node in below, journal) for node in wrt]


def active_nodes(order: Sequence[Node], wrt: Sequence[Node]) -> set[Node]:
    """The nodes of `order` (operands first) that a change of `wrt` can reach through floats."""
    active = set(wrt)
    for node in order:
        if node.dtype == FLOAT and any(operand in active for operand in node.operands):
            active.add(node)
    return active


def _accumulated(node: Node, contributions: list[Node], journal: Journal | None) -> Node:
    """The sum of what arrived at `node`, in the order of arrival, as one map."""
    g = bundled(contributions) if isinstance(node, Scan) else total(contributions)
    assert g is not None
    if journal is not None:
        if len(contributions) > 1:
            journal.record(REVERSE, "accumulate", node, g, tuple(contributions))
        journal.belongs(REVERSE, g, node)
    return g


def bundled(bundles: Sequence[Node]) -> Node:
    """What arrived at the results of a scan, together; the sum of what arrived at one of them."""
    arrived: dict[Basic, list[Node]] = {}
    for bundle in bundles:
        assert isinstance(bundle, Bundle)
        for key, g in zip(bundle.keys, bundle.operands, strict=True):
            arrived.setdefault(key, []).append(g)
    sums = [total(each) for each in arrived.values()]
    return Bundle(list(arrived), *(g for g in sums if g is not None))


def _propagate(
    g: Node,
    node: Node,
    active: set[Node],
    arrived: dict[Node, list[Node]],
    journal: Journal | None,
) -> None:
    """Hands what the rule of `node` makes of `g` to those operands that lead to `wrt`."""
    rule = ADJOINTS[type(node)]
    with writing(journal):
        contributions = rule(g, node, *node.operands)
    assert len(contributions) == len(node.operands), (rule.__name__, node)
    for position, (operand, contribution) in enumerate(
        zip(node.operands, contributions, strict=True)
    ):
        if contribution is None or operand not in active:
            continue
        fitted = unbroadcast(contribution, operand.shape)
        if journal is not None:
            journal.record(REVERSE, "rule", node, contribution, (g,), position, rule)
            if fitted is not contribution:
                journal.record(REVERSE, "unbroadcast", node, fitted, (contribution,), position)
        arrived.setdefault(operand, []).append(fitted)


def _gradient(
    node: Node, cotangents: Mapping[Node, Node], is_below: bool, journal: Journal | None
) -> Node:
    """The cotangent of `node`; 0, with the reason noted, where nothing arrived."""
    g = cotangents.get(node)
    if g is None:
        g = Constant(sympy.S.Zero, node.shape, FLOAT)
        if journal is not None:
            journal.record(REVERSE, "zero" if is_below else "independent", node, g)
    return g
