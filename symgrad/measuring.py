"""Measuring: the gradients of emitted code beside those that gradient health predicts.

    comparison = measure(model, {"n": 32})
    comparison.rows[0].predicted_gradient, comparison.rows[0].measured_gradient

Parameters come from the emitted `init_params`, one seed after the other; inputs are standard
normal numbers, and whole numbers within their limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from symgrad.check.point import draw_point, fitting_sizes, is_finite
from symgrad.check.subject import Subject
from symgrad.compiler import compile_model
from symgrad.health.analysis import health
from symgrad.health.probes import GRADIENT, SIGNAL, probed
from symgrad.health.record import Comparison, Health, MeasuredLayer
from symgrad.model.model import Model

SEEDS = tuple(range(5))


def measure(
    model: Model,
    sizes: Mapping[str, int] | None = None,
    seeds: Sequence[int] = SEEDS,
    predicted: Health | None = None,
) -> Comparison:
    """Signals and gradients at every layer, predicted and measured, over several draws.

    `sizes`: of the dimensions; those left out are small. `predicted`: from `health`, if at hand.

    Raises: DefinitionError if the model has no loss; CheckError if no arguments fit.
    """
    predicted = predicted if predicted is not None else health(model, sizes)
    module = compile_model(probed(model), ["forward"]).load()
    subject = Subject(module)
    full = fitting_sizes(subject) | dict(sizes or {})
    draws = [_drawn(subject, seed, full) for seed in seeds]
    rows = []
    for i, layer in enumerate(predicted.layers):
        signals = [draw[SIGNAL.format(i)] for draw in draws]
        gradients = [draw[GRADIENT.format(i)] for draw in draws]
        last = [draw[GRADIENT.format(len(predicted.layers) - 1)] for draw in draws]
        ratios = [g / reference for g, reference in zip(gradients, last, strict=True)]
        rows.append(
            MeasuredLayer(
                layer.name,
                layer.signal_norm,
                float(np.sqrt(np.mean(signals))),
                layer.gradient_norm,
                float(np.sqrt(np.mean(ratios))),
                float(np.sqrt(np.min(ratios))),
                float(np.sqrt(np.max(ratios))),
            )
        )
    return Comparison(model.name, tuple(rows), tuple(seeds), full)


def _drawn(subject: Subject, seed: int, sizes: Mapping[str, int]) -> dict[str, float]:
    """The outputs of the probed module with parameters as they are first drawn."""
    point = draw_point(subject, seed, sizes, ("forward",))
    rng = np.random.default_rng((seed, 1))  # seed alone starts the stream of init_params
    normal = {
        name: np.asarray(rng.standard_normal(array.shape))
        for name, array in point.inputs.items()
        if array.dtype.kind == "f" and name not in subject.distributions
    }
    fresh = replace(
        point, params=subject.init_params(seed, sizes), state=subject.init_state(seed, sizes)
    )
    with_normal = replace(fresh, inputs={**point.inputs, **normal})
    # a loss may be undefined where a target is negative: then the inputs of the point stay
    chosen = with_normal if is_finite(subject, "forward", with_normal) else fresh
    result = subject.call("forward", chosen)
    assert isinstance(result, dict)
    return {name: float(np.asarray(value)) for name, value in result.items()}
