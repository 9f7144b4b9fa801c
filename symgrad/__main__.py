"""`python -m symgrad` is the command `symgrad`."""

from symgrad.cli import main

main(prog_name="symgrad")
