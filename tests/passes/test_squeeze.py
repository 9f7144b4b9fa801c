"""Dropping axes of size 1: the laws of passes, and that only axes that something needs are left."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable

import numpy as np
import pytest
import sympy
from catalogue import CASES, Case
from laws import check_laws
from numpy_evaluator import evaluate

from symgrad.expr.contraction import contract, spread, sum_over
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Arange, Constant, Identity, Input, Named, Parameter, Table
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import (
    ArgMax,
    ArgMin,
    CumSum,
    LogSumExp,
    Max,
    Min,
    Prod,
    ProdOthers,
)
from symgrad.expr.reindex import (
    Concat,
    Embed,
    Reshape,
    ScatterAdd,
    ScatterAlong,
    Slice,
    Take,
    TakeAlong,
)
from symgrad.expr.slots import slot
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.squeeze import RULES, drop_unit_axes
from symgrad.passes.verify import verify

n = dim("n")
a, b = slot(0), slot(1)


def squeezed(node: Node) -> Node:
    return drop_unit_axes(Form.of({"": node})).outputs[""]


def unit_axes(root: Node) -> list[Node]:
    """The nodes that are computed with an axis of size 1; a Reshape only puts it in its place."""
    return [
        node
        for node in postorder([root])
        if not isinstance(node, Named | Reshape) and any(size == 1 for size in node.shape)
    ]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_laws_on_every_node(case: Case) -> None:
    leaves = case.leaves()
    values = case.values(np.random.default_rng(1))
    form = Form.of({"y": case.build(*leaves)})
    check_laws(form, [drop_unit_axes], dict(zip(leaves, values, strict=True)), case.sizes)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_laws_with_axes_of_size_one_around_every_axis(case: Case) -> None:
    """Each operand is a leaf with axes of size 1, which the node does not see."""

    def apart(shape: Iterable[object]) -> list[object]:
        return [1, *(size for each in shape for size in (each, 1))]

    leaves = [Input(f"x{k}", apart(o.shape), o.dtype) for k, o in enumerate(case.operands)]
    values = {
        leaf: array.reshape(apart(array.shape))
        for leaf, array in zip(leaves, case.values(np.random.default_rng(2)), strict=True)
    }
    y = case.build(*(Reshape(x, o.shape) for x, o in zip(leaves, case.operands, strict=True)))
    wide = Reshape(y, (1, *y.shape, 1))
    form = Form.of({"y": wide, "twice": Map(a + a, wide)} if y.dtype == "float" else {"y": wide})
    check_laws(form, [drop_unit_axes], values, case.sizes)


def test_every_node_family_has_a_rule() -> None:
    assert {case.node_class for case in CASES} <= set(RULES)


X = Parameter("x", (n, 1, 3))
LABELS = Input("labels", (n, 1, 1), "int")
EXAMPLES = {
    "product": (
        lambda: contract("bik", [(X, "bij"), (Parameter("W", (4, 3)), "kj")]),
        lambda: contract("bk", [(Reshape(X, (n, 3)), "bj"), (Parameter("W", (4, 3)), "kj")]),
    ),
    "max": (lambda: Max(X, 2), lambda: Max(Reshape(X, (n, 3)), 1)),
    "one pick per row": (
        lambda: TakeAlong(X, LABELS, 2),
        lambda: TakeAlong(Reshape(X, (n, 3)), Reshape(LABELS, (n, 1)), 1),
    ),
}


@pytest.mark.parametrize("build, wanted", EXAMPLES.values(), ids=list(EXAMPLES))
def test_examples_of_the_docstring(build: Callable[[], Node], wanted: Callable[[], Node]) -> None:
    before = build()
    assert squeezed(before) is Reshape(wanted(), before.shape)


row, column = Parameter("row", (1, 3)), Parameter("column", (3, 1))
cell, scalar = Parameter("cell", (1, 1)), Parameter("scalar", ())
flags = Input("flags", (2, 1), "bool")
which = Input("which", (1,), "int")
ALONE = {
    "max": lambda: Max(column, 1),
    "min": lambda: Min(column, 1),
    "prod": lambda: Prod(column, 1),
    "logsumexp": lambda: LogSumExp(column, 1),
    "logsumexp of whole": lambda: LogSumExp(LABELS, 2),
    "max of truth": lambda: Max(flags, 1),
    "prod of truth": lambda: Prod(flags, 1),
    "argmax": lambda: ArgMax(column, 1),
    "argmin": lambda: ArgMin(column, 1),
    "cumsum": lambda: CumSum(column, 1),
    "cumsum of whole": lambda: CumSum(LABELS, 2),
    "prod_others": lambda: ProdOthers(column, 1),
    "prod_others of whole": lambda: ProdOthers(LABELS, 1),
    "outer": lambda: Map(a * b, row, column),
    "row over scalar": lambda: Map(a * b, row, scalar),
    "cell": lambda: Map(sympy.exp(a), cell),
    "inner axis": lambda: Map(a - b, Parameter("p", (2, 1, 3, 1)), Parameter("q", (2, 2, 1, 1))),
    "sum": lambda: sum_over(row, [0], 2),
    "sum of truth": lambda: sum_over(flags, [1]),
    "spread": lambda: spread(scalar, {0: sympy.S.One}),
    "transpose": lambda: contract("ji", [(row, "ij")]),
    "delta": lambda: contract("jk", [(row, "ij"), (Identity(1), "ik")]),
    "arange": lambda: Map(a + b, Arange(1), row),
    "table": lambda: Map(a + b, Table([1, 2, 3], (1, 3, 1)), row),
    "constant": lambda: Constant(2, (1, 3)),
    "float constant": lambda: Constant(0, (1, 3), "float"),
    "leaf": lambda: row,
    "one of many": lambda: Slice(column, [(1, 1, 1), (0, 1, 1)]),
    "none of one": lambda: Slice(column, [(0, 3, 1), (0, 0, 1)]),
    "one of one": lambda: Slice(cell, [(0, 1, 1), (0, 1, -1)]),
    "into many": lambda: Embed(row, [(1, 4, 1), (0, 3, 1)]),
    "none into one": lambda: Embed(Parameter("none", (0, 3)), [(0, 1, 1), (0, 3, 1)]),
    "stacked": lambda: Concat(0, row, row),
    "stacked columns": lambda: Concat(0, column, column),
    "one and none": lambda: Concat(0, row, Parameter("none", (0, 3))),
    "take from one": lambda: Take(row, Table([0, -1], (2,)), 0),
    "take one": lambda: Take(column, which, 0),
    "scatter into one": lambda: ScatterAdd(row, which, 0, sympy.S.One),
    "scatter one": lambda: ScatterAdd(row, which, 0, sympy.Integer(3)),
    "along one": lambda: TakeAlong(row, Table([0, 0, 0], (1, 3)), 0),
    "many along one": lambda: TakeAlong(row, Table([0] * 6, (2, 3)), 0),
    "scatter along": lambda: ScatterAlong(row, Table([0, 0, 0], (1, 3)), 0, sympy.Integer(2)),
    "scatter along one": lambda: ScatterAlong(row, Table([0] * 3, (1, 3)), 0, sympy.S.One),
    "a size that is 1": lambda: Map(a + b, Parameter("odd", (2 * (n + 1) - 2 * n - 1, 3)), row),
}


@pytest.mark.parametrize("build", ALONE.values(), ids=list(ALONE))
def test_laws_where_an_axis_of_size_one_meets_each_node(build: Callable[[], Node]) -> None:
    node = build()
    rng = np.random.default_rng(3)
    values = {}
    for leaf in postorder([node]):
        if isinstance(leaf, Named):
            shape = [int(sympy.sympify(size).subs(n, 4)) for size in leaf.shape]
            values[leaf] = rng.normal(size=shape)
            if leaf.dtype != "float":
                values[leaf] = np.zeros(shape, int if leaf.dtype == "int" else bool)
    outputs = {"y": node}
    if node.dtype == "float":
        outputs["read"] = Map(sympy.sin(a) + a, node)
    check_laws(Form.of(outputs), [drop_unit_axes], values, {"n": 4})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.parametrize("kind", [Max, Min, Prod, LogSumExp, CumSum, ProdOthers, ArgMax, ArgMin])
def test_special_values_of_a_single_entry(kind: type[Node], value: float) -> None:
    node = kind(column, 1)
    given = {column: np.array([[value], [1.0], [value]])}
    before, after = (evaluate([y], given)[0] for y in (node, squeezed(node)))
    np.testing.assert_array_equal(after, before)


def step(rng: random.Random, pool: list[Node]) -> Node | None:
    """One more node over one or two of the pool, most often with an axis of size 1 in play."""
    x, y = rng.choice(pool[-4:]), rng.choice(pool)
    axis = rng.randrange(max(x.ndim, 1))
    kind = rng.randrange(11)
    if kind == 0:
        position = rng.randrange(x.ndim + 1)
        return Reshape(x, (*x.shape[:position], 1, *x.shape[position:]))
    if kind == 1:
        pairs = zip(x.shape[::-1], y.shape[::-1], strict=False)
        fits = all(s == t or 1 in (s, t) for s, t in pairs)
        return Map(sympy.tanh(a) - b / 2, x, y) if fits else None
    if kind == 2:
        order = list(range(x.ndim))
        rng.shuffle(order)
        return contract(order, [(x, range(x.ndim))], "3/2")
    if not x.ndim:
        return None
    if kind == 3:
        return sum_over(x, [axis], 1)
    if kind == 4:
        return rng.choice([Max, LogSumExp, Prod, CumSum, ProdOthers])(x, axis)
    box = [(0, size, 1) for size in x.shape]
    if kind == 5 and x.shape[axis] != 0:
        box[axis] = (x.shape[axis] - 1, 1, -1)
        return Slice(x, box)
    if kind == 6:
        box[axis] = (1, x.shape[axis] + 1, 1)
        return Embed(x, box)
    if kind == 7:
        return Concat(axis, *[x] * rng.choice([1, 2]))
    if kind == 8 and x.shape[axis] != 0:
        return Take(x, Table([0] * 2, rng.choice([(2,), (1, 2)])), axis)
    if kind == 9:
        shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        indices = Table([0] * int(sympy.prod(shape)), shape)
        return TakeAlong(x, indices, axis) if x.shape[axis] != 0 else None
    size = rng.choice([1, 2])
    if kind == 10:
        return ScatterAlong(x, Table([0] * int(x.size), x.shape), axis, sympy.Integer(size))
    return None


@pytest.mark.parametrize("seed", range(150))
def test_laws_on_random_programs(seed: int) -> None:
    rng = random.Random(seed)
    pool: list[Node] = [row, column, cell, scalar, Parameter("block", (2, 1, 3))]
    while len(pool) < 14:
        node = step(rng, pool)
        if node is not None and node.size <= 48 and node.ndim < 6:
            pool.append(node)
    draw = np.random.default_rng(seed)
    values = {leaf: draw.normal(size=[int(s) for s in leaf.shape]) for leaf in pool[:5]}
    check_laws(Form.of({f"y{k}": y for k, y in enumerate(pool[8:])}), [drop_unit_axes], values)


def test_what_broadcasts_keeps_its_axis_and_nothing_else_does() -> None:
    p, q = Parameter("p", (2, 1, 3, 1)), Parameter("q", (2, 4, 1, 1))
    after = squeezed(Map(a - b, p, q))
    assert unit_axes(after) == []
    assert after is Reshape(Map(a - b, Reshape(p, (2, 1, 3)), Reshape(q, (2, 4, 1))), (2, 4, 3, 1))


def test_names_and_origins_go_to_the_value_that_is_computed() -> None:
    hidden = Map(sympy.tanh(a), X)
    out = Map(2 * a, hidden)
    form = Form.of({"out": out, "hidden": hidden}, {hidden: "h", out: "o"})
    after = drop_unit_axes(form)
    verify(after)
    named = {name: node for node, name in after.names.items()}
    assert named["h"] is Map(sympy.tanh(a), Reshape(X, (n, 3)))
    assert named["o"] is Map(2 * a, named["h"])
    assert after.origins[named["o"]] is out and after.origins[named["h"]] is hidden
    assert after.outputs["out"] is Reshape(named["o"], (n, 1, 3))


def test_linear_in_the_size_of_a_shared_graph() -> None:
    y: Node = X
    for _ in range(3000):
        y = Map(a + b, y, y)
    after = squeezed(y)
    assert len(postorder([after])) == len(postorder([y])) + 2
    assert sys.getrecursionlimit() < 3000


def test_a_graph_without_axes_of_size_one_stays() -> None:
    y = contract("bk", [(Parameter("A", (n, 3)), "bj"), (Parameter("W", (4, 3)), "kj")])
    form = Form.of({"y": y})
    assert drop_unit_axes(form).outputs["y"] is y


def test_a_leading_axis_that_broadcasts_is_left_to_broadcasting() -> None:
    wide = Parameter("wide", (2, 3))
    assert squeezed(Map(a * b, row, wide)) is Map(a * b, Reshape(row, (3,)), wide)
