"""The syntax of formulas as text: what it consists of, parsing, and showing a place in it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import FormulaError
from symgrad.expr.node import user_location

WIDEST = 72  # characters of the text that a message shows

PREFIXES = ("np", "numpy", "sg")
CONSTANTS: dict[str, Any] = {"pi": sympy.pi, "e": sympy.E, "inf": float("inf"), "nan": float("nan")}
METHODS = frozenset(
    """
    sum mean var std max min prod cumsum argmax argmin reshape transpose swapaxes squeeze ravel
    trace diagonal dot clip take repeat
    """.split()  # noqa: SIM905
)
BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
COMPARISONS: dict[type, str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
ADVICE: dict[type, str] = {
    ast.BoolOp: "combine conditions with & and |, in parentheses",
    ast.IfExp: "choose with where(condition, a, b)",
    ast.Not: "negate a condition with ~",
    ast.BitXor: "write a power as a**b",
}


def parsed(source: str) -> ast.expr:
    """The one expression that `source` is. Raises: FormulaError showing where it is not one."""
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        message = (error.msg or "it does not parse").split(". Perhaps")[0]
        line, at = error.lineno or 1, (error.offset or 0) - 1
        if at < 0:  # so Python says that the text ends too early
            lines = source.splitlines()
            line, at = len(lines), len(lines[-1])
        raise FormulaError(
            f"the formula is not valid: {message}",
            where=user_location(),
            facts=_shown(source, line, at, at + 1),
        ) from None
    except (ValueError, OverflowError) as error:
        raise FormulaError(f"the formula is not valid: {error}", where=user_location()) from None
    except (RecursionError, MemoryError):
        raise FormulaError("the formula is nested too deeply", where=user_location()) from None


def _shown(source: str, line: int, start: int, end: int) -> dict[str, str]:
    """The line of the text, and carets under its characters start to end, at most WIDEST wide."""
    lines = source.splitlines() or [""]
    text = lines[min(line, len(lines)) - 1].replace("\t", " ")
    first = max(0, min(start - 30, len(text) - WIDEST))
    shown = text[first : first + WIDEST]
    carets = max(1, min(end, first + WIDEST) - start)
    before, after = ("..." if first else ""), ("..." if first + WIDEST < len(text) else "")
    return {
        "in": f"{before}{shown}{after}",
        "": " " * (start - first + len(before)) + "^" * carets,
    }


def place(source: str, at: Any) -> dict[str, str]:
    """The lines of a message that show where `at`, a part of the parsed `source`, stands."""
    lines = source.encode().splitlines() or [b""]
    line = lines[min(at.lineno, len(lines)) - 1]
    start = len(line[: at.col_offset].decode(errors="replace"))
    end = len(line[: at.end_col_offset].decode(errors="replace"))
    return _shown(source, at.lineno, start, end if at.end_lineno == at.lineno else start)


def kind_of(at: ast.AST) -> str:
    """What a reader calls a part that is not in the language."""
    names: dict[type, str] = {
        ast.BoolOp: "and / or",
        ast.Not: "not",
        ast.IfExp: "if ... else",
        ast.Lambda: "a lambda",
        ast.JoinedStr: "an f-string",
        ast.NamedExpr: "an assignment",
        ast.BitXor: "^",
    }
    return names.get(type(at), f"Python's {type(at).__name__}")
