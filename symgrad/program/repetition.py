"""Scans as loops: the step is a program of its own, and what is asked of it is stored.

Stacked(scan, h) and Stacked(scan, h')    ->  one array of T + 1 entries, and two views of it
Final(scan, 0)                            ->  its last entry, or what the loop leaves in `h`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from symgrad.expr.dimension import same_shape
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.program.builder import Builder
from symgrad.program.instruction import SEVERAL, Instruction, Literal, Operand, Program, Value
from symgrad.program.loop import Carried, Kept, Loop

if TYPE_CHECKING:
    from symgrad.program.lower import Lowering

LEAST_STEPS = 4  # from which on a copy that makes each step faster pays


class Repetition:
    """Lowers scans into instructions; `results`: what each Final and Stacked became."""

    def __init__(self, lowering: Lowering, order: Sequence[Node]) -> None:
        self.lowering = lowering
        self.results: dict[Node, Operand] = {}
        self._read: dict[Node, list[Node]] = {}
        for node in order:
            if isinstance(node, Final | Stacked):
                self._read.setdefault(node.scan, []).append(node)

    def lower(self, scan: Scan) -> Value:
        """What stands for all results of `scan`."""
        step = scan.step
        read = self._read.get(scan, [])
        inner = [node.inner for node in read if isinstance(node, Stacked)]
        body = self.lowering.body([*step.following, *inner])
        index = sympy.Dummy("t", integer=True, nonnegative=True)
        before = [Value(s.shape, s.dtype, node=s, argument=_name(s)) for s in step.carried]
        body.own.update(before)
        body.values.update(zip(step.carried, before, strict=True))
        for bound, operand in scan.inputs[len(before) :]:
            if bound in step.sequences:
                body.values[bound] = self._entry(body, bound, operand, index, scan)
            else:
                body.values[bound] = self.lowering.values[operand]
        body.run()
        self._lay_out(body, scan)
        states = tuple(
            Carried(bound, value, Literal(sympy.S.Zero), _written_out(body, follows, bound.dtype))
            for bound, value, follows in zip(step.carried, before, step.following, strict=True)
        )
        after = {f"after {k}": state.after for k, state in enumerate(states)}
        program = Program(dict(zip(step.carried, before, strict=True)), body.instructions, after)
        loop = Loop(index, scan.length, scan.is_reversed, program, states, [], {})
        results = _Results(self.lowering, body, scan, loop)
        for node in read:
            results.ask(node)
        results.choose()
        for state, operand in zip(states, scan.first, strict=True):
            if state in loop.trails and self.lowering.values[operand].dtype == state.bound.dtype:
                state.first = self.lowering.values[operand]
            else:
                state.first = _of_kind(self.lowering, operand, state.bound.dtype)
        token = Value((), SEVERAL)
        line = Instruction("loop", loop.reads(), token, scan, {"loop": loop})
        self.lowering.append(line)
        self.results.update(results.parts(token))
        return token

    def _lay_out(self, body: Builder, scan: Scan) -> None:
        """Copies a matrix that every step multiplies by from a transposed view to rows in order.

        BLAS multiplies few rows by it 1.1 to 4 times faster (measured: 1 to 128 rows, 128x128 to
        512x512); the copy takes as long as a few steps.
        """
        if scan.length.is_Integer and scan.length < LEAST_STEPS:
            return
        turned = self.lowering.transposed_views()
        for line in body.instructions:
            if line.op != "dot" or line.operands[1] not in turned or line.operands[1] in body.own:
                continue
            left, view = line.values
            key = "rows in order", id(view)
            if key not in self.lowering.shared:
                self.lowering.shared[key] = self.lowering.emit(
                    "copy", (view,), view.shape, view.dtype, line.node, turned=True
                )
            line.operands = (left, self.lowering.shared[key])

    def _entry(
        self, body: Builder, bound: Node, node: Node, index: sympy.Symbol, scan: Scan
    ) -> Operand:
        """The entry of a sequence at a step; of one that does not vary, all that there is."""
        operand = self.lowering.values[node]
        if isinstance(operand, Literal) or len(operand.shape) < node.ndim:
            return operand
        if operand.shape[0] == 1 and scan.length != 1:
            return self.lowering.indexed(operand, (0,), operand.shape[1:], node)
        entry = Value(operand.shape[1:], operand.dtype, base=operand)
        if same_shape(entry.shape, bound.shape):
            entry.node = bound
        body.keep(Instruction("entry", (operand,), entry, bound, {"at": index}))
        body.entries[entry] = operand
        return entry


class _Results:
    """What is asked of one loop, and how it is stored."""

    def __init__(self, lowering: Lowering, body: Builder, scan: Scan, loop: Loop) -> None:
        self.lowering, self.body, self.scan, self.loop = lowering, body, scan, loop
        self.before = {state.before: state for state in loop.carried}
        self.after: dict[Value, Carried] = {}
        for state in loop.carried:
            self.after.setdefault(state.after, state)
        self.asked: dict[Node, tuple[str, Carried]] = {}
        self.stacked: dict[Node, Value] = {}
        self.known: dict[Node, Operand] = {}

    def ask(self, node: Node) -> None:
        """Notes that `node` is read."""
        if isinstance(node, Final):
            self.asked[node] = "last", self.loop.carried[node.index]
            return
        assert isinstance(node, Stacked)
        operand = self.body.values[node.inner]
        value = operand if isinstance(operand, Literal) else self.body.explicit(node.inner)
        if isinstance(value, Literal) or value not in self.body.own:
            self.known[node] = value
        elif value in self.body.entries:
            self.known[node] = self.body.entries[value]
        elif value in self.before:
            self.asked[node] = "before", self.before[value]
        elif value in self.after:
            self.asked[node] = "after", self.after[value]
        else:
            self.stacked[node] = value

    def choose(self) -> None:
        """One array for all that is asked of a state; one for each other value."""
        loop, length = self.loop, self.loop.length
        for state in loop.carried:
            wanted = {what for what, of in self.asked.values() if of is state}
            if wanted <= {"last"}:
                continue
            is_trail = wanted != {"after"}
            forwards = is_trail and not loop.is_reversed
            shape = state.before.shape
            array = Value((length + int(is_trail), *shape), state.before.dtype)
            slot = Value(shape, state.before.dtype)
            at = loop.index + int(forwards)
            loop.kept.append(Kept(state.after, array, slot, at, state if is_trail else None))
        for value in dict.fromkeys(self.stacked.values()):
            array = Value((length, *value.shape), value.dtype)
            loop.kept.append(Kept(value, array, Value(value.shape, value.dtype), loop.index))

    def parts(self, token: Value) -> dict[Node, Operand]:
        """The results as values of the program around the loop."""
        loop = self.loop
        arrays: dict[Carried | Value, Kept] = {}
        for kept in loop.kept:
            self.lowering.append(Instruction("part", (token,), kept.array, self.scan))
            arrays[kept.trail_of or self.after.get(kept.value) or kept.value] = kept
        results = dict(self.known)
        for node, value in self.stacked.items():
            results[node] = self._whole(arrays[value], node)
        finals: dict[Carried, Value] = {}
        for node, (what, state) in self.asked.items():
            if state in arrays and arrays[state].trail_of is None:
                results[node] = self._whole(arrays[state], node)
            elif state in arrays:
                results[node] = self._of_trail(arrays[state].array, what, node)
            else:
                if state not in finals:
                    finals[state] = Value(state.before.shape, state.before.dtype, node=node)
                    self.lowering.append(Instruction("part", (token,), finals[state], node))
                results[node] = finals[state]
        loop.finals = {value: state for state, value in finals.items()}
        return results

    def _whole(self, kept: Kept, node: Node) -> Value:
        if kept.array.node is None and same_shape(kept.array.shape, node.shape):
            kept.array.node = node
        return kept.array

    def _of_trail(self, array: Value, what: str, node: Node) -> Value:
        """Before: all but the last entry. After: all but the first. Last: one of these two."""
        is_reversed = self.loop.is_reversed
        if what == "last":
            at = sympy.Integer(0 if is_reversed else -1)
            return self.lowering.view("entry", array, array.shape[1:], node, at=at)
        without_first = (sympy.S.One, None, 1)
        without_last = (None, sympy.S.NegativeOne, 1)
        span = without_last if (what == "before") != is_reversed else without_first
        box = (span, *(":" for _ in array.shape[1:]))
        return self.lowering.view("slice", array, node.shape, node, box=box)


def _of_kind(builder: Builder, node: Node, dtype: str) -> Value:
    """The value of `node` in full, converted where it lies in memory as another kind."""
    value = builder.whole(node)
    if value.dtype == dtype:
        return value
    if dtype == FLOAT:
        return builder.elementwise.as_float(value, node)
    return builder.elementwise.as_int(value, node) if dtype == INT else value


def _written_out(builder: Builder, node: Node, dtype: str) -> Value:
    """`_of_kind`, in memory of its own where it is a broadcast: a state may be written over."""
    value = _of_kind(builder, node, dtype)
    if same_shape(builder.explicit(node).shape, node.shape):
        return value
    return builder.emit("copy", (value,), value.shape, value.dtype, node)


def _name(bound: Node) -> str:
    return str(getattr(bound, "name", "state"))
