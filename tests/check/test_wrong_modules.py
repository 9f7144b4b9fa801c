"""The checker fails where it must: a right module, with one thing in it made wrong at a time."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from symgrad.check.evidence import check_module
from symgrad.check.finding import Finding
from symgrad.check.point import draw_point
from symgrad.check.subject import Subject
from symgrad.errors import CheckError

BY_HAND = Path(__file__).with_name("by_hand.py").read_text()


def module_of(source: str) -> types.ModuleType:
    module = types.ModuleType("by_hand")
    exec(compile(source, "by_hand.py", "exec"), module.__dict__)
    return module


def failures(source: str) -> list[Finding]:
    return [f for f in check_module(module_of(source)) if not f.agrees]


def test_a_right_module_passes() -> None:
    assert failures(BY_HAND) == []


# (what is wrong, in which function it is found, the right text, the wrong text)
MUTATIONS = [
    ("0.1% off", "value_and_grad", "d_W = x.T @ d_z", "d_W = 1.001 * (x.T @ d_z)"),
    ("zero", "value_and_grad", "d_b = d_z.sum(axis=0)", "d_b = 0 * d_z.sum(axis=0)"),
    ("sign", "value_and_grad", "d_W = x.T @ d_z", "d_W = -(x.T @ d_z)"),
    ("swapped", "value_and_grad", '{"W": d_W, "b": d_b}', '{"W": d_W, "b": d_b[::-1].copy()}'),
    ("transposed", "value_and_grad", '{"W": d_W, "b"', '{"W": d_W.T.copy(), "b"'),
    ("nan", "value_and_grad", "d_W = x.T @ d_z", "d_W = x.T @ d_z * np.nan"),
    ("one nan", "value_and_grad", "d_W = x.T @ d_z", "d_W = x.T @ d_z; d_W[1, 2] = np.nan"),
    ("one entry", "value_and_grad", "d_W = x.T @ d_z", "d_W = x.T @ d_z; d_W[1, 2] *= 1.001"),
    ("forgotten mean", "value_and_grad", "d_z *= 1 / len(y)\n    d_W", "d_W"),
    (
        "forgotten term",
        "value_and_grad",
        "d_z[np.arange(len(y)), y] -= 1\n    d_z *= 1 / len(y)\n    d_W",
        "d_z *= 1 / len(y)\n    d_W",
    ),
    ("wrong order", "value_and_grad", '{"W": d_W, "b": d_b}', '{"b": d_b, "W": d_W}'),
    ("missing", "value_and_grad", '{"W": d_W, "b": d_b}', '{"W": d_W}'),
    ("other loss", "value_and_grad", "return value, {", "return value * 1.01, {"),
    ("not a pair", "value_and_grad", "return value, {", "return {"),
    ("0.1% off", "input_grad", "d_x = d_z @", "d_x = 1.001 * d_z @"),
    ("nan", "input_grad", "d_x = d_z @", "d_x = np.nan * d_z @"),
    ("forgotten term", "jvp", 't_z = x @ tangents["W"] + tangents["b"]', 't_z = x @ tangents["W"]'),
    ("0.1% off", "jvp", "return p, t_p", "return p, 1.001 * t_p"),
    ("other outputs", "jvp", "return p, t_p", "return 2 * p, t_p"),
    ("forgotten term", "vjp", "g - (p * g).sum(axis=1, keepdims=True)", "g"),
    ("other outputs", "vjp", "return p, {", "return 2 * p, {"),
    ("0.1% off", "hvp", "t_d_z = t_p / len(x)", "t_d_z = 1.001 * t_p / len(x)"),
    ("zero", "hvp", '"b": t_d_z.sum(axis=0)', '"b": 0 * t_d_z.sum(axis=0)'),
    ("nan", "hvp", '"b": t_d_z.sum(axis=0)', '"b": np.nan * t_d_z.sum(axis=0)'),
    ("0.1% off", "hessian", "block /= len(x)", "block /= 1.001 * len(x)"),
    ("one block", "hessian", '"W": np.einsum("nij,nb->ibj"', '"W": 0 * np.einsum("nij,nb->ibj"'),
    ("misshapen", "hessian", '"b": block.sum(axis=0)', '"b": block.sum(axis=0)[None]'),
    ("forgotten term", "jacobian", ' - np.einsum("ni,nj->nij", p, p)\n    return', "\n    return"),
    ("mixed up", "per_example_grad", '"b": d_z}', '"b": d_z[::-1].copy()}'),
    ("averaged", "per_example_grad", '"b": d_z}', '"b": d_z / len(y)}'),
    (
        "summed",
        "per_example_grad",
        '"b": d_z}',
        '"b": np.broadcast_to(d_z.sum(axis=0), d_z.shape).copy()}',
    ),
    (
        "writes to x",
        "forward",
        "p = _softmax(params, x)\n    return p\n",
        "x *= 2\n    return _softmax(params, x / 2)\n",
    ),
    ("writes to params", "value_and_grad", "value = loss(", 'params["b"] += 1; value = loss('),
    (
        "returns an argument",
        "vjp",
        '{"W": x.T @ d_z, "b": d_z.sum(axis=0)}',
        '{"W": x.T @ d_z, "b": np.add(d_z.sum(axis=0), 0, out=params["b"])}',
    ),
    ("two results in one", "input_grad", 'return {"x": d_x}', 'return {"x": d_x, "z": d_x[:, :1]}'),
    (
        "keeps memory",
        "forward",
        "p = _softmax(params, x)\n    return p\n",
        "p = _softmax(params, x)\n"
        "    kept = _KEPT.setdefault(p.dtype, np.empty((100, 4), p.dtype))\n"
        "    kept[: len(p)] = p\n    return kept[: len(p)]\n\n\n_KEPT = {}\n",
    ),
    (
        "random",
        "forward",
        "p = _softmax(params, x)\n    return p\n",
        "return _softmax(params, x) + 1e-13 * np.random.rand()\n",
    ),
    (
        "reads memory as it lies",
        "forward",
        "p = _softmax(params, x)\n    return p\n",
        'return _softmax(params, np.ravel(x, order="K").reshape(x.shape))\n',
    ),
    (
        "wide in float32",
        "forward",
        "p = _softmax(params, x)\n    return p\n",
        "return _softmax(params, x).astype(np.float64)\n",
    ),
    (
        "imprecise in float32",
        "forward",
        "p = _softmax(params, x)\n    return p\n",
        "p = _softmax(params, x)\n"
        "    return (p + 1e5) - p.dtype.type(1e5) if p.dtype == 'f4' else p\n",
    ),
    ("raises", "hvp", "_, t_p = jvp", "_, t_p = params.jvp"),
]


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [m[1:] for m in MUTATIONS],
    ids=[f"{m[1]}-{m[0]}" for m in MUTATIONS],
)
def test_a_wrong_module_fails(function: str, right: str, wrong: str) -> None:
    at = BY_HAND.index(right, BY_HAND.index(f"def {function}("))
    source = BY_HAND[:at] + wrong + BY_HAND[at + len(right) :]
    assert function in {f.function for f in failures(source)}


def test_a_module_that_always_raises() -> None:
    (finding,) = failures(
        BY_HAND.replace("def _softmax(params, x):\n", "def _softmax(params, x):\n    1 / 0\n")
    )
    assert (finding.subject, finding.note) == (
        "right calls return", "ZeroDivisionError: division by zero"
    )  # fmt: skip


def test_a_loss_that_is_nowhere_finite() -> None:
    with pytest.raises(CheckError) as caught:
        failures(BY_HAND.replace("return -np.log(p", "return np.nan * np.log(p"))
    assert str(caught.value) == (
        "by_hand: no random arguments were found for which loss and forward give finite numbers\n"
        "  tried  normal numbers, numbers in (0.1, 0.9) and in (1, 2)"
    )


def test_batch_of_one_is_checked() -> None:
    wrong = BY_HAND.replace("d_z *= 1 / len(y)\n    d_W", "d_z *= 1 / max(len(y), 2)\n    d_W")
    assert {f.subject for f in failures(wrong)} >= {"along W, n=1", "along b, n=1"}
    assert all("n=1" in f.subject for f in failures(wrong))


def test_a_kink_within_the_step_is_forgiven_and_said() -> None:
    source = """
import numpy as np
PARAMETERS = {"w": ((), "float")}
INPUTS = {}
def init_params(seed=0, dtype=np.float64):
    return {"w": np.asarray(0.0, dtype)}
def loss(params):
    return abs(params["w"] - KINK) + 1
def value_and_grad(params):
    return loss(params), {"w": np.asarray(np.sign(params["w"] - KINK))}
"""
    module = module_of(source)
    module.KINK = 0.0  # type: ignore[attr-defined]
    module.KINK = float(draw_point(Subject(module), 0).params["w"]) + 3e-6  # type: ignore[attr-defined]
    findings = check_module(module, seeds=(0,))
    assert [f.note for f in findings if f.subject == "along w"] == [
        "at step 1e-06: a kink lies within 1e-05"
    ]
    assert all(f.agrees for f in findings)


def test_a_derivative_without_anything_to_compare_with_fails() -> None:
    only = BY_HAND.replace("def loss(", "def _loss(").replace("def value_and_grad(", "def _v(")
    notes = {f.function: f.note for f in failures(only)}
    assert notes == {
        "input_grad": "not comparable: emit loss or value_and_grad too",
        "per_example_grad": "not comparable: emit loss or value_and_grad too",
        "hvp": "not comparable: emit value_and_grad too",
        "hessian": "not comparable: emit value_and_grad too",
    }
    reference = module_of(BY_HAND)
    assert all(f.agrees for f in check_module(module_of(only), reference))


def test_distributions_move_along_the_simplex() -> None:
    """A gradient that is right only where targets sum to 1 is right, if the module says so."""
    source = """
import numpy as np
PARAMETERS = {"z": ((4,), "float")}
INPUTS = {"t": (("n", 4), "float")}
DISTRIBUTIONS = {"t": 1}
def init_params(seed=0, dtype=np.float64):
    return {"z": np.zeros(4, dtype)}
def loss(params, *, t):
    z = params["z"]
    return -(t * (z - np.log(np.sum(np.exp(z))))).sum()
def value_and_grad(params, *, t):
    z = params["z"]
    p = np.exp(z) / np.exp(z).sum()
    return loss(params, t=t), {"z": len(t) * p - t.sum(axis=0)}
"""
    assert failures(source) == []
    assert {f.subject for f in failures(source.replace("DISTRIBUTIONS", "NOTHING"))} >= {"along z"}
