"""`symgrad check`: compares the functions of generated modules with finite differences."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from symgrad.check.evidence import SEEDS, check_module
from symgrad.check.subject import load_module
from symgrad.cli.console import output, progress
from symgrad.cli.findings import conclusion, findings_table

CHECK_FAILED = 1


@click.command()
@click.argument("modules", nargs=-1, required=True, metavar="MODULE.py...")
@click.option("--seeds", default=len(SEEDS), show_default=True, type=click.IntRange(1, 1000),
              help="At how many random points.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Only what disagrees, and one line per module.")
@click.pass_context
def check(ctx: click.Context, modules: tuple[str, ...], seeds: int, quiet: bool) -> None:
    """Compare every function of generated modules with finite differences.

    Central differences in float64 along random directions: each parameter alone, all together, at
    several random points and at batch size 1. Also: float32 against float64, strided and
    Fortran-ordered arguments, arguments that must not be written to, results that must not share
    memory or change between calls.

    \b
    Example:
      symgrad check generated/digits_mlp.py

    Exit status: 0 if everything agrees, 1 if something does not, 2 if a file is no such module.
    """
    loaded = [(path, load_module(Path(path))) for path in modules]
    good = True
    console = output()
    for path, module in loaded:
        with progress(path) as tell:
            findings = check_module(module, seeds=range(seeds), progress=tell)
        shown = [f for f in findings if not f.agrees] if quiet else findings
        if shown:
            console.print(findings_table(path, shown))
        console.print(Text(f"{path}: {conclusion(findings)}"), soft_wrap=True)
        good = good and all(f.agrees for f in findings)
    if not good:
        ctx.exit(CHECK_FAILED)
