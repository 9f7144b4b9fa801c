"""Sizes as modules write them: whole numbers, or arithmetic of names such as `2*n + 1`.

>>> size_of("2*n + 1", {"n": 5})
11
>>> shape_of((3, "n", "n//2"), {"n": 4})
(3, 4, 2)
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from symgrad.errors import CheckError

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "floor": math.floor,
    "ceiling": math.ceil,
    "Min": min,
    "Max": max,
    "Mod": operator.mod,
}


class NoSuchSize(Exception):
    """The sizes chosen for the names do not make a whole number >= 0."""


def size_of(size: int | str, sizes: Mapping[str, int]) -> int:
    """`size` for the given `sizes` of its names. Raises: NoSuchSize, CheckError."""
    if isinstance(size, int):
        return size
    number = Fraction(_value(_parsed(size), size, sizes))
    if number.denominator != 1 or number < 0:
        raise NoSuchSize(f"{size} = {number}")
    return int(number)


def shape_of(shape: Iterable[int | str], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Every size of `shape`."""
    return tuple(size_of(size, sizes) for size in shape)


def names_in(shape: Iterable[int | str]) -> list[str]:
    """The names that the sizes of `shape` hold, in order."""
    found = []
    for size in shape:
        if isinstance(size, str):
            parts = list(ast.walk(_parsed(size)))
            calls = [part.func for part in parts if isinstance(part, ast.Call)]
            found += [p.id for p in parts if isinstance(p, ast.Name) and p not in calls]
    return list(dict.fromkeys(found))


def _parsed(size: str) -> ast.expr:
    try:
        return ast.parse(size, mode="eval").body
    except SyntaxError:
        raise CheckError(f"the module declares a size that cannot be read: {size!r}") from None


def _value(node: ast.expr, text: str, sizes: Mapping[str, int]) -> Any:
    match node:
        case ast.Constant(value=int() as number):
            return Fraction(number)
        case ast.Name(id=name) if name in sizes:
            return Fraction(sizes[name])
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, text, sizes)
        case ast.BinOp(left=left, op=mark, right=right) if type(mark) in OPERATORS:
            return OPERATORS[type(mark)](_value(left, text, sizes), _value(right, text, sizes))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(a, text, sizes) for a in arguments))
    raise CheckError(f"the module declares a size that cannot be read: {text!r}")
