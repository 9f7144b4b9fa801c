"""Smooth scalar functions, each with slopes that stay accurate over the whole range of a float.

SymPy has no `log1p`, no `logaddexp`, no numerically safe logistic function; and a derivative that
is right on paper (`exp(x)/(1 + exp(x))`) may be nan in a float. Every class here names its value
in the docstring and gives one slope per argument, written in this closed vocabulary:

    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> softplus(x).diff(x), softplus(x).diff(x, 2)
    (sigmoid(x), sigmoid(-x)*sigmoid(x))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sympy
from sympy import Expr, Integer, S

from symgrad.expr.comparison import equal, less, less_equal, logical_and, where

Slopes = tuple[Expr, ...]
LN2 = sympy.log(2)
LN10 = sympy.log(10)


class Smooth(sympy.Function):
    """A real function given by `slopes(*args)`, its partial derivative for each argument.

    `at_zero` is the exact value where every argument is 0, if there is one worth folding.
    """

    is_real: ClassVar[bool | None] = True
    slopes: ClassVar[Callable[..., Slopes]]
    at_zero: ClassVar[Expr | None] = None

    @classmethod
    def eval(cls, *args: Any) -> Expr | None:
        return cls.at_zero if all(arg is S.Zero for arg in args) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return type(self).slopes(*self.args)[argindex - 1]


class sigmoid(Smooth):
    """1 / (1 + exp(-x)).  s' = s(x) s(-x): a product, so that neither tail cancels."""

    nargs = 1
    is_positive = True
    at_zero = S.Half

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sigmoid(x) * sigmoid(-x),)


class softplus(Smooth):
    """log(1 + exp(x)).  softplus' = sigmoid."""

    nargs = 1
    is_positive = True

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sigmoid(x),)


class ndtr(Smooth):
    """The standard normal distribution function.  ndtr' = exp(-x**2 / 2) / sqrt(2 pi).

    It is erfc(-x / sqrt(2)) / 2, which SymPy turns into 1 - erfc(x / sqrt(2)) / 2: that cancels.
    """

    nargs = 1
    is_positive = True
    at_zero = S.Half

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),)


class log1p(Smooth):
    """log(1 + x).  log1p' = 1 / (1 + x)."""

    nargs = 1
    is_real = None  # nan below -1
    at_zero = S.Zero

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (1 / (1 + x),)


class expm1(Smooth):
    """exp(x) - 1.  expm1' = exp."""

    nargs = 1
    at_zero = S.Zero

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sympy.exp(x),)


class bose(Smooth):
    """1 / (exp(x) - 1).  b' = -b (1 + b) = b(x) b(-x): a product, so that neither tail cancels."""

    nargs = 1

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (bose(x) * bose(-x),)


class log1mexp(Smooth):
    """log(1 - exp(-x)) for x > 0.  log1mexp' = bose."""

    nargs = 1
    is_real = None  # nan below 0

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (bose(x),)


class logaddexp(Smooth):
    """log(exp(a) + exp(b)).  Slopes: the weight of each term, sigmoid(a - b), sigmoid(b - a)."""

    nargs = 2

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        return sigmoid(a - b), sigmoid(b - a)


class logaddexp2(Smooth):
    """log2(2**a + 2**b).  Slopes: the weight of each term, as for `logaddexp`."""

    nargs = 2

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        return sigmoid(LN2 * (a - b)), sigmoid(LN2 * (b - a))


class logcosh(Smooth):
    """log(cosh(x)).  logcosh' = tanh."""

    nargs = 1
    is_nonnegative = True
    at_zero = S.Zero

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sympy.tanh(x),)


class versin(Smooth):
    """1 - cos(x).  versin' = sin."""

    nargs = 1
    is_nonnegative = True
    at_zero = S.Zero

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x is S.Zero:
            return S.Zero
        return cls(-x) if x.could_extract_minus_sign() else None

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sympy.sin(x),)


class root(Smooth):
    """sqrt(s), for norms: where s is 0 its slope is 0 (PyTorch's subgradient), not infinite."""

    nargs = 1
    is_real = None  # nan below 0
    at_zero = S.Zero

    def _eval_evalf(self, prec: int) -> Expr:
        return sympy.sqrt(self.args[0])._eval_evalf(prec)  # mpmath's root takes a degree

    @staticmethod
    def slopes(s: Expr) -> Slopes:
        return (where(less(0, s), 1 / (2 * root(s)), 0),)


class cbrt(Smooth):
    """The real cube root.  cbrt' = 1 / (3 cbrt(x)**2)."""

    nargs = 1
    at_zero = S.Zero

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (1 / (3 * cbrt(x) ** 2),)


class log2(Smooth):
    """Logarithm to base 2.  log2' = 1 / (x log 2)."""

    nargs = 1
    is_real = None  # nan below 0

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (1 / (x * LN2),)


class log10(Smooth):
    """Logarithm to base 10.  log10' = 1 / (x log 10)."""

    nargs = 1
    is_real = None  # nan below 0

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (1 / (x * LN10),)


class exp2(Smooth):
    """2**x.  exp2' = log(2) exp2."""

    nargs = 1
    is_positive = True
    at_zero = S.One

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (LN2 * exp2(x),)


class power(Smooth):
    """x**y with an exponent that is not a number (with one, it is SymPy's Pow).

    x-slope y x**(y-1), and 0 where y = 0; y-slope x**y log(x), and 0 where x = 0 <= y.
    Source: PyTorch, tools/autograd/derivatives.yaml, pow_backward_self and pow_backward_exponent.
    """

    nargs = 2
    is_real = None  # nan for a negative base and a fractional exponent

    @classmethod
    def eval(cls, x: Any, y: Any) -> Expr | None:
        if x is S.Exp1:
            return sympy.exp(y)
        return sympy.Pow(x, y) if y.is_number else None

    @staticmethod
    def slopes(x: Expr, y: Expr) -> Slopes:
        at_edge = logical_and(equal(x, 0), less_equal(0, y))
        return (
            where(equal(y, 0), 0, y * power(x, y - 1)),
            where(at_edge, 0, power(x, y) * sympy.log(x)),
        )


class divide(Smooth):
    """a / b that SymPy leaves alone, for expanded forms.

    A quotient of SymPy's comes apart: (a/b)**2 becomes a**2/b**2, 1/exp(-x) becomes exp(x).
    """

    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Expr | None:
        return None

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        return 1 / b, -divide(a, b) / b


class sine_quotient(Smooth):
    """The k-th derivative of sin(x)/x, whole at 0; k is a number.  Its slope is the (k+1)-th."""

    nargs = 2

    @classmethod
    def eval(cls, x: Any, k: Any) -> Expr | None:
        if x is not S.Zero:
            return None
        return S.Zero if k % 2 else sympy.Rational((-1) ** (int(k) // 2), int(k) + 1)

    @staticmethod
    def slopes(x: Expr, k: Integer) -> Slopes:
        return sine_quotient(x, k + 1), S.Zero
