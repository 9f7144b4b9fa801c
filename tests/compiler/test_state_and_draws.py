"""States in and out of emitted functions, and what they draw from the generator they are given."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import threading
import tracemalloc
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import symgrad as sg
from symgrad import nn
from symgrad.check.evidence import check_module
from symgrad.compiler import Compiled
from symgrad.errors import SymgradError
from symgrad.passes.form import Form
from symgrad.passes.verify import verify
from symgrad.program.cost import cost

ALL = ["forward", "loss", "value_and_grad", "input_grad", "jvp", "vjp", "hvp", "hessian",
       "jacobian", "per_example_grad"]  # fmt: skip
n = sg.dim("n")
rng = np.random.default_rng(2)


def classifier() -> sg.Model:
    """Batch norm and two dropouts; the loss trains, the outputs are in use."""
    x, y = sg.input("x", (n, 64)), sg.input("y", (n,), dtype="int")
    net = nn.Sequential(
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(32, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 10),
    )  # fmt: skip
    loss = nn.functional.cross_entropy(net.train()(x), y)
    return sg.Model("digits", loss=loss, outputs={"probs": nn.Softmax(-1)(net.eval()(x))})


def small(in_training: bool = True) -> sg.Model:
    """A user's own module with a buffer that its output reads, noise, and a mask."""

    class Drifting(nn.Module):
        def __init__(self) -> None:
            self.scale = nn.Parameter((3,), init="ones")
            self.level = nn.Buffer((3,), init=0.5)
            self.calls = nn.Buffer((), init=7, dtype="int")

        def forward(self, x: Any) -> Any:
            if not self.training:
                return sg.tanh(x * self.scale + self.level)
            y = sg.tanh(x * self.scale + self.level + 0.1 * sg.random.normal(x.shape))
            return self.update_state(
                y, lambda old: {"level": 0.5 * old["level"] + sg.mean(x, axis=0),
                                "calls": old["calls"] + 1}
            )  # fmt: skip

    x = sg.input("x", (n, 3))
    layer = Drifting()
    y = nn.Dropout(0.3)(layer(x)) * sg.random.uniform((n, 1))
    used = y if in_training else layer.eval()(x)
    return sg.Model("small", loss=sg.mean(y**2), outputs={"used": used})


@pytest.fixture(scope="module")
def digits() -> types.ModuleType:
    return sg.compile(classifier()).load()


def test_a_net_with_batch_norm_and_dropout_learns(digits: types.ModuleType) -> None:
    x, y = load_digits(return_X_y=True)
    x = x / 16
    params, state = digits.init_params(), digits.init_state()
    draws, moments = np.random.default_rng(0), {}
    for _ in range(600):
        batch = draws.integers(0, 1200, 64)
        _, grads, state = digits.value_and_grad(params, state, x=x[batch], y=y[batch], rng=draws)
        for key, grad in grads.items():
            moments[key] = 0.9 * moments.get(key, 0) + grad
            params[key] = params[key] - 0.05 * moments[key]
    assert state["1.num_batches_tracked"] == 600
    np.testing.assert_allclose(
        state["1.running_mean"],
        (x[:1200] @ params["0.weight"].T + params["0.bias"]).mean(0),
        atol=0.3,
    )
    probs = digits.forward(params, state, x=x[1200:])
    assert (probs.argmax(1) == y[1200:]).mean() > 0.9
    one = np.concatenate([digits.forward(params, state, x=row[None]) for row in x[1200:1210]])
    np.testing.assert_allclose(one, probs[:10], rtol=1e-9)


@pytest.mark.parametrize("in_training", [True, False])
def test_every_function_against_differences(in_training: bool) -> None:
    module = sg.compile(small(in_training), ALL).load()
    assert [f for f in check_module(module) if not f.agrees] == []


@pytest.mark.parametrize("define", [classifier, small])
def test_a_saved_module_proves_itself(define: Any, tmp_path: Path) -> None:
    functions = ALL if define is small else None
    path = sg.compile(define(), functions).save(tmp_path)
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "all gradients agree" in run.stdout


def test_a_wrong_gradient_is_found(tmp_path: Path) -> None:
    source = sg.compile(classifier()).source
    found = re.search(r"^    d_weight_0 = .*\n", source, re.MULTILINE)
    assert found is not None
    wrong = source.replace(found[0], found[0].rstrip() + " * 1.001\n")
    path = tmp_path / "wrong.py"
    path.write_text(wrong)
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "GRADIENTS DO NOT AGREE" in run.stdout


WRONG_STATES = {
    "another value": ("new_level = 0.5 * level", "new_level = 0.6 * level", "new state as in loss"),
    "written in place": ("new_level = 0.5 * level", "level *= 0.5; new_level = level + 0",
                         "arguments are not written to"),
    "a key is lost": (', "calls": new_calls}', "}", "keys, shapes and types"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", WRONG_STATES)
def test_a_wrong_state_is_found(mistake: str) -> None:
    right, wrong, subject = WRONG_STATES[mistake]
    head, body = sg.compile(small(False)).source.split("def value_and_grad", 1)
    assert right in body
    module = types.ModuleType("wrong")
    exec(f"{head}def value_and_grad{body.replace(right, wrong, 1)}", module.__dict__)
    disagreeing = [f.subject for f in check_module(module) if not f.agrees]
    assert subject in disagreeing, disagreeing


def test_equal_seeds_give_equal_draws_in_all_functions() -> None:
    module = sg.compile(small(), ALL).load()
    params, state = module.init_params(), module.init_state()
    x = rng.normal(size=(4, 3))

    def call(function: str, *more: Any, seed: int = 3) -> Any:
        given = np.random.default_rng(seed)
        return getattr(module, function)(params, state, *more, x=x, rng=given)

    outputs, _ = call("forward")
    value, _ = call("loss")
    np.testing.assert_allclose(value, np.mean(outputs**2), rtol=1e-14)
    np.testing.assert_array_equal(call("jvp", params)[0], outputs)
    np.testing.assert_array_equal(call("vjp", outputs)[0], outputs)
    assert call("value_and_grad")[0] == pytest.approx(value, rel=1e-14)
    assert call("loss", seed=4)[0] != value


def test_draws_are_those_of_numpy_in_the_type_of_the_arrays() -> None:
    x = sg.input("x", (n, 3))
    noise, kept = sg.random.normal((n, 3)), sg.random.bernoulli(0.25, (n, 1))
    u = sg.random.uniform((2,))
    model = sg.Model("m", outputs={"a": x + noise, "b": x * kept, "c": u[0] * x})
    module = sg.compile(model).load()
    assert list(module.DRAWS.items()) == [
        ("noise", (("n", 3), "normal")),
        ("kept", (("n", 1), "bernoulli(0.25)")),
        ("u", ((2,), "uniform")),
    ]
    for dtype in (np.float32, np.float64):
        ones, reference = np.ones((5, 3), dtype), np.random.default_rng(1)
        result = module.forward(x=ones, rng=np.random.default_rng(1))
        np.testing.assert_array_equal(
            result["a"], ones + reference.standard_normal((5, 3), dtype=dtype)
        )
        mask = (reference.random((5, 1), dtype=dtype) < 0.25) * ones
        np.testing.assert_array_equal(result["b"], mask)
        np.testing.assert_array_equal(result["c"], reference.random(2, dtype=dtype)[0] * ones)
        assert {a.dtype for a in result.values()} == {np.dtype(dtype)}


def test_what_is_not_read_is_drawn_all_the_same() -> None:
    """A function draws all up to the last that it needs; one that needs none takes no rng."""
    x = sg.parameter("x", (3,))
    first, second = sg.random.uniform((4,)), sg.random.uniform((3,))
    model = sg.Model("m", loss=sg.sum(x * second), outputs={"y": x[0] * first})
    module = sg.compile(model).load()
    seeds = np.random.default_rng(5).random(7)
    params = {"x": np.ones(3)}
    np.testing.assert_array_equal(module.forward(params, rng=np.random.default_rng(5)), seeds[:4])
    value, grads = module.value_and_grad(params, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(grads["x"], seeds[4:])
    assert value == pytest.approx(seeds[4:].sum())
    alone = sg.compile(sg.Model("m", loss=sg.sum(x**2), outputs={"y": first * x[0]})).load()
    assert alone.loss(params) == 3


def test_each_example_has_its_own_mask() -> None:
    x, w = sg.input("x", (n, 3)), sg.parameter("w", (3,))
    kept = sg.random.bernoulli(0.5, (n, 3))
    model = sg.Model("m", loss=sg.mean(sg.sum(x * kept * w, axis=1)))
    module = sg.compile(model, ["per_example_grad", "value_and_grad"]).load()
    x_ = rng.normal(size=(6, 3))
    mask = np.random.default_rng(8).random((6, 3)) < 0.5
    given = {"params": {"w": np.ones(3)}, "x": x_}
    each = module.per_example_grad(**given, rng=np.random.default_rng(8))["w"]
    np.testing.assert_array_equal(each, x_ * mask)
    _, grads = module.value_and_grad(**given, rng=np.random.default_rng(8))
    np.testing.assert_allclose(grads["w"], each.mean(0))


def test_the_derivative_of_a_draw_is_none() -> None:
    u, x = sg.random.uniform((3,)), sg.input("x", (3,))
    slope = sg.grad(sg.sum(x * u**2), x)
    module = sg.compile(sg.Model("m", outputs={"slope": slope, "y": x * u})).load()
    drawn = np.random.default_rng(0).random(3)
    result = module.forward(x=np.ones(3), rng=np.random.default_rng(0))
    np.testing.assert_allclose(result["slope"], drawn**2)
    np.testing.assert_allclose(result["y"], drawn)


def test_the_text_does_not_depend_on_what_was_drawn_before() -> None:
    first = sg.compile(classifier()).source
    sg.random.normal((3,))
    assert sg.compile(classifier()).source == first


def test_states_by_hand() -> None:
    x = sg.input("x", (n, 2))
    total, seen = sg.state("total", (2,)), sg.state("seen", (), 0, dtype="int")
    updates = {total: total + sg.sum(x, axis=0), seen: seen + 1}
    model = sg.Model("m", outputs={"mean": total / (seen + 1)}, updates=updates)
    module = sg.compile(model).load()
    state = module.init_state()
    for _ in range(3):
        mean, state = module.forward(state, x=np.ones((4, 2)))
    np.testing.assert_array_equal(state["total"], [12, 12])
    assert state["seen"] == 3
    np.testing.assert_array_equal(mean, np.array([8, 8]) / 3)
    assert [f for f in check_module(module) if not f.agrees] == []


def test_what_does_not_change_is_handed_through() -> None:
    x = sg.input("x", (2,))
    moving, still = sg.state("moving", (2,)), sg.state("still", (2,), "ones")
    model = sg.Model("m", outputs={"y": x * still}, updates={moving: x})
    module = sg.compile(model).load()
    given = module.init_state()
    x_ = np.array([3.0, 4.0])
    _, state = module.forward(given, x=x_)
    assert list(state) == ["moving", "still"]
    assert state["still"] is given["still"]
    assert state["moving"] is not x_
    np.testing.assert_array_equal(given["moving"], [0, 0])
    assert [f for f in check_module(module) if not f.agrees] == []


def test_a_model_without_state_is_as_before() -> None:
    x = sg.input("x", (n, 3))
    source = sg.compile(sg.Model("m", outputs={"y": sg.tanh(x)})).source
    for word in ("state", "STATE", "DRAWS", "Generator"):
        assert word not in source.replace("default_rng", "")


def test_threads_do_not_share_state(digits: types.ModuleType) -> None:
    x, y = rng.normal(size=(32, 64)), rng.integers(0, 10, 32)
    params = digits.init_params()

    def run(seed: int) -> Any:
        state, draws = digits.init_state(), np.random.default_rng(seed)
        losses = []
        for _ in range(30):
            loss, _, state = digits.value_and_grad(params, state, x=x * (seed + 1), y=y, rng=draws)
            losses.append(loss)
        return losses, state

    alone = [run(seed) for seed in range(4)]
    together: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda s=seed: together.update({s: run(s)})) for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, (losses, state) in enumerate(alone):
        assert together[seed][0] == losses
        for key, value in state.items():
            np.testing.assert_array_equal(together[seed][1][key], value)


def test_forms_are_well_formed() -> None:
    def observer(_: str, form: Form) -> None:
        verify(Form(form.outputs, {}, {}))

    sg.compile(classifier(), observer=observer)
    sg.compile(small(), ALL, observer=observer)


def test_the_draws_count_in_the_peak() -> None:
    x, w = sg.input("x", (n, 500)), sg.parameter("w", (500,))
    net = nn.Dropout(0.5)
    model = sg.Model("m", loss=sg.sum(sg.tanh(net(x) * w)))
    made: Compiled = sg.compile(model, ["value_and_grad"])
    module, batch = made.load(), 2000
    params, ones = module.init_params(dtype=np.float32), np.ones((batch, 500), np.float32)
    module.value_and_grad(params, x=ones, rng=np.random.default_rng(0))
    gc.collect()
    tracemalloc.start()
    try:
        kept = module.value_and_grad(params, x=ones, rng=np.random.default_rng(0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept
    predicted = cost(made.plans[0]).at({"n": batch}, 4)[2]
    assert abs(peak - predicted) < 0.03 * predicted, (peak, predicted)


WRONG_CALLS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"rng": 3}, TypeError,
     "loss: rng must be a numpy.random.Generator, got int; pass np.random.default_rng(seed)"),
    ({"rng": None}, TypeError,
     "loss: rng must be a numpy.random.Generator, got NoneType; pass np.random.default_rng(seed)"),
    ({"state": 3}, TypeError, "loss: state must be a dict with the keys of STATE, got int"),
    ({"state": {}}, ValueError,
     "loss: state lacks 'level'; its keys must be those of STATE"),
    ({"more": 1}, ValueError,
     "loss: state has the unknown key 'more'; its keys must be those of STATE"),
    ({"level": np.zeros(2)}, ValueError,
     "loss: state['level'] must have shape [3], got [2]"),
    ({"level": np.zeros(3, np.float32)}, TypeError,
     "loss: state['level'] is float32 but params['scale'] is float64; convert one with .astype"),
    ({"calls": np.zeros(())}, TypeError,
     "loss: state['calls'] must hold whole numbers, got float64; convert it with .astype(np.int64)"),
]  # fmt: skip


@pytest.mark.parametrize("change, kind, message", WRONG_CALLS, ids=[m for *_, m in WRONG_CALLS])
def test_wrong_calls(change: dict[str, Any], kind: type[Exception], message: str) -> None:
    module = sg.compile(small(), ["loss"]).load()
    state = module.init_state()
    given: dict[str, Any] = {"state": state, "rng": np.random.default_rng(0)}
    for key, value in change.items():
        if key in given:
            given[key] = value
        else:
            state[key] = value
    with pytest.raises(kind) as raised:
        module.loss(module.init_params(), given["state"], x=np.ones((4, 3)), rng=given["rng"])
    assert str(raised.value) == message


def test_a_missing_generator() -> None:
    module = sg.compile(small(), ["loss"]).load()
    with pytest.raises(
        TypeError, match=r"loss\(\) missing 1 required keyword-only argument: 'rng'"
    ):
        module.loss(module.init_params(), module.init_state(), x=np.ones((4, 3)))


x_ = sg.input("x", (2,))
s_, t_ = sg.state("s", (2,)), sg.state("t", (), 0, dtype="int")
WRONG_MODELS: list[tuple[Any, str]] = [
    (lambda: sg.Model("m", outputs={"y": x_}, updates=3),
     "the updates of m are not a dict of tensors by state\n  at   {here}\n"
     '  fix  write updates={s: expression}, with s = sg.state("s", shape)'),
    (lambda: sg.Model("m", outputs={"y": x_}, updates={x_: x_}),
     "updates= of m has the key <Input float [2]>, which is not a state\n  at   {here}\n"
     '  fix  declare one: s = sg.state("s", shape)'),
    (lambda: sg.Model("m", outputs={"y": x_}, updates={s_: sg.sum(x_)}),
     "the state s cannot become a tensor of another shape\n  at        {here}\n"
     "  expected  [2]\n  got       []"),
    (lambda: sg.Model("m", outputs={"y": x_}, updates={t_: sg.sum(x_)}),
     "the state t of type int cannot become a tensor of float\n  at  {here}"),
    (lambda: sg.Model("m", outputs={"y": sg.input("state", (2,)) * s_}),
     "'state' cannot name anything in a model that has states: the emitted code uses this name "
     "itself\n  at   {here}\n  fix  choose another name, for example 'state_'"),
    (lambda: sg.state("u", (2,), 0.5, dtype="int"),
     "the state u of type int cannot be filled with 0.5\n  at   {here}\n"
     "  fix  start from a whole number"),
]  # fmt: skip


@pytest.mark.parametrize("define, message", WRONG_MODELS, ids=[m[:40] for _, m in WRONG_MODELS])
def test_wrong_models(define: Any, message: str) -> None:
    with pytest.raises(SymgradError) as raised:
        define()
    said = re.sub(r"\S+\.py:\d+", "{here}", str(raised.value))
    assert said.rstrip() == message


def test_a_state_that_is_read_cannot_be_updated_twice() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            self.level = nn.Buffer((2,))

        def forward(self, x: Any) -> Any:
            return self.update_state(x + self.level, lambda old: {"level": old["level"] + 1})

    layer = Reading()
    once, twice = layer(x_), layer(layer(x_))
    assert sg.compile(sg.Model("m", outputs={"y": once})).load().UPDATES_STATE == ("forward",)
    with pytest.raises(
        SymgradError, match="the state level is updated more than once in one model"
    ):
        sg.Model("m", outputs={"y": twice})


def test_train_and_eval_reach_all_children() -> None:
    inner = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(3))
    net = nn.Sequential(nn.Linear(3, 3), inner)
    assert net.training and inner[0].training
    assert net.eval() is net
    assert not any(m.training for m in (net, inner, inner[0], inner[1]))
    assert net.train().training and inner[1].training
    assert not net.train(False).training
