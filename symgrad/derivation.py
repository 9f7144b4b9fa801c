"""The functions of a module as expressions, derived from a model, each with its journal.

Here the rooms meet: a model's loss and outputs are stabilised, differentiated as each function
asks (`derived_functions.py`), and simplified. What comes out is ready to be lowered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from symgrad.derived_functions import BUILDERS as BUILDERS
from symgrad.derived_functions import Request
from symgrad.derived_names import names_of_results, origins_of, with_copies, with_inner_names
from symgrad.errors import DefinitionError
from symgrad.expr.leaf import Input, Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form, Pass
from symgrad.passes.pipeline import (
    AFTER_BATCHING,
    AFTER_DERIVATION,
    BEFORE_DERIVATION,
    FOR_THE_MACHINE,
    Observer,
    run,
)

if TYPE_CHECKING:
    from symgrad.calculus.journal import Journal

DEFAULT_FUNCTIONS = ("forward", "loss", "value_and_grad")


@dataclass(frozen=True)
class Derived:
    """One function: its results after simplification, by path, and how they are returned.

    `form.outputs`: result name -> expression. `paper`: the same form before it is rewritten for
    the machine. `begun`: before it is simplified, `raw`: its results. `returned`: nested tuples
    and dicts of result names. `unread`: the model's inputs and parameters that no result depends
    on. `returns_state`: whether the new state is the last result.
    """

    name: str
    form: Form
    returned: Any
    journal: Journal
    begun: Form
    unread: tuple[Named, ...]
    paper: Form
    returns_state: bool = False

    @property
    def raw(self) -> Mapping[str, Node]:
        return self.begun.outputs

    @property
    def leaves(self) -> tuple[Named, ...]:
        return tuple(n for n in postorder(self.form.outputs.values()) if isinstance(n, Named))


def derive(
    model: Model,
    functions: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    observer: Observer | None = None,
) -> list[Derived]:
    """The functions of a module, ready to be lowered.

    `functions`: names of BUILDERS; by default those of DEFAULT_FUNCTIONS that the model can have.
    `inputs`: for input_grad, the names of the inputs to differentiate by. `observer`: called
    after each pass.

    Raises: DefinitionError if a function is unknown or needs what the model lacks.
    """
    chosen = tuple(functions) if functions else _possible(model)
    for name in chosen:
        if name not in BUILDERS:
            raise DefinitionError(
                f"there is no function {name!r} to emit",
                facts={"known": ", ".join(BUILDERS)},
                fix="choose from these",
            )
    if inputs is not None and "input_grad" not in chosen:
        raise DefinitionError(
            f"the inputs {', '.join(inputs)} are chosen for input_grad, which is not emitted",
            fix="emit input_grad, or choose no inputs",
        )
    start = run(Form(model.values(), dict(model.names), {}), BEFORE_DERIVATION, observer)
    start = replace(start, names=with_inner_names(start))
    outputs = {name: start.outputs[name] for name in model.outputs}
    updates = {
        root: {leaf.name: start.outputs[f"{root} state {leaf.name}"] for leaf in changes}
        for root, changes in model.updates.items()
    }
    derived = []
    for name in dict.fromkeys(chosen):
        request = Request(
            model, start.outputs.get(""), outputs, model.parameters, _chosen(model, inputs), updates
        )
        raw, returned = BUILDERS[name](request)
        defined = with_copies(start.names, request.journal)
        named = {node: name for node, name in defined.items() if not isinstance(node, Named)}
        origins = origins_of(raw, defined, request.journal)
        begun = Form(raw, named, origins)
        paper = run(begun, passes_on_paper(name), observer)
        form = run(paper, FOR_THE_MACHINE, observer)
        form = replace(form, names=names_of_results(name, form, defined, request.journal))
        read = {n for n in postorder(form.outputs.values()) if isinstance(n, Named)}
        unread = tuple(leaf for leaf in (*model.parameters, *model.inputs) if leaf not in read)
        returns_state = any(key.startswith("state ") for key in raw)
        derived.append(
            Derived(name, form, returned, request.journal, begun, unread, paper, returns_state)
        )
    return derived


def passes_after(function: str) -> tuple[Pass, ...]:
    """The passes that simplify a derived function."""
    return (*passes_on_paper(function), *FOR_THE_MACHINE)


def passes_on_paper(function: str) -> tuple[Pass, ...]:
    """Those of them that a reader would make on paper, too; the others are for the machine."""
    passes = AFTER_BATCHING if function == "per_example_grad" else AFTER_DERIVATION
    return passes[: -len(FOR_THE_MACHINE)]


def _possible(model: Model) -> tuple[str, ...]:
    names = []
    if model.outputs:
        names.append("forward")
    if model.loss is not None:
        names.append("loss")
        if model.parameters:
            names.append("value_and_grad")
    return tuple(names)


def _chosen(model: Model, inputs: Sequence[str] | None) -> tuple[Input, ...]:
    if inputs is None:
        return model.inputs
    by_name = {leaf.name: leaf for leaf in model.inputs}
    for name in inputs:
        if name not in by_name:
            raise DefinitionError(
                f"{model.name} has no input {name!r}", facts={"inputs": ", ".join(by_name)}
            )
    return tuple(by_name[name] for name in inputs)
