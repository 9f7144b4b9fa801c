"""The sizes at which a page shows costs in numbers.

What is asked for goes first, then the sizes of the arrays of a worked example; all else is SAMPLE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any

import sympy

from symgrad.errors import DefinitionError
from symgrad.model.model import Model
from symgrad.program.cost import SAMPLE


def sample_sizes(
    model: Model, given: Mapping[str, Any], of_arrays: Mapping[str, int] | None = None
) -> dict[sympy.Symbol, int]:
    """A size for each dimension of `model`. `given`: those that were asked for, by name.

    of_arrays: what dimensions are in a worked example; one of 0 is passed over.

    Raises: DefinitionError with all that is wrong with `given`.
    """
    dims = {dim.name: dim for dim in model.dims}
    wrong = list(_misfits(dims, given))
    if wrong:
        raise DefinitionError(
            f"{model.name} cannot have these sizes",
            facts={"wrong": "; ".join(wrong), "known": ", ".join(dims) or "none has a name"},
            fix="give whole numbers of at least 1 by the names of dimensions",
        )
    sizes = dict.fromkeys(model.dims, SAMPLE)
    arrays = of_arrays or {}
    sizes |= {dim: arrays[name] for name, dim in dims.items() if arrays.get(name, 0) >= 1}
    return sizes | {dims[name]: int(size) for name, size in given.items()}


def _misfits(dims: Mapping[str, sympy.Symbol], given: Mapping[str, Any]) -> Iterator[str]:
    for name, size in given.items():
        if name not in dims:
            yield f"there is no dimension {name}"
        elif not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            yield f"{name} is {size}"
