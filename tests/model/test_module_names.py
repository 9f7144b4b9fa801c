"""Every module takes `name=`: a layer, a container, and a user's own."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import symgrad as sg
from symgrad import nn
from symgrad.errors import DefinitionError, NamingError, ShapeError

n = sg.dim("n")
x = sg.input("x", (5, n, 3))
NAMELESS = {"Buffer", "Parameter", "functional"}


@pytest.mark.parametrize("kind", sorted(set(nn.__all__) - NAMELESS))
def test_every_class_takes_a_name(kind: str) -> None:
    parameter = inspect.signature(getattr(nn, kind)).parameters["name"]
    assert parameter.kind is parameter.KEYWORD_ONLY and parameter.default is None


def test_two_layers_of_one_kind_in_one_model() -> None:
    first, second = nn.LSTM(3, 4, name="first"), nn.LSTM(4, 2, name="second")
    h, _ = second(first(x)[0])
    model = sg.Model("net", loss=sg.sum(nn.Tanh(name="squash")(nn.LayerNorm(2, name="norm")(h))))
    names = [leaf.name for leaf in model.parameters]
    assert names[0] == "first.weight_ih_l0" and "second.bias_hh_l0" in names
    assert names[-2:] == ["norm.weight", "norm.bias"]
    assert "squash" in model.names.values()


def test_a_users_module() -> None:
    class Own(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.inner = nn.Linear(3, width)

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    class Filter(nn.Conv1d):
        def __init__(self) -> None:
            super().__init__(3, 2, 1)

    class Passing(nn.Linear):
        def __init__(self, *sizes: Any, **options: Any) -> None:
            super().__init__(*sizes, **options)

    class Mine(nn.Module):
        def __init__(self, name: str) -> None:
            self.title = name

    assert [p.name for p in Own(2, name="own").parameters()] == [
        "own.inner.weight", "own.inner.bias",
    ]  # fmt: skip
    assert [p.name for p in Own(2).parameters()] == ["inner.weight", "inner.bias"]
    assert Filter(name="f").name == "f" and Filter().name is None
    assert Passing(3, 2, name="p").name == "p"
    assert Mine("n").title == "n" and Mine("n").name is None
    with pytest.raises(NamingError, match="cannot be named 'my own'"):
        Own(2, name="my own")


def test_wrong_use_of_layers_is_told() -> None:
    with pytest.raises(ShapeError, match=r"expects \[n, 3, height, width\].* has 2 axes"):
        nn.Conv2d(3, 6, 3)(sg.input("v", (n, 3)))
    with pytest.raises(DefinitionError, match=r"two parts, and is given as one(.|\n)*\(h_0, c_0\)"):
        nn.LSTM(3, 2)(x, sg.input("h", (1, n, 2)))
    with pytest.raises(DefinitionError, match=r"of booleans or of floats(.|\n)*sg\.not_equal"):
        nn.MultiheadAttention(4, 2)(
            *[sg.input("s", (5, n, 4))] * 3, attn_mask=sg.input("m", (5, 5), dtype="int")
        )


def test_what_a_step_is_given_stays_in_the_step() -> None:
    seen: list[Any] = []

    def step(h: Any, u: Any) -> Any:
        seen.append(u)
        return sg.tanh(h + u), None

    last, _ = sg.scan(step, sg.zeros((n, 3)), x)
    with pytest.raises(DefinitionError, match="u is what a scan gives its step"):
        sg.Model("leak", loss=sg.sum(last * seen[0]))
    with pytest.raises(DefinitionError, match=r"two things(.|\n)*got +tensor\n"):
        sg.scan(lambda h, u: h + u, sg.zeros((n, 3)), x)


@pytest.mark.parametrize(
    ("step", "got"),
    [
        (lambda h: (h, h), r"<lambda>\(h\)"),
        (lambda h, u, z: (h, h), r"<lambda>\(h, u, z\)"),
        (lambda h, u, *, z: (h, h), r"<lambda>\(h, u, \*, z\)"),
        (3, "int"),
    ],
    ids=("one", "three", "keyword", "number"),
)
def test_a_step_takes_two_things(step: Any, got: str) -> None:
    told = rf"^scan: the step must (.|\n)*got +{got}\n"
    with pytest.raises(DefinitionError, match=told) as caught:
        sg.scan(step, sg.zeros((n, 3)), x)
    assert f"{__file__.rpartition('/')[2]}:" in str(caught.value)


def test_a_step_may_have_more_that_it_does_not_need() -> None:
    for step in (lambda h, u, scale=2: (h * scale + u, None), lambda *both: (sum(both), None)):
        last, _ = sg.scan(step, sg.zeros((n, 3)), sg.input("u", (4, n, 3)))
        assert last.ndim == 2


def test_an_error_within_a_step_is_the_users_own() -> None:
    def step(h: Any, u: Any) -> Any:
        return len(), None

    with pytest.raises(TypeError, match="len"):
        sg.scan(step, sg.zeros((n, 3)), x)
