"""The derivatives that users ask for: grad, jvp, vjp, hvp, jacobian, hessian, per example.

`wrt` is a node (a leaf or any tensor that was computed), or a list or dict of nodes; the result
has the same structure. All results are ordinary expressions, so they differentiate again.

A Jacobian or Hessian is one derivative, batched over a basis: its tangent is replaced by
Kronecker deltas. They contract away in a later pass, which leaves the structure (diagonal, outer
product) that the derivative has.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.calculus.batching import batch, batched_nodes
from symgrad.calculus.forward import directional
from symgrad.calculus.journal import FORWARD, REVERSE, Journal
from symgrad.calculus.per_example import per_example_gradients
from symgrad.calculus.reverse import gradients, pullback
from symgrad.calculus.structure import Structure, check_scalar, flat, like, matching
from symgrad.errors import DefinitionError
from symgrad.expr.contraction import contract, transpose
from symgrad.expr.dimension import Shape, product
from symgrad.expr.leaf import Constant, Cotangent, Identity, Tangent
from symgrad.expr.node import FLOAT, Node

__all__ = [
    "basis",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "per_example_gradients",
    "vjp",
]


def grad(loss: Node, wrt: Structure, journal: Journal | None = None) -> Structure:
    """The gradient of a scalar loss: of the shape of each tensor of `wrt`.

    What the loss does not depend on gets zeros. Raises: DefinitionError if the loss is not a
    scalar or something of `wrt` is not a float tensor.
    """
    check_scalar(loss, "grad")
    leaves = flat(wrt, "wrt")
    return like(wrt, gradients(loss, leaves, journal=journal))


def vjp(
    output: Structure, wrt: Structure, cotangent: Structure, journal: Journal | None = None
) -> Structure:
    """cotangent^T J: the gradient of sum(cotangent * output) with respect to `wrt`.

    `cotangent` has the structure and shapes of `output`.
    """
    outputs = flat(output, "output")
    cotangents = matching(cotangent, output, outputs, "cotangent", "output")
    leaves = flat(wrt, "wrt")
    seeds = list(zip(outputs, cotangents, strict=True))
    return like(wrt, pullback(seeds, leaves, journal))


def jvp(
    output: Structure, wrt: Structure, tangent: Structure, journal: Journal | None = None
) -> Structure:
    """J tangent: how `output` changes when `wrt` moves along `tangent`.

    `tangent` has the structure and shapes of `wrt`, the result those of `output`.
    """
    outputs, leaves = flat(output, "output"), flat(wrt, "wrt")
    tangents = matching(tangent, wrt, leaves, "tangent", "wrt")
    moves = dict(zip(leaves, tangents, strict=True))
    return like(output, directional(outputs, moves, journal))


def hvp(loss: Node, wrt: Structure, vector: Structure, journal: Journal | None = None) -> Structure:
    """The Hessian of a scalar loss times `vector`, which has the structure and shapes of `wrt`.

    Forward mode over reverse mode: it costs a small multiple of the gradient.
    """
    check_scalar(loss, "hvp")
    leaves = flat(wrt, "wrt")
    vectors = matching(vector, wrt, leaves, "vector", "wrt")
    moves = dict(zip(leaves, vectors, strict=True))
    return like(wrt, directional(gradients(loss, leaves, journal=journal), moves, journal))


def jacobian(output: Node, wrt: Structure, journal: Journal | None = None) -> Structure:
    """d output / d x for each x of `wrt`: of shape output.shape + x.shape.

    Forward mode where x is known to be no larger than the output, else reverse mode.
    """
    outputs = flat(output, "output")
    if len(outputs) != 1:
        raise DefinitionError(
            f"jacobian takes one output, not {len(outputs)}",
            fix="call it for each output, or stack them with sg.concat",
        )
    (output,) = outputs
    blocks = []
    for x in flat(wrt, "wrt"):
        if (product(output.shape) - product(x.shape)).is_nonnegative:
            (block,) = _forward_jacobians([output], x, journal)
        else:
            block = _reverse_jacobian(output, x, journal)
        blocks.append(block)
    return like(wrt, blocks)


def hessian(loss: Node, wrt: Structure, journal: Journal | None = None) -> Structure:
    """The second derivatives of a scalar loss: of shape x.shape + x.shape.

    For a list or dict of tensors the blocks are nested, `[a][b]` of shape a.shape + b.shape. A
    block and its mirror image are one computation, along the smaller of the two tensors.
    """
    check_scalar(loss, "hessian")
    leaves = flat(wrt, "wrt")
    slopes = gradients(loss, leaves, journal=journal)
    blocks: dict[tuple[int, int], Node] = {}
    for along, others in _pairs_by_direction(leaves).items():
        moved = _forward_jacobians([slopes[i] for i in others], leaves[along], journal)
        for i, block in zip(others, moved, strict=True):
            blocks[i, along] = block
            rank = leaves[i].ndim
            mirrored = [*range(rank, block.ndim), *range(rank)]
            blocks.setdefault((along, i), transpose(block, mirrored))
    count = range(len(leaves))
    rows = [like(wrt, [blocks[i, j] for j in count]) for i in count]
    return rows[0] if isinstance(wrt, Node) else like(wrt, rows)


def basis(shape: Shape) -> Node:
    """Every unit tensor of `shape`: E[i..., j...] = 1 where i = j, of shape `shape + shape`."""
    rank = len(shape)
    if not rank:
        return Constant(1, (), FLOAT)
    if rank == 1:
        return Identity(shape[0])
    deltas = [(Identity(size), (axis, rank + axis)) for axis, size in enumerate(shape)]
    return contract(range(2 * rank), deltas)


def _forward_jacobians(outputs: Sequence[Node], x: Node, journal: Journal | None) -> list[Node]:
    """d output / d x for each output, from one tangent of x batched over a basis."""
    direction = Tangent("_direction", x.shape) if x.shape else basis(())
    changes = directional(outputs, {x: direction}, journal)
    batched = _over_basis(changes, direction, FORWARD, x, journal)
    rank = x.ndim
    return [transpose(y, [*range(rank, y.ndim), *range(rank)]) for y in batched]


def _reverse_jacobian(output: Node, x: Node, journal: Journal | None) -> Node:
    """d output / d x, from one cotangent of the output batched over a basis."""
    direction = Cotangent("_direction", output.shape) if output.shape else basis(())
    slopes = pullback([(output, direction)], [x], journal)
    (block,) = _over_basis(slopes, direction, REVERSE, x, journal)
    return block


def _over_basis(
    results: list[Node], direction: Node, mode: str, x: Node, journal: Journal | None
) -> list[Node]:
    """`results` for every unit tensor in the place of `direction`, along new leading axes."""
    shape = direction.shape
    before = results
    for axis in reversed(range(len(shape))):
        wider = basis(shape) if axis == 0 else Tangent("_direction", (*shape[axis:], *shape))
        became = batched_nodes(results, {direction: wider}, shape[axis])
        results = batch(results, {direction: wider}, shape[axis])
        if journal is not None:
            journal.carry_over(became)
        direction = wider
    if journal is not None:
        for one, every in zip(before, results, strict=True):
            journal.record(mode, "batch", x, every, (one,))
    return results


def _pairs_by_direction(leaves: Sequence[Node]) -> dict[int, list[int]]:
    """For each leaf, the leaves whose Hessian blocks with it are taken along it.

    A pair is taken along the one that is known to be no larger, else along the first.
    """
    groups: dict[int, list[int]] = {}
    for i, a in enumerate(leaves):
        for j, b in enumerate(leaves[i:], start=i):
            second_is_smaller = (product(a.shape) - product(b.shape)).is_positive
            along, other = (j, i) if second_is_smaller else (i, j)
            groups.setdefault(along, []).append(other)
    return groups
