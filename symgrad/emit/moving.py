"""Statements that move entries: gathers, scatters into what is there, and views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symgrad.emit.literal import shape_source, size_source
from symgrad.emit.windowed import windows_source
from symgrad.program.instruction import Instruction, Operand, Value


class Moving:
    """The writers of such lines; operands are written by the class that inherits them."""

    _indices: Mapping[sympy.Symbol, sympy.Symbol]
    _names: Mapping[Value, str]
    _maker: Mapping[Value, Instruction]

    def text(self, operand: Operand) -> str:
        """An operand as source."""
        raise NotImplementedError

    def _atom(self, operand: Operand) -> str:
        raise NotImplementedError

    def _factor(self, operand: Operand) -> str:
        raise NotImplementedError

    # -- gather and scatter ------------------------------------------------------------------

    def _take(self, line: Instruction) -> str:
        source, indices = (self.text(o) for o in line.operands)
        return f"np.take({source}, {indices}, axis={line.options['axis']})"

    def _take_along(self, line: Instruction) -> str:
        source, indices = (self.text(o) for o in line.operands)
        return f"np.take_along_axis({source}, {indices}, axis={line.options['axis']})"

    def _pick(self, line: Instruction) -> str:
        source, rows, columns = line.operands
        return f"{self._atom(source)}[{self.text(rows)}, {self.text(columns)}]"

    def _update(self, line: Instruction, name: str, target: str) -> list[str]:
        sign = line.options["sign"]
        _, source, *where = line.operands
        lines = [] if name == target else [f"{name} = {target}"]
        if line.op == "add_box":
            lines.append(f"{name}[{_slices(line.options['box'])}] {sign}= {self.text(source)}")
        elif line.op == "add_pick":
            rows, columns = (self.text(o) for o in where)
            lines.append(f"{name}[{rows}, {columns}] {sign}= {self.text(source)}")
        else:
            (indices,) = (self.text(o) for o in where)
            axis = line.options["axis"]
            function = "np.add.at" if sign == "+" else "np.subtract.at"
            if line.options.get("rows"):
                minus = "-" if sign == "-" else ""
                rows = self._factor(source) if minus else self.text(source)
                lines.append(f"_add_rows({name}, {indices}, {minus}{rows})")
            elif line.op == "add_at":
                key = f"({':, ' * axis}{indices})" if axis else indices
                if axis:
                    key = f"np.s_[{':, ' * axis}{indices}]"
                lines.append(f"{function}({name}, {key}, {self.text(source)})")
            else:
                minus = "-" if sign == "-" else ""
                lines.append(f"_add_along({name}, {indices}, {minus}{self.text(source)}, {axis})")
        return lines

    # -- views -------------------------------------------------------------------------------

    def _view(self, line: Instruction) -> str:
        (source,) = line.values
        base = self._atom(source)
        if line.op == "transpose":
            axes = line.options["axes"]
            if axes == tuple(reversed(range(len(axes)))):
                return f"{base}.T"
            return f"{base}.transpose({', '.join(map(str, axes))})"
        if line.op == "index":
            key = line.options["key"]
            return self._of_slice(source, key) or f"{base}[{', '.join(str(k) for k in key)}]"
        if line.op == "reshape":
            return (
                f"{base}.reshape({shape_source(line.result.shape) if line.result.shape else '()'})"
            )
        if line.op == "entry":
            return f"{base}[{size_source(line.options['at'].xreplace(self._indices))}]"
        if line.op == "slice":
            return f"{base}[{_slices(line.options['box'])}]"
        if line.op == "broadcast":
            shape = shape_source(line.result.shape)
            return f"np.broadcast_to({self.text(source)}, {shape})"
        if line.op == "windows":
            return windows_source(self.text(source), line.options)
        assert line.op == "diagonal"
        first, second = line.options["axis1"], line.options["axis2"]
        axes_text = "" if (first, second) == (0, 1) else f"axis1={first}, axis2={second}"
        return f"{base}.diagonal({axes_text})"

    def _of_slice(self, source: Value, key: tuple[object, ...]) -> str | None:
        """`x[2]` for `x[2:3][0]`: an index of a slice that has no name of its own."""
        if source in self._names or self._maker[source].op != "slice":
            return None
        maker = self._maker[source]
        remaining = list(maker.options["box"])
        if any(entry != ":" and entry[2] < 0 for entry in remaining):
            return None
        parts = []
        for mark in key:
            entry: Any = None if mark is None else remaining.pop(0)
            if mark == 0:
                parts.append("0" if entry == ":" else size_source(entry[0] or sympy.S.Zero))
            else:
                parts.append("None" if mark is None else _slices((entry,)))
        parts += [_slices((entry,)) for entry in remaining]
        while parts[-1] == ":":
            parts.pop()
        return f"{self._atom(maker.values[0])}[{', '.join(parts)}]"

    _transpose = _index = _reshape = _slice = _broadcast = _diagonal = _windows = _entry = _view


def _slices(box: tuple[object, ...]) -> str:
    parts = []
    for entry in box:
        if entry == ":":
            parts.append(":")
            continue
        assert isinstance(entry, tuple)
        start, stop, step = entry
        head = "" if start is None or (start == 0 and step > 0) else size_source(start)
        tail = "" if stop is None else size_source(stop)
        parts.append(f"{head}:{tail}" + (f":{step}" if step != 1 else ""))
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)
