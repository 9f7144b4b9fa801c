"""From what a user writes to operands: numbers, small arrays, and formulas over both.

>>> from symgrad.expr.leaf import Input
>>> x = Input("x", (3,))
>>> elementwise(lambda a, b: a / b, x, 2).formula
_0/2
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.comparison import not_equal
from symgrad.expr.dimension import is_dimension, shape_text
from symgrad.expr.formula import adopt, kind, slot, slots_of
from symgrad.expr.leaf import Constant, Named, Table
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, INT, Node, user_location

LARGEST_TABLE = 4096


def number(value: Any) -> sympy.Expr:
    """A Python, NumPy or SymPy number, or arithmetic of dimensions, as a SymPy number.

    It is exact where the binary fraction is short: 0.5 is 1/2, while 0.1 stays a Float.
    Raises: DefinitionError for anything else, and for a complex number.
    """
    if isinstance(value, sympy.Expr):
        if not is_dimension(value) and not value.is_extended_real and value is not sympy.nan:
            raise DefinitionError(f"{value} is not a real number", where=user_location())
        return value
    if hasattr(value, "__index__"):
        return sympy.Integer(int(value))
    if isinstance(value, complex) or not hasattr(value, "__float__"):
        raise DefinitionError(
            f"{value!r} is not a number or a tensor expression", where=user_location()
        )
    real = float(value)
    if real != real:
        return sympy.nan
    if real in (float("inf"), float("-inf")):
        return sympy.oo if real > 0 else -sympy.oo
    numerator, denominator = real.as_integer_ratio()
    if denominator <= 4096 and abs(numerator) < 2**53:
        return sympy.Rational(numerator, denominator)
    return sympy.Float(real)


def as_node(value: Any) -> Node:
    """`value` as a tensor expression: a node, a number, or a small array of numbers.

    Raises: DefinitionError if it is neither; UnsupportedError for a large array, which belongs
    in an Input or a Parameter.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, bool):  # what `a == b` of two expressions gives, whatever they hold
        raise DefinitionError(
            f"{value} is not a tensor: == and != of tensor expressions tell whether they are the "
            f"same expression",
            where=user_location(),
            fix="compare elementwise with sg.equal(a, b) or sg.not_equal(a, b)",
        )
    shape = getattr(value, "shape", None)
    if isinstance(value, list | tuple) or (isinstance(shape, tuple) and shape):
        return _table(value)
    return Constant(_typed(value))


def _typed(value: Any) -> sympy.Expr:
    """`number(value)`, but 2.0 stays a float."""
    exact = number(value)
    is_whole = hasattr(value, "__index__") or _is_boolean(value)
    if exact.is_Integer and not is_whole and not isinstance(value, sympy.Expr):
        return sympy.Float(exact)
    return exact


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "") == "b"


def _table(values: Any) -> Node:
    nested = values.tolist() if hasattr(values, "tolist") else values
    shape: list[int] = []
    level = nested
    while isinstance(level, list | tuple):
        shape.append(len(level))
        level = level[0] if level else None
    flat: list[sympy.Expr] = []
    booleans = 0

    def collect(part: Any, depth: int) -> None:
        nonlocal booleans
        if depth == len(shape):
            booleans += _is_boolean(part)
            flat.append(_typed(part))
            return
        if not isinstance(part, list | tuple) or len(part) != shape[depth]:
            raise DefinitionError(
                "rows of different lengths do not make a tensor", where=user_location()
            )
        for entry in part:
            collect(entry, depth + 1)

    collect(nested, 0)
    if len(flat) > LARGEST_TABLE:
        raise UnsupportedError(
            f"an array of {len(flat)} numbers is too large to be written out in code",
            where=user_location(),
            fix="pass it in when the module is called: declare it as sg.input",
        )
    table = Table(flat, tuple(shape))
    if flat and booleans == len(flat):  # a mask
        return Map(not_equal(slot(0), sympy.S.Zero), table)
    return table


def elementwise(build: Callable[..., sympy.Expr], *values: Any) -> Node:
    """The map of the scalar formula `build(a, b, ...)` over nodes and numbers.

    A number becomes a part of the formula, unless it would swallow an operand (0*x is not 0 where
    x is nan) or leave the reals. Without any node the result is a Constant.
    """
    nodes = [as_node(value) for value in values]
    inline = [
        isinstance(node, Constant) and not node.ndim and not isinstance(value, Node)
        for node, value in zip(nodes, values, strict=True)
    ]
    operands = [node for node, inlined in zip(nodes, inline, strict=True) if not inlined]
    formula = _formula(build, nodes, inline)
    if formula is None or len(slots_of(formula)) < len(operands):
        operands = nodes
        formula = adopt(build(*(slot(i) for i in range(len(nodes)))))
    elif not operands:
        return Constant(formula)
    if any(node.dtype == FLOAT for node in nodes) and _kind(formula, operands) == INT:
        formula = adopt(sympy.Float(1) * formula)  # int**2.0 is a float
    try:
        return Map(formula, *operands)
    except ShapeError as error:
        raise ShapeError(
            error.what,
            where=user_location(),
            facts=shapes_of({f"operand {i}": node for i, node in enumerate(operands)}),
            fix=error.fix,
        ) from None


def _formula(
    build: Callable[..., sympy.Expr], nodes: list[Node], inline: list[bool]
) -> sympy.Expr | None:
    """The formula with the inlined numbers in it; None if it is not a finite real one."""
    exact = any(node.dtype == FLOAT for node, i in zip(nodes, inline, strict=True) if not i)
    scalars: list[sympy.Expr] = []
    used = 0
    for node, inlined in zip(nodes, inline, strict=True):
        if not inlined:
            scalars.append(slot(used))
            used += 1
            continue
        assert isinstance(node, Constant)
        if not node.value.is_finite and not node.value.free_symbols:
            return None
        scalars.append(number(float(node.value)) if exact and node.value.is_Float else node.value)
    try:
        return adopt(build(*scalars))
    except UnsupportedError:
        if not any(inline):
            raise
        return None


def _kind(formula: sympy.Expr, operands: list[Node]) -> str:
    return kind(formula, tuple(operand.dtype for operand in operands))


def name_of(node: Node) -> str | None:
    """What the user calls `node`, or None."""
    return node.name if isinstance(node, Named) else node.label


def shapes_of(operands: dict[str, Node]) -> dict[str, str]:
    """The lines of a message about operands: by name, or else by role, each with its shape."""
    facts: dict[str, str] = {}
    for role, node in operands.items():
        name = name_of(node)
        facts[role if name is None or name in facts else name] = shape_text(node.shape)
    return facts
