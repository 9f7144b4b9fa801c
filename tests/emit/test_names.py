"""Names in emitted code: one per value, the user's own unchanged, and nothing that does harm."""

from __future__ import annotations

import ast
import builtins
import keyword
import types
from typing import Any

import numpy as np
import pytest
from emitted_models import MODELS
from hypothesis import given
from hypothesis import strategies as st

import symgrad as sg
from symgrad import nn
from symgrad.emit import identifiers
from symgrad.emit.identifiers import Names, identifier
from symgrad.errors import SymgradError
from symgrad.model import naming


@given(st.lists(st.text(min_size=0, max_size=12), max_size=12))
def test_any_wishes_become_different_harmless_names(wishes: list[str]) -> None:
    names = Names(frozenset({"x", "n"}))
    given_out = [names.unique(wish) for wish in wishes]
    assert len(set(given_out)) == len(given_out) and not {"x", "n"} & set(given_out)
    for name in given_out:
        assert name.isidentifier() and not keyword.iskeyword(name) and not hasattr(builtins, name)
        assert name not in identifiers.RESERVED and not name.startswith("_")


@given(st.text(max_size=12))
def test_a_name_is_read_by_python_as_it_is_written(path: str) -> None:
    name = identifier(path)
    (target,) = ast.parse(f"{Names().unique(path)} = 1").body[0].targets  # type: ignore[attr-defined]
    assert target.id == Names().unique(path)
    assert identifier(name) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("0.weight", "weight_0"), ("encoder.0.weight", "encoder_0_weight"), ("W", "W"),
        ("x\"\"\"", "x"), ("a\nb", "a_b"), ("{{ 7*7 }}", "t_7_7"), ("naïve", "naïve"),
        ("x²", "x2"), ("ﬁt", "fit"), ("", "tensor"), ("...", "tensor"), ("_private", "private"),
        ("\\", "tensor"), ("3d", "t_3d"), ("0", "t_0"),
    ],
)  # fmt: skip
def test_identifiers(path: str, name: str) -> None:
    assert identifier(path) == name


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("lambda", "lambda_"), ("print", "print_"), ("np", "np_"), ("params", "params_"),
        ("l", "l_"), ("I", "I_"), ("match", "match"),
    ],
)  # fmt: skip
def test_reserved_names_are_marked(wish: str, name: str) -> None:
    names = Names()
    assert names.unique(wish) == name
    assert names.unique(wish) == f"{name.rstrip('_')}_2"


def test_whatever_a_module_calls_its_own_is_refused_in_definitions() -> None:
    assert identifiers.RESERVED <= naming.RESERVED
    net = sg.compile(MODELS["ridge"](), ["forward", "hessian"]).load()
    own = {name for name in vars(net) if not name.startswith("_")} | {"ravel_hessian"}
    assert own - naming.RESERVED - {"numpy"} == set()


def test_a_user_may_call_an_input_whatever_is_free() -> None:
    for name in ("match", "case", "rows", "ones_n", "l", "x1", "größe", "value"):
        x, w = sg.input(name, (3,)), sg.parameter("w", (3,))
        net = checked(sg.Model("m", loss=sg.sum((x * w) ** 2)))
        assert net.loss({"w": np.ones(3)}, **{name: np.ones(3)}) == 3


def checked(model: Any, *functions: str) -> types.ModuleType:
    """The module, after its own check."""
    net = sg.compile(model, functions or None).load()
    assert net.check()
    return net


CLASHES = (
    "ones_n", "ones_10", "rows", "fit", "h_shifted", "d_w", "v_w", "g_w", "t_h", "part", "product",
    "sum_h", "sum_exp", "max_h", "loss_2", "d_loss", "picked", "log_max_2", "n_2",
    "first", "weight",
)  # fmt: skip


@pytest.mark.parametrize("name", CLASHES)
def test_parameters_called_like_temporaries(name: str) -> None:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    w = sg.parameter("w", (3, 10))
    b = sg.parameter(name, (10,))
    h = (sg.tanh(x @ w) + b).named("h")
    model = sg.Model("clash", loss=nn.functional.cross_entropy(h, y), outputs={"p": sg.softmax(h)})
    net = checked(model, "forward", "loss", "value_and_grad", "hvp", "vjp", "jvp")
    assert list(net.PARAMETERS) == ["w", name]


def test_tensors_called_like_everything_else() -> None:
    n = sg.dim("n")
    x, w = sg.input("x", (n, 3)), sg.parameter("w", (3, 3))
    h = x
    for wish in ("dtype", "n", "loss", "x", "w", "np", "rows", "ones_n", "fits", "print", "d_x"):
        h = sg.tanh(h @ w).named(wish)
    checked(sg.Model("shadows", loss=sg.mean(h**2), outputs={"h": h}))


HARMFUL = (
    'x"""', "'", "a\nimport os", "{{ 7*7 }}", "{% raw %}", "\\", "x\\", '"; import os; "', "#",
    "x\r\nb", "\u2028", "a b", "__import__('os')", "\x00", "x" * 300,
)  # fmt: skip


@pytest.mark.parametrize("label", HARMFUL)
def test_labels_never_reach_the_text_as_they_are(label: str) -> None:
    n = sg.dim("n")
    x, w = sg.input("x", (n, 3)), sg.parameter("w", (3, 2))
    h = sg.tanh(x @ w).named(label)
    compiled = sg.compile(sg.Model("labelled", loss=sg.mean(h**2)))
    if not label.isidentifier():
        assert label not in compiled.source.replace("import inspect\nimport sys", "") or label in (
            "'", "#", "\\", "a b"
        )  # fmt: skip
    tree = ast.parse(compiled.source)
    imported = {
        a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names
    }
    assert imported == {"inspect", "sys", "numpy"}
    assert compiled.load().check()


@pytest.mark.parametrize("name", [label for label in HARMFUL if len(label) < 99])
def test_other_names_are_refused_at_the_definition(name: str) -> None:
    x, w = sg.input("x", (3,)), None
    with pytest.raises(SymgradError):
        w = sg.parameter(f"layer.{name}", (3,))
        sg.Model("m", loss=sg.sum(x * w))
    w = sg.parameter("w", (3,))
    with pytest.raises(SymgradError):
        sg.Model(name, loss=sg.sum(x * w))
    with pytest.raises(SymgradError):
        sg.Model("m", loss=sg.sum(x * w), outputs={name: x * w})
    with pytest.raises(SymgradError):
        sg.Model("m", loss=sg.sum(sg.input(name, (3,)) * w))


def test_very_long_names() -> None:
    n = sg.dim("number_of_examples_in_the_batch_that_is_given")
    x = sg.input("measurements_" * 9 + "x", (n, 2))
    w = sg.parameter("weights_" * 12 + "w", (2,))
    checked(sg.Model("long_names", loss=sg.mean((x @ w) ** 2)), "loss", "value_and_grad", "hessian")


def test_letters_of_other_alphabets() -> None:
    n = sg.dim("ν")
    x, w = sg.input("χ", (n, 2)), sg.parameter("слой.вес", (2,))
    checked(sg.Model("модель", loss=sg.mean((x @ w) ** 2)))
