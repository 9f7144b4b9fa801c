"""`symgrad derive`: how the code of a function came about, step by step."""

from __future__ import annotations

from pathlib import Path

import click

from symgrad.cli.console import progress
from symgrad.cli.sizes import sizes_in
from symgrad.cli.source import Source, takes_model
from symgrad.derivation import BUILDERS
from symgrad.derivation_pages import derivation_of
from symgrad.derivations import SUFFIXES, Derivation, write_page
from symgrad.program.cost import SAMPLE
from symgrad.report.derivation import LEVELS
from symgrad.report.excerpts import of_formula
from symgrad.report.render import FORMATS


@click.command()
@takes_model
@click.option("--function", type=click.Choice(list(BUILDERS)), default=None,
              help="The function to explain; by default value_and_grad.")  # fmt: skip
@click.option("--level", type=click.Choice(LEVELS), default="steps", show_default=True,
              help="How much is told: results, a step per named tensor, every step.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default=None,
              help="By default what FILE's ending says; text if it has none.")  # fmt: skip
@click.option("--at", metavar="FILE.npz|random", help="Values beside every equation: from a file, "
              "or small random ones.")  # fmt: skip
@click.option("--size", "sizes", multiple=True, metavar="NAME=N",
              help='Sizes at which costs are shown: n=128, "n=128 d=784"; else those of --at FILE, '
              f"or {SAMPLE}.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of random values.")
@click.option("--verify/--no-verify", default=True, show_default=True,
              help="Compute every step on both sides at random points.")  # fmt: skip
@click.option("--measure", is_flag=True,
              help="Draw parameters and measure gradients beside those predicted.")  # fmt: skip
@click.option("-o", "--output", "path", metavar="FILE", help="Write into FILE.")
def derive(
    source: Source,
    function: str | None,
    level: str,
    form: str | None,
    at: str | None,
    sizes: tuple[str, ...],
    seed: int,
    verify: bool,
    measure: bool,
    path: str | None,
) -> None:
    """Tell how a function of the module is derived, in formulas.

    The definition in the user's words, the equations as numbered in the module, each step of the
    differentiation with its rule and why it applies, what was rewritten and why that is equal,
    each line of the module beside its equation, the costs, and how gradients shrink or grow through
    the layers. Formulas stand in matrix notation
    and with indices. Every step is computed on both sides at random points, and says what error was
    seen; a step that does not hold is named, with exit status 1.

    \b
    Examples:
      symgrad derive examples/digits_mlp.py --size n=128 -o digits.html
      symgrad derive --formula "sum(tanh(X @ w)**2)" --shape "X=n d" --shape w=d --wrt w
      symgrad derive examples/logistic_regression.py --function hessian --level every
      symgrad derive examples/textbook_2_2_2.py --at random
    """
    given_sizes = sizes_in(sizes)
    model = source.model()
    form = form or _format_of(path)
    words = None if source.formula is None else of_formula(source.formula)
    with progress(f"deriving {model.name}") as tell:
        derivation = Derivation(*derivation_of(
            model, function, level, words, lambda name, _: tell(name),
            at=at, seed=seed, is_checked=verify, measures=measure,
            sizes=given_sizes,
        ))  # fmt: skip
        text = derivation.written(form)
    if path is None:
        click.echo(text, nl=False)
    else:
        write_page(Path(path), text)
        click.echo(f"wrote {path}: {len(text.splitlines())} lines")
    for failure in derivation.failures:
        click.echo(f"a step does not hold: {failure}", err=True)
    if derivation.failures:
        raise SystemExit(1)


def _format_of(path: str | None) -> str:
    """What the ending of FILE says; text where it has none. Refuses other endings."""
    suffix = Path(path or "").suffix
    if suffix and suffix not in SUFFIXES:
        raise click.UsageError(
            f"the ending of {path} is none of {', '.join(SUFFIXES)}; say what it holds by --format"
        )
    return SUFFIXES.get(suffix, "text")
