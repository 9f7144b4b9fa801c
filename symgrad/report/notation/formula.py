"""Formulas as they stand on paper: a small frozen tree that every printer prints its own way.

A node says what it means, never how it looks: brackets follow from `binding`, how strongly a node
holds its parts together, and are set by the printers through `needs_brackets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar

RELATION, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
MARKS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}  # with the combining character


@dataclass(frozen=True)
class Math:
    """Any formula."""

    binding: ClassVar[int] = ATOM


@dataclass(frozen=True)
class Symbol(Math):
    """A name: `base` with parts below it. `is_upright`: a word, a unit or a known constant.

    mark: what stands over the base, one of MARKS, or "".
    """

    base: str
    below: tuple[str, ...] = ()
    is_upright: bool = False
    mark: str = ""


LOSS = Symbol("L")  # unless the user calls it otherwise


@dataclass(frozen=True)
class Number(Math):
    """A number that is not negative, as it is written: `0.5`, `12`, `1e-5`."""

    text: str


@dataclass(frozen=True)
class Partial(Math):
    """The derivative of the loss with respect to `of`; or of a tensor with `rank` axes."""

    of: Math
    loss: Math = LOSS
    rank: int = 0


@dataclass(frozen=True)
class SecondPartial(Math):
    """The second derivative with respect to `of`, whose tensor has `rank` axes, and `by`.

    is_matrix: whether both are vectors: the second is written as a row then.
    """

    of: Math
    by: Math
    rank: int
    loss: Math = LOSS
    is_matrix: bool = False

    @property
    def below(self) -> tuple[Math, Math]:
        """What stands below the line."""
        return self.of, Transposed(self.by) if self.is_matrix else self.by


@dataclass(frozen=True)
class Along(Math):
    """The change of `of` along the direction that is given."""

    of: Math


@dataclass(frozen=True)
class Sum(Math):
    """A sum; a term that is subtracted is a Negative."""

    terms: tuple[Math, ...]
    binding: ClassVar[int] = SUM


@dataclass(frozen=True)
class Negative(Math):
    """Minus `of`."""

    of: Math
    binding: ClassVar[int] = SIGN


@dataclass(frozen=True)
class Product(Math):
    """Factors side by side: of numbers or of matrices, or entry by entry if `is_entrywise`.

    `is_chain`: all factors are matrices, so that its transpose is that of each, in reverse.
    """

    factors: tuple[Math, ...]
    is_entrywise: bool = False
    is_chain: bool = False
    binding: ClassVar[int] = PRODUCT


@dataclass(frozen=True)
class Fraction(Math):
    """`above` over `below`; of tensors, entry by entry."""

    above: Math
    below: Math
    binding: ClassVar[int] = PRODUCT


@dataclass(frozen=True)
class Power(Math):
    """`base` to the `exponent`; of a tensor entry by entry, which `is_entrywise` says."""

    base: Math
    exponent: Math
    is_entrywise: bool = False
    binding: ClassVar[int] = POWER


@dataclass(frozen=True)
class Transposed(Math):
    """A matrix with its axes exchanged."""

    of: Math
    binding: ClassVar[int] = POWER


@dataclass(frozen=True)
class Inverted(Math):
    """The inverse of a matrix, or of its transpose."""

    of: Math
    is_transposed: bool = False
    binding: ClassVar[int] = POWER


@dataclass(frozen=True)
class Apply(Math):
    """A function of arguments, by its name: `tanh(x)`."""

    function: str
    arguments: tuple[Math, ...]


@dataclass(frozen=True)
class Root(Math):
    """The square root, or the root of another degree."""

    of: Math
    degree: int = 2


@dataclass(frozen=True)
class Between(Math):
    """Something between marks: `|x|`, `[i = j]` (1 where it holds, else 0), floor, ceiling."""

    kind: str  # "absolute", "iverson", "floor", "ceiling", "inner", "norm"
    parts: tuple[Math, ...]


@dataclass(frozen=True)
class Indexed(Math):
    """One entry of a tensor; with fewer indices than it has axes, the part that they choose."""

    of: Math
    indices: tuple[Math, ...]


@dataclass(frozen=True)
class Span(Math):
    """The places `start:stop:step` on an axis, read as Python reads them; `:` takes every one.

    It stands among the indices of an `Indexed`.
    """

    start: Math | None = None
    stop: Math | None = None
    step: Math | None = None


@dataclass(frozen=True)
class Blocks(Math):
    """A matrix of matrices: those of one row stand side by side, the rows one above the other."""

    rows: tuple[tuple[Math, ...], ...]


@dataclass(frozen=True)
class Entries(Math):
    """The matrix or vector whose entries are `body`, for all values of `indices`."""

    body: Math
    indices: tuple[Math, ...]
    binding: ClassVar[int] = POWER


@dataclass(frozen=True)
class Ones(Math):
    """A column of `size` ones."""

    size: Math


@dataclass(frozen=True)
class Zeros(Math):
    """A matrix of zeros; it is written as 0, so that what surrounds it tells its size."""

    rows: Math
    columns: Math


@dataclass(frozen=True)
class Unit(Math):
    """The identity matrix of `size` rows."""

    size: Math


@dataclass(frozen=True)
class OneHot(Math):
    """A row of `size` entries for each of the `labels`: 1 at the label, else 0."""

    labels: Math
    size: Math


@dataclass(frozen=True)
class Repeated(Math):
    """A vector that stands in every "row" or in every "column"; it is written as itself.

    `is_row`: the vector is one row already, else it is a column.
    """

    of: Math
    place: str
    is_row: bool = False


@dataclass(frozen=True)
class Big(Math):
    """A sum, product or maximum over `indices`; over those alone for which `conditions` hold."""

    operator: str  # "sum", "product", "max", "min", "argmax", "argmin"
    indices: tuple[Math, ...]
    body: Math
    conditions: tuple[Math, ...] = ()
    binding: ClassVar[int] = PRODUCT

    @property
    def below(self) -> tuple[Math, ...]:
        """What is written below the sign: a condition tells of the index it begins with."""
        told = [c.left for c in self.conditions if isinstance(c, Relation)]
        return (*(i for i in self.indices if i not in told), *self.conditions)


@dataclass(frozen=True)
class Cases(Math):
    """Values with their conditions; a condition of None is "otherwise"."""

    rows: tuple[tuple[Math, Math | None], ...]
    binding: ClassVar[int] = RELATION


@dataclass(frozen=True)
class Relation(Math):
    """`left operator right`, where the operator is one of = != < <= > >= in and or."""

    operator: str
    left: Math
    right: Math
    binding: ClassVar[int] = RELATION


@dataclass(frozen=True)
class Chained(Math):
    """Relations that share their sides: `0 <= i < n`."""

    operators: tuple[str, ...]
    parts: tuple[Math, ...]
    binding: ClassVar[int] = RELATION


@dataclass(frozen=True)
class Listed(Math):
    """Parts one after the other, in brackets unless `is_bare`: `(a, b, c)`."""

    parts: tuple[Math, ...]
    is_bare: bool = False


@dataclass(frozen=True)
class Words(Math):
    """Plain text inside a formula."""

    text: str


ZERO, ONE = Number("0"), Number("1")


def parts_of(formula: Math) -> Iterator[Math]:
    """`formula` and all formulas in it, from the outside in."""
    yield formula
    for field in fields(formula):
        yield from _parts_in(getattr(formula, field.name))


def _parts_in(value: object) -> Iterator[Math]:
    if isinstance(value, Math):
        yield from parts_of(value)
    elif isinstance(value, tuple):
        for each in value:
            yield from _parts_in(each)
