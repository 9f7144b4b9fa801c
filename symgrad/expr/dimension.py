"""Sizes of axes: SymPy expressions such as `n`, `2*n + 1` or `128`.

A batch size stays a symbol from the definition to the emitted module. Two sizes fit only if
they are equal as polynomials: `n` and `m` never do, since nothing says that they would.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from functools import lru_cache

import sympy

from symgrad.errors import NamingError, ShapeError

Dimension = sympy.Expr
Shape = tuple[sympy.Expr, ...]


def dim(name: str) -> sympy.Symbol:
    """A symbolic size, a whole number >= 0 that is known only when the module is called.

    Raises: NamingError if `name` is not a plain identifier.
    """
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise NamingError(
            f"{name!r} cannot name a dimension",
            facts={"expected": "a Python identifier that is not a keyword"},
            fix='write for example sg.dim("n")',
        )
    if name.startswith("_"):
        raise NamingError(
            f"the dimension {name!r} starts with an underscore; such names are symgrad's own",
            fix=f"call it {name.lstrip('_') or 'n'}",
        )
    return sympy.Symbol(name, integer=True, nonnegative=True)


def as_dimension(size: object) -> sympy.Expr:
    """`size` as a dimension: a whole number >= 0, a `sg.dim`, or arithmetic of these.

    Raises: ShapeError for anything else.
    """
    if isinstance(size, bool | str) or size is None:
        raise ShapeError(
            f"{size!r} is not a size",
            facts={"expected": "a whole number >= 0 or a dimension made by sg.dim"},
        )
    if isinstance(size, int) or hasattr(size, "__index__"):
        number = sympy.Integer(int(size))
        if number < 0:
            raise ShapeError(f"a size cannot be negative: {size}")
        return number
    if isinstance(size, sympy.Expr) and is_dimension(size):
        return size
    raise ShapeError(
        f"{size!r} is not a size",
        facts={"expected": "a whole number >= 0 or a dimension made by sg.dim"},
    )


def is_dimension(size: sympy.Expr) -> bool:
    """Whether `size` is arithmetic over dimension symbols and whole numbers."""
    return bool(
        all(s.is_integer and s.is_nonnegative for s in size.free_symbols)
        and size.is_number is not None
        and size.is_real is not False
        and not size.has(sympy.Float, sympy.I)
    )


def as_shape(sizes: object) -> Shape:
    """`sizes` as a shape: one size or a sequence of sizes."""
    if isinstance(sizes, int | sympy.Expr) or hasattr(sizes, "__index__"):
        sizes = (sizes,)
    if not isinstance(sizes, Iterable) or isinstance(sizes, str):
        raise ShapeError(f"{sizes!r} is not a shape", facts={"expected": "a tuple of sizes"})
    return tuple(as_dimension(size) for size in sizes)


@lru_cache(maxsize=65536)
def _same(a: sympy.Expr, b: sympy.Expr) -> bool:
    return bool(sympy.expand(a - b) == 0)


def same(a: sympy.Expr, b: sympy.Expr) -> bool:
    """Whether two sizes are equal whatever the dimension symbols stand for."""
    if a is b or a == b:
        return True
    if isinstance(a, sympy.Integer) and isinstance(b, sympy.Integer):
        return False
    return _same(a, b)


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether two shapes agree in rank and in every size."""
    return len(a) == len(b) and all(same(s, t) for s, t in zip(a, b, strict=True))


def product(sizes: Iterable[sympy.Expr]) -> sympy.Expr:
    """The number of elements: the product of `sizes`, 1 for none."""
    total: sympy.Expr = sympy.S.One
    for size in sizes:
        total = total * size
    return total


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The common shape under NumPy's rules: aligned at the right, size 1 stretches.

    Raises: ShapeError naming the first axis (counted from the right) that does not fit.
    """
    first = shapes[0]
    if all(shape is first or shape == first for shape in shapes):
        return first
    rank = max(len(shape) for shape in shapes)
    sizes: list[sympy.Expr] = [sympy.S.One] * rank
    for shape in shapes:
        for position, size in enumerate(reversed(shape), start=1):
            known = sizes[-position]
            if size == 1 or same(size, known):
                continue
            if known != 1:
                raise ShapeError(
                    f"shapes {' and '.join(shape_text(s) for s in dict.fromkeys(shapes))} "
                    f"do not broadcast: {known} against {size} on axis -{position}",
                    fix="sizes must be equal, or one of them 1",
                )
            sizes[-position] = size
    return tuple(sizes)


def normalise_axis(axis: object, rank: int, what: str = "axis") -> int:
    """`axis` counted from the front. Raises: ShapeError if there is no such axis."""
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise ShapeError(f"{what} must be a whole number, not {axis!r}")
    index = int(axis)
    if not -rank <= index < rank:
        raise ShapeError(f"{what} {index} does not exist: the tensor has {rank} axes")
    return index % rank


def shape_text(shape: Iterable[sympy.Expr]) -> str:
    """A shape as it is written in messages and comments: `[n, 64]`."""
    return "[" + ", ".join(str(size) for size in shape) + "]"
