"""The stages of a model's compilation, as commands ask for them."""

from __future__ import annotations

from symgrad.compiler import Compiled, compile_model
from symgrad.derivation import Derived
from symgrad.expr.node import Node
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION, Observer, run
from symgrad.report.paper_names import derivative_names

PREFERRED = "value_and_grad"


def compiled_with(
    model: Model, function: str | None = None, observer: Observer | None = None
) -> tuple[Compiled, int]:
    """The module that `symgrad compile` makes, with `function` in it, and where that stands.

    Its equations keep the numbers that they have in the module, where it is one of the default
    functions. Without `function`: value_and_grad, or the first that there is.
    """
    compiled = compile_model(model, observer=observer)
    names = [derived.name for derived in compiled.derived]
    if function is None:
        function = PREFERRED if PREFERRED in names else names[0]
    if function not in names:
        names.append(function)
        compiled = compile_model(model, names, observer=observer)
    return compiled, names.index(function)


def roots(model: Model) -> dict[str, Node]:
    """What a model computes: its outputs, its loss under "loss", and what its states become."""
    return {key or "loss": node for key, node in model.values().items()}


def first_form(model: Model) -> Form:
    """The form that the pipeline starts from; the key of the loss is empty."""
    return Form.of(model.values(), dict(model.names))


def before_derivation(model: Model) -> Form:
    """The form that is differentiated, with its origins in the definition."""
    return run(first_form(model), BEFORE_DERIVATION)


def raw_form(model: Model, derived: Derived) -> Form:
    """The results as differentiation left them."""
    names = before_derivation(model).names
    return Form(dict(derived.raw), names | derivative_names(derived.journal, names)[0], {})
