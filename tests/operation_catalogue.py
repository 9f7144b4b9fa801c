"""What users write on tensors: each of symgrad's operations that is not a scalar function.

The second part of the catalogue: sample graphs of each, through the public function. What is
missing here fails a test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalogue import Case, Operand, m, n, whole

import symgrad as sg
from symgrad.expr.node import Node

Sample = tuple[str, list[Any], Callable[..., Node]]

SAMPLES: dict[str, list[Sample]] = {
    "sum": [
        ("all", [(n, m)], sg.sum),
        ("axis", [(2, 3, 2)], lambda x: sg.sum(x, axis=(0, -1), keepdims=True)),
        ("empty", [(0, 3)], lambda x: sg.sum(x, axis=0)),
    ],
    "mean": [("all", [(n, 2)], sg.mean), ("axis", [(2, 3)], lambda x: sg.mean(x, axis=1))],
    "var": [
        ("all", [(n, 2)], sg.var),
        ("unbiased", [(2, 3)], lambda x: sg.var(x, axis=1, ddof=1, keepdims=True)),
    ],
    "std": [("all", [(n, 2)], sg.std), ("axis", [(2, 3)], lambda x: sg.std(x, axis=-1))],
    "max": [("all", [(2, 3)], sg.max), ("axis", [(2, 3)], lambda x: sg.max(x, axis=0))],
    "min": [("all", [(2, 3)], sg.min), ("axes", [(2, 3, 2)], lambda x: sg.min(x, axis=(0, 2)))],
    "prod": [("all", [(2, 3)], sg.prod), ("axis", [(2, n)], lambda x: sg.prod(x, axis=1))],
    "logsumexp": [
        ("all", [(2, 3)], sg.logsumexp),
        ("axis", [(n, 3)], lambda x: sg.logsumexp(x, axis=1, keepdims=True)),
    ],
    "argmax": [("axis", [(2, 3)], lambda x: x[sg.argmax(x, axis=0), :])],
    "argmin": [("axis", [(2, 3)], lambda x: x[sg.argmin(x, axis=0), :])],
    "stop_gradient": [("steps", [(n, 2)], lambda x: x * sg.stop_gradient(sg.floor(x)))],
    "cumsum": [("all", [(2, 3)], sg.cumsum), ("axis", [(2, n)], lambda x: sg.cumsum(x, axis=1))],
    "matmul": [
        ("matrices", [(n, 3), (3, 2)], sg.matmul),
        ("batch_and_vector", [(2, 3, 4), (4,)], sg.matmul),
        ("stretched_batch", [(2, 1, 2, 3), (4, 3, 2)], sg.matmul),
    ],
    "dot": [("vectors", [(3,), (3,)], sg.dot), ("matrices", [(2, 3), (3, 2)], sg.dot)],
    "tensordot": [("two_axes", [(2, 3, 2), (3, 2, 4)], sg.tensordot)],
    "outer": [("vectors", [(2,), (n,)], sg.outer)],
    "einsum": [
        ("three", [(2, 3), (3, 2), (2,)], lambda a, b, c: sg.einsum("ij,jk,k->ik", a, b, c)),
        ("trace", [(3, 3)], lambda a: sg.einsum("ii", a)),
        ("diagonal", [(2, 3, 3)], lambda a: sg.einsum("bii->ib", a)),
    ],
    "diag": [
        ("of_vector", [(3,)], lambda v: sg.diag(v, 1)),
        ("of_matrix", [(3, 3)], lambda a: sg.diag(a, -1)),
    ],
    "eye": [("added", [(n, n)], lambda a: a @ a + sg.eye(n))],
    "full": [("scaled", [(n, 3)], lambda a: a**2 * sg.full((n, 1), 2.5))],
    "full_like": [("scaled", [(n, 3)], lambda a: a**2 * sg.full_like(a, 3))],
    "zeros_like": [("added", [(2, 3)], lambda a: a**2 + sg.zeros_like(a))],
    "ones_like": [("divided", [(n, 3)], lambda a: sg.ones_like(a) / (1 + a**2))],
    "arange": [("weights", [(n, 3)], lambda a: a**2 * sg.arange(n)[:, None])],
    "astype": [("mask", [(n, 3)], lambda a: a**2 * sg.astype(a > 0, "float"))],
    "diagonal": [("offset", [(2, 3)], lambda a: sg.diagonal(a, 1))],
    "trace": [("matrix", [(3, 3)], sg.trace)],
    "tril": [("matrix", [(3, 4)], sg.tril)],
    "triu": [("shifted", [(3, 3)], lambda a: sg.triu(a, 1))],
    "norm": [
        ("vector", [(3,)], sg.norm),
        ("rows", [(n, 3)], lambda x: sg.norm(x, axis=1, keepdims=True)),
        ("sum_of_sizes", [(3,)], lambda x: sg.norm(x, ord=1)),
    ],
    "softmax": [("rows", [(n, 3)], sg.softmax), ("first", [(3, 2)], lambda x: sg.softmax(x, 0))],
    "log_softmax": [("rows", [(n, 3)], sg.log_softmax)],
    "reshape": [("inferred", [(n, 4)], lambda x: sg.reshape(x, (n, 2, -1)))],
    "ravel": [("matrix", [(2, 3)], sg.ravel)],
    "transpose": [("axes", [(2, 3, 4)], lambda x: sg.transpose(x, (1, 2, 0)))],
    "permute_dims": [("axes", [(2, 3)], lambda x: sg.permute_dims(x, (1, 0)))],
    "swapaxes": [("ends", [(2, 3, 4)], lambda x: sg.swapaxes(x, 0, -1))],
    "moveaxis": [("first", [(2, 3, 4)], lambda x: sg.moveaxis(x, 0, 2))],
    "expand_dims": [("middle", [(2, 3)], lambda x: sg.expand_dims(x, 1))],
    "squeeze": [("all", [(1, 3, 1)], sg.squeeze)],
    "broadcast_to": [("both", [(3, 1)], lambda x: sg.broadcast_to(x, (n, 3, 2)))],
    "concat": [("three", [(2, 1), (2, 3), (2, 2)], lambda *xs: sg.concat(xs, axis=1))],
    "concatenate": [("two", [(n,), (2,)], lambda *xs: sg.concatenate(xs))],
    "stack": [("last", [(2, 3), (2, 3)], lambda *xs: sg.stack(xs, axis=-1))],
    "split": [("second_part", [(2, 6)], lambda x: sg.split(x, 3, axis=1)[1])],
    "repeat": [("axis", [(2, 3)], lambda x: sg.repeat(x, 2, axis=1))],
    "tile": [("both", [(2, 3)], lambda x: sg.tile(x, (2, 2)))],
    "flip": [("all", [(2, 3)], sg.flip)],
    "roll": [("axis", [(2, 4)], lambda x: sg.roll(x, 3, axis=1))],
    "pad": [("zeros", [(2, 3)], lambda x: sg.pad(x, ((1, 0), (2, 1))))],
    "take": [("rows", [(4, 2), whole((n,), -4, 4)], lambda x, i: sg.take(x, i, axis=0))],
    "take_along_axis": [
        ("columns", [(2, 4), whole((2, 3), 0, 4)], lambda x, i: sg.take_along_axis(x, i, axis=1))
    ],
}

OPERATION_CASES: tuple[Case, ...] = tuple(
    Case(
        Node,
        f"{name}-{label}",
        tuple(s if isinstance(s, Operand) else Operand(s) for s in shapes),
        build,
    )
    for name, samples in SAMPLES.items()
    for label, shapes, build in samples
)
