"""The command itself: its commands, its version, and how it says what went wrong.

Exit status: 0 good, 1 a check failed, 2 wrong use or bad input.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

import symgrad
from symgrad.errors import SymgradError

BAD_INPUT = 2
# Each command with the file and the function that it is: only the one that runs is loaded.
COMMANDS = {
    "compile": ("symgrad.cli.compile", "compile_command"),
    "check": ("symgrad.cli.check", "check"),
    "derive": ("symgrad.cli.derive", "derive"),
    "health": ("symgrad.cli.health", "health_command"),
    "show": ("symgrad.cli.show", "show"),
    "weights": ("symgrad.cli.weights", "weights"),
}


class Commands(click.Group):
    """A group of commands that prints symgrad's own errors instead of tracebacks."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        file, function = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(file), function)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SymgradError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(BAD_INPUT)
        except BrokenPipeError:  # the reader has read enough: `symgrad show ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(getattr(symgrad, "__version__", "unknown"), prog_name="symgrad")
def main() -> None:
    """From the definition of a network and a loss to a checked, standalone NumPy module.

    \b
    symgrad compile examples/digits_mlp.py --check     writes generated/digits_mlp.py
    symgrad check generated/digits_mlp.py              compares it with finite differences
    symgrad derive examples/digits_mlp.py              the derivation, step by step
    symgrad health examples/digits_mlp.py              do its gradients vanish or explode
    symgrad show examples/digits_mlp.py --stage program
    symgrad weights digits.npz                         what a file of weights holds

    Exit status: 0 good, 1 a check failed, 2 wrong use or bad input.
    """
