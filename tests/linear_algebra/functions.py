"""What the tests of `sg.linalg` are fed with: each function, for symgrad and PyTorch at once.

A case is written over `xp`, which is symgrad or `torch`: both have `linalg` and the operators. The
matrices are made well-conditioned out of the free entries, in the case itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

import symgrad as sg
from symgrad.expr.leaf import Table
from symgrad.expr.linear_algebra import matrix_transpose

torch: Any
try:
    import torch
except ImportError:  # the tests that need it are skipped
    torch = None


@dataclass(frozen=True)
class Library:
    """The words in which symgrad and PyTorch differ."""

    linalg: Any
    transposed: Callable[[Any], Any]
    table: Callable[[np.ndarray], Any]
    triangular: Callable[..., Any]
    sin: Callable[[Any], Any]
    total: Callable[[Any], Any]

    def regular(self, x: Any) -> Any:
        return x / 3 + self.table(2 * np.eye(int(x.shape[-1])))

    def positive(self, x: Any) -> Any:
        return x @ self.transposed(x) / 4 + self.table(np.eye(int(x.shape[-2])))

    def distinct(self, x: Any) -> Any:
        count = int(x.shape[-1])
        return (x + self.transposed(x)) / 4 + self.table(np.diag(4.0 * np.arange(count)))

    def oblong(self, x: Any) -> Any:
        rows, columns = (int(size) for size in x.shape[-2:])
        return x / 4 + self.table(np.eye(rows, columns) * 3 * np.arange(1, columns + 1))


def _table(array: np.ndarray) -> Any:
    return Table([sympy.Float(v) for v in array.ravel().tolist()], array.shape)


def _sg_triangular(a: Any, b: Any, upper: bool, left: bool, unit: bool) -> Any:
    return sg.linalg.solve_triangular(a, b, lower=not upper, left=left, unit_diagonal=unit)


SYMGRAD = Library(sg.linalg, matrix_transpose, _table, _sg_triangular, sg.sin, sg.sum)


def in_torch() -> Library:
    return Library(
        torch.linalg,
        lambda x: x.mT,
        lambda array: torch.tensor(array),
        lambda a, b, upper, left, unit: torch.linalg.solve_triangular(
            a, b, upper=upper, left=left, unitriangular=unit
        ),
        torch.sin,
        torch.sum,
    )


@dataclass(frozen=True)
class Function:
    """`build(xp, *operands)` gives the results whose entries make the loss."""

    label: str
    shapes: tuple[tuple[int, ...], ...]
    build: Callable[..., list[Any]]

    def loss(self, xp: Library, *operands: Any) -> Any:
        """A scalar that curves in every entry of every result, and counts each differently."""
        total: Any = 0
        for result in self.build(xp, *operands):
            shape = tuple(int(size) for size in result.shape)
            weights = np.cos(np.arange(max(1, int(np.prod(shape))), dtype=float) + 1)
            weights = weights[: int(np.prod(shape))].reshape(shape)
            weighted = xp.sin(result) * (xp.table(weights) if shape else float(weights))
            total = total + xp.total(weighted)
        return total

    def values(self, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [rng.uniform(-1.5, 1.5, shape) for shape in self.shapes]


def _eigh(xp: Library, x: Any) -> list[Any]:
    w, v = xp.linalg.eigh(xp.distinct(x))
    return [w, v * v]  # nothing that the sign of an eigenvector could change


def _svd(xp: Library, x: Any) -> list[Any]:
    u, s, vh = xp.linalg.svd(xp.oblong(x), full_matrices=False)
    return [u * u, s, vh * vh, (u * 2) @ vh]


def _cases() -> list[Function]:
    found: list[Function] = []

    def add(name: str, shapes: dict[str, Any], build: Callable[..., list[Any]]) -> None:
        for label, given in shapes.items():
            several = given if isinstance(given, list) else [given]
            found.append(Function(f"{name}-{label}", tuple(several), build))

    square = {"three": (3, 3), "one": (1, 1), "batch": (2, 3, 3)}
    systems = {
        "vector": [(3, 3), (3,)], "matrix": [(3, 3), (3, 2)], "one": [(1, 1), (1,)],
        "batch": [(2, 3, 3), (2, 3, 2)], "one_matrix": [(3, 3), (2, 3, 2)],
        "stretched": [(2, 1, 2, 2), (3, 2, 1)],
    }  # fmt: skip
    add("solve", systems, lambda xp, a, b: [xp.linalg.solve(xp.regular(a), b)])
    for upper, left, unit in [(False, True, False), (True, True, True), (True, False, False)]:
        label = f"solve_triangular_{'upper' if upper else 'lower'}{'' if left else '_right'}"
        shapes = {k: systems[k] for k in ("matrix", "batch", "one_matrix")}
        if not left:
            shapes = {"rows": [(3, 3), (2, 3)], "batch": [(2, 3, 3), (2, 1, 3)]}
        add(label, shapes, lambda xp, a, b, o=(upper, left, unit): [
            xp.triangular(xp.regular(a), b, *o)
        ])  # fmt: skip
    add("inv", square, lambda xp, a: [xp.linalg.inv(xp.regular(a))])
    add("det", square, lambda xp, a: [xp.linalg.det(xp.regular(a))])
    add("slogdet", square, lambda xp, a: list(xp.linalg.slogdet(xp.regular(a) * -1)))
    add("cholesky", square, lambda xp, a: [xp.linalg.cholesky(xp.positive(a))])
    add("cholesky_upper", {"three": (3, 3)},
        lambda xp, a: [xp.linalg.cholesky(xp.positive(a), upper=True)])  # fmt: skip
    for power in (-2, 0, 1, 5):
        add(f"matrix_power_{power}", {"three": (3, 3), "batch": (2, 2, 2)},
            lambda xp, a, p=power: [xp.linalg.matrix_power(xp.regular(a), p), a])  # fmt: skip
    oblong = square | {"tall": (4, 2), "wide": (2, 3), "wide_batch": (2, 2, 3)}
    add("pinv", oblong, lambda xp, a: [xp.linalg.pinv(xp.oblong(a))])
    add("svd", oblong, _svd)
    add("svdvals", oblong, lambda xp, a: [xp.linalg.svdvals(xp.oblong(a))])
    add("eigh", square, _eigh)
    add("eigvalsh", square, lambda xp, a: [xp.linalg.eigvalsh(xp.distinct(a))])
    return found


CASES = _cases()
EMPTY = [
    Function(f"{case.label.split('-')[0]}-{label}", shapes, case.build)
    for case in CASES
    if case.label.endswith(("-three", "-vector"))
    for label, shapes in {
        "no_rows": tuple((0,) * len(s) for s in case.shapes),
        "no_matrices": tuple((0, *s) if len(s) > 1 else s for s in case.shapes),
    }.items()
]
