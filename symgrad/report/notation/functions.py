"""Scalar functions as they stand on paper: by their names, or spelled out.

Functions that exist for the sake of digits are written as what they are: log1p(x) as log(1 + x).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.report.notation import formula as m
from symgrad.report.notation.build import negative, product, ratio, total
from symgrad.report.notation.written import Written, e_to, has_entries, raised

RELATIONS = {"less": "<", "less_equal": "<=", "equal": "=", "not_equal": "!=",
             "logical_and": "and", "logical_or": "or"}  # fmt: skip
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
MIRRORED = {"<": ">", "<=": ">=", "=": "=", "!=": "!="}
TWO = m.Number("2")


def function(part: Any, below: tuple[Written, ...]) -> Written:
    """A function of what is written `below`; `part` says which."""
    name = type(part).__name__
    is_tensor = has_entries(below)
    if name in RELATIONS:
        return Written(_relation(name, below), is_tensor, True)
    if name == "logical_not":
        return Written(_opposite(below[0]), is_tensor, True)
    if name in SPELLED:
        return Written(SPELLED[name](*below), is_tensor)
    parts = tuple(b.counted for b in below)
    if name == "sine_quotient":
        return Written(_sine_quotient(parts[0], int(part.args[1])), is_tensor)
    return Written(m.Apply(NAMES.get(name, name), parts), is_tensor)


def _relation(name: str, below: tuple[Written, ...]) -> m.Math:
    operator = RELATIONS[name]
    if name.startswith("logical"):
        return m.Relation(operator, below[0].truth, below[1].truth)
    left, right = (b.counted for b in below)
    if isinstance(left, m.Number):  # x > 0 is read more easily than 0 < x
        left, right, operator = right, left, MIRRORED[operator]
    return m.Relation(operator, left, right)


def _opposite(x: Written) -> m.Math:
    if isinstance(x.math, m.Relation) and x.is_condition and x.math.operator in OPPOSITE:
        return m.Relation(OPPOSITE[x.math.operator], x.math.left, x.math.right)
    return m.Relation("=", x.counted, m.ZERO)


def _sine_quotient(x: m.Math, order: int) -> m.Math:
    """sin(x)/x, 1 at 0, or one of its derivatives."""
    marks = "'" * order if order < 4 else f"({order})"
    return m.Apply(f"sinc{marks}", (x,))


def _apply(name: str) -> Callable[..., m.Math]:
    return lambda *xs: m.Apply(name, tuple(x.counted for x in xs))


def _between(kind: str) -> Callable[..., m.Math]:
    return lambda *xs: m.Between(kind, tuple(x.counted for x in xs))


def _log_of_sum(*terms: m.Math) -> m.Math:
    return m.Apply("log", (total(*terms),))


def _hypot(x: Written, y: Written) -> m.Math:
    return m.Root(total(raised(x, TWO), raised(y, TWO)))


def _unit(x: Written, y: Written) -> m.Math:
    nothing = m.Relation("and", *(m.Relation("=", z.counted, m.ZERO) for z in (x, y)))
    return m.Cases(((m.ZERO, nothing), (ratio(x.counted, _hypot(x, y)), None)))


def _heaviside(x: Written, at_zero: Written) -> m.Math:
    sign = [m.Relation(operator, x.counted, m.ZERO) for operator in ("<", "=")]
    return m.Cases(((m.ZERO, sign[0]), (at_zero.counted, sign[1]), (m.ONE, None)))


def _fmod(a: Written, b: Written) -> m.Math:
    whole = m.Apply("trunc", (ratio(a.counted, b.counted),))
    return total(a.counted, negative(product(b.counted, whole, is_entrywise=a.is_tensor)))


def _minus(x: Written) -> Written:
    return Written(negative(x.counted), x.is_tensor)


def _two_to(x: Written) -> m.Math:
    return m.Power(TWO, x.counted, x.is_tensor)


NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arsinh", "acosh": "arcosh",
    "atanh": "artanh", "maximum": "max", "minimum": "min", "fmax": "max", "fmin": "min",
    "raised": "max", "Max": "max", "Min": "min", "sign": "sgn", "rint": "round", "sigmoid": "σ",
    "ndtr": "Φ", "Mod": "mod",
}  # fmt: skip
SPELLED: dict[str, Callable[..., m.Math]] = {
    "where": lambda c, a, b: m.Cases(((a.counted, c.truth), (b.counted, None))),
    "exp": e_to,
    "exp2": _two_to,
    "expm1": lambda x: total(e_to(x), m.Negative(m.ONE)),
    "bose": lambda x: ratio(m.ONE, total(e_to(x), m.Negative(m.ONE))),
    "log1p": lambda x: _log_of_sum(m.ONE, x.counted),
    "softplus": lambda x: _log_of_sum(m.ONE, e_to(x)),
    "logaddexp": lambda a, b: _log_of_sum(e_to(a), e_to(b)),
    "logaddexp2": lambda a, b: m.Apply("log2", (total(_two_to(a), _two_to(b)),)),
    "log1mexp": lambda x: _log_of_sum(m.ONE, negative(e_to(_minus(x)))),
    "logcosh": lambda x: m.Apply("log", (m.Apply("cosh", (x.counted,)),)),
    "versin": lambda x: total(m.ONE, m.Negative(m.Apply("cos", (x.counted,)))),
    "relu": lambda x: m.Apply("max", (m.ZERO, x.counted)),
    "clip": lambda x, lo, hi: m.Apply("min", (m.Apply("max", (x.counted, lo.counted)), hi.counted)),
    "heaviside": _heaviside,
    "unit": _unit,
    "fmod": _fmod,
    "hypot": _hypot,
    "divide": lambda a, b: ratio(a.counted, b.counted),
    "power": lambda a, b: raised(a, b.counted),
    "floor_divide": lambda a, b: m.Between("floor", (ratio(a.counted, b.counted),)),
    "absolute": _between("absolute"),
    "Abs": _between("absolute"),
    "floor": _between("floor"),
    "ceil": _between("ceiling"),
    "ceiling": _between("ceiling"),
    "root": lambda x: m.Root(x.counted),
    "cbrt": lambda x: m.Root(x.counted, 3),
}
