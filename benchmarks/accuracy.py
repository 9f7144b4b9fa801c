"""Accuracy of emitted code on naive texts, in ulps, against mpmath; writes docs/stability.md.

    python -m benchmarks.accuracy

Value and first two derivatives, float32 and float64. The derivatives are taken both ways that a
user has: `value_and_grad` and `hvp` of a module, and `sg.grad` of `sg.grad` on the expression.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import sympy

import symgrad as sg
from benchmarks.naive_texts import RANGES, TEXTS, WIDTH, NaiveText
from symgrad.expr.node import Node

Index = tuple[int, ...]  # () is the value, (i,) the slope along number i of a point
Results = dict[Index, np.ndarray]
POINTS = 400
TINY = mpmath.mpf("0.1")
BOUND = 4.0  # ulps, for every text, order and type
HEADROOM = 16  # results above 1/16 of the largest number may overflow on the way
DOCUMENT = Path(__file__).parent.parent / "docs" / "stability.md"
ORDERS = ("value", "first", "second")


# --- what the emitted code gives ------------------------------------------------------------------


def modules_of(text: NaiveText, expression: Node | None = None) -> tuple[Any, ...]:
    """Two modules: with `value_and_grad` and `hvp`, and with `sg.grad` taken on the expression."""
    value = text.build() if expression is None else expression
    weights = sg.input("weights", value.shape)
    loss = sg.sum(weights * value)
    first = sg.Model("by_functions", loss=loss, outputs={"value": value})
    leaves = list(first.parameters)
    slopes = sg.grad(loss, leaves)
    along = [sg.input(f"along_{leaf.name}", leaf.shape) for leaf in leaves]
    directional = sg.sum(slopes[0] * along[0])
    for slope, direction in zip(slopes[1:], along[1:], strict=True):
        directional = directional + sg.sum(slope * direction)
    curves = sg.grad(directional, leaves)
    outputs = {f"d_{leaf.name}": s for leaf, s in zip(leaves, slopes, strict=True)}
    outputs |= {f"dd_{leaf.name}": c for leaf, c in zip(leaves, curves, strict=True)}
    second = sg.Model("by_expressions", outputs=outputs, parameters=leaves)
    return (
        sg.compile(first, emit=["forward", "value_and_grad", "hvp"]).load(),
        sg.compile(second, emit=["forward"]).load(),
    )


def call(function: Callable[..., Any], *groups: Any, **inputs: Any) -> Any:
    """The function with those of `inputs` that it takes."""
    taken = signature(function).parameters
    return function(*groups, **{k: v for k, v in inputs.items() if k in taken})


def arguments(
    text: NaiveText, points: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The parameters and inputs of a call at all points at once."""
    if text.is_rowwise:
        return {text.wrt[0]: points}, {}
    names = [*text.wrt, *(name for name in text.shapes if name not in text.wrt)]
    columns = {name: np.ascontiguousarray(points[:, k]) for k, name in enumerate(names)}
    return {k: columns[k] for k in text.wrt}, {k: columns[k] for k in names if k not in text.wrt}


def computed(text: NaiveText, modules: tuple[Any, ...], points: np.ndarray) -> list[Results]:
    """What the modules give at `points`, by index. Where all is finite, nothing may warn."""
    measures = (_by_functions, _by_expressions)
    with np.errstate(all="ignore"):
        results = [f(text, m, points) for f, m in zip(measures, modules, strict=True)]
    finite = np.all([np.isfinite(a) for result in results for a in result.values()], axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for f, m in zip(measures, modules, strict=True):
            f(text, m, points[finite])
    return results


def _value(text: NaiveText, array: np.ndarray) -> np.ndarray:
    return array[:, 0] if array.ndim == 2 else array


def _numbers(text: NaiveText, slopes: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The slopes along each number of a point that is differentiated."""
    if text.is_rowwise:
        return list(slopes[text.wrt[0]].T)
    return [slopes[name] for name in text.wrt]


def _directions(text: NaiveText, params: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """One step per number of a point."""
    if text.is_rowwise:
        (name,) = text.wrt
        steps = []
        for j in range(WIDTH):
            step = np.zeros_like(params[name])
            step[:, j] = 1
            steps.append({name: step})
        return steps
    return [
        {other: np.full_like(array, other == name) for other, array in params.items()}
        for name in text.wrt
    ]


def _weights(text: NaiveText, value: np.ndarray) -> np.ndarray:
    """Powers of two, which change no error; of a row of results, the first alone."""
    weights = np.zeros_like(value)
    first = weights[:, 0] if value.ndim == 2 else weights
    first[:] = np.resize(np.array([1, -2, 0.5], value.dtype), first.shape)
    return weights


def _by_functions(text: NaiveText, module: types.ModuleType, points: np.ndarray) -> Results:
    params, inputs = arguments(text, points)
    value = call(module.forward, params, **inputs)
    weights = _weights(text, value)
    with np.errstate(over="ignore", invalid="ignore"):  # of the sum of results that lie apart
        _, slopes = call(module.value_and_grad, params, weights=weights, **inputs)
    results: Results = {(): _value(text, value)}
    scale = _value(text, weights)
    for i, slope in enumerate(_numbers(text, slopes)):
        results[(i,)] = slope / scale
    for j, step in enumerate(_directions(text, params)):
        curves = call(module.hvp, params, step, weights=weights, **inputs)
        for i, curve in enumerate(_numbers(text, curves)):
            results[(i, j)] = curve / scale
    return results


def _by_expressions(text: NaiveText, module: types.ModuleType, points: np.ndarray) -> Results:
    params, inputs = arguments(text, points)
    shape = points.shape if "keepdims" in text.text else points.shape[:1]
    weights = _weights(text, np.zeros(shape, points.dtype))
    scale = _value(text, weights)
    results: Results = {}
    for j, step in enumerate(_directions(text, params)):
        along = {f"along_{name}": direction for name, direction in step.items()}
        given = call(module.forward, params, weights=weights, **along, **inputs)
        for i, slope in enumerate(_numbers(text, {k: given[f"d_{k}"] for k in params})):
            results[(i,)] = slope / scale
        for i, curve in enumerate(_numbers(text, {k: given[f"dd_{k}"] for k in params})):
            results[(i, j)] = curve / scale
    return results


# --- the truth ------------------------------------------------------------------------------------


class Truth:
    """The naive formula and its derivatives with as many digits as it takes."""

    def __init__(self, text: NaiveText) -> None:
        self._text = text
        self._functions: dict[Any, Callable[..., Any]] = {}

    def value(self, index: Index, point: tuple[float, ...]) -> Any:
        """To 50 digits, however much the naive formula cancels; below 1e-400 it is 0 in floats."""
        index = tuple(sorted(index))
        return self._converged(index, lambda: self._derivative(index), point)

    def condition(self, index: Index, point: tuple[float, ...], true: Any) -> float:
        """How much relative errors of the numbers are amplified: sum |x f_x / f|."""
        if not self._text.conditioned or true == 0 or not mpmath.isfinite(true):
            return 1.0
        total = mpmath.mpf(0)
        for k, x in enumerate(point):
            if x:
                slope = self._converged(
                    (*index, k), lambda k=k: self._derivative((*index, k)), point
                )
                total += abs(slope * x / true)
        return max(1.0, float(total))

    def size(self, index: Index, point: tuple[float, ...]) -> Any:
        """What the row says an error is measured against too."""
        size = self._text.sizes(index)
        if size is None:
            return mpmath.mpf(0)
        return self._converged(("size", *index), lambda: size, point)

    def _derivative(self, index: Index) -> sympy.Expr:
        expression = self._text.naive
        for i in index:
            expression = expression.diff(self._text.symbols[i])
        return expression

    def _converged(self, key: Any, make: Callable[[], sympy.Expr], point: tuple[float, ...]) -> Any:
        if key not in self._functions:
            self._functions[key] = sympy.lambdify(self._text.symbols, make(), "mpmath", cse=True)
        function = self._functions[key]
        before = None
        for digits in (450, 550, 9500, 9600):  # 1 - exp(-1e4) takes 4343, and is nothing till then
            with mpmath.workdps(digits):
                try:
                    now = mpmath.mpf(function(*map(mpmath.mpf, point)))
                except (ZeroDivisionError, ValueError):
                    now = mpmath.nan
                agree = before is not None and abs(now - before) <= abs(now) * TINY**50 + TINY**400
            if agree:
                return now
            before = now
        return before


# --- the error ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worst:
    """The largest error of an order, in ulps, and where."""

    ulps: float = 0.0
    index: Index = ()
    point: tuple[float, ...] = ()


def error(got: Any, true: Any, dtype: type, condition: float = 1.0, size: Any = 0) -> float:
    """|got - true| in units of epsilon times max(|true| condition, size).

    0 where the difference is below the smallest normal number, and for two results of one sign
    close to overflow: the reciprocal of a subnormal number is there. Infinite for a stray nan.
    """
    about = np.finfo(dtype)
    if mpmath.isnan(true):
        return 0.0 if np.isnan(got) else np.inf
    if abs(true) > float(about.max) / HEADROOM:
        close = abs(got) > float(about.max) / HEADROOM / 2 and (got > 0) == (true > 0)
        return 0.0 if close else np.inf
    if not np.isfinite(got):
        return np.inf
    away = abs(mpmath.mpf(float(got)) - true)
    if away <= float(about.smallest_normal):
        return 0.0
    return float(away / (max(abs(true) * condition, size) * float(about.eps)))


def measure(
    text: NaiveText,
    dtype: type,
    count: int = POINTS,
    seed: int = 0,
    modules: tuple[Any, ...] | None = None,
) -> dict[str, Worst]:
    """The worst errors of value, first and second derivatives."""
    points = text.draw(np.random.default_rng(seed), count, dtype).astype(dtype)
    truth = Truth(text)
    outcomes = computed(text, modules or modules_of(text), points)
    worst = dict.fromkeys(ORDERS, Worst())
    for row, entries in enumerate(points.tolist()):
        point = tuple(entries)
        for index in sorted({index for results in outcomes for index in results}):
            true = truth.value(index, point)
            given = [results[index][row] for results in outcomes if index in results]
            errors = [error(got, true, dtype) for got in given]
            order = ORDERS[len(index)]
            if max(errors) > worst[order].ulps:  # dividing can only make it smaller
                condition, size = truth.condition(index, point, true), truth.size(index, point)
                errors = [error(got, true, dtype, condition, size) for got in given]
            if max(errors) > worst[order].ulps:
                worst[order] = Worst(max(errors), index, point)
    return worst


# --- the document ---------------------------------------------------------------------------------

INTRODUCTION = f"""\
# Accuracy of naive formulas

The texts below overflow, cancel or divide 0 by 0 if NumPy computes them as written. Compiled by
symgrad they do not. The table gives the largest error found, in ulps: the difference from the
true result over machine epsilon (1.2e-7, 2.2e-16) times the true result. True is the naive
formula, differentiated by SymPy as written, in mpmath with as many digits as it takes.

Value, first and second derivatives are those of the compiled modules: `forward`, `value_and_grad`
and `hvp`, and also `sg.grad` of `sg.grad` taken on the expression; the worse of the two counts. A
test computes a coarser table and asserts {BOUND:g} ulps for every entry, and that no warning is
raised at points where all results are finite.

This page is written by `python -m benchmarks.accuracy`.
"""
REMARKS = f"""\
- Differences below the smallest normal number (1.2e-38, 2.2e-308) do not count.
- Of a result above 1/{HEADROOM} of the largest number (3.4e38, 1.8e308) only the sign and the size
  are asked: it may overflow, since the reciprocal of a subnormal number is there.
- Where a condition number is named, the error is divided by it where it is above 1: the sum over
  the inputs of |x f'(x) / f(x)|. That much the result changes when the inputs are rounded.
"""


def document(count: int = POINTS) -> str:
    """The page, measured anew."""
    head = "| text | float32: value | first | second | float64: value | first | second | points | |"
    table = [head, "| --- |" + " ---: |" * 6 + " --- | --- |"]
    notes: list[str] = []
    for text in TEXTS:
        modules = modules_of(text)
        cells = []
        for dtype in (np.float32, np.float64):
            worst = measure(text, dtype, count, modules=modules)
            cells += [f"{worst[order].ulps:.1f}" for order in ORDERS]
        mark = ""
        if text.note:
            kind = "Divided by the condition number: " if text.conditioned else ""
            notes.append(f"{len(notes) + 1}. {kind}{text.note}.")
            mark = f"({len(notes)})"
        title = f"`{text.text}`" + (f" with `{' = '.join(text.inner)}`" if text.inner else "")
        table.append(f"| {title} | {' | '.join(cells)} | {RANGES[text.draw]} | {mark} |")
    return "\n".join([INTRODUCTION, *table, "", *notes, "", REMARKS])


def main() -> None:
    DOCUMENT.write_text(document())
    print(DOCUMENT.read_text())


if __name__ == "__main__":
    main()
