"""The tensors of a formula, declared by short texts: {"X": "n d", "y": "n int", "lam": ""}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symgrad.errors import FormulaError
from symgrad.expr.dimension import dim
from symgrad.expr.node import Node, user_location
from symgrad.model.declarations import input, parameter

DTYPES = ("float", "int", "bool")


def declared(
    shapes: Mapping[str, Any], parameters: Sequence[str] | str
) -> tuple[dict[str, Node], dict[str, sympy.Symbol]]:
    """The tensors by name, and the symbolic sizes by letter.

    Raises: FormulaError for a text that is not a list of sizes.
    """
    trained = parameters.split() if isinstance(parameters, str) else list(parameters)
    for name in trained:
        if name not in shapes:
            raise FormulaError(
                f"the parameter {name} has no shape",
                where=user_location(),
                fix=f'give it one: shapes={{"{name}": "n d"}}',
            )
    tensors: dict[str, Node] = {}
    sizes: dict[str, sympy.Symbol] = {}
    for name, described in shapes.items():
        if isinstance(described, Node):
            tensors[name] = described
        else:
            shape, dtype = described, "float"
            if isinstance(described, str):
                shape, dtype = read_shape(name, described)
            if name in trained:
                tensors[name] = parameter(name, shape, dtype=dtype)
            else:
                tensors[name] = input(name, shape, dtype=dtype)
        for size in tensors[name].shape:
            sizes |= {symbol.name: symbol for symbol in size.free_symbols}
    return tensors, {name: size for name, size in sizes.items() if name not in tensors}


def read_shape(name: str, text: str) -> tuple[tuple[Any, ...], str]:
    """The sizes and the dtype that a text such as "n 64 int" declares for the tensor `name`."""
    words = text.replace(",", " ").split()
    dtype = words.pop() if words and words[-1] in DTYPES else "float"
    shape: list[Any] = []
    for word in words:
        if word.isascii() and word.isdecimal() and len(word) < 10:
            shape.append(int(word))
        elif word.isidentifier() and word not in DTYPES:
            shape.append(dim(word))
        else:
            raise FormulaError(
                f"{word!r} in the shape of {name} is not a size",
                where=user_location(),
                facts={"in": text},
                fix='write sizes as letters or whole numbers: "n 64", and "int" last',
            )
    return tuple(shape), dtype
