"""Products summed over indices: matrix, dot, tensor and outer products, Einstein's notation."""

from __future__ import annotations

from typing import Any

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import operators
from symgrad.expr.contraction import contract
from symgrad.expr.dimension import normalise_axis, same, shape_text
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.model.operations.operation import flattened, operation, refuse, whole_number


@operation
def matmul(x1: Any, x2: Any, /, out: Any = None, **arguments: Any) -> Node:
    """The matrix product `x1 @ x2`; 1-d operands are vectors, leading axes are a batch."""
    refuse(out=out, **arguments)
    return operators.matmul(x1, x2)


@operation
def dot(a: Any, b: Any, out: Any = None) -> Node:
    """NumPy's dot: the sum over the last axis of `a` and the last but one (or only) of `b`."""
    refuse(out=out)
    a, b = as_node(a), as_node(b)
    if not a.ndim or not b.ndim:
        return a * b
    inner = b.ndim - 2 if b.ndim > 1 else 0
    return _summed(a, b, (a.ndim - 1,), (inner,))


@operation
def tensordot(a: Any, b: Any, axes: Any = 2) -> Node:
    """The sum of products over pairs of axes.

    `axes`: how many last axes of `a` meet the first of `b`, or the two lists of axes.
    """
    a, b = as_node(a), as_node(b)
    if isinstance(axes, tuple | list):
        if len(axes) != 2:
            raise DefinitionError(f"axes must be a number or two lists of axes, not {axes!r}")
        left, right = (tuple(x) if isinstance(x, tuple | list) else (x,) for x in axes)
        if len(left) != len(right):
            raise ShapeError(f"{len(left)} axes of a cannot meet {len(right)} axes of b")
    else:
        count = whole_number(axes, "axes")
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ShapeError(f"{count} axes cannot be summed over")
        left, right = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    return _summed(
        a,
        b,
        tuple(normalise_axis(i, a.ndim) for i in left),
        tuple(normalise_axis(i, b.ndim) for i in right),
    )


def _summed(a: Node, b: Node, left: tuple[int, ...], right: tuple[int, ...]) -> Node:
    """The sum of products over the axes `left` of a and `right` of b, paired in order."""
    for i, j in zip(left, right, strict=True):
        if not same(a.shape[i], b.shape[j]):
            raise ShapeError(
                f"axis {i} of {shape_text(a.shape)} and axis {j} of {shape_text(b.shape)} differ"
            )
    if len(set(left)) != len(left) or len(set(right)) != len(right):
        raise ShapeError("an axis is named twice")
    on_a = list(range(a.ndim))
    on_b = [a.ndim + j for j in range(b.ndim)]
    for i, j in zip(left, right, strict=True):
        on_b[j] = i
    output = [i for i in (*on_a, *on_b) if i not in left]
    return contract(output, [(a, on_a), (b, on_b)])


@operation
def outer(a: Any, b: Any, out: Any = None) -> Node:
    """The product of each entry of `a` with each of `b`, both flattened: [len(a), len(b)]."""
    refuse(out=out)
    a, b = flattened(as_node(a)), flattened(as_node(b))
    return contract([0, 1], [(a, [0]), (b, [1])])


@operation
def einsum(subscripts: Any, *operands: Any, out: Any = None, optimize: Any = False,
           **arguments: Any) -> Node:  # fmt: skip
    """NumPy's einsum: `einsum("ij,jk->ik", a, b)`, with `...` and with the implicit output.

    The order in which several operands are multiplied is the compiler's choice.
    """
    refuse(out=out, **arguments)
    refuse("leave it out: the compiler chooses the order", optimize=optimize or None)
    if not isinstance(subscripts, str):
        raise UnsupportedError(
            "lists of axis numbers are not supported", fix='write the subscripts as text: "ij,jk"'
        )
    nodes = [as_node(operand) for operand in operands]
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    groups = left.split(",")
    if len(groups) != len(nodes):
        raise ShapeError(
            f"{subscripts!r} speaks of {len(groups)} operands, {len(nodes)} were given"
        )
    labels = [_labels(group, node.ndim) for group, node in zip(groups, nodes, strict=True)]
    ellipsis = sorted({x for row in labels for x in row if isinstance(x, int)})
    if arrow:
        output = _output_labels(right, ellipsis, labels)
    else:
        letters = [x for row in labels for x in row if isinstance(x, str)]
        output = [*ellipsis, *sorted(x for x in set(letters) if letters.count(x) == 1)]
    return _stretching(output, nodes, labels)


Label = str | int  # a letter, or a batch axis of `...` counted from the right: -1, -2, ...


def _labels(group: str, rank: int) -> list[Label]:
    """One label for each axis of an operand."""
    before, dots, after = group.partition("...")
    letters = before + after
    if any(not (c.isascii() and c.isalpha()) for c in letters):
        raise DefinitionError(f"{group!r} is not a list of letters with at most one '...'")
    hidden = rank - len(letters)
    if hidden < 0 or (hidden and not dots):
        raise ShapeError(f"{group!r} names {len(letters)} axes of an operand that has {rank}")
    return [*before, *range(-hidden, 0), *after]


def _output_labels(text: str, ellipsis: list[int], labels: list[list[Label]]) -> list[Label]:
    before, dots, after = text.partition("...")
    known = {x for row in labels for x in row}
    for letter in before + after:
        if letter not in known:
            raise DefinitionError(f"the output names {letter!r}, which stands on no operand")
    if len(set(before + after)) != len(before + after):
        raise DefinitionError(f"the output {text!r} names an axis twice")
    if ellipsis and not dots:
        raise DefinitionError("the operands have axes under '...' that the output leaves out")
    return [*before, *ellipsis, *after]


def _stretching(output: list[Label], nodes: list[Node], labels: list[list[Label]]) -> Node:
    """The contraction, where an axis of size 1 stretches to what others with its label have."""
    sizes: dict[Any, Any] = {}
    for node, row in zip(nodes, labels, strict=True):
        for label, size in zip(row, node.shape, strict=True):
            known = sizes.setdefault(label, size)
            if known == 1:
                sizes[label] = size
            elif size != 1 and not same(known, size):
                raise ShapeError(f"the sizes {known} and {size} stand on one label, {label!r}")
    terms: list[Any] = []
    for k, (node, row) in enumerate(zip(nodes, labels, strict=True)):
        on_axes: list[Any] = []
        for axis, (label, size) in enumerate(zip(row, node.shape, strict=True)):
            stretches = size == 1 and sizes[label] != 1
            if stretches and row.count(label) > 1:
                raise ShapeError(f"sizes differ on the repeated label {label!r}")
            on_axes.append((k, axis) if stretches else label)  # (k, axis): summed alone
        terms.append((node, on_axes))
    labelled: list[Any] = list(output)
    return contract(labelled, terms, sizes=sizes)
