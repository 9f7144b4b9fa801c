"""What is tested: every scalar function and every node family, with domains and sample shapes.

`SCALARS`: for each entry of `symgrad.expr.functions.FUNCTIONS`, where its arguments are drawn
from: inside the domain, where two derivatives exist. `FORMULA_ONLY`: the same for the functions
that only appear in derived and stabilised formulas. `CASES`: for each node class several graphs
of that node, from scalars and empty tensors to broadcast pairs and symbolic sizes. What is
missing here fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import linear_algebra_catalogue
import numpy as np
import scan_catalogue
import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Identity, Input
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
from symgrad.expr.window import Overlap, Windows

Range = tuple[float, float]
WIDE: Range = (-2.0, 2.0)
POSITIVE: Range = (0.3, 2.5)
INNER: Range = (-0.8, 0.8)
LOGICAL = "bool"

n, m = dim("n"), dim("m")
SIZES = {"n": 3, "m": 2}

# Scalar functions: the range of each argument, LOGICAL for a condition.
SCALARS: dict[str, tuple[Any, ...]] = {
    "add": (WIDE, WIDE),
    "subtract": (WIDE, WIDE),
    "multiply": (WIDE, WIDE),
    "divide": (WIDE, POSITIVE),
    "power": (POSITIVE, WIDE),
    "negative": (WIDE,),
    "positive": (WIDE,),
    "square": (WIDE,),
    "reciprocal": (POSITIVE,),
    "sqrt": (POSITIVE,),
    "cbrt": (POSITIVE,),
    "absolute": (WIDE,),
    "sign": (WIDE,),
    "floor": (WIDE,),
    "ceil": (WIDE,),
    "trunc": (WIDE,),
    "rint": (WIDE,),
    "remainder": (WIDE, POSITIVE),
    "fmod": (WIDE, POSITIVE),
    "floor_divide": (WIDE, POSITIVE),
    "maximum": (WIDE, WIDE),
    "minimum": (WIDE, WIDE),
    "fmax": (WIDE, WIDE),
    "fmin": (WIDE, WIDE),
    "clip": (WIDE, (-1.0, -0.5), (0.5, 1.0)),
    "heaviside": (WIDE, WIDE),
    "where": (LOGICAL, WIDE, WIDE),
    "less": (WIDE, WIDE),
    "less_equal": (WIDE, WIDE),
    "greater": (WIDE, WIDE),
    "greater_equal": (WIDE, WIDE),
    "equal": (WIDE, WIDE),
    "not_equal": (WIDE, WIDE),
    "logical_and": (LOGICAL, LOGICAL),
    "logical_or": (LOGICAL, LOGICAL),
    "logical_xor": (LOGICAL, LOGICAL),
    "copysign": (WIDE, WIDE),
    "logical_not": (LOGICAL,),
    "exp": (WIDE,),
    "exp2": (WIDE,),
    "expm1": (WIDE,),
    "log": (POSITIVE,),
    "log2": (POSITIVE,),
    "log10": (POSITIVE,),
    "log1p": ((-0.6, 2.0),),
    "logaddexp": (WIDE, WIDE),
    "logaddexp2": (WIDE, WIDE),
    "hypot": (WIDE, WIDE),
    "sin": (WIDE,),
    "cos": (WIDE,),
    "tan": ((-1.0, 1.0),),
    "arcsin": (INNER,),
    "arccos": (INNER,),
    "arctan": (WIDE,),
    "arctan2": (WIDE, WIDE),
    "sinh": (WIDE,),
    "cosh": (WIDE,),
    "tanh": (WIDE,),
    "arcsinh": (WIDE,),
    "arccosh": ((1.3, 3.0),),
    "arctanh": (INNER,),
    "deg2rad": (WIDE,),
    "rad2deg": (WIDE,),
    "sinc": (WIDE,),
    "erf": (WIDE,),
    "erfc": (WIDE,),
    "ndtr": (WIDE,),
    "sigmoid": (WIDE,),
    "softplus": (WIDE,),
    "relu": (WIDE,),
}

FORMULA_ONLY: dict[str, tuple[Any, ...]] = {
    "bose": (POSITIVE,),
    "divide": (WIDE, POSITIVE),
    "log1mexp": (POSITIVE,),
    "logcosh": (WIDE,),
    "raised": (POSITIVE, (-1.0, 0.0)),
    "root": (POSITIVE,),
    "sine_quotient": (WIDE, 1),
    "unit": (WIDE, WIDE),
    "versin": (WIDE,),
}


def actual_shape(shape: tuple[Any, ...], sizes: dict[str, int] = SIZES) -> list[int]:
    """The whole numbers that a shape stands for."""
    known = {dim(name): size for name, size in sizes.items()}
    return [int(sympy.sympify(size).subs(known)) for size in shape]


@dataclass(frozen=True)
class Operand:
    """A leaf to draw: floats between `low` and `high`, or whole numbers from low to high - 1."""

    shape: tuple[Any, ...]
    low: float = -2.0
    high: float = 2.0
    dtype: str = "float"

    def values(self, rng: np.random.Generator, sizes: dict[str, int] = SIZES) -> np.ndarray:
        shape = actual_shape(self.shape, sizes)
        if self.dtype == "bool":
            return rng.integers(0, 2, shape).astype(bool)
        if self.dtype == "int":
            return rng.integers(int(self.low), int(self.high), shape)
        return rng.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class Case:
    """A graph around one node of `node_class`: `build(*leaves)` over leaves x0, x1, ..."""

    node_class: type[Node]
    label: str
    operands: tuple[Operand, ...]
    build: Callable[..., Node]
    sizes: dict[str, int] = field(default_factory=lambda: SIZES)

    def __str__(self) -> str:
        return f"{self.node_class.__name__}-{self.label}"

    def leaves(self) -> list[Node]:
        return [Input(f"x{k}", o.shape, o.dtype) for k, o in enumerate(self.operands)]

    def values(self, rng: np.random.Generator) -> list[np.ndarray]:
        return [operand.values(rng, self.sizes) for operand in self.operands]


def whole(shape: tuple[Any, ...], low: int, high: int) -> Operand:
    return Operand(shape, low, high, "int")


def _cases() -> Iterator[Case]:
    a, b, c = slot(0), slot(1), slot(2)

    def case(kind: type[Node], label: str, shapes: Any, build: Any, sizes: Any = SIZES) -> Case:
        drawn = tuple(s if isinstance(s, Operand) else Operand(s) for s in shapes)
        return Case(kind, label, drawn, build, sizes)

    def mapped(formula: sympy.Expr) -> Callable[..., Node]:
        return lambda *operands: Map(formula, *operands)

    smooth = sympy.tanh(a) * sympy.exp(b / 3) + a * b
    for label, shapes in {
        "scalars": [(), ()],
        "vectors": [(4,), (4,)],
        "scalar_and_matrix": [(), (2, 3)],
        "size_one_stretches": [(3, 1), (1, 4)],
        "lower_rank": [(3,), (2, 3)],
        "one_and_lower_rank": [(1,), (2, 3)],
        "symbolic": [(n, 1), (n, m)],
        "empty": [(0,), (1,)],
        "empty_column": [(2, 0), (2, 1)],
    }.items():
        yield case(Map, label, shapes, mapped(smooth))
    yield case(Map, "one_operand_twice", [(3,)], lambda x: Map(smooth, x, x))
    yield case(Map, "many_terms", [(3,)] * 3, mapped(a + b * c + sympy.sin(c) + 2 * a * b))
    yield case(Map, "unused_operand", [(3,), (2, 3)], mapped(sympy.sin(a)))
    yield case(Map, "dimension_in_formula", [(n,)], mapped(a**2 / n))
    condition = Operand((3,), dtype="bool")
    yield case(Map, "selection", [condition, (3,), (2, 3)], mapped(f.where(a, b**2, sympy.sin(c))))
    yield case(Map, "whole_operand", [whole((3,), 1, 4), (3,)], mapped(b**2 * a))

    for label, shapes, output, indices in [
        ("matrix_product", [(2, 3), (3, 4)], "ik", ["ij", "jk"]),
        ("matrix_vector", [(n, 3), (3,)], "i", ["ij", "j"]),
        ("batched_product", [(2, 3, 4), (2, 4, 2)], "bik", ["bij", "bjk"]),
        ("three_matrices", [(2, 3), (3, 2), (2, 4)], "il", ["ij", "jk", "kl"]),
        ("outer", [(2,), (3,)], "ij", ["i", "j"]),
        ("transpose", [(2, 3, 4)], "kij", ["ijk"]),
        ("sum", [(n, m)], "", ["ij"]),
        ("row_sum", [(2, 3)], "i", ["ij"]),
        ("trace", [(3, 3)], "", ["ii"]),
        ("diagonal", [(3, 3)], "i", ["ii"]),
        ("diagonal_of_three", [(2, 2, 2)], "i", ["iii"]),
        ("quadratic_form", [(3,), (3, 3), (3,)], "", ["i", "ij", "j"]),
        ("elementwise", [(2, 3), (2, 3)], "ij", ["ij", "ij"]),
        ("scalars", [(), ()], "", ["", ""]),
        ("inner_sum_of_one", [(2, 3), (2,)], "i", ["ij", "i"]),
        ("empty_inner", [(2, 0), (0, 3)], "ik", ["ij", "jk"]),
        ("size_one", [(1, 3), (3, 1)], "ik", ["ij", "jk"]),
    ]:
        yield case(
            Contraction,
            label,
            shapes,
            lambda *xs, o=output, i=indices: contract(o, list(zip(xs, i, strict=True)), "3/2"),
        )
    yield case(
        Contraction,
        "spread",
        [(3,)],
        lambda x: contract("aib", [(x, "i")], sizes={"a": sympy.Integer(2), "b": n}),
    )
    yield case(
        Contraction, "one_operand_twice", [(2, 3)], lambda x: contract("ik", [(x, "ij"), (x, "kj")])
    )
    yield case(
        Contraction,
        "embedded_diagonal",
        [(3,)],
        lambda x: contract("ij", [(x, "i"), (Identity(3), "ij")]),
    )
    yield case(
        Contraction,
        "whole_operand",
        [whole((2, 3), -2, 3), (3,)],
        lambda k, x: contract("i", [(k, "ij"), (x, "j")], 1 / n),
    )

    for kind in (Max, Min, Prod, LogSumExp, CumSum, ProdOthers, ArgMax, ArgMin):
        for label, shape, axis in [
            ("vector", (4,), 0),
            ("first_axis", (3, 2), 0),
            ("middle_axis", (2, 3, 2), 1),
            ("symbolic", (2, n), 1),
            ("size_one", (2, 1), 1),
            ("no_rows", (0, 3), 1),
        ]:
            yield case(kind, label, [shape], lambda x, k=kind, i=axis: k(x, i))
    for kind in (Prod, CumSum, ProdOthers):
        yield case(kind, "no_entries", [(2, 0)], lambda x, k=kind: k(x, 1))

    yield case(Reshape, "flatten", [(2, 3)], lambda x: Reshape(x, (6,)))
    yield case(Reshape, "symbolic", [(n, 4)], lambda x: Reshape(x, (n, 2, 2)))
    yield case(Reshape, "scalar", [(1, 1)], lambda x: Reshape(x, ()))
    yield case(Reshape, "empty", [(0, 3)], lambda x: Reshape(x, (3, 0)))
    yield case(Slice, "strided", [(5, 4)], lambda x: Slice(x, [(1, 2, 2), (0, 4, 1)]))
    yield case(Slice, "backwards", [(5, n)], lambda x: Slice(x, [(4, 3, -2), (n - 1, n, -1)]))
    yield case(Slice, "nothing", [(5,)], lambda x: Slice(x, [(2, 0, 1)]))
    yield case(Embed, "strided", [(2, 4)], lambda x: Embed(x, [(1, 5, 2), (0, 4, 1)]))
    yield case(Embed, "backwards", [(3, n)], lambda x: Embed(x, [(4, 5, -2), (n, n + 1, -1)]))
    yield case(Embed, "nothing", [(0,)], lambda x: Embed(x, [(2, 5, 1)]))
    yield case(Concat, "two", [(2, 3), (1, 3)], lambda x, y: Concat(0, x, y))
    yield case(Concat, "three", [(n, 2), (n, 1), (n, m)], lambda *xs: Concat(1, *xs))
    yield case(Concat, "one_twice", [(2,)], lambda x: Concat(0, x, x))
    yield case(Concat, "with_whole", [(2,), whole((3,), 0, 5)], lambda x, k: Concat(0, x, k))
    yield case(Concat, "empty_part", [(0, 2), (1, 2)], lambda x, y: Concat(0, x, y))

    for label, shape, axis, steps in [
        ("vector", (5,), 0, (3,)),
        ("strided", (2, 7), 1, (3, 2)),
        ("dilated", (7, 2), 0, (3, 1, 2)),
        ("gaps", (2, 8, 2), 1, (2, 3)),
        ("rest_unread", (6,), 0, (2, 4)),
        ("apart_and_dilated", (9,), 0, (3, 2, 2)),
        ("one_entry", (2, 3), 1, (1,)),
        ("one_entry_strided", (5,), 0, (1, 2)),
        ("whole_axis", (3, 2), 0, (3,)),
        ("tiles", (4, 2), 0, (2, 2)),
        ("length_one", (2, 1), 1, (1, 2, 3)),
        ("no_window", (2,), 0, (3,)),
        ("no_rows", (0, 4), 1, (2,)),
        ("symbolic", (2, n), 1, (2,)),
        ("symbolic_strided", (2, 3 * n), 1, (2, 2)),
    ]:
        windows = lambda x, i=axis, s=steps: Windows(x, i, *s)  # noqa: E731
        yield case(Windows, label, [shape], windows)
        g = windows(Input("x", shape))
        yield case(
            Overlap,
            label,
            [g.shape],
            lambda y, i=axis, s=steps, length=shape[axis]: Overlap(y, i, length, *s[1:]),
        )

    for label, shape, indices, axis in [
        ("vector", (4,), (3,), 0),
        ("rows", (4, 2), (n,), 0),
        ("middle", (2, 4, 3), (2, 2), 1),
        ("one_index", (2, 4), (), 1),
        ("no_index", (4, 2), (0,), 0),
    ]:
        index = whole(indices, -4, 4)
        yield case(Take, label, [shape, index], lambda x, i, k=axis: Take(x, i, k))
        taken = (*shape[:axis], *indices, *shape[axis + 1 :])
        yield case(
            ScatterAdd,
            label,
            [taken, index],
            lambda x, i, k=axis: ScatterAdd(x, i, k, sympy.Integer(4)),
        )
    for label, shape, indices, axis in [
        ("vector", (4,), (3,), 0),
        ("rows", (n, 4), (n, 2), 1),
        ("first", (4, 2), (1, 2), 0),
        ("no_index", (4, 2), (0, 2), 0),
    ]:
        index = whole(indices, 0, 4)
        yield case(TakeAlong, label, [shape, index], lambda x, i, k=axis: TakeAlong(x, i, k))
        yield case(
            ScatterAlong,
            label,
            [indices, index],
            lambda x, i, k=axis: ScatterAlong(x, i, k, sympy.Integer(4)),
        )
    # a tensor of steps: differences do not see either whether it is held fixed
    for label, shape in {"scalar": (), "symbolic": (2, n), "empty": (0, 2)}.items():
        yield case(Detached, label, [shape], lambda x: Detached(Map(f.floor(a), x)))
    yield from linear_algebra_catalogue.cases(case, n, m)
    yield from scan_catalogue.cases(case, n, m)


CASES: tuple[Case, ...] = tuple(_cases())
CASES_OF: dict[type[Node], list[Case]] = {}
for _case in CASES:
    CASES_OF.setdefault(_case.node_class, []).append(_case)
