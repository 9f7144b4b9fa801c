"""`symgrad compile`: a model file or a formula in, a NumPy module out."""

from __future__ import annotations

import ast
import contextlib
import io
import sys
import types
from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from symgrad.check.evidence import BELOW, check_module
from symgrad.check.finding import Finding
from symgrad.cli.check import CHECK_FAILED
from symgrad.cli.console import output, progress, table
from symgrad.cli.costs import flops_text, peak_text
from symgrad.cli.findings import conclusion, findings_table
from symgrad.cli.source import Source, names_in, takes_model
from symgrad.compiler import Compiled, compile_model
from symgrad.derivation import BUILDERS
from symgrad.model.model import Model
from symgrad.program.cost import cost


@click.command("compile")
@takes_model
@click.option("-o", "--output", "folder", default="generated", show_default=True, metavar="DIR",
              help="The folder that the module is written into.")  # fmt: skip
@click.option("--emit", multiple=True, metavar="NAMES",
              help=f"Functions, by default forward, loss and value_and_grad. "
                   f"Known: {', '.join(BUILDERS)}.")  # fmt: skip
@click.option("--inputs", multiple=True, metavar="NAMES",
              help="For input_grad: by which inputs; by default all.")  # fmt: skip
@click.option("--check", "checks", is_flag=True,
              help="Compare with finite differences first; write nothing if it fails.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite a file that symgrad did not write.")
@click.option("--stdout", is_flag=True, help="Print the module instead of writing it.")
@click.pass_context
def compile_command(
    ctx: click.Context,
    source: Source,
    folder: str,
    emit: tuple[str, ...],
    inputs: tuple[str, ...],
    checks: bool,
    force: bool,
    stdout: bool,
) -> None:
    """Compile a model into a standalone NumPy module.

    \b
    Examples:
      symgrad compile examples/digits_mlp.py --check
      symgrad compile models.py:small -o build --emit value_and_grad,hessian
      symgrad compile --formula "sum(log(1 + exp(-y * (X @ w))))" \\
          --shape "X=n d" --shape y=n --shape w=d --wrt w --name logistic

    Exit status: 0 good, 1 the check failed (nothing is written), 2 wrong use or bad input.
    """
    model = source.model()
    with progress(f"compiling {model.name}") as tell:
        compiled = compile_model(
            model,
            names_in(emit) or None,
            inputs=names_in(inputs) or None,
            observer=lambda name, form: tell(name.replace("_", " ")),
        )
        tell("printing the module")
        text = compiled.source
    if checks and not _agrees(compiled, quiet=stdout):
        ctx.exit(CHECK_FAILED)
    if stdout:
        sys.stdout.write(text)
        return
    path = compiled.save(folder, force=force)
    console = output()
    console.print(summary(compiled))
    console.print(Text(f"wrote {path}: {len(text.splitlines())} lines"), soft_wrap=True)


def summary(compiled: Compiled) -> Table:
    """A row per function: its length and its costs in closed form."""
    made = table(compiled.model.name, "function", "lines", "FLOPs", "peak bytes, float64",
                 numbers=("lines",))  # fmt: skip
    lengths = {
        part.name: (part.end_lineno or part.lineno) - part.lineno + 1
        for part in ast.parse(compiled.source).body
        if isinstance(part, ast.FunctionDef)
    }
    for derived, plan in zip(compiled.derived, compiled.plans, strict=True):
        total = cost(plan)
        made.add_row(derived.name, str(lengths[derived.name]), flops_text(total), peak_text(total))
    return made


def _agrees(compiled: Compiled, quiet: bool) -> bool:
    """Runs our checks and the module's own; shows what disagrees, or that all is well."""
    console = output()
    name = compiled.model.name
    module = compiled.load()
    functions = [derived.name for derived in compiled.derived]
    with progress(f"checking {name}") as tell:
        findings = check_module(module, _reference(compiled.model, functions), progress=tell)
    wrong = [finding for finding in findings if not finding.agrees]
    if wrong:
        console.print(findings_table(f"{name}: nothing is written", wrong))
    if not quiet:
        console.print(Text(f"{name}: {conclusion(findings)}"), soft_wrap=True)
    own = own_check(module)
    if not own.agrees:
        click.echo(f"{name}: its own check fails\n{own.note}")
    return not wrong and own.agrees


def own_check(module: types.ModuleType) -> Finding:
    """The verdict of the module's own `check`; the note is what it printed."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            agrees = bool(module.check())
    except Exception as error:  # whatever it raises, it has not shown that all is well
        agrees = False
        printed.write(f"{type(error).__name__}: {error}")
    return Finding("check", "the module's own", agrees, note=printed.getvalue())


def _reference(model: Model, functions: Sequence[str]) -> types.ModuleType | None:
    """The default module, if derivatives are emitted without what they are compared with."""
    is_complete = all(set(BELOW[f]) & set(functions) for f in functions if f in BELOW)
    return None if is_complete else compile_model(model).load()
