"""A formula as text: `sg.formula("sum(log(1 + exp(-y * (X @ w))))", shapes={"X": "n d", ...})`.

The text is Python's syntax for one expression. It is parsed with `ast` and read against a
whitelist: numbers, tensors named in `shapes`, operators, comparisons, `[...]`, `.T`, `.shape`, and
calls of symgrad's operations by NumPy's names. Nothing in it is ever evaluated as Python.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

import sympy

from symgrad.errors import FormulaError, SymgradError
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node
from symgrad.model.formula_shapes import declared
from symgrad.model.formula_syntax import (
    ADVICE,
    BINARY,
    COMPARISONS,
    CONSTANTS,
    METHODS,
    PREFIXES,
    UNARY,
    kind_of,
    parsed,
    place,
)
from symgrad.model.linear_algebra import LINEAR_ALGEBRA
from symgrad.model.operations import OPERATIONS

FUNCTIONS: Mapping[str, Callable[..., Any]] = OPERATIONS | LINEAR_ALGEBRA
LONGEST, DEEPEST, LARGEST_POWER, LARGEST_WHOLE = 20_000, 60, 1024, 2**63


def formula(
    text: str, shapes: Mapping[str, Any] | None = None, *, parameters: Sequence[str] | str = ()
) -> Node:
    """The tensor expression that `text` writes down.

    `shapes`: each tensor's sizes, "n d", "64 10", "" for a scalar, with "int" or "bool" at the end
    if it is not of floats; or a tensor expression. A letter is a symbolic size, which the text may
    use as a number. `parameters`: which of them are trained; the others are inputs.

    Raises: FormulaError, showing the place, for all that is not in the language.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}", where=user_location())
    source = text.strip()
    tensors, sizes = declared(shapes or {}, parameters)
    reader = _Reader(source, tensors, sizes)
    if not source:
        raise FormulaError("the formula is empty", where=user_location())
    if len(source) > LONGEST:
        raise FormulaError(
            f"the formula has {len(source)} characters, more than {LONGEST}",
            where=user_location(),
            fix="build it in Python, with symgrad's functions",
        )
    result = reader.read(parsed(source), 0)
    reader.check_all_used()
    if isinstance(result, str | slice) or result is None or result is Ellipsis:
        raise FormulaError(f"the formula is {result!r}, not a tensor", where=user_location())
    if isinstance(result, list | tuple) and any(isinstance(part, Node) for part in result):
        raise FormulaError(
            f"the formula has {len(result)} values, not one",
            where=user_location(),
            fix="take one of them with [0]",
        )
    return as_node(result)


class _Reader:
    """Reads an ast by a whitelist; `tensors` and `sizes` are what names can stand for."""

    def __init__(self, source: str, tensors: Mapping[str, Node], sizes: Mapping[str, Any]) -> None:
        self.source = source
        self.tensors = tensors
        self.sizes = sizes
        self.used: set[str] = set()

    def fail(self, at: ast.AST, what: str, fix: str | None = None) -> NoReturn:
        raise FormulaError(what, where=user_location(), facts=place(self.source, at), fix=fix)

    def check_all_used(self) -> None:
        for name in self.tensors:
            if name not in self.used:
                raise FormulaError(
                    f"a shape is given for {name}, which the formula does not use",
                    where=user_location(),
                    facts={
                        "in": self.source if len(self.source) < 72 else self.source[:69] + "..."
                    },
                )

    def read(self, at: ast.expr, depth: int) -> Any:
        """The value of a part: a tensor, a number, or what can be an argument."""
        if depth > DEEPEST:
            self.fail(at, f"the formula is nested more than {DEEPEST} deep",
                      "build it in Python, with symgrad's functions")  # fmt: skip
        reader = self._readers.get(type(at))
        if reader is None:
            self.fail(at, f"{kind_of(at)} is not part of a formula", ADVICE.get(type(at)))
        return reader(self, at, depth + 1)

    def literal(self, at: Any, depth: int) -> Any:
        value = at.value
        if isinstance(value, bytes | complex):
            self.fail(at, f"{value!r} is not a number of a formula")
        return self._bounded(at, value)

    def _bounded(self, at: ast.AST, value: Any) -> Any:
        if isinstance(value, int) and abs(value) >= LARGEST_WHOLE:
            self.fail(at, "the whole number is too large", "write it as a float, such as 1e30")
        return value

    def name(self, at: Any, depth: int) -> Any:
        if at.id in self.tensors:
            self.used.add(at.id)
            return self.tensors[at.id]
        if at.id in self.sizes:
            return self.sizes[at.id]
        if at.id in CONSTANTS:
            return CONSTANTS[at.id]
        if at.id in FUNCTIONS:
            self.fail(at, f"{at.id} is a function: call it", f"write {at.id}(...)")
        self.fail(at, f"the name {at.id} is not known",
                  f'give its shape: shapes={{"{at.id}": "n d"}}')  # fmt: skip

    def sequence(self, at: Any, depth: int) -> Any:
        parts = [self.read(part, depth) for part in at.elts]
        return parts if isinstance(at, ast.List) else tuple(parts)

    def unary(self, at: Any, depth: int) -> Any:
        if type(at.op) not in UNARY:
            self.fail(at, f"{kind_of(at.op)} is not part of a formula", ADVICE.get(type(at.op)))
        operand = self._number_or_tensor(at.operand, self.read(at.operand, depth))
        if isinstance(at.op, ast.Invert) and not isinstance(operand, Node):
            self.fail(at, "~ needs a condition on tensors")
        return self._apply(at, UNARY[type(at.op)], operand)

    def binary(self, at: Any, depth: int) -> Any:
        # a sum of many terms leans to the left: walk down that side without recursion
        chain = []
        while isinstance(at, ast.BinOp):
            chain.append(at)
            at = at.left
        value = self.read(at, depth)
        left: Any = at
        for part in reversed(chain):
            if type(part.op) not in BINARY:
                self.fail(part, f"{kind_of(part.op)} is not part of a formula",
                          ADVICE.get(type(part.op)))  # fmt: skip
            lhs = self._number_or_tensor(left, value)
            rhs = self._number_or_tensor(part.right, self.read(part.right, depth))
            value = self._combined(part, lhs, rhs)
            left = part
        return value

    def _combined(self, at: Any, lhs: Any, rhs: Any) -> Any:
        if not isinstance(lhs, Node) and not isinstance(rhs, Node):
            if isinstance(at.op, ast.MatMult | ast.BitAnd | ast.BitOr):
                self.fail(at, "this operator needs a tensor")
            if isinstance(at.op, ast.Pow) and not abs(rhs) <= LARGEST_POWER:
                self.fail(at, f"the exponent is larger than {LARGEST_POWER}")
        return self._apply(at, BINARY[type(at.op)], lhs, rhs)

    def _number_or_tensor(self, at: ast.AST, value: Any) -> Any:
        if isinstance(value, list):
            return self._apply(at, as_node, value)
        if isinstance(value, Node | int | float | sympy.Expr):
            return value
        self.fail(at, f"{value!r} is not a tensor or a number")

    def comparison(self, at: Any, depth: int) -> Any:
        if len(at.ops) > 1:
            self.fail(at, "a chain of comparisons is not part of a formula",
                      "write (a < b) & (b < c)")  # fmt: skip
        if type(at.ops[0]) not in COMPARISONS:
            self.fail(at, "this comparison is not part of a formula")
        sides = [self._number_or_tensor(x, self.read(x, depth)) for x in (at.left, *at.comparators)]
        return self._apply(at, OPERATIONS[COMPARISONS[type(at.ops[0])]], *sides)

    def attribute(self, at: Any, depth: int) -> Any:
        value = self.read(at.value, depth)
        if isinstance(value, Node) and at.attr == "T":
            return value.T
        if isinstance(value, Node) and at.attr == "shape":
            return value.shape
        if at.attr in getattr(value, "_fields", ()):  # a named result, as slogdet(A).logabsdet
            return getattr(value, at.attr)
        self.fail(at, f"the attribute .{at.attr} is not part of a formula")

    def subscript(self, at: Any, depth: int) -> Any:
        value = self.read(at.value, depth)
        key = self.read(at.slice, depth)
        if isinstance(value, list | tuple):
            if not isinstance(key, int) or not -len(value) <= key < len(value):
                self.fail(at, f"{key!r} is not an index of {len(value)} values")
            return value[key]
        if not isinstance(value, Node):
            self.fail(at, "only a tensor can be indexed")
        return self._apply(at, lambda: value[key])

    def bounds(self, at: Any, depth: int) -> slice:
        parts = (at.lower, at.upper, at.step)
        return slice(*(None if part is None else self.read(part, depth) for part in parts))

    def call(self, at: Any, depth: int) -> Any:
        function, owner = self._function(at.func, depth)
        if any(isinstance(part, ast.Starred) for part in at.args) or any(
            keyword.arg is None for keyword in at.keywords
        ):
            self.fail(at, "* and ** are not part of a formula's arguments")
        args = [*owner, *(self.read(part, depth) for part in at.args)]
        kwargs = {k.arg: self.read(k.value, depth) for k in at.keywords}
        if len(kwargs) < len(at.keywords):
            self.fail(at, "an argument is given twice")
        name = function.__name__
        if owner and name in ("reshape", "transpose") and len(args) > 2:
            args = [args[0], tuple(args[1:])]
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as error:
            self.fail(at, f"{name}: {error}")
        return self._apply(at, function, *args, **kwargs)

    def _function(self, at: Any, depth: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """An operation, and the tensor before the dot if it is called as a method."""
        if isinstance(at, ast.Name):
            if at.id in FUNCTIONS:
                return FUNCTIONS[at.id], ()
            if at.id in self.tensors:
                self.fail(at, f"{at.id} is a tensor, not a function", "multiply with *")
            self.fail(at, f"there is no function {at.id}", _similar(at.id))
        if not isinstance(at, ast.Attribute):
            self.fail(at, "only an operation can be called, by its name")
        if _is_prefix(at.value, self.tensors):
            if at.attr in FUNCTIONS:
                return FUNCTIONS[at.attr], ()
            self.fail(at, f"there is no function {at.attr}", _similar(at.attr))
        owner = self.read(at.value, depth)
        if isinstance(owner, Node) and at.attr in METHODS:
            return OPERATIONS[at.attr], (owner,)
        self.fail(at, f"the method .{at.attr} is not part of a formula")

    def _apply(self, at: ast.AST, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`function` of the arguments; its errors show the place."""
        try:
            return self._plain(at, function(*args, **kwargs))
        except SymgradError as error:
            if "in" in error.facts:
                raise
            raise type(error)(
                error.what,
                where=error.where,
                facts=error.facts | place(self.source, at),
                fix=error.fix,
            ) from None
        except ArithmeticError:
            self.fail(at, "this number is undefined or out of range")
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            self.fail(at, f"this cannot be built: {error}")

    def _plain(self, at: ast.AST, value: Any) -> Any:
        """A scalar constant as a number, so that it stands in formulas as itself."""
        if isinstance(value, Constant) and not value.ndim:
            value = value.value
        if isinstance(value, sympy.Expr) and not value.free_symbols:
            if not math.isfinite(float(value)):
                raise OverflowError
            if value.is_Integer:
                return self._bounded(at, int(value))
        return self._bounded(at, value)

    _readers: Mapping[type, Callable[[Any, Any, int], Any]] = {
        ast.Constant: literal,
        ast.Name: name,
        ast.Tuple: sequence,
        ast.List: sequence,
        ast.UnaryOp: unary,
        ast.BinOp: binary,
        ast.Compare: comparison,
        ast.Attribute: attribute,
        ast.Subscript: subscript,
        ast.Slice: bounds,
        ast.Call: call,
    }


def _is_prefix(at: ast.AST, tensors: Mapping[str, Node]) -> bool:
    """np, numpy or sg, and np.linalg and np.special below them."""
    if isinstance(at, ast.Attribute) and at.attr in ("linalg", "special"):
        at = at.value
    return isinstance(at, ast.Name) and at.id in PREFIXES and at.id not in tensors


def _similar(name: str) -> str | None:
    close = get_close_matches(name, FUNCTIONS, n=3)
    return f"did you mean {' or '.join(close)}?" if close else None
