"""From a scalar formula to elementwise instructions; equal subformulas are computed once.

g * (1 - tanh(z)**2)   ->   h = tanh(z); s = square(h); s = 1 - s; s = g * s
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import sympy

from symgrad.expr.dimension import broadcast, same_shape
from symgrad.expr.formula import slot
from symgrad.expr.node import BOOL, FLOAT, INT, Node
from symgrad.expr.spacing import SPACING
from symgrad.program.constant import RENAMED
from symgrad.program.expansion import LOG_MAX, expand
from symgrad.program.instruction import Instruction, Literal, Operand, Value

CALLS = frozenset({"erf", "erfc", "ndtr"})
BOOLEAN = frozenset(
    {"less", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not"}
)
KEEPS_INT = frozenset(
    {"add", "subtract", "multiply", "negative", "absolute", "sign", "maximum", "minimum", "square"}
    | {"mod", "fmod", "floor_divide", "clip"}
)
MOST_DIVISIONS = 3
_expand = lru_cache(maxsize=4096)(expand)


class Elementwise:
    """Builds elementwise instructions, sharing equal ones over the whole program."""

    def __init__(
        self, emit: Callable[[Instruction], None], outer: Elementwise | None = None
    ) -> None:
        self._emit = emit
        self._known: dict[tuple[object, ...], Value] = outer._known if outer else {}
        self._products: dict[Value, tuple[Operand, ...]] = outer._products if outer else {}

    def formula(self, formula: sympy.Expr, operands: Sequence[Operand], node: Node) -> Operand:
        """The value of `formula` with slot i standing for `operands[i]`."""
        done: dict[sympy.Expr, Operand] = {slot(i): operand for i, operand in enumerate(operands)}
        return self._visit(_expand(formula), done, node)

    def apply(self, name: str, operands: Sequence[Operand], node: Node) -> Operand:
        """One NumPy function of values and numbers; the known result if computed before."""
        if all(isinstance(operand, Literal) for operand in operands):
            return _fold(name, [o.number for o in operands if isinstance(o, Literal)])
        dtype = _result_dtype(name, operands, node.dtype == INT)
        if dtype in (INT, FLOAT):
            other, convert = (INT, self.as_float) if dtype == FLOAT else (BOOL, self.as_int)
            values = operands[1:] if name == "where" and dtype == INT else operands
            operands = [*operands[: len(operands) - len(values)]] + [
                convert(o, node) if o.dtype == other and isinstance(o, Value) else o for o in values
            ]
        key = (name, dtype, *(o if isinstance(o, Literal) else id(o) for o in operands))
        if key not in self._known:
            shape = broadcast([operand.shape for operand in operands])
            result = Value(shape, dtype)
            options: dict[str, object] = {"name": name}
            read = operands[1:] if name == "where" else operands  # a condition gives no type
            floats = any(isinstance(o, Value) and o.dtype == FLOAT for o in read)
            if dtype == FLOAT and not floats:
                options["cast"] = True  # only masks and numbers: say which float is meant
            op = "call" if name in CALLS else "ufunc"
            self._emit(Instruction(op, tuple(operands), result, node, options))
            self._known[key] = result
            if name in {"multiply", "square"}:
                self._products[result] = tuple(operands) * (2 if name == "square" else 1)
        return self._known[key]

    def factors(self, value: Value) -> tuple[Value, Value] | None:
        """a and b if `value` is a * b, entry by entry of two arrays of its own shape and type."""
        a, b = self._products.get(value, (None, None))
        for factor in (a, b):
            if not isinstance(factor, Value) or factor.dtype != FLOAT:
                return None
            if not same_shape(factor.shape, value.shape):
                return None
        assert isinstance(a, Value) and isinstance(b, Value)
        return a, b

    def as_float(self, operand: Value, node: Node) -> Value:
        """`operand` converted to the float type of the call."""
        return self._converted(operand, FLOAT, node)

    def as_int(self, operand: Value, node: Node) -> Value:
        """`operand`, a mask, as whole numbers: NumPy would not count in its products."""
        return self._converted(operand, INT, node)

    def _converted(self, operand: Value, dtype: str, node: Node) -> Value:
        key = (f"as_{dtype}", id(operand))
        if key not in self._known:
            result = Value(operand.shape, dtype)
            self._emit(Instruction("cast", (operand,), result, node))
            self._known[key] = result
        return self._known[key]

    def _visit(
        self, expression: sympy.Expr, done: dict[sympy.Expr, Operand], node: Node
    ) -> Operand:
        if expression in done:
            return done[expression]
        if expression is LOG_MAX or expression is SPACING or not _has_slots(expression):
            result: Operand = Literal(expression)
        elif isinstance(expression, sympy.Add):
            result = self._sum(expression, done, node)
        elif isinstance(expression, sympy.Mul):
            result = self._product(expression, done, node)
        elif isinstance(expression, sympy.Pow):
            result = self._power(expression.base, expression.exp, done, node)
        else:
            name = type(expression).__name__
            name = RENAMED.get(name, name)
            arguments = [self._visit(argument, done, node) for argument in expression.args]
            result = arguments[0]
            numbers = [
                sympy.oo if a.number is sympy.zoo else a.number  # 1/0 is inf in IEEE arithmetic
                for a in arguments
                if isinstance(a, Literal)
            ]
            if len(numbers) == len(arguments):
                result = Literal(expression.func(*numbers))
            elif len(arguments) > 2 and name in {"maximum", "minimum", "logical_and", "logical_or"}:
                for argument in arguments[1:]:
                    result = self.apply(name, (result, argument), node)
            else:
                result = self.apply(name, arguments, node)
        done[expression] = result
        return result

    def _sum(self, expression: sympy.Add, done: dict[sympy.Expr, Operand], node: Node) -> Operand:
        plus: list[Operand] = []
        minus: list[Operand] = []
        for term in sorted(expression.args, key=_term_order):
            coefficient, _ = term.as_coeff_Mul()
            negative = bool(coefficient.is_negative)
            (minus if negative else plus).append(
                self._visit(-term if negative else term, done, node)
            )
        # small operands first: a sum of vectors is cheaper than vectors added to a matrix
        plus.sort(key=_breadth)
        minus.sort(key=_breadth)
        if not plus:
            total = minus.pop(0)
            total = self.apply("negative", (total,), node)
        else:
            total = plus.pop(0)
            if isinstance(total, Literal) and plus:
                plus.append(total)
                total = plus.pop(0)
        # a number last: a small one is not lost where large terms cancel, as in a - b + eps
        last = plus.pop() if plus and isinstance(plus[-1], Literal) else None
        for operand in plus:
            total = self.apply("add", (total, operand), node)
        for operand in minus:
            total = self.apply("subtract", (total, operand), node)
        return total if last is None else self.apply("add", (total, last), node)

    def _product(
        self, expression: sympy.Mul, done: dict[sympy.Expr, Operand], node: Node
    ) -> Operand:
        numbers: list[sympy.Expr] = []
        above: list[Operand] = []
        below: list[Operand] = []
        for factor in sorted(expression.args, key=_term_order):
            if not _has_slots(factor):
                numbers.append(factor)
            elif isinstance(factor, sympy.Pow) and factor.exp.is_number and factor.exp.is_negative:
                below += self._divisors(factor.base, -factor.exp, done, node)
            else:
                above.append(self._visit(factor, done, node))
        scale = sympy.Mul(*numbers)
        above.sort(key=_breadth)
        below.sort(key=_breadth)
        if not above:
            total: Operand = self.apply("divide", (Literal(scale), below.pop(0)), node)
        else:
            total = above.pop(0)
            if scale == -1:
                total = self.apply("negative", (total,), node)
            elif scale.is_Float and scale == 1.0:  # a cast: `1.0 * i` of whole numbers
                if isinstance(total, Value) and total.dtype != FLOAT:
                    total = self.as_float(total, node)
            elif scale != 1:
                total = self.apply("multiply", (total, Literal(scale)), node)
        for operand in above:
            total = self.apply("multiply", (total, operand), node)
        for operand in below:
            total = self.apply("divide", (total, operand), node)
        return total

    def _power(
        self, base: sympy.Expr, exponent: sympy.Expr, done: dict[sympy.Expr, Operand], node: Node
    ) -> Operand:
        if base is sympy.E:
            return self.apply("exp", (self._visit(exponent, done, node),), node)
        value = self._visit(base, done, node)
        if exponent.is_number and exponent.is_negative:
            total: Operand = Literal(sympy.S.One)
            for divisor in self._divisors(base, -exponent, done, node):
                total = self.apply("divide", (total, divisor), node)
            return total
        if isinstance(exponent, sympy.Integer) and int(exponent) <= 16:
            return self._whole_power(value, int(exponent), node)
        if isinstance(exponent, sympy.Rational) and exponent.q == 2 and exponent.p <= 15:
            root = self.apply("sqrt", (value,), node)
            whole = int(exponent.p) // 2
            if not whole:
                return root
            return self.apply("multiply", (self._whole_power(value, whole, node), root), node)
        return self.apply("power", (value, self._visit(exponent, done, node)), node)

    def _divisors(
        self, base: sympy.Expr, exponent: sympy.Expr, done: dict[sympy.Expr, Operand], node: Node
    ) -> list[Operand]:
        """What to divide by, one after the other, for 1/base**exponent.

        x and sqrt(x) for x**(3/2), which leaves the range before a/x**(3/2) does; as many
        operations either way.
        """
        whole = sympy.floor(exponent)
        left = exponent - whole
        if base is sympy.E or exponent > MOST_DIVISIONS or left not in (0, sympy.S.Half):
            return [self._power(base, exponent, done, node)]
        value = self._visit(base, done, node)
        squared = self._known.get(("square", FLOAT, id(value)))
        if exponent == 2 and squared is not None:
            return [squared]
        divisors = [value] * int(whole)
        return divisors if left == 0 else [self.apply("sqrt", (value,), node), *divisors]

    def _whole_power(self, value: Operand, exponent: int, node: Node) -> Operand:
        if exponent == 1:
            return value
        half = self._whole_power(value, exponent // 2, node)
        square = self.apply("square", (half,), node)
        return self.apply("multiply", (square, value), node) if exponent % 2 else square


@lru_cache(maxsize=65536)
def _has_slots(expression: sympy.Expr) -> bool:
    return any(symbol.name.startswith("_") for symbol in expression.free_symbols)


@lru_cache(maxsize=65536)
def _term_order(term: sympy.Expr) -> tuple[int, ...]:
    """Terms in the order of the operands they read, so that code reads like the definition."""
    return tuple(sorted(int(s.name[1:]) for s in term.free_symbols if s.name.startswith("_")))


def _breadth(operand: Operand) -> int:
    return sum(1 for size in operand.shape if size != 1)


def _result_dtype(name: str, operands: Sequence[Operand], whole: bool) -> str:
    """The type of the result; `whole`: it is part of what holds whole numbers, masks included."""
    if name in BOOLEAN:
        return BOOL
    arrays = {operand.dtype for operand in operands if isinstance(operand, Value)}
    if name == "where":
        arrays = {o.dtype for o in operands[1:] if isinstance(o, Value)}
    whole_literals = all(o.number.is_integer for o in operands if isinstance(o, Literal))
    if name == "multiply" and arrays == {BOOL} and all(isinstance(o, Value) for o in operands):
        return BOOL
    kept = arrays <= {INT, BOOL} if whole else arrays == {INT}
    if kept and arrays and whole_literals and name in {*KEEPS_INT, "where"}:
        return INT
    return FLOAT


def _fold(name: str, numbers: list[sympy.Expr]) -> Literal:
    a, *rest = numbers
    table: dict[str, Callable[[], sympy.Expr]] = {
        "add": lambda: a + rest[0],
        "subtract": lambda: a - rest[0],
        "multiply": lambda: a * rest[0],
        "divide": lambda: a / rest[0],
        "negative": lambda: -a,
        "square": lambda: a**2,
        "sqrt": lambda: sympy.sqrt(a),
        "power": lambda: a ** rest[0],
    }
    number = table[name]()
    return Literal(sympy.oo if number is sympy.zoo else number)  # as IEEE arithmetic has it
