"""The health of a model: forward through the net, then back, layer by layer.

Backward, E[d_z^2] = sigma_w^2 fan_out E[f'(z)^2] E[d_y^2] (He et al. 2015, eq. 14; Schoenholz et
al. 2017, eq. 9); where a signal is used twice, as around a residual block, contributions add, since
the weights between them are independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import sympy
from sympy import Expr

from symgrad.errors import DefinitionError
from symgrad.expr.formula import text
from symgrad.expr.node import Node
from symgrad.expr.slots import replace_slots, slot
from symgrad.health.backward import Backward
from symgrad.health.forward import forward
from symgrad.health.moments import Moments, moments
from symgrad.health.passages import Forward, Linear, Recurrent
from symgrad.health.record import (
    LIMIT,
    Health,
    LayerHealth,
    RecurrenceHealth,
    Verdict,
    verdict_of,
)
from symgrad.health.signal import Source, UnknownError, settled
from symgrad.health.steadiness import growth
from symgrad.model.model import Model


def health(model: Model, sizes: Mapping[str, int] | None = None) -> Health:
    """How the net treats signals at initialisation: with its parameters as they are first drawn,
    and inputs that are independent standard normal numbers.

    `sizes`: of the model's dimensions, by name. Those that are left out stay symbols, which mostly
    cancel: a batch size always does.

    Raises: DefinitionError if a size is of no dimension, or the model computes nothing.
    """
    known = _sizes(model, sizes or {})
    roots = [model.loss] if model.loss is not None else list(model.outputs.values())
    found = forward(roots, known)
    back = Backward(found, known)
    back.measure_from([layer.passage.target for layer in found.layers])
    layers = tuple(_layer(layer, found, back, model.names) for layer in found.layers)
    notes = (
        *found.notes,
        *_barriers(found, back, model.names),
        *_unsteady(found, model.names),
    )
    steps = tuple(_recurrence(r, known, model.names) for r in found.recurrences)
    return replace(_whole(model, layers, notes), recurrences=steps)


def _sizes(model: Model, sizes: Mapping[str, int]) -> dict[sympy.Symbol, int]:
    by_name = {symbol.name: symbol for symbol in model.dims}
    for name in sizes:
        if name not in by_name:
            raise DefinitionError(
                f"{model.name} has no dimension {name!r}",
                facts={"dimensions": ", ".join(by_name) or "none"},
            )
    return {by_name[name]: int(size) for name, size in sizes.items()}


def _recurrence(
    recurrent: Recurrent, sizes: Mapping[sympy.Symbol, int], names: Mapping[Node, str]
) -> RecurrenceHealth:
    """The last step, from the gradient at its signal to that at the signal of the step before."""
    back = Backward(recurrent.found, sizes)
    before, now = recurrent.signals[-2:]
    factor = settled(back.gradients[before] / back.gradients[now])
    length = recurrent.scan.length.subs(sizes)
    node = recurrent.scan.step.following[0]
    return RecurrenceHealth(
        names.get(recurrent.scan) or node.label or "the recurrence",
        recurrent.scan.location or node.location,
        _activation_text(recurrent.formula, [now]),
        now.second_moment,
        factor,
        length,
        verdict_of(factor ** int(length)) if length.is_Integer else "unknown",
    )


def layer_name(layer: Linear, names: Mapping[Node, str]) -> str:
    """What a layer is called: as its output, else as its parameter."""
    node = layer.passage.target.node
    return names.get(node) or node.label or layer.weight.name.removesuffix(".weight")


def _layer(layer: Linear, found: Forward, back: Backward, names: Mapping[Node, str]) -> LayerHealth:
    passage, output = layer.passage, layer.passage.target
    sources = found.sources.of(passage.formula)
    signals = [s for s in sources if s.kind != "draw"]
    gradient = back.known(back.gradients[output])
    before = signals[0] if len(signals) == 1 else None
    ahead = back_factor = kept_by = None
    reason = back.reason(output)
    if before is not None:
        ahead = back.known(settled(output.second_moment / before.second_moment))
        try:
            back_factor = back.known(back.through(passage, before))
        except UnknownError as error:
            reason = reason or str(error)
        if back_factor is not None and back_factor != 0:
            kept_by = settled(layer.weight_variance / back_factor)
    return LayerHealth(
        layer_name(layer, names),
        layer.weight.name,
        output.node.location,
        _activation_text(passage.formula, sources),
        _activation_moments(passage.formula, sources),
        layer.fan_in,
        layer.fan_out,
        layer.weight_variance,
        found.bias_variance.get(output, sympy.S.Zero),
        back.known(output.second_moment),
        ahead,
        gradient,
        back_factor,
        kept_by,
        verdict_of(gradient),
        reason,
    )


def _activation_text(formula: Expr, sources: list[Source]) -> str:
    signals = [s for s in sources if s.kind != "draw"]
    letters = ["z"] if len(signals) == 1 else [f"z{k}" for k in range(1, len(signals) + 1)]
    called = dict(zip(signals, letters, strict=True))
    labels = [called.get(s) or getattr(s.node, "name", "draw") for s in sources]
    return text(replace_slots(formula, {s.index: slot(i) for i, s in enumerate(sources)}), labels)


def _activation_moments(formula: Expr, sources: list[Source]) -> Moments | None:
    if len(sources) != 1:
        return None
    return moments(replace_slots(formula, {sources[0].index: slot(0)}))


def _barriers(found: Forward, back: Backward, names: Mapping[Node, str]) -> list[str]:
    """What stands between layers and is not followed, each with its place and the reason."""
    told = []
    for source in back.barriers:
        node = source.node
        where = f" ({node.location})" if node.location else ""
        name = names.get(node) or node.label or "a tensor"
        told.append(f"{name}{where} is not followed: {back.why(source)}")
    return told


def _unsteady(found: Forward, names: Mapping[Node, str]) -> list[str]:
    """That deviations grow, if they do: then narrow layers do not follow the prediction."""
    grown = growth(found)
    if grown is None:
        return []
    start, end, factor = grown
    first, last = (names.get(s.node) or s.node.label or "a layer" for s in (start, end))
    return [
        f"the size of the signal is not steady: 1% more at {first} is {factor:.0f}% more at "
        f"{last}, so that layers of finite width stray from the prediction"
    ]


def _whole(model: Model, layers: tuple[LayerHealth, ...], notes: tuple[str, ...]) -> Health:
    backwards = layers[::-1]
    vanishes = next((x.name for x in backwards if x.verdict == "vanishing"), None)
    explodes = next((x.name for x in backwards if x.verdict == "exploding"), None)
    verdict: Verdict = layers[0].verdict if layers else "unknown"
    if vanishes is not None or explodes is not None:
        verdict = "vanishing" if vanishes is not None else "exploding"
    return Health(
        model.name, layers, verdict, vanishes, explodes, _depth_scale(layers),
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _depth_scale(layers: tuple[LayerHealth, ...]) -> float | None:
    sizes = [x.gradient_norm for x in layers]
    if len(sizes) < 2 or not sizes[0] or not sizes[-1]:
        return None
    rate = abs(math.log(sizes[0] / sizes[-1])) / (len(sizes) - 1)
    return 1 / rate if rate > -math.log1p(-LIMIT) / 1e3 else None
