"""The command `symgrad`: one file per command, one for what they share."""

from symgrad.cli.main import main

__all__ = ["main"]
