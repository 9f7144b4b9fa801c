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
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import sympy

import symgrad as sg
from benchmarks.naive_texts import WIDTH, NaiveText
from symgrad.expr.node import Node

Index = tuple[int, ...]  # () is the value, (i,) the slope along number i of a point
Results = dict[Index, np.ndarray]
POINTS = 400
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
    names = function.__code__.co_varnames if hasattr(function, "__code__") else ()
    inner = getattr(function, "__wrapped__", function)
    names = inner.__code__.co_varnames[
        : inner.__code__.co_argcount + inner.__code__.co_kwonlyargcount
    ]
    return function(*groups, **{k: v for k, v in inputs.items() if k in names})


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
    """What the modules give at `points`, [points, numbers]; warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [_by_functions(text, modules[0], points), _by_expressions(text, modules[1], points)]


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
        """To 50 digits, however much the naive formula cancels."""
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
        digits, before = 450, None
        while digits <= 30000:  # 1 - exp(-1e4) takes 4343
            with mpmath.workdps(digits):
                try:
                    now = mpmath.mpf(function(*map(mpmath.mpf, point)))
                except (ZeroDivisionError, ValueError):
                    now = mpmath.nan
                agree = before is not None and abs(now - before) <= abs(now) * mpmath.mpf(10) ** -50
            if agree:
                return now
            digits, before = digits * 2, now
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

    0 where the difference is below the smallest normal number or both overflow; infinite if one
    alone is nan or overflows.
    """
    about = np.finfo(dtype)
    if mpmath.isnan(true):
        return 0.0 if np.isnan(got) else np.inf
    if abs(true) > float(about.max):
        return 0.0 if np.isinf(got) and (got > 0) == (true > 0) else np.inf
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
            if len(index) == 2 and index[0] < index[1] and False:
                continue
            given = [results[index][row] for results in outcomes if index in results]
            errors = [error(got, true, dtype) for got in given]
            if max(errors) > 0:
                condition, size = truth.condition(index, point, true), truth.size(index, point)
                errors = [error(got, true, dtype, condition, size) for got in given]
            order = ORDERS[len(index)]
            if max(errors) > worst[order].ulps:
                worst[order] = Worst(max(errors), index, point)
    return worst
