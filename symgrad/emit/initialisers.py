"""`init_params` and `init_state`: the lines that fill fresh parameters and states."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.emit.literal import number_source, size_source, tuple_source
from symgrad.expr.leaf import Filled, Named
from symgrad.expr.node import BOOL, FLOAT, INT

TYPES = {FLOAT: "dtype", INT: "np.int64", BOOL: "np.bool_"}


def init_lines(parameters: Sequence[Named]) -> tuple[str, ...]:
    """The body of `init_params`, one entry per parameter in the order of declaration.

    Likewise of `init_state`.
    """
    if not parameters:
        return ("return {}",)
    rows = []
    draws = False
    for leaf in parameters:
        assert isinstance(leaf, Filled)
        dtype = TYPES[leaf.dtype]
        shape = tuple_source(leaf.shape)
        kind, *numbers = leaf.initialiser
        arguments = ", ".join(number_source(x) for x in numbers)
        if kind == "constant":
            (value,) = numbers
            name = {0: "zeros", 1: "ones"}.get(value)
            source = f"np.full({shape}, {arguments}, {dtype})"
            if name is not None:
                source = f"np.{name}({shape}, {dtype})"
        elif kind == "normal_but_row":
            draws = True
            mean, std, row = map(number_source, numbers)
            others = f"({size_source(leaf.shape[0] - 1)}, {size_source(leaf.shape[1])})"
            source = (
                f"np.insert(rng.normal({mean}, {std}, {others}), {row}, 0, axis=0).astype(dtype)"
            )
        else:
            draws = True
            source = f"rng.{kind}({arguments}, {shape}).astype(dtype)"
            if not leaf.shape:
                source = f"np.asarray(rng.{kind}({arguments}), dtype)"
        rows.append(f'    "{leaf.name}": {source},')
    start = ("rng = np.random.default_rng(seed)",) if draws else ()
    return (*start, "return {", *rows, "}")
