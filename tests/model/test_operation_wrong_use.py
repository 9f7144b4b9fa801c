"""Every operation is tested, and wrong use of one is an error of ours at the user's line."""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.expr.functions import FUNCTIONS
from symgrad.model.operations import OPERATIONS

NAMES = """
    sum mean var std max min prod logsumexp cumsum argmax argmin softmax log_softmax norm
    where clip matmul dot tensordot outer einsum diag diagonal trace tril triu reshape ravel
    transpose permute_dims swapaxes moveaxis expand_dims squeeze broadcast_to concat
    concatenate stack split repeat tile flip roll pad take take_along_axis
    stop_gradient eye full full_like zeros_like ones_like arange astype
"""


def test_every_operation_is_tested() -> None:
    assert set(OPERATIONS) == set(FUNCTIONS) | set(NAMES.split())


def test_wrong_use_is_one_of_our_errors() -> None:
    x = sg.input("x", (2, 3))
    for wrong in (
        lambda: sg.sum(x, axis=2),
        lambda: sg.sum(x, axis=(0, 0)),
        lambda: sg.sum(x, axis="a"),
        lambda: sg.sum(x, dtype="float32"),
        lambda: sg.max(x, initial=0),
        lambda: sg.exp(x, out=x),
        lambda: sg.exp(x, x),
        lambda: sg.reshape(x, (4, 2)),
        lambda: sg.reshape(x, (-1, -1)),
        lambda: sg.reshape(x, (4, -1)),
        lambda: sg.reshape(x, 6, order="F"),
        lambda: sg.transpose(x, (0,)),
        lambda: sg.squeeze(x, 0),
        lambda: sg.split(x, 2, 1),
        lambda: sg.concat([x, x[0]]),
        lambda: sg.concat(x),
        lambda: sg.stack([]),
        lambda: sg.stack([x, x.T]),
        lambda: sg.repeat(x, [1, 2], 0),
        lambda: sg.tile(x, 1.5),
        lambda: sg.pad(x, -1),
        lambda: sg.pad(x, 1, "mean"),
        lambda: sg.pad(x, ((1, 2),) * 3),
        lambda: sg.pad(x, 1, "edge", constant_values=1),
        lambda: sg.pad(x, 1, stat_length=2),
        lambda: sg.take(x, [5], 1),
        lambda: sg.take(x, [0.5], 1),
        lambda: sg.take(x, 1, mode="clip"),
        lambda: sg.take_along_axis(x, [0, 1], 1),
        lambda: sg.norm(x, 2),
        lambda: sg.norm(x, "nuc"),
        lambda: sg.einsum("ij,jk", x),
        lambda: sg.einsum("ijk", x),
        lambda: sg.einsum("ij->k", x),
        lambda: sg.einsum("ij->ii", x),
        lambda: sg.einsum("i1", x),
        lambda: sg.einsum(x, [0, 1]),
        lambda: sg.einsum("ij,ij->ij", x, x, optimize=True),
        lambda: sg.einsum("...j->j", x),
        lambda: sg.tensordot(x, x, 1),
        lambda: sg.tensordot(x, x, 3),
        lambda: sg.dot(x, x),
        lambda: x @ x,
        lambda: sg.matmul(x, 2),
        lambda: sg.diag(sg.stack([x, x])),
        lambda: sg.tril(x[0]),
        lambda: sg.trace(x, axis1=1, axis2=-1),
        lambda: sg.clip(x, 0, 1, x),
        lambda: sg.clip(x, 0, min=1),
        lambda: sg.where(x > 0),
        lambda: sg.reciprocal([1, 2]),
        lambda: sg.max(sg.input("e", (0,))),
        lambda: sg.argmax(x, axis=(0, 1)),
        lambda: x & x,
        lambda: x[x > 0],
        lambda: x[0, 0, 0],
        lambda: x[5],
        lambda: x[1.5],
        lambda: x[..., ...],
        lambda: x[[0, 1], [0, 1]],
        lambda: x[::0],
        lambda: sg.roll(x, (1, 2), 0),
        lambda: sg.broadcast_to(x, (3, 3)),
        lambda: sg.broadcast_to(x, 3),
        lambda: x + x.T,
        lambda: sg.sum(x, where=x > 0),
        lambda: sg.var(x, mean=x),
        lambda: sg.exp("x"),
        lambda: sg.moveaxis(x, 0, (0, 1)),
        lambda: sg.expand_dims(x, 5),
        lambda: sg.flip(x, 7),
        lambda: sg.cumsum(x, (0, 1)),
        lambda: sg.logsumexp(x, b=x),
        lambda: sg.diag(x, 0.5),
    ):
        with pytest.raises(SymgradError) as caught:
            wrong()
        assert "test_operation_wrong_use.py:" in str(caught.value), str(caught.value)
