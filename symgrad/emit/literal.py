"""Numbers and sizes as Python source."""

from __future__ import annotations

import math

import sympy

from symgrad.expr.spacing import SPACING
from symgrad.program.constant import RENAMED, value_of
from symgrad.program.expansion import LOG_MAX, expand


def number_source(number: sympy.Expr) -> str:
    """`number` as a Python expression; a dimension symbol is a local variable of that name."""
    if number is LOG_MAX:
        return "log_max"
    if number == -LOG_MAX:
        return "-log_max"
    if number.has(SPACING) and number.as_coeff_Mul()[1] is SPACING:
        factor = number.as_coeff_Mul()[0]
        return ("" if factor == 1 else f"{number_source(factor)} * ") + "float(np.finfo(dtype).eps)"
    if number is sympy.oo or number is sympy.zoo:  # 1/0 is inf in IEEE arithmetic
        return "np.inf"
    if number is -sympy.oo:
        return "-np.inf"
    if number is sympy.nan:
        return "np.nan"
    if isinstance(number, sympy.Integer):
        return str(number)
    if isinstance(number, sympy.Rational) and number.q <= 4096:
        value = float(number)
        short = repr(value)
        return short if len(short) <= 8 else f"{number.p} / {number.q}"
    if not number.free_symbols:
        return _float_source(value_of(number))
    return size_source(expand(number) if number.has(sympy.Function) else number)


def _float_source(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"


def size_source(size: sympy.Expr) -> str:
    """Arithmetic of dimensions as Python source: `2 * n + 1`, `n // 2`."""
    return _visit(size)[0]


def _visit(e: sympy.Expr) -> tuple[str, int]:
    """Source and its precedence: 4 atom, 3 power, 2 product, 1 sum."""
    if isinstance(e, sympy.Symbol):
        return e.name, 4
    if isinstance(e, sympy.Integer):
        return str(e), 4 if e >= 0 else 1
    if e.is_Number:
        return number_source(e), 2
    if not e.free_symbols:
        source = _float_source(value_of(e))
        return source, 1 if source.startswith("-") else 4
    if isinstance(e, sympy.Add):
        parts = sorted(e.args, key=lambda a: (not a.free_symbols, str(a)))
        source = ""
        for part in parts:
            negative = part.could_extract_minus_sign()
            size = -part if negative else part
            inner, level = _visit(size)
            inner = inner if level > 1 and not (negative and _is_divided(size)) else f"({inner})"
            if source:
                source += f" - {inner}" if negative else f" + {inner}"
            else:
                source = f"-{inner}" if negative else inner
        return source, 1
    if isinstance(e, sympy.Mul):
        above, below = sympy.fraction(e)
        if below != 1:
            top, level = _visit(above)
            bottom, under = _visit(below)
            top = top if level >= 2 or isinstance(above, sympy.Integer) else f"({top})"
            return f"{top} / {bottom if under >= 3 else f'({bottom})'}", 2
        sources = []
        for factor in e.args:
            inner, level = _visit(factor)
            sources.append(inner if level >= 2 and not _is_divided(factor) else f"({inner})")
        return " * ".join(sources), 2
    if isinstance(e, sympy.Pow):
        base, level = _visit(e.base)
        base = base if level == 4 else f"({base})"
        if e.exp == -1:
            return f"1 / {base}", 2
        exponent, level = _visit(e.exp)
        return f"{base} ** {exponent if level == 4 else f'({exponent})'}", 3
    name = type(e).__name__
    if name in {"floor", "ceiling"}:
        above, below = sympy.fraction(sympy.together(e.args[0]))
        top, over = _visit(sympy.expand(above))
        bottom, under = _visit(below)
        bottom = bottom if under == 4 else f"({bottom})"
        if name == "floor":
            top = top if over == 4 else f"({top})"
            return f"{top} // {bottom}", 2
        return f"-(-({top}) // {bottom})", 1
    if name in {"Max", "Min"}:
        return f"{name.lower()}({', '.join(_visit(a)[0] for a in e.args)})", 4
    if name == "Mod":
        return f"({_visit(e.args[0])[0]}) % ({_visit(e.args[1])[0]})", 2
    arguments = ", ".join(_visit(a)[0] for a in e.args)
    return f"float(np.{RENAMED.get(name, name)}({arguments}))", 4  # a formula of sizes alone


def _is_divided(size: sympy.Expr) -> bool:
    """Whether `size` is written with // or %: 2 * (n // 2) is not 2 * n // 2."""
    return type(size).__name__ in {"floor", "Mod"}


def shape_source(shape: tuple[sympy.Expr, ...]) -> str:
    """A shape as a Python tuple, or a bare size where one axis is all there is."""
    sizes = [size_source(size) for size in shape]
    return sizes[0] if len(sizes) == 1 else "(" + ", ".join(sizes) + ")"


def tuple_source(shape: tuple[sympy.Expr, ...]) -> str:
    """A shape as a Python tuple, also where one axis is all there is: what `.shape` equals."""
    sizes = [size_source(size) for size in shape]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"
