"""`init_params`: the lines that draw fresh parameters."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.emit.literal import number_source, size_source
from symgrad.expr.leaf import Named, Parameter


def init_lines(parameters: Sequence[Named]) -> tuple[str, ...]:
    """The body of `init_params`, one entry per parameter in the order of declaration."""
    if not parameters:
        return ("return {}",)
    rows = []
    draws = False
    for leaf in parameters:
        assert isinstance(leaf, Parameter)
        shape = (
            "("
            + ", ".join(size_source(s) for s in leaf.shape)
            + ("," if leaf.ndim == 1 else "")
            + ")"
        )
        kind, *numbers = leaf.initialiser
        arguments = ", ".join(number_source(x) for x in numbers)
        if kind == "constant":
            (value,) = numbers
            name = {0: "zeros", 1: "ones"}.get(value)
            source = (
                f"np.{name}({shape}, dtype)" if name else f"np.full({shape}, {arguments}, dtype)"
            )
        else:
            draws = True
            source = f"rng.{kind}({arguments}, {shape}).astype(dtype)"
            if not leaf.shape:
                source = f"np.asarray(rng.{kind}({arguments}), dtype)"
        rows.append(f'    "{leaf.name}": {source},')
    start = ("rng = np.random.default_rng(seed)",) if draws else ()
    return (*start, "return {", *rows, "}")
