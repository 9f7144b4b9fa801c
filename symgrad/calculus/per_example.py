"""Per-example gradients: the gradient for one example, batched over all of them."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symgrad.calculus.batching import batch, batched_nodes
from symgrad.calculus.journal import Journal
from symgrad.calculus.resize import resize
from symgrad.calculus.reverse import gradients
from symgrad.calculus.structure import Structure, check_scalar, flat, like
from symgrad.errors import DefinitionError
from symgrad.expr.contraction import contract
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Named, Parameter
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder


def per_example_gradients(
    loss: Node,
    wrt: Structure,
    batch_dim: sympy.Symbol,
    inputs: Iterable[Node] | None = None,
    journal: Journal | None = None,
) -> Structure:
    """For each example the gradient of the loss of that example alone: [n, *x.shape].

    `batch_dim` counts the examples; each leaf that has it as a size (or, if given, each of
    `inputs`) holds one example per entry of that axis. A mean over n examples becomes a mean
    over one.

    Raises: DefinitionError if a parameter or several axes of a leaf have that size.
    """
    check_scalar(loss, "per_example_gradients")
    leaves = flat(wrt, "wrt")
    below = postorder([loss, *leaves])
    holders = {
        leaf: _example_axis(leaf, batch_dim)
        for leaf in below
        if isinstance(leaf, Named) and any(size.has(batch_dim) for size in leaf.shape)
    }
    chosen = list(holders) if inputs is None else list(inputs)
    for leaf in holders:
        if leaf not in chosen:
            raise DefinitionError(
                f"{leaf.name} has an axis of size {batch_dim} but is not among the inputs that "
                "hold one example per entry",
                where=leaf.location,
                fix=f"add {leaf.name} to inputs, or give its axis another dimension",
            )
    one = resize([loss, *leaves], {batch_dim: sympy.S.One})
    if journal is not None:
        journal.copied(one)
    slopes = gradients(one[loss], [one[x] for x in leaves], journal=journal)
    examples = {one[leaf]: _examples(leaf, axis) for leaf, axis in holders.items()}
    became = batched_nodes(slopes, examples, batch_dim)
    if journal is not None:
        journal.carry_over(became)
        journal.copied({node: became[new] for node, new in one.items() if new in became})
    return like(wrt, batch(slopes, examples, batch_dim))


def _example_axis(leaf: Named, batch_dim: sympy.Symbol) -> int:
    """The axis of `leaf` that counts examples."""
    axes = [axis for axis, size in enumerate(leaf.shape) if size.has(batch_dim)]
    facts = {leaf.name: shape_text(leaf.shape)}
    if isinstance(leaf, Parameter):
        raise DefinitionError(
            f"the parameter {leaf.name} depends on the number of examples {batch_dim}",
            where=leaf.location,
            facts=facts,
            fix="per-example gradients need parameters that all examples share",
        )
    if len(axes) > 1 or leaf.shape[axes[0]] != batch_dim:
        raise DefinitionError(
            f"{leaf.name} does not hold one example per entry of one axis",
            where=leaf.location,
            facts=facts | {"expected": f"exactly one axis of size {batch_dim}"},
            fix="per-example gradients need inputs whose examples can be told apart",
        )
    return axes[0]


def _examples(leaf: Node, axis: int) -> Node:
    """`leaf` as a batch of single examples: `axis` first, and 1 in its place."""
    one = leaf.ndim
    inner = [one if a == axis else a for a in range(leaf.ndim)]
    return contract([axis, *inner], [(leaf, range(leaf.ndim))], sizes={one: sympy.S.One})
