"""Steps of reverse mode, computed on both sides at one point."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symgrad.calculus.journal import Step
from symgrad.evaluation.carried import Array, change, moving
from symgrad.evaluation.compare import Finding, all_compared, compared, together
from symgrad.evaluation.context import Context, Stretch
from symgrad.evaluation.local_slopes import contribution_holds
from symgrad.evaluation.map_slopes import MapSlope
from symgrad.expr.map import Map
from symgrad.expr.scan import Final, Stacked, key_of


def seed(step: Step, stretch: Stretch, context: Context) -> Finding:
    value = context.values.value(step.result)
    shape = context.sizes.shape(step.node.shape)
    return Finding(0.0 if np.shape(value) == shape else np.inf, 1)


def rule(step: Step, stretch: Stretch, context: Context) -> Finding:
    node, position = step.node, step.position
    assert position is not None
    g, given = context.values.values((step.before[0], step.result))
    if isinstance(node, Final | Stacked):
        (result,) = given.values()
        return compared(result, g) if set(given) == {key_of(node)} else Finding(np.inf, 1)
    if isinstance(node, Map) and np.shape(given) == np.shape(g):
        along = {position: np.ones(np.shape(g))}
        return MapSlope(node, step.result, along, g, context.known(step)).holds(
            given, context.sizes
        )
    return contribution_holds(node, context.below(node), position, g, given, context)


def unbroadcast(step: Step, stretch: Stretch, context: Context) -> Finding:
    whole, fitted = context.values.values((step.before[0], step.result))
    assert step.operand is not None
    shape = context.sizes.shape(step.operand.shape)
    return compared(fitted, _summed(whole, shape), _summed(np.abs(whole), shape))


def _summed(whole: Array, shape: tuple[int, ...]) -> Array:
    extra = whole.ndim - len(shape)
    total = whole.sum(axis=tuple(range(extra)))
    axes = tuple(k for k, n in enumerate(shape) if n == 1 != total.shape[k])
    return total.sum(axis=axes, keepdims=True) if axes else total


def accumulate(step: Step, stretch: Stretch, context: Context) -> Finding:
    parts = context.values.values(step.before)
    total = context.values.value(step.result)
    if not isinstance(total, Mapping):
        return compared(total, sum(parts), sum(np.abs(part) for part in parts))
    keys = {key for part in parts for key in part}
    if keys != set(total):
        return Finding(np.inf, 1)
    return together(
        [compared(total[key], sum(part[key] for part in parts if key in part)) for key in keys]
    )


def zero(step: Step, stretch: Stretch, context: Context) -> Finding:
    value = context.values.value(step.node)
    moved = {step.node: moving(value, context.rng.standard_normal(np.shape(value)))}
    outputs = context.elsewhere(moved, stretch.seeds)
    return together([compared(change(y), np.zeros(np.shape(y)), y.real) for y in outputs])


def independent(step: Step, stretch: Stretch, context: Context) -> Finding:
    value = context.values.value(step.node)
    other = {step.node: value + context.rng.uniform(0.1, 1, np.shape(value))}
    outputs = context.elsewhere(other, stretch.seeds)
    return together(all_compared(outputs, context.values.values(stretch.seeds)))
