"""`symgrad show`: any stage between the definition and the module, as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from symgrad.cli.program_text import program_lines, schedule_lines
from symgrad.cli.source import Source, takes_model
from symgrad.compiler import Compiled, compile_model
from symgrad.derivation import BUILDERS, possible_functions
from symgrad.expr.node import Node
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION, BEFORE_DERIVATION, run
from symgrad.program.lower import lower
from symgrad.report.expression_text import expression_lines


def _definition(model: Model, compiled: Compiled, position: int) -> list[str]:
    return expression_lines(_roots(model), model.names)


def _stabilised(model: Model, compiled: Compiled, position: int) -> list[str]:
    form = _before_derivation(model)
    return expression_lines(_labelled(form.outputs), form.names)


def _derived(model: Model, compiled: Compiled, position: int) -> list[str]:
    derived = compiled.derived[position]
    return expression_lines(derived.raw, compiled.derived[position].raw_names)


def _simplified(model: Model, compiled: Compiled, position: int) -> list[str]:
    derived = compiled.derived[position]
    return expression_lines(derived.form.outputs, derived.form.names)


def _program(model: Model, compiled: Compiled, position: int) -> list[str]:
    program = lower(compiled.derived[position].form.outputs)
    return program_lines(program, compiled.equations)


def _schedule(model: Model, compiled: Compiled, position: int) -> list[str]:
    return schedule_lines(compiled.plans[position], compiled.equations)


def _module(model: Model, compiled: Compiled, position: int) -> list[str]:
    return compiled.source.splitlines()


STAGES: dict[str, Callable[[Model, Compiled, int], list[str]]] = {
    "definition": _definition,
    "stabilised": _stabilised,
    "derived": _derived,
    "simplified": _simplified,
    "program": _program,
    "schedule": _schedule,
    "module": _module,
}


@click.command()
@takes_model
@click.option("--stage", type=click.Choice(list(STAGES)), default="simplified", show_default=True)
@click.option("--function", type=click.Choice(list(BUILDERS)),
              help="Of which function; by default value_and_grad, or the first there is.")  # fmt: skip
@click.option("--passes", is_flag=True, help="Instead: the form after each pass that changes it.")
def show(source: Source, stage: str, function: str | None, passes: bool) -> None:
    """Show what the compiler makes of a model at any stage.

    definition, stabilised, derived and simplified are tensor expressions, one a line with its shape
    and the user's line; program and schedule are instructions over arrays; module is the result.

    \b
    Examples:
      symgrad show examples/digits_mlp.py --stage program
      symgrad show examples/digits_mlp.py --passes
    """
    model = source.model()
    possible = possible_functions(model)
    chosen = function or ("value_and_grad" if "value_and_grad" in possible else possible[0])
    compiled = compile_model(model, list(dict.fromkeys([*possible, chosen])))
    position = [derived.name for derived in compiled.derived].index(chosen)
    lines = _passes(model, compiled, position) if passes else STAGES[stage](model, compiled, position)
    click.echo("\n".join(lines))


def _passes(model: Model, compiled: Compiled, position: int) -> list[str]:
    """The form after each pass; a pass that changes nothing is only named."""
    derived = compiled.derived[position]
    lines = ["the definition", *_indented(expression_lines(_roots(model), model.names))]
    given = dict(_roots_by_key(model))
    for start, pipeline, moment in (
        (Form.of(given, dict(model.names)), BEFORE_DERIVATION, "before differentiation"),
        (Form(dict(derived.raw), dict(derived.raw_names), {}), AFTER_DERIVATION, "after it"),
    ):
        if pipeline is AFTER_DERIVATION:
            raw = expression_lines(start.outputs, start.names)
            lines += ["", f"{derived.name}, derived", *_indented(raw)]
        known = [dict(start.outputs)]

        def observe(name: str, form: Form, moment: str = moment, known: list[dict[str, Node]] = known) -> None:
            title = f"{name}, {moment}"
            if all(form.outputs[key] is node for key, node in known[-1].items()):
                lines.extend(["", f"{title}: no change"])
            else:
                shown = expression_lines(_labelled(form.outputs), form.names)
                lines.extend(["", title, *_indented(shown)])
            known.append(dict(form.outputs))

        run(start, pipeline, observe)
    return lines


def _before_derivation(model: Model) -> Form:
    return run(Form.of(_roots_by_key(model), dict(model.names)), BEFORE_DERIVATION)


def _roots_by_key(model: Model) -> dict[str, Node]:
    return dict(model.outputs) | ({"": model.loss} if model.loss is not None else {})


def _roots(model: Model) -> dict[str, Node]:
    return _labelled(_roots_by_key(model))


def _labelled(outputs: Mapping[str, Node]) -> dict[str, Node]:
    """Outputs with the loss under its name: inside the pipeline it has the key "" ."""
    return {key or "loss": node for key, node in outputs.items()}


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
