"""Random small programs over every family, and their text, which can be pasted."""

from __future__ import annotations

import random
from collections.abc import Callable

import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, sum_over, transpose
from symgrad.expr.leaf import Parameter, Table
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import CumSum, LogSumExp, Max, Min, Prod, ProdOthers
from symgrad.expr.reindex import Concat, Embed, Reshape, ScatterAdd, Slice, Take
from symgrad.expr.slots import slot
from symgrad.expr.walk import postorder

LEAVES = (Parameter("a", (2, 3)), Parameter("b", (3,)), Parameter("c", (3, 2)), Parameter("d", ()))
a, b = slot(0), slot(1)
UNARY = (
    sympy.tanh(a),
    sympy.sin(a) + a / 2,
    f.softplus(a),
    f.relu(a),
    a**2 / 3,
    f.sigmoid(2 * a),
    f.where(f.less(0, a), sympy.exp(-a), 1 + a / 4),
)
BINARY = (a * b, a + b, a - b / 2, f.maximum(a, b), a / (1 + b**2), f.hypot(a, 1 + b**2))


def step(rng: random.Random, pool: list[Node]) -> Node | None:
    """One more node, most often over the latest; None where the drawn operation does not fit."""
    x = rng.choice([pool[-1], pool[-1], rng.choice(pool)])
    y = rng.choice(pool)
    axis = rng.randrange(max(x.ndim, 1))
    return STEPS[rng.choice(sorted(STEPS))](rng, x, y, axis)


def _binary(rng: random.Random, x: Node, y: Node, axis: int) -> Node | None:
    if not all(s == t or 1 in (s, t) for s, t in zip(x.shape[::-1], y.shape[::-1], strict=False)):
        return None
    return Map(rng.choice(BINARY), x, y)


def _product(rng: random.Random, x: Node, y: Node, axis: int) -> Node | None:
    if not x.ndim or not y.ndim or x.shape[-1] != y.shape[max(y.ndim - 2, 0)]:
        return None
    return x @ y


def _with_axis(build: Callable[[Node, int], Node]) -> Callable[..., Node | None]:
    return lambda rng, x, y, axis: build(x, axis) if x.ndim else None


def _strided(x: Node, axis: int) -> Node:
    box = [(0, size, 1) for size in x.shape]
    box[axis] = (x.shape[axis] - 1, (x.shape[axis] + 1) // 2, -2)
    return Slice(x, box)


def _padded(x: Node, axis: int) -> Node:
    box = [(0, size, 1) for size in x.shape]
    box[axis] = (1, x.shape[axis] + 2, 1)
    return Embed(x, box)


def _diagonal(rng: random.Random, x: Node, y: Node, axis: int) -> Node | None:
    return contract("i", [(x, "ii")]) if x.ndim == 2 and x.shape[0] == x.shape[1] else None


STEPS: dict[str, Callable[..., Node | None]] = {
    "unary": lambda rng, x, y, axis: Map(rng.choice(UNARY), x),
    "binary": _binary,
    "product": _product,
    "transpose": lambda rng, x, y, axis: transpose(x),
    "sum": _with_axis(lambda x, axis: sum_over(x, [axis], "1/2")),
    "max": _with_axis(Max),
    "min": _with_axis(Min),
    "prod": _with_axis(Prod),
    "prod_others": _with_axis(ProdOthers),
    "logsumexp": _with_axis(LogSumExp),
    "cumsum": _with_axis(CumSum),
    "slice": _with_axis(_strided),
    "embed": _with_axis(_padded),
    "concat": _with_axis(lambda x, axis: Concat(axis, x, x)),
    "reshape": lambda rng, x, y, axis: Reshape(x, (1, x.size)),
    "take": _with_axis(lambda x, axis: Take(x, Table([0, -1, 0], (3,)), axis)),
    "scatter_add": _with_axis(
        lambda x, axis: ScatterAdd(
            x, Table([k % 2 for k in range(int(x.shape[axis]))], (x.shape[axis],)), axis, sympy.S(3)
        )
    ),
    "diagonal": _diagonal,
}


def program(seed: int, steps: int) -> Node:
    """The vector of all entries of what no other step uses, after `steps` steps.

    Fewer steps give a beginning of the same program, so that a failure shrinks.
    """
    rng = random.Random(seed)
    pool: list[Node] = list(LEAVES)
    while len(pool) < len(LEAVES) + steps:
        node = step(rng, pool)
        if node is not None and node.size <= 36:
            pool.append(Map(f.clip(a, -3, 3), node) if _may_explode(node) else node)
    used = {below for node in pool for below in postorder(node.operands)}
    ends = [node for node in pool if node not in used]
    return Concat(0, *(Reshape(node, (node.size,)) for node in ends))


def _may_explode(node: Node) -> bool:
    return isinstance(node, Prod | ProdOthers) or node.ndim == 0


def as_python(root: Node) -> str:
    """The program as lines that can be pasted into a test."""
    names: dict[Node, str] = {}
    lines = []
    for k, node in enumerate(postorder([root])):
        names[node] = f"v{k}"
        args = ", ".join(names.get(arg) or sympy.srepr(arg) for arg in node.args)  # type: ignore
        lines.append(f"v{k} = {type(node).__name__}({args})")
    return "\n".join(lines)
