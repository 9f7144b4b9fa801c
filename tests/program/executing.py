"""Runs expressions the way a user would: lowered, scheduled, verified, printed, executed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from symgrad.emit.door import Door, local_names
from symgrad.emit.equations import number_equations
from symgrad.emit.function import write_function
from symgrad.emit.helpers import helper_sources, helpers_called
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.program.lower import lower
from symgrad.program.schedule import schedule
from symgrad.program.verify import verify

PREAMBLE = """\
import numpy as np
_FLOATS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
_LOG_MAX = {dtype: float(np.log(np.finfo(dtype).max / 2)) for dtype in _FLOATS}
def _check_indices(function, name, indices, low, high):
    if indices.size and not (low <= indices.min() and indices.max() < high):
        raise IndexError(name)
"""


class OpenDoor(Door):
    """Checks nothing: the tests pass everything by position."""

    def lines(self, name: str) -> tuple[str, ...]:
        return ()


def emitted_source(
    outputs: Mapping[str, Node], sizes: Iterable[str] = ()
) -> tuple[str, list[Named], list[str]]:
    """A function `f` of all leaves by position, then of all dimensions; and these."""
    plan = schedule(lower(outputs))
    verify(plan)
    leaves = [n for n in postorder(outputs.values()) if isinstance(n, Named)]
    symbols = {
        s for n in postorder(outputs.values()) for size in n.shape for s in size.free_symbols
    }
    symbols |= {dim(name) for name in sizes}
    dims = sorted(symbols, key=lambda s: s.name)
    local = local_names(leaves, dims)
    (equations,) = number_equations([plan.program], {}, local, [d.name for d in dims])
    door = OpenDoor((), tuple(leaves), tuple(dims), local)
    view = write_function("f", plan, equations, door, {name: name for name in outputs}, ())
    calls = helpers_called(plan.program.instructions)
    names = [local[leaf] for leaf in leaves] + [d.name for d in dims]
    lines = [PREAMBLE, *helper_sources(calls), f"def f(dtype, {', '.join(names)}):"]
    lines += [f"    {line}" for line in view.body]
    lines += [f"    {line}" for line in view.returned]
    return "\n".join(lines), leaves, [d.name for d in dims]


def execute(
    outputs: Mapping[str, Node],
    values: Mapping[str, np.ndarray],
    sizes: Mapping[str, int] | None = None,
    dtype: type = np.float64,
) -> dict[str, np.ndarray]:
    """The outputs of an expression at `values`, computed by emitted code."""
    source, leaves, dims = emitted_source(outputs, sizes or {})
    namespace: dict[str, object] = {}
    exec(compile(source, "<emitted>", "exec"), namespace)
    known = dict(sizes or {})
    for leaf in leaves:
        for size, actual in zip(leaf.shape, values[leaf.name].shape, strict=True):
            if size.is_Symbol:
                known[size.name] = actual
    arguments = [values[leaf.name] for leaf in leaves]
    with np.errstate(all="ignore"):
        function = namespace["f"]
        return function(np.dtype(dtype), *arguments, *(known[d] for d in dims))  # type: ignore[operator,no-any-return]
