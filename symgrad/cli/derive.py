"""`symgrad derive`: how the code of a function came about, step by step."""

from __future__ import annotations

from pathlib import Path

import click

from symgrad.cli.console import progress
from symgrad.cli.costs import cost_rows
from symgrad.cli.source import Source, takes_model
from symgrad.cli.stages import before_derivation, compiled_with
from symgrad.derivation import BUILDERS
from symgrad.errors import OutputError
from symgrad.program.cost import cost
from symgrad.report.derivation import derivation_record
from symgrad.report.render import FORMATS, render_derivation


@click.command()
@takes_model
@click.option("--function", type=click.Choice(list(BUILDERS)), default="value_and_grad",
              show_default=True, help="The function to explain.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", "path", metavar="FILE", help="Write into FILE.")
def derive(source: Source, function: str, form: str, path: str | None) -> None:
    """Tell how a function of the module is derived, in formulas.

    The definition with its lines, what was made numerically stable, the equations as numbered in
    the module's comments, each step of the differentiation with the rule it uses, what provably
    does not matter, and the costs.

    \b
    Examples:
      symgrad derive examples/digits_mlp.py
      symgrad derive --formula "sum(tanh(X @ w)**2)" --shape "X=n d" --shape w=d --wrt w
      symgrad derive examples/digits_mlp.py --format markdown -o digits.md
    """
    model = source.model()
    with progress(f"deriving {model.name}") as tell:
        compiled, position = compiled_with(model, function, lambda name, form: tell(name))
        record = derivation_record(
            model,
            compiled.derived[position],
            before_derivation(model),
            compiled.equations[position].names,
            compiled.equations[position].numbers,
            cost_rows(cost(compiled.plans[position])),
        )
        text = render_derivation(record, form)
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    click.echo(f"wrote {path}: {len(text.splitlines())} lines")
