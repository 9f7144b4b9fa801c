"""Numbers of a page: values and marks of a model's derivation, in one call."""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad import evidence
from symgrad.derivation import BUILDERS, derive
from symgrad.errors import DefinitionError
from symgrad.evidence import evidence_of, pass_by_pass
from symgrad.expr.map import Map
from symgrad.expr.slots import slot
from symgrad.model.model import Model
from symgrad.model.model_file import load_model
from symgrad.passes.form import Form

EXAMPLES = ("textbook_2_2_2", "logistic_regression", "digits_mlp", "waveforms", "digits_cnn")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_step_of_the_examples_holds(name: str) -> None:
    model = load_model(f"examples/{name}.py")
    (derived,) = derive(model, ["value_and_grad"])
    found = evidence_of(model, derived, at="random")
    for step in derived.journal.steps:
        mark = found.verified([step])
        assert mark is not None and mark.holds and float(mark.error) < 1e-12
    assert found.value_of(model.loss) is not None
    assert found.numbers.failures == ()
    assert "all hold; the largest relative error is" in found.numbers.summary


def test_without_a_point_there_are_no_values() -> None:
    model = load_model("examples/textbook_2_2_2.py")
    (derived,) = derive(model, ["value_and_grad"])
    found = evidence_of(model, derived)
    assert found.value_of(model.loss) is None
    assert found.verified(derived.journal.steps[:1]).error == "0"


def small() -> Model:
    n = sg.dim("n")
    x, w = sg.input("x", (n, 2)), sg.parameter("w", (2,))
    y = sg.tanh(x @ w)
    return sg.Model("small", loss=sg.mean(sg.log(1 + sg.exp(y))), outputs={"y": y})


@pytest.mark.parametrize("function", BUILDERS)
def test_every_function(function: str) -> None:
    model = small()
    try:
        (derived,) = derive(model, [function])
    except DefinitionError:
        pytest.skip("the model has no such function")
    numbers = evidence_of(model, derived, at="random", seed=3).numbers
    assert [str(check) for check in numbers.checks if not (check.ok and check.points)] == []


def test_a_pass_that_breaks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all passes the one that changes a value."""

    def spoil(form: Form) -> Form:
        return Form({k: Map(slot(0) * 2, n) for k, n in form.outputs.items()}, {}, {})

    before = (*evidence.BEFORE_DERIVATION[:1], spoil, *evidence.BEFORE_DERIVATION[1:])
    monkeypatch.setattr(evidence, "BEFORE_DERIVATION", before)
    model = small()
    (derived,) = derive(model, ["value_and_grad"])
    monkeypatch.setattr(
        evidence, "before_derivation", lambda model: spoil(Form(model.values(), {}, {}))
    )
    found = evidence_of(model, derived).numbers
    assert [check.rule for check in found.failures] == ["spoil"]
    assert len(pass_by_pass(model, derived)) > 10
