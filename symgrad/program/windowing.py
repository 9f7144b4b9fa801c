"""Windows as views, their transpose, and reductions of windows as operations on strided views.

Max(Windows(x), place)                       ->   maximum of the views x[k::stride]
sum over the place in Windows(x)             ->   sum of these views
Overlap(ScatterAlong(g, ArgMax(Windows(x)))) ->   g, added to the first largest entry of each window
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.expr.contraction import Contraction
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reduction import ArgMax, ArgMin, Max, Min
from symgrad.expr.reindex import Reshape, ScatterAlong
from symgrad.expr.window import Overlap, Windowed, Windows
from symgrad.program.builder import Builder
from symgrad.program.instruction import Literal, Operand, Value

UFUNCS = {Max: "maximum", Min: "minimum"}
CHOSEN: dict[type[Node], type[Max] | type[Min]] = {ArgMax: Max, ArgMin: Min}


class Windowing:
    """Lowers windows into the instructions of `builder`."""

    def __init__(self, builder: Builder, order: Sequence[Node], counts: Mapping[Node, int]) -> None:
        self.builder = builder
        self._chosen = {
            overlap: choice
            for overlap in order
            if isinstance(overlap, Overlap) and counts[overlap.operands[0]] == 1
            if (choice := _choice_of_window(overlap)) is not None
        }
        self._inside = {overlap.operands[0] for overlap in self._chosen}

    def is_inside_overlap(self, node: Node) -> bool:
        """Whether `node` is a scatter that is carried out where its windows overlap."""
        return node in self._inside

    def windows(self, node: Windows) -> Operand:
        """A view that repeats entries; nothing is copied."""
        (source,) = node.operands
        operand = self.builder.values[source]
        if isinstance(operand, Literal):
            return operand
        value = self.builder.whole(source)
        return self.builder.view("windows", value, node.shape, node, **_steps(node, node.window))

    def overlap(self, node: Overlap) -> Operand:
        """One addition to a strided view for each place in a window."""
        if node in self._chosen:
            return self._to_chosen(node, self._chosen[node])
        source = self.builder.whole(node.operands[0])
        arguments = _arguments(node, length=node.length)
        return self.builder.emit(
            "call", (source,), node.shape, node.dtype, node, name="overlap", arguments=arguments
        )

    def reduction(self, node: Node, name: str, windows: Windows) -> Value:
        """Each window of `windows` reduced by a ufunc, one operation for each place in it."""
        (source,) = windows.operands
        arguments = (("", f"np.{name}"), *_arguments(windows, size=windows.window))
        return self.builder.emit(
            "call", (self.builder.whole(source),), node.shape, node.dtype, node,
            name="reduce_windows", arguments=arguments,
        )  # fmt: skip

    def extremum(self, node: Max | Min) -> Value | None:
        """The extremum of each window, if `node` is that."""
        (windows,) = node.operands
        if not isinstance(windows, Windows) or node.axis != windows.axis + 1:
            return None
        return self.reduction(node, UFUNCS[type(node)], windows)

    def total(self, node: Contraction) -> Operand | None:
        """The sum of each window, if `node` is that."""
        if len(node.terms) != 1 or node.dtype != FLOAT:
            return None
        ((windows, indices),) = node.terms
        if not isinstance(windows, Windows) or windows.dtype != FLOAT:
            return None
        kept = [i for axis, i in enumerate(indices) if axis != windows.axis + 1]
        if list(node.output) != kept or len(set(indices)) != len(indices):
            return None
        if isinstance(self.builder.values[windows], Literal):
            return None
        value = self.reduction(node, "add", windows)
        if node.scale == 1:
            return value
        return self.builder.elementwise.apply("multiply", (value, Literal(node.scale)), node)

    def _to_chosen(self, node: Overlap, windows: Windows) -> Value:
        """The gradient of an extremum of windows."""
        scatter = node.operands[0]
        assert isinstance(scatter, ScatterAlong)
        argument = _argument(scatter.indices)
        assert argument is not None
        extremum = CHOSEN[type(argument)](windows, windows.axis + 1)
        best = self.builder.values.get(extremum)
        if best is None:
            best = self.builder.values[extremum] = self.extremum(extremum)  # type: ignore[assignment]
        assert isinstance(best, Value)
        source = self.builder.whole(windows.operands[0])
        g = self.builder.whole(scatter.source)
        shape = tuple(size for axis, size in enumerate(g.shape) if axis != node.axis + 1)
        g = self.builder.indexed(g, (":",) * (node.axis + 1) + (0,), shape, node)
        return self.builder.emit(
            "call", (g, source, best), node.shape, node.dtype, node,
            name="spread_to_chosen", arguments=_arguments(windows, size=windows.window),
        )  # fmt: skip


def _steps(node: Windowed, extent: object) -> dict[str, object]:
    return {"axis": node.axis, "size": extent, "stride": node.stride, "dilation": node.dilation}


def _arguments(node: Windowed, **extent: object) -> tuple[tuple[str, object], ...]:
    steps = (("stride", node.stride), ("dilation", node.dilation))
    return (("axis", node.axis), *extent.items(), *((k, v) for k, v in steps if v != 1))


def _choice_of_window(overlap: Overlap) -> Windows | None:
    """The windows to whose extremal entries `overlap` sends its source, if it does."""
    (scatter,) = overlap.operands
    if not isinstance(scatter, ScatterAlong) or scatter.axis != overlap.axis + 1:
        return None
    argument = _argument(scatter.indices)
    if argument is None or argument.axis != scatter.axis:
        return None
    (windows,) = argument.operands
    if not isinstance(windows, Windows) or scatter.source.shape[scatter.axis] != 1:
        return None
    alike = (windows.axis, windows.stride, windows.dilation, windows.window)
    fits = alike == (overlap.axis, overlap.stride, overlap.dilation, scatter.size_on_axis)
    same_length = windows.operands[0].shape == overlap.shape
    inserted = argument.shape[: scatter.axis] + (1,) + argument.shape[scatter.axis :]
    return windows if fits and same_length and inserted == scatter.indices.shape else None


def _argument(indices: Node) -> ArgMax | ArgMin | None:
    """The index that `indices` is, with an axis of size 1 more."""
    inner: Node | None = indices.operands[0] if len(indices.operands) == 1 else None
    if isinstance(indices, Contraction):
        order = [i for i in indices.output if i in indices.indices[0]]
        if not indices.is_view or order != list(indices.indices[0]):
            return None
    elif not isinstance(indices, Reshape):
        return None
    return inner if isinstance(inner, ArgMax | ArgMin) else None
