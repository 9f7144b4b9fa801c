"""Points: random ones in the domain of a model, and values from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from derivations import of_model

import symgrad as sg
from symgrad import nn
from symgrad.errors import CheckError, WeightsError
from symgrad.evaluation.given_values import point_from
from symgrad.evaluation.points import fitting_sizes, nice_point, random_point
from symgrad.evaluation.sizes import NoSuchSize, Sizes, inferred
from symgrad.evaluation.study import study, values_of
from symgrad.expr.dimension import dim
from symgrad.expr.walk import postorder
from symgrad.model.model import Model

n, m = dim("n"), dim("m")


def classifier() -> Model:
    x, y = sg.input("x", (n, 4)), sg.input("y", (n,), "int")
    words = sg.input("words", (n,), "int")
    target = sg.input("target", (n, 3), sums_to_one=-1)
    W, E = sg.parameter("W", (4, 3)), sg.parameter("E", (7, 4))
    logits = (x + E[words]) @ W
    losses = nn.functional.cross_entropy(logits, y) + nn.functional.cross_entropy(logits, target)
    return sg.Model("classifier", loss=losses)


def leaves(model: Model) -> tuple:
    return (*model.parameters, *model.inputs, *model.states, *model.draws)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("draw", [random_point, nice_point])
def test_random_values_fit_their_use(draw, seed: int) -> None:
    model = classifier()
    values = draw(leaves(model), [model.loss], seed).named()
    assert values["y"].dtype == np.int64 and values["y"].min() >= 0 and values["y"].max() < 3
    assert values["words"].max() < 7
    np.testing.assert_allclose(values["target"].sum(-1), 1, rtol=1e-15)
    assert len({len(values[name]) for name in ("x", "y", "words", "target")}) == 1
    if draw is nice_point:
        for name in ("x", "W", "E"):
            assert np.array_equal(values[name], np.round(values[name], 1))
            assert np.all(values[name] != 0)
        assert len(values["x"]) == 2


def test_the_same_seed_gives_the_same_point() -> None:
    model = classifier()
    first, again, other = (
        random_point(leaves(model), [model.loss], seed).named()["W"] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_domains_are_found() -> None:
    x, w = sg.input("x", (n, 2)), sg.parameter("w", (2,))
    loss = sg.sum(sg.sqrt(x) @ sg.log(w))
    point = random_point((w, x), [loss], 0)
    assert np.isfinite(point.evaluation().value(loss))
    everywhere = sg.sum(sg.log(-(x**2) - 1))
    with pytest.raises(CheckError, match="no random values were found"):
        random_point((x,), [everywhere], 0)


def test_sizes_fit_all_shapes() -> None:
    x = sg.input("x", (2 * n, m))
    y = sg.reshape(x, (n, 2 * m))
    sizes = fitting_sizes(postorder([y]))
    assert sizes.shape(y.shape) == (sizes.of(n), 2 * sizes.of(m)) and sizes.of(n) != sizes.of(m)


def test_sizes_follow_from_arrays() -> None:
    assert inferred([((2 * n + 1, m), (7, 4))]).known == {"n": 3, "m": 4}
    assert Sizes({"n": 0}).number(1 / n) == np.inf
    with pytest.raises(NoSuchSize):
        inferred([((n,), (3,)), ((2 * n,), (7,))])
    with pytest.raises(NoSuchSize):
        Sizes({"n": 3}).of(n / 2)


GOOD = {
    "x": np.ones((5, 4)),
    "y": np.zeros(5, int),
    "words": np.zeros(5, int),
    "target": np.full((5, 3), 1 / 3),
    "W": np.ones((4, 3)),
    "E": np.ones((7, 4)),
}


def test_values_from_a_file(tmp_path: Path) -> None:
    model = classifier()
    derived = of_model(model)
    path = tmp_path / "values.npz"
    np.savez(path, **GOOD)
    numbers = study(derived, leaves(model), at=path, is_checked=False)
    assert numbers.checks == () and numbers.point.sizes.known == {"n": 5}
    assert numbers.value(model.loss) == pytest.approx(2 * np.log(3))
    assert values_of([model.loss], numbers.point) == {model.loss: numbers.value(model.loss)}


WRONG = {
    "missing": ({"x": None}, "missing"),
    "unexpected": ({"z": np.ones(2)}, "unexpected  z"),
    "shape": ({"W": np.ones((4, 2))}, r"W is \[4, 2\], expected \[4, 3\]"),
    "rank": ({"W": np.ones(4)}, r"W is \[4\], expected \[4, 3\]"),
    "kind": ({"y": np.zeros(5)}, "y holds float64, expected int"),
    "sizes": ({"y": np.zeros(6, int)}, r"y is \[6\], expected \[5\]"),
    "index": ({"words": np.full(5, 7)}, "do not fit what they index"),
}


@pytest.mark.parametrize("name", WRONG)
def test_values_that_do_not_fit(name: str, tmp_path: Path) -> None:
    changes, message = WRONG[name]
    arrays = {k: v for k, v in (GOOD | changes).items() if v is not None}
    path = tmp_path / "values.npz"
    np.savez(path, **arrays)
    model = classifier()
    with pytest.raises(CheckError, match=message):
        study(of_model(model), leaves(model), at=path, is_checked=False)


def test_all_problems_are_told_at_once() -> None:
    model = classifier()
    wrong = {"w": np.ones(3), **GOOD, "W": np.ones((4, 2))}
    del wrong["x"]
    with pytest.raises(CheckError) as caught:
        point_from(wrong, leaves(model), "values.npz")
    assert list(caught.value.facts) == ["missing", "unexpected", "wrong"]
    assert caught.value.facts["missing"] == "x [n, 4]"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "values.npz"
    path.write_text("no archive")
    model = classifier()
    with pytest.raises(WeightsError, match=r"not an \.npz file"):
        study(of_model(model), leaves(model), at=path)


def test_what_a_function_does_not_read_may_be_left_out(tmp_path: Path) -> None:
    x, t, w = sg.input("x", (n, 2)), sg.input("t", (n,)), sg.parameter("w", (2,))
    y = x @ w
    model = sg.Model("line", loss=sg.mean((y - t) ** 2), outputs={"y": y})
    path = tmp_path / "values.npz"
    np.savez(path, x=np.ones((3, 2)), w=np.ones(2))
    numbers = study(of_model(model, "forward"), leaves(model), at=path)
    assert numbers.value_of(y) == "[2 2 2]" and numbers.value_of(model.loss) is None


def test_states_start_and_draws_are_drawn() -> None:
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), "int")
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2))
    model = sg.Model("noisy", loss=nn.functional.cross_entropy(net(x), y))
    values = {leaf.name: np.ones(Sizes({"n": 4}).shape(leaf.shape)) for leaf in model.parameters}
    given = values | {"x": np.ones((4, 3)), "y": np.zeros(4, int)}
    point = point_from(given, leaves(model))
    (draw,) = model.draws
    assert set(np.unique(point.values[draw])) <= {0.0, 1.0}
    assert {s.name: float(np.max(point.values[s])) for s in model.states if s.ndim} == {
        "0.running_mean": 0.0,
        "0.running_var": 1.0,
    }


def test_where_random_numbers_have_no_results_the_given_ones_are_checked(tmp_path: Path) -> None:
    """A Cholesky factor of a parameter: no random matrix has one."""
    A = sg.parameter("A", (9, 9))
    model = sg.Model("factor", loss=sg.sum(sg.linalg.cholesky(A) ** 2))
    derived = of_model(model)
    without = study(derived, (A,))
    assert without.checks == () and "no random values were found" in without.summary
    path = tmp_path / "values.npz"
    np.savez(path, A=np.eye(9) + 1.0)
    numbers = study(derived, (A,), at=path)
    assert numbers.checks and numbers.failures == () and "all hold" in numbers.summary
    assert numbers.value(model.loss) == pytest.approx(18)
