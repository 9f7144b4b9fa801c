"""Probes: a model that returns the size of the signal and of the gradient at every layer.

It is an ordinary model, compiled like any other, so what is measured is what the emitted code
computes. Each layer's output gets an input added to it that is 0; the gradient with respect to
that input is the gradient at the layer.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy import S

from symgrad.differentiation import grad
from symgrad.errors import DefinitionError
from symgrad.expr.contraction import contract
from symgrad.expr.dimension import product
from symgrad.expr.leaf import Constant, Input
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.slots import slot
from symgrad.expr.walk import rewrite, substitute
from symgrad.health.forward import forward
from symgrad.model.model import Model

SIGNAL, GRADIENT = "signal_{}", "gradient_{}"


def probed(model: Model, sizes: Mapping[sympy.Symbol, int] | None = None) -> Model:
    """A model whose outputs are E[z^2] and E[(dL/dz)^2] over the entries of each layer's output.

    They are named `signal_0`, `gradient_0`, ... in the order of the layers of `health(model)`.

    Raises: DefinitionError if the model has no loss.
    """
    if model.loss is None:
        raise DefinitionError(
            f"{model.name} has no loss, so there is no gradient to measure", where=model.location
        )
    layers = [layer.passage.target.node for layer in forward([model.loss], sizes or {}).layers]
    # no user's name holds a space
    probes = {node: Input(f"probe {i}", node.shape) for i, node in enumerate(layers)}

    def with_probe(rebuilt: Node, original: Node) -> Node:
        probe = probes.get(original)
        return rebuilt if probe is None else Map(slot(0) + slot(1), rebuilt, probe)

    became = rewrite([model.loss], with_probe)
    leaves = list(probes.values())
    gradients = grad(became[model.loss], leaves)
    zeros = {leaf: Constant(0, leaf.shape, FLOAT) for leaf in leaves}
    plain = substitute([*gradients, *(became[node] for node in layers)], zeros)
    outputs = {}
    for i, node in enumerate(layers):
        outputs[SIGNAL.format(i)] = _mean_square(plain[became[node]])
        outputs[GRADIENT.format(i)] = _mean_square(plain[gradients[i]])
    return Model(f"{model.name}_probed", outputs=outputs, parameters=model.parameters)


def _mean_square(node: Node) -> Node:
    square = Map(slot(0) ** 2, node)
    return contract([], [(square, range(node.ndim))], S.One / product(node.shape))
