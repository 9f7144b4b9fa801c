"""`symgrad weights`: what a file of weights holds, whether it fits a model, and conversion."""

from __future__ import annotations

import click

from symgrad.cli.console import output, table
from symgrad.model.model_file import load_model
from symgrad.weights.files import load_weights, save_weights


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--model", metavar="MODEL.py[:NAME]", help="The model that they must fit.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]),
              help="The type of all floats; as stored by default, halves as float32.")  # fmt: skip
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write them.")
def weights(file: str, model: str | None, dtype: str | None, target: str | None) -> None:
    """Show the arrays of a file that ends in .npz or .safetensors, and convert it.

    With --model, their names, shapes and kinds must be those of the model, and what a module needs
    is all that is shown or written.

    \b
    Example:
      symgrad weights digits.safetensors --model examples/digits_mlp.py -o digits.npz

    Exit status: 0 if all is well, 2 if the file cannot be read or does not fit.
    """
    params, state = load_weights(file, None if model is None else load_model(model), dtype)
    console = output()
    made = table(file, "name", "shape", "type", "")
    for arrays, kind in ((params, ""), (state, "state")):
        for name, array in arrays.items():
            made.add_row(name, str(list(array.shape)).replace("[", r"\["), str(array.dtype), kind)
    console.print(made)
    numbers = sum(array.size for array in (*params.values(), *state.values()))
    console.print(f"{len(params) + len(state)} arrays, {numbers} numbers")
    if target is not None:
        console.print(f"wrote {save_weights(target, params, state)}", soft_wrap=True)
