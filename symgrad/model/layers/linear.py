"""Layers that are affine in their input, or in each of two."""

from __future__ import annotations

from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr.contraction import contract
from symgrad.expr.dimension import as_dimension, same, same_shape, shape_text
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node, name_of
from symgrad.model.initialisers import torch_linear
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.operations.operation import operation, refuse_of


@operation
def linear(input: Any, weight: Any, bias: Any = None) -> Node:
    """`input @ weight.T + bias`: input [..., in], weight [out, in], bias [out]."""
    input, weight = as_node(input), as_node(weight)
    if not input.ndim or weight.ndim not in (1, 2) or not same(input.shape[-1], weight.shape[-1]):
        raise ShapeError("the last axis of the input must be that of the weight")
    rows = list(range(input.ndim))
    units = [input.ndim] if weight.ndim == 2 else []
    product = contract([*rows[:-1], *units], [(input, rows), (weight, [*units, rows[-1]])])
    return product if bias is None else product + bias


class Linear(Module):
    """`x @ weight.T + bias`; weight is [out_features, in_features], bias [out_features].

    Both are drawn as in PyTorch unless `weight_init`, `bias_init` say otherwise (see `sg.init`).
    """

    weight: Any
    bias: Any

    def __init__(self, in_features: Any, out_features: Any, bias: bool = True,
                 device: Any = None, dtype: Any = None, *, weight_init: Any = None,
                 bias_init: Any = None) -> None:  # fmt: skip
        refuse_of("Linear", device=device, dtype=dtype)
        self.in_features = as_dimension(in_features)
        self.out_features = as_dimension(out_features)
        drawn = torch_linear(self.in_features)
        shape = self.out_features, self.in_features
        self.weight = Parameter(shape, drawn if weight_init is None else weight_init)
        self.bias = (
            Parameter(shape[:1], drawn if bias_init is None else bias_init) if bias else None
        )

    def forward(self, input: Any) -> Node:
        x = as_node(input)
        if not x.ndim or not same(x.shape[-1], self.in_features):
            width = x.shape[-1] if x.ndim else "no axis"
            raise ShapeError(
                f"{self._title()} expects {self.in_features} features on the last axis of its "
                f"input, which has {width}",
                where=user_location(),
                facts={
                    name_of(x) or "input": shape_text(x.shape),
                    "weight": shape_text((self.out_features, self.in_features)),
                },
                fix=f"make it nn.Linear({width}, {self.out_features}), or change what comes before",
            )
        return linear(x, self.weight, self.bias)


@operation
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Node:
    """sum_ij input1[i] weight[o, i, j] input2[j] + bias[o].

    input1 [..., in1], input2 [..., in2], weight [out, in1, in2], bias [out].
    """
    x, y, w = as_node(input1), as_node(input2), as_node(weight)
    if w.ndim != 3:
        raise ShapeError("the weight must be [out, in1, in2]")
    if not x.ndim or not y.ndim or not same_shape((x.shape[-1], y.shape[-1]), w.shape[1:]):
        raise ShapeError("the last axes of the inputs must be those of the weight, [out, in1, in2]")
    if not same_shape(x.shape[:-1], y.shape[:-1]):
        raise ShapeError("the inputs must have the same axes before the last")
    rows = list(range(x.ndim - 1))
    unit, i, j = x.ndim, x.ndim + 1, x.ndim + 2
    product = contract([*rows, unit], [(x, [*rows, i]), (w, [unit, i, j]), (y, [*rows, j])])
    return product if bias is None else product + bias


class Bilinear(Module):
    """x1 @ weight[o] @ x2 + bias[o]; weight is [out_features, in1_features, in2_features]."""

    weight: Any
    bias: Any

    def __init__(self, in1_features: Any, in2_features: Any, out_features: Any, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:  # fmt: skip
        refuse_of("Bilinear", device=device, dtype=dtype)
        self.in1_features = as_dimension(in1_features)
        self.in2_features = as_dimension(in2_features)
        self.out_features = as_dimension(out_features)
        drawn = torch_linear(self.in1_features)
        shape = self.out_features, self.in1_features, self.in2_features
        self.weight = Parameter(shape, drawn)
        self.bias = Parameter(shape[:1], drawn) if bias else None

    def forward(self, input1: Any, input2: Any) -> Node:
        return bilinear(input1, input2, self.weight, self.bias)
