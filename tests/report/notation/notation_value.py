"""What a formula of the notation is worth: the reader that takes every sign at its word.

Entries are numbers, a vector is a column, everything else a matrix. `names`: the arrays and sizes
that symbols stand for. `ranges`: how many values each index takes.

Two matrices meet entry by entry only if they have the same shape, or if the notation says that one
is a vector in every row or column: a formula that relies on silent broadcasting fails.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from linear_algebra_reference import NUMPY
from numpy_evaluator import SCALAR

from symgrad.expr import decompositions, linear_algebra
from symgrad.report.notation import formula as m


class Stretched(np.ndarray):
    """A vector that the notation says stands in every row or column, or what is made of it."""


class Reader:
    """Reads formulas over `names` and `ranges`."""

    def __init__(self, names: Mapping[m.Math, Any], ranges: Mapping[m.Math, m.Math]) -> None:
        self.names = dict(names)
        self.sizes = {letter: int(self.value(size)) for letter, size in ranges.items()}

    def value(self, formula: m.Math) -> Any:
        """A number, or a matrix; a vector as a column."""
        found = self._raw(formula)
        if isinstance(found, bool | np.bool_):
            return float(found)
        if np.ndim(found) == 1:
            found = np.asarray(found).reshape(-1, 1)
        return found if np.ndim(found) else np.asarray(found)[()]

    def truth(self, formula: m.Math) -> Any:
        """Whether a condition holds."""
        return np.asarray(self.value(formula)) != 0

    def _raw(self, formula: m.Math) -> Any:
        if formula in self.names:
            return self.names[formula]
        return READERS[type(formula)](self, formula)

    def place(self, formula: m.Math) -> int:
        """A whole number that counts entries."""
        found = float(np.asarray(self.value(formula)).reshape(()))
        assert found == int(found), (formula, found)
        return int(found)

    def members(self, big: m.Big) -> Iterator[tuple[int, ...]]:
        """Binds the indices of a big sign to each of their values for which it counts."""
        for places in itertools.product(*(range(self.sizes[i]) for i in big.indices)):
            self.names.update(zip(big.indices, places, strict=True))
            if all(self.truth(condition) for condition in big.conditions):
                yield places


def matching(*parts: Any) -> tuple[Any, ...]:
    """`parts`, which meet entry by entry. Fails for shapes that differ and are not said to."""
    shapes = {np.shape(p) for p in parts if np.size(p) != 1 and not isinstance(p, Stretched)}
    assert len(shapes) <= 1, f"shapes {shapes} meet entry by entry"
    return parts


def times(left: Any, right: Any) -> Any:
    """The product of matrices, or with a number."""
    return left * right if 1 in (np.size(left), np.size(right)) else left @ right


def _product(r: Reader, p: m.Product) -> Any:
    factors = sorted(p.factors, key=lambda f: not _is_bracket(f)) if _has_bracket(p) else p.factors
    found: Any = 1.0
    for k, factor in enumerate(factors):
        if _is_bracket(factor) and not r.value(factor):
            return 0.0  # a bracket of 0 hides what does not exist
        value = r.value(factor)
        if p.is_entrywise:
            matching(found, value)
            found = found * value
        else:
            found = value if k == 0 else times(found, value)
    return found


def _has_bracket(p: m.Product) -> bool:
    return any(_is_bracket(f) for f in p.factors)


def _is_bracket(f: m.Math) -> bool:
    return isinstance(f, m.Between) and f.kind == "iverson"


def _sum(r: Reader, s: m.Sum) -> Any:
    first, *rest = matching(*(r.value(term) for term in s.terms))
    for term in rest:
        first = first + term
    return first


def _power(r: Reader, p: m.Power) -> Any:
    base = r.value(p.base)
    if p.exponent == m.Symbol("+", (), True):
        return np.linalg.pinv(np.atleast_2d(base))
    exponent = r.value(p.exponent)
    assert p.is_entrywise or np.size(base) == np.size(exponent) == 1, p
    if p.is_entrywise:
        matching(base, exponent)
    return np.power(base, exponent, dtype=float)


def _indexed(r: Reader, x: m.Indexed) -> Any:
    of = np.asarray(r._raw(x.of))
    if len(x.indices) == 1 and of.ndim == 2 and not isinstance(x.of, m.Symbol):
        assert of.shape[1] == 1, x
        of = of[:, 0]
    for axis, index in reversed(list(enumerate(x.indices))):
        is_span = isinstance(index, m.Span)
        of = np.take(of, _places(r, index, of.shape[axis]) if is_span else r.place(index), axis)
    return of


def _places(r: Reader, s: m.Span, size: int) -> Any:
    """The places that a span takes, each of which must exist."""
    step = 1 if s.step is None else r.place(s.step)
    ends = (0, size) if step > 0 else (size - 1, -1)
    start, stop = (
        end if told is None else r.place(told)
        for told, end in zip((s.start, s.stop), ends, strict=True)
    )
    found = np.array(range(start, stop, step), int)
    assert np.all((found >= 0) & (found < size)), (s, size)
    return found


def _blocks(r: Reader, b: m.Blocks) -> Any:
    return np.block([[_matrix(r.value(block)) for block in row] for row in b.rows])


def _entries(r: Reader, e: m.Entries) -> Any:
    counting = [i for i in e.indices if i != m.ZERO]
    found = np.zeros([r.sizes[i] for i in counting])
    for places in itertools.product(*(range(n) for n in found.shape)):
        r.names.update(zip(counting, places, strict=True))
        found[places] = r.value(e.body)
    return found.reshape([1 if i == m.ZERO else r.sizes[i] for i in e.indices])


def _big(r: Reader, b: m.Big) -> Any:
    found = [(places, r.value(b.body)) for places in r.members(b)]
    values = [value for _, value in found]
    if b.operator == "sum":
        return sum(values) if values else 0.0
    if b.operator == "product":
        return math.prod(values)
    if b.operator.startswith("arg"):
        return found[int(getattr(np, b.operator)(values))][0][0]
    return getattr(np, b.operator)(values)


def _cases(r: Reader, c: m.Cases) -> Any:
    parts = []
    for value, when in c.rows:
        holds = np.True_ if when is None else r.truth(when)
        if np.size(holds) == 1 and not np.all(holds):
            continue
        parts.append((r.value(value), holds))
        if np.size(holds) == 1:
            break
    (found, _), *rest = reversed(parts)
    for value, holds in rest:
        matching(found, value)
        found = np.where(holds, value, found)
    return found


def _relation(r: Reader, x: m.Relation) -> Any:
    if x.operator in ("and", "or"):
        joined = np.logical_and if x.operator == "and" else np.logical_or
        return joined(*matching(r.truth(x.left), r.truth(x.right)))
    left, right = matching(r.value(x.left), r.value(x.right))
    return COMPARISONS[x.operator](left, right)


COMPARISONS = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal,
               ">": np.greater, ">=": np.greater_equal}  # fmt: skip


def _apply(r: Reader, a: m.Apply) -> Any:
    arguments = [r.value(x) for x in a.arguments]
    if a.function in OF_MATRICES:
        return OF_MATRICES[a.function](*map(_matrix, arguments))
    if a.function in ("max", "min") and len(arguments) == 1:
        return getattr(np, a.function)(arguments[0])
    return ELEMENTWISE[a.function](*matching(*arguments))


def _matrix(x: Any) -> Any:
    return np.asarray(x).reshape(1, 1) if np.ndim(x) == 0 else np.asarray(x)


def _between(r: Reader, b: m.Between) -> Any:
    if b.kind == "iverson":
        return np.asarray(r.truth(b.parts[0]), float)[()]
    parts = [r.value(part) for part in b.parts]
    if b.kind == "inner":
        assert np.shape(parts[0]) == np.shape(parts[1])
        return np.sum(parts[0] * parts[1])
    return {"absolute": np.abs, "floor": np.floor, "ceiling": np.ceil, "norm": np.linalg.norm}[
        b.kind
    ](parts[0])


def _inverted(r: Reader, i: m.Inverted) -> Any:
    found = np.linalg.inv(_matrix(r.value(i.of)))
    return found.T if i.is_transposed else found


def _one_hot(r: Reader, o: m.OneHot) -> Any:
    labels = np.asarray(r.value(o.labels)).ravel().astype(int)
    return np.eye(r.place(o.size))[labels]


def _repeated(r: Reader, x: m.Repeated) -> Any:
    value = _matrix(r.value(x.of))
    assert 1 in value.shape
    return (
        np.asarray(value, float).reshape((1, -1) if x.place == "row" else (-1, 1)).view(Stretched)
    )


def _by_row(function: Callable[..., Any]) -> Callable[[Any], Any]:
    def of_matrix(x: Any) -> Any:
        if x.shape[1] == 1:
            return function(x, 0)
        found = np.asarray(function(x, 1))
        return found.reshape(-1, 1) if found.ndim == 1 else found

    return of_matrix


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _diag(x: Any) -> Any:
    return np.diag(x.ravel()) if 1 in x.shape else np.diag(x).reshape(-1, 1)


def _reference(kind: type) -> Callable[..., Any]:
    return lambda *parts: NUMPY[kind](None, [np.asarray(p, float) for p in parts], {})


L, D = linear_algebra, decompositions
OF_MATRICES: dict[str, Callable[..., Any]] = {
    "softmax": _by_row(_softmax),
    "logsumexp": _by_row(lambda x, axis: np.logaddexp.reduce(x, axis)),
    "rowmax": _by_row(np.max),
    "rowmin": _by_row(np.min),
    "rowargmax": _by_row(np.argmax),
    "rowargmin": _by_row(np.argmin),
    "rowprod": _by_row(np.prod),
    "argmax": lambda x: np.argmax(x),
    "argmin": lambda x: np.argmin(x),
    "prod": lambda x: np.prod(x),
    "stop": lambda x: x,
    "tr": lambda x: np.trace(x),
    "diag": _diag,
    "det": np.linalg.det,
    "tril": lambda x, k=0: np.tril(x, int(np.asarray(k).reshape(()))),
    "triu": lambda x, k=0: np.triu(x, int(np.asarray(k).reshape(()))),
    "chol": np.linalg.cholesky,
    "cof": _reference(L.Cofactor),
    "Dcof": _reference(L.SecondCofactor),
    "eigenvalues": _reference(D.Eigenvalues),
    "eigenvectors": _reference(D.Eigenvectors),
    "singular values": _reference(D.SingularValues),
    "left singular vectors": _reference(D.LeftSingularVectors),
    "right singular vectors": lambda x: _reference(D.RightSingularVectors)(x).T,
}
ELEMENTWISE: dict[str, Callable[..., Any]] = SCALAR | {
    "σ": SCALAR["sigmoid"], "Φ": SCALAR["ndtr"], "sgn": np.sign, "max": np.maximum,
    "min": np.minimum, "round": np.rint, "mod": np.mod, "arcsin": np.arcsin, "arccos": np.arccos,
    "arctan": np.arctan, "arsinh": np.arcsinh, "arcosh": np.arccosh, "artanh": np.arctanh,
}  # fmt: skip
ELEMENTWISE |= {"sinc" + "'" * k: lambda x, k=k: SCALAR["sine_quotient"](x, k) for k in range(4)}
CONSTANTS = {m.Symbol("e", (), True): math.e, m.Symbol("pi"): math.pi,
             m.Symbol("∞", (), True): math.inf, m.Symbol("NaN", (), True): math.nan}  # fmt: skip

READERS: dict[type[m.Math], Callable[[Reader, Any], Any]] = {
    m.Symbol: lambda r, s: CONSTANTS[s],
    m.Number: lambda r, n: float(n.text),
    m.Sum: _sum,
    m.Negative: lambda r, n: -r.value(n.of),
    m.Product: _product,
    m.Fraction: lambda r, f: np.divide(*matching(r.value(f.above), r.value(f.below))),
    m.Power: _power,
    m.Transposed: lambda r, t: _matrix(r.value(t.of)).T,
    m.Inverted: _inverted,
    m.Apply: _apply,
    m.Root: lambda r, x: np.sqrt(r.value(x.of)) if x.degree == 2 else np.cbrt(r.value(x.of)),
    m.Between: _between,
    m.Indexed: _indexed,
    m.Entries: _entries,
    m.Blocks: _blocks,
    m.Ones: lambda r, o: np.ones((r.place(o.size), 1)),
    m.Zeros: lambda r, z: np.zeros((r.place(z.rows), r.place(z.columns))),
    m.Unit: lambda r, u: np.eye(r.place(u.size)),
    m.OneHot: _one_hot,
    m.Repeated: _repeated,
    m.Big: _big,
    m.Cases: _cases,
    m.Relation: _relation,
    m.Listed: lambda r, x: np.array([r._raw(part) for part in x.parts]),
}
