"""An activation as one scalar formula, however it was given.

as_formula("z * sigmoid(z)")   as_formula(nn.functional.gelu)   as_formula(sympy.tanh(x))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr

from symgrad.errors import UnsupportedError
from symgrad.expr.adoption import adopt
from symgrad.expr.dimension import dim
from symgrad.expr.formula import partial
from symgrad.expr.leaf import Constant, Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import replace_slots, slot, slot_index
from symgrad.expr.walk import postorder
from symgrad.model.formula_text import formula as read_formula

FIX = 'give a formula of one variable, as sympy.tanh(z), "z * sigmoid(z)" or nn.functional.gelu'


def as_formula(given: Any) -> Expr:
    """`given` as a formula of slot 0. Raises: UnsupportedError."""
    if isinstance(given, str):
        return _of_text(given)
    if isinstance(given, sympy.Lambda):
        given = given(*(slot(i) for i in range(len(given.variables))))
    if isinstance(given, Node) or not isinstance(given, sympy.Basic):
        if not isinstance(given, Node) and callable(given):
            return _of_function(given)
        raise UnsupportedError(f"{given!r} is not an activation", fix=FIX)
    return _of_sympy(given)


def _of_sympy(given: Any) -> Expr:
    symbols = sorted(given.free_symbols, key=str)
    variable = _variable(symbols, given)
    return _in_slots(given.xreplace({variable: slot(0)}), adopt)


def slope_of(formula: Expr) -> Expr:
    """The derivative with respect to slot 0; further symbols are constants."""
    return _in_slots(formula, lambda f: partial(f, 0))


def _in_slots(formula: Expr, made: Callable[[Expr], Expr]) -> Expr:
    """`made` of the formula with its constants in slots, where the vocabulary lets symbols pass."""
    constants = sorted(formula.free_symbols - {slot(0)}, key=str)
    result = made(formula.xreplace({s: slot(i) for i, s in enumerate(constants, start=1)}))
    return replace_slots(result, dict(enumerate(constants, start=1)))


def _variable(symbols: list[Any], given: Any) -> Any:
    """The symbol that is the activation's argument."""
    if len(symbols) == 1:
        return symbols[0]
    for wish in (slot(0), "z", "x"):
        found = [s for s in symbols if s == wish or s.name == wish]
        if found:
            return found[0]
    raise UnsupportedError(f"{given} does not say which symbol is its variable", fix=FIX)


def _of_text(text: str) -> Expr:
    import ast

    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        raise UnsupportedError(f"{text!r} is not a formula", fix=FIX) from None
    called = {node.func.id for node in ast.walk(tree)
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - called
    variables = sorted(names - {"pi", "e", "np", "sg"})
    if len(variables) != 1:
        raise UnsupportedError(
            f"{text!r} has {len(variables)} variables, not one",
            facts={"found": ", ".join(variables)} if variables else {},
            fix=FIX,
        )
    node = read_formula(text, {variables[0]: "n"})
    (leaf,) = (part for part in postorder([node]) if getattr(part, "name", "") == variables[0])
    return elementwise_formula(node, leaf)


def _of_function(function: Callable[..., Any]) -> Expr:
    argument = Input("z", (dim("n"),))
    node = function(argument)
    if not isinstance(node, Node):
        raise UnsupportedError(f"{function!r} does not return a tensor", fix=FIX)
    return elementwise_formula(node, argument)


def elementwise_formula(node: Node, argument: Node) -> Expr:
    """What `node` is of `argument`, elementwise. Raises: UnsupportedError if it is more."""
    formulas: dict[Node, Expr] = {argument: slot(0)}
    for part in postorder([node]):
        if part in formulas:
            continue
        if isinstance(part, Constant):
            formulas[part] = part.value
        elif isinstance(part, Map):
            by = {i: formulas[operand] for i, operand in enumerate(part.operands)}
            formulas[part] = adopt(replace_slots(part.formula, by))
        else:
            raise UnsupportedError(
                f"an activation must be elementwise: {type(part).__name__} is not", fix=FIX
            )
    formula = formulas[node]
    assert all(slot_index(s) in (0, None) for s in formula.free_symbols)
    return formula
