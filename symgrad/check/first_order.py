"""Claims of first derivatives: value_and_grad, input_grad, jvp, vjp, jacobian, per_example_grad.

Each is compared with differences of the function below it: the loss, or the outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symgrad.check.draws import Alone
from symgrad.check.point import Point, as_returned, normal_like
from symgrad.check.slopes import Claim, Curve
from symgrad.check.subject import Arrays, Subject
from symgrad.check.tree import inner, magnitude

Rng = np.random.Generator
ALL = "all"


def parameter_directions(subject: Subject, point: Point, rng: Rng) -> Iterator[tuple[str, Arrays]]:
    """A random direction along each parameter, then along all together.

    What stands behind a stop_gradient stands still.
    """
    moving = {k: v for k, v in subject.parameters.items() if k not in subject.held}
    whole = normal_like(moving, point.sizes, rng)
    for name in whole:
        yield name, {name: np.asarray(rng.standard_normal(whole[name].shape))}
    if len(whole) > 1:
        yield ALL, whole


def loss_at(subject: Subject, point: Point) -> tuple[float, float]:
    """The loss and its magnitude, from `loss` or else from `value_and_grad`."""
    name = subject.lower("loss", "value_and_grad")
    assert name is not None
    result = subject.call(name, point)
    value = float(result if name == "loss" else result[0])
    return value, abs(value)


def outputs_at(subject: Subject, point: Point) -> Arrays:
    """The outputs by name, from `forward`, or the loss where a model has no outputs."""
    if subject.lower("forward") is None:
        return {"loss": np.asarray(loss_at(subject, point)[0])}
    return by_name(subject, subject.call("forward", point))


def by_name(subject: Subject, result: Any) -> Arrays:
    """What `forward` returned as a dict, also where there is one output only."""
    if isinstance(result, Mapping):
        return dict(result)
    return {next(iter(subject.outputs), "loss"): result}


def float_outputs(outputs: Arrays) -> Arrays:
    """The outputs that have derivatives."""
    return {name: a for name, a in outputs.items() if np.asarray(a).dtype.kind == "f"}


def weights_like(arrays: Arrays, rng: Rng) -> Arrays:
    """A random weight for every entry of floats."""
    return {
        name: np.asarray(rng.standard_normal(np.shape(a)))
        for name, a in float_outputs(arrays).items()
    }


def loss_curve(subject: Subject, point: Point, direction: Arrays) -> Curve:
    """h -> the loss where the parameters went h along `direction`."""
    return lambda h: loss_at(subject, point.moved(direction, h))


def _loss_past_inputs(
    subject: Subject, point: Point, direction: Arrays, h: float
) -> tuple[float, float]:
    return loss_at(subject, point.inputs_moved(direction, h))


def output_curve(subject: Subject, point: Point, direction: Arrays, weights: Arrays) -> Curve:
    """h -> the sum of weights * outputs where the parameters went h along `direction`."""

    def curve(h: float) -> tuple[float, float]:
        outputs = outputs_at(subject, point.moved(direction, h))
        return inner(outputs, weights), magnitude(outputs, weights)

    return curve


def value_and_grad(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """grads . t against differences of the loss along t."""
    _, grads = subject.call("value_and_grad", point)
    for name, t in parameter_directions(subject, point, rng):
        yield Claim(
            "value_and_grad", f"along {name}", inner(grads, t), loss_curve(subject, point, t)
        )


def input_grad(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """grads . t against differences of the loss, the inputs moving along t.

    An input whose entries sum to 1 moves so that they still do: elsewhere the gradient promises
    nothing.
    """
    grads = subject.call("input_grad", point)
    for name, slope in grads.items():
        if name in subject.held:
            continue
        t = rng.standard_normal(np.shape(slope))
        if name in subject.distributions:
            t -= t.mean(axis=subject.distributions[name], keepdims=True)
        move = {name: np.asarray(t)}
        yield Claim(
            "input_grad",
            f"along {name}",
            inner(grads, move),
            partial(_loss_past_inputs, subject, point, move),
        )


def jvp(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """weights . changes against differences of weights . outputs along the tangents."""
    zeros = {name: np.zeros_like(a) for name, a in point.params.items()}
    for name, t in parameter_directions(subject, point, rng):
        _, changes = subject.call("jvp", point, tangents=zeros | t)
        changes = by_name(subject, changes)
        for output, w in weights_like(changes, rng).items():
            weights = {output: w}
            yield Claim(
                "jvp",
                f"{output} along {name}",
                inner(changes, weights),
                output_curve(subject, point, t, weights),
            )


def vjp(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """grads . t against differences of cotangents . outputs along t."""
    weights = normal_like(subject.outputs, point.sizes, rng)
    _, grads = subject.call("vjp", point, cotangents=as_returned(weights))
    for name, t in parameter_directions(subject, point, rng):
        yield Claim(
            "vjp", f"along {name}", inner(grads, t), output_curve(subject, point, t, weights)
        )


def jacobian(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """weights . J t against differences of weights . outputs along t."""
    blocks = subject.call("jacobian", point)
    if set(blocks) == set(subject.parameters):  # one output only
        blocks = {next(iter(subject.outputs), "loss"): blocks}
    outputs = outputs_at(subject, point)
    for output, row in blocks.items():
        weights = {output: np.asarray(rng.standard_normal(np.shape(outputs[output])))}
        for name, t in parameter_directions(subject, point, rng):
            slope = sum(along(row[b], t[b], weights[output]) for b in t)
            yield Claim(
                "jacobian",
                f"{output} along {name}",
                slope,
                output_curve(subject, point, t, weights),
            )


def along(block: Any, direction: Any, weights: Any) -> float:
    """weights . block . direction, where block has the axes of weights, then of direction."""
    moved = np.tensordot(np.asarray(block), direction, axes=np.ndim(direction))
    return float(np.sum(moved * weights))


def per_example_grad(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """Row i . t against differences of the loss of example i alone, along t."""
    grads = subject.call("per_example_grad", point)
    batch = _batch_name(subject)
    count = point.sizes[batch]
    for i in sorted({0, count - 1, int(rng.integers(count))}):
        alone = _example(subject, point, batch, i)
        row = {name: np.asarray(g)[i] for name, g in grads.items()}
        for name, t in parameter_directions(subject, point, rng):
            yield Claim(
                "per_example_grad", f"along {name}", inner(row, t), loss_curve(subject, alone, t)
            )


def _batch_name(subject: Subject) -> str:
    """The size that leads the inputs."""
    return next(
        shape[0] for shape, _ in subject.inputs.values() if shape and isinstance(shape[0], str)
    )


def _example(subject: Subject, point: Point, batch: str, i: int) -> Point:
    """The point that holds example `i` only."""
    inputs = dict(point.inputs)
    for name, (shape, _) in subject.inputs.items():
        for axis, size in enumerate(shape):
            if size == batch:
                inputs[name] = np.ascontiguousarray(np.take(inputs[name], [i], axis=axis))
    return replace(
        point,
        inputs=inputs,
        sizes={**point.sizes, batch: 1},
        alone=Alone(batch, i, point.sizes),
    )


Claims = Callable[[Subject, Point, Rng], Iterator[Claim]]
FIRST_ORDER: dict[str, Claims] = {
    "value_and_grad": value_and_grad,
    "input_grad": input_grad,
    "jvp": jvp,
    "vjp": vjp,
    "jacobian": jacobian,
    "per_example_grad": per_example_grad,
}
