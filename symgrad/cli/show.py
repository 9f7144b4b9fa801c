"""`symgrad show`: any stage between the definition and the module, as text."""

from __future__ import annotations

from collections.abc import Callable

import click

from symgrad.cli.check import CHECK_FAILED
from symgrad.cli.console import progress
from symgrad.cli.first_difference import first_difference
from symgrad.cli.program_text import program_lines, schedule_lines
from symgrad.cli.source import Source, takes_model
from symgrad.compiler import Compiled
from symgrad.derivation import BUILDERS, Derived, passes_after
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION
from symgrad.program.lower import lower
from symgrad.report.expression_text import expression_lines
from symgrad.stages import before_derivation, compiled_with, first_form, raw_form, roots


def _definition(model: Model, compiled: Compiled, position: int) -> list[str]:
    return expression_lines(roots(model), model.names)


def _stabilised(model: Model, compiled: Compiled, position: int) -> list[str]:
    return _form_lines(before_derivation(model))


def _derived(model: Model, compiled: Compiled, position: int) -> list[str]:
    return _form_lines(raw_form(model, compiled.derived[position]))


def _simplified(model: Model, compiled: Compiled, position: int) -> list[str]:
    return _form_lines(compiled.derived[position].form)


def _program(model: Model, compiled: Compiled, position: int) -> list[str]:
    program = lower(compiled.derived[position].form.outputs)
    return program_lines(program, compiled.equations[position])


def _schedule(model: Model, compiled: Compiled, position: int) -> list[str]:
    return schedule_lines(compiled.plans[position], compiled.equations[position])


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
              help="Of which function; by default value_and_grad.")  # fmt: skip
@click.option("--passes", is_flag=True, help="Instead: the form after each pass that changes it.")
@click.option("--first-difference", "compares", is_flag=True,
              help="Instead: the first pass that changes a value at random points.")  # fmt: skip
@click.pass_context
def show(
    ctx: click.Context,
    source: Source,
    stage: str,
    function: str | None,
    passes: bool,
    compares: bool,
) -> None:
    """Show what the compiler makes of a model at any stage.

    definition, stabilised, derived and simplified are tensor expressions, one a line with its shape
    and the user's line; program and schedule are instructions over arrays; module is the result.

    \b
    Examples:
      symgrad show examples/digits_mlp.py --stage program
      symgrad show examples/digits_mlp.py --passes
      symgrad show examples/digits_mlp.py --first-difference

    Exit status: 0 good, 1 if a pass changes a value, 2 wrong use or bad input.
    """
    model = source.model()
    with progress(f"compiling {model.name}") as tell:
        compiled, position = compiled_with(model, function, lambda name, form: tell(name))
    if compares:
        lines, is_same = first_difference(model, compiled.derived[position])
        click.echo("\n".join(lines))
        ctx.exit(0 if is_same else CHECK_FAILED)
    if passes:
        lines = _passes(model, compiled.derived[position])
    else:
        lines = STAGES[stage](model, compiled, position)
    click.echo("\n".join(lines))


def _passes(model: Model, derived: Derived) -> list[str]:
    """The form after each pass; a pass that changes nothing is only named."""
    lines: list[str] = []
    for title, start, pipeline in (
        ("the definition", first_form(model), BEFORE_DERIVATION),
        (f"{derived.name}, derived", raw_form(model, derived), passes_after(derived.name)),
    ):
        lines += [*([""] if lines else []), title, *_indented(_form_lines(start))]
        form = start
        for each in pipeline:
            before, form = form, each(form)
            if all(form.outputs[key] is node for key, node in before.outputs.items()):
                lines += ["", f"after {each.__name__}: no change"]
            else:
                lines += ["", f"after {each.__name__}", *_indented(_form_lines(form))]
    return lines


def _form_lines(form: Form) -> list[str]:
    return expression_lines({key or "loss": n for key, n in form.outputs.items()}, form.names)


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
