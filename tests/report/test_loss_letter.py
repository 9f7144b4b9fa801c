"""The loss is called as the user calls it where that is a letter, else L, in every form."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symgrad as sg
from symgrad.expr.node import Node
from symgrad.model.model import Model
from symgrad.report.naming import Naming
from symgrad.report.notation import text
from symgrad.report.paper_names import loss_symbol
from symgrad.report.render import render_derivation
from symgrad.report.short_form import short_form
from tests.report.test_derivation import derivation_of, items, written

n = sg.dim("n")


def squares() -> tuple[Node, Node]:
    x, W = sg.input("x", (n, 3)), sg.parameter("W", (3, 2))
    z = (x @ W).named("z")
    return sg.sum(sg.tanh(z) ** 2), W


def recurrent() -> Node:
    x, h0 = sg.input("x", (5, n, 3)), sg.input("h0", (n, 4))
    W, U = sg.parameter("W", (3, 4)), sg.parameter("U", (4, 4))

    def step(h: Node, x_t: Node) -> tuple[Node, Node]:
        new = sg.tanh(x_t @ W + h @ U)
        return new, new

    last, _ = sg.scan(step, h0, x)
    return sg.mean(last**2)


def told(model: Model, form: str = "text", function: str | None = None, level: str = "steps") -> str:
    """The page without what it says of rules in general, and without the lines of this file."""
    record = derivation_of(model, function, level)
    return render_derivation(replace(record, definition=(), explanations=()), form)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("C", "C"), ("E_total", "E_total"), ("J2", "J_2"), ("L", "L"), ("ell", "L"), ("loss", "L"),
     ("loss_total", "L"), ("epsilon", "ε"), ("cost", "L")],
)  # fmt: skip
def test_a_letter_stands_as_it_is(name: str, shown: str) -> None:
    loss, _ = squares()
    page = told(Model("m", loss=loss.named(name)))
    assert f"{shown} stands for the loss" in page and f"∂{shown}/∂W = " in page
    assert ("∂L/" in page) == (shown == "L")


def test_the_name_of_a_variable_counts() -> None:
    E_total, _ = squares()
    model = Model("m", loss=E_total)
    assert "∂E_total/∂W = " in told(model)
    assert "E_total = " in sg.compile(model).source


def test_something_else_may_be_called_L() -> None:
    x, L = sg.input("x", (n, 3)), sg.parameter("L", (3,))
    model = Model("m", loss=sg.sum((x @ L) ** 2))
    assert "∂loss/∂L = " in told(model) and "∂L/" not in told(model)
    model = Model("m", loss=sg.sum((x @ L) ** 2).named("C"))
    assert "∂C/∂L = " in told(model)


def test_a_parameter_that_is_the_loss_is_no_name_for_it() -> None:
    w = sg.parameter("w", ())
    assert "∂L/∂w" in told(Model("m", loss=w))


@pytest.mark.parametrize("level", ["summary", "steps", "every"])
@pytest.mark.parametrize(
    "function", ["value_and_grad", "hessian", "hvp", "input_grad", "per_example_grad"]
)
def test_all_derivatives_are_of_it(function: str, level: str) -> None:
    loss, _ = squares()
    page = told(Model("m", loss=loss.named("C")), function=function, level=level)
    assert "C/∂" in page and "∂L" not in page and "∂²L" not in page


@pytest.mark.parametrize("function", ["value_and_grad", "hvp", "hessian"])
def test_so_are_those_of_the_steps_of_a_scan(function: str) -> None:
    model = Model("m", loss=recurrent().named("J"))
    for level in ("steps", "every"):
        page = told(model, function=function, level=level)
        assert "∂J/∂W" in page or "∂²J/∂W" in page
        assert "∂L" not in page and "∂²L" not in page


@pytest.mark.parametrize(
    ("form", "has", "has_not"),
    [("latex", r"\frac{\partial C}{\partial W}", r"\partial L}"),
     ("markdown", r"\frac{\partial C}{\partial W}", r"\partial L}"),
     ("html", "<mi>C</mi>", "<mi>L</mi>")],
)  # fmt: skip
def test_every_format(form: str, has: str, has_not: str) -> None:
    loss, _ = squares()
    page = told(Model("m", loss=loss.named("C")), form)
    assert has in page and has_not not in page


def test_matrix_form_index_form_and_code() -> None:
    loss, _ = squares()
    record = derivation_of(Model("m", loss=loss.named("C")))
    (of_W,) = [e for e in items(record.derivatives) if e.name and text(e.name) == "∂C/∂W"]
    assert text(of_W.matrix).startswith("∂C/∂W = xᵀ ")
    assert text(of_W.index).startswith("∂C/∂W[i, j] = Σ_")
    codes = [written(b.equation) for b in items(record.code) if b.equation is not None]
    assert any(line.startswith("∂C/∂W") for line in codes)
    assert not any("∂L" in line for line in codes)


def test_a_model_shows_it_in_notebooks() -> None:
    loss, _ = squares()
    model = Model("m", loss=loss.named("C"))
    equations = short_form(list(model.values().values()), model.names, model.loss)
    assert written(equations[-1]).startswith("C = ")
    assert "C" in model._repr_latex_()


def test_no_name_and_a_word_are_L() -> None:
    loss, _ = squares()
    naming = Naming([loss], {})
    assert loss_symbol(naming) == loss_symbol(naming, "objective")
    assert [text(loss_symbol(naming, name)) for name in (None, "C", "E_total")] == [
        "L", "C", "E_total"
    ]  # fmt: skip
