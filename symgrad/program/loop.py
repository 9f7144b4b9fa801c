"""A loop: the lines of one step, the states that are carried on, the arrays that are filled.

for t in range(T):                    the index and the length
    h = np.tanh(u[t] + h @ W)         the body, which reads what is around it; h is carried
    h_all[t] = h                      an array keeps what each step made

The body is a program of its own. It writes to nothing but what it made in the same step, and to
the entry of each kept array that belongs to the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symgrad.expr.dimension import same_shape
from symgrad.expr.node import FLOAT, Node
from symgrad.program.instruction import (
    Instruction,
    Operand,
    Program,
    Value,
    shared_with,
    takes_out,
)


@dataclass(eq=False)
class Carried:
    """A state: `first`, then at each step given to the body as `before`, and left as `after`."""

    bound: Node
    before: Value
    first: Operand
    after: Value


@dataclass(eq=False)
class Kept:
    """An array of what every step made: `value` lies in the entry `at`, which the body sees as
    `slot`.

    `trail_of`: it is one entry longer, and begins (ends, if the loop runs backwards) with the
    first of this state: so it holds the state before and after each step.
    """

    value: Value
    array: Value
    slot: Value
    at: sympy.Expr
    trail_of: Carried | None = None


@dataclass(eq=False)
class Loop:
    """`body` run for every `index` below `length`, from 0 up or down to 0.

    `finals`: results of the program around it that are states after the last step. `direct`:
    values of the body that are computed in the slot of an array.
    """

    index: sympy.Symbol
    length: sympy.Expr
    is_reversed: bool
    body: Program
    carried: tuple[Carried, ...]
    kept: list[Kept]
    finals: dict[Value, Carried]
    direct: dict[Value, Value] = field(default_factory=dict)

    @property
    def trails(self) -> dict[Carried, Kept]:
        return {kept.trail_of: kept for kept in self.kept if kept.trail_of is not None}

    @property
    def sizes(self) -> tuple[sympy.Expr, ...]:
        """All sizes that its lines and arrays are written with."""
        return (self.length, *(size for kept in self.kept for size in kept.array.shape))

    @property
    def given(self) -> set[Value]:
        """What the body is given anew at each step."""
        return {state.before for state in self.carried} | {kept.slot for kept in self.kept}

    def reads(self) -> tuple[Operand, ...]:
        """What it needs of the program around it."""
        made = self.given | {line.result for line in self.body.instructions}
        read: dict[Operand, None] = {}
        for state in self.carried:
            read.setdefault(state.first)
        values = [v for line in self.body.instructions for v in line.values]
        values += self.body.results.values()
        values += [kept.value for kept in self.kept]
        for value in values:
            if value not in made:
                read.setdefault(value)
        return tuple(read)

    def keep(self, needed: set[Value]) -> None:
        """Stores what is `needed` of its results, in arrays where it is made if NumPy can."""
        self.kept = [
            kept for kept in self.kept if kept.array in needed or not _is_whole(kept.trail_of)
        ]
        self.finals = {value: state for value, state in self.finals.items() if value in needed}
        lines = self.body.instructions
        position = {line.result: place for place, line in enumerate(lines)}
        stores: dict[int, list[Instruction]] = {}
        for number, kept in enumerate(self.kept):
            value = kept.value
            place = position.get(value, len(lines) - 1)
            maker = lines[place] if value in position else None
            if maker is not None and value not in self.direct and _fits(maker, value, kept.slot):
                self.direct[value] = kept.slot
                self.body.results[f"entry {number}"] = value
            else:
                node = kept.array.node if value.node is None else value.node
                if maker is not None or node is None:  # what is given has no equation
                    node = maker.node if maker is not None else self.carried[0].bound
                stores.setdefault(place, []).append(Instruction("store", (value,), kept.slot, node))
        placed = [*stores.get(-1, [])]
        for place, line in enumerate(lines):
            placed += [line, *stores.get(place, [])]
        lines[:] = placed

    def sources(self) -> dict[Carried, tuple[list[Value], list[Value]]]:
        """The memory that each state may share after the loop: around it, and made in it.

        A state that is handed on, or given by what is around the loop, is no array of its own;
        and where there is no step, it is the first one.
        """
        makers = {line.result: line for line in self.body.instructions}
        states = {state.before: state for state in self.carried}
        found: dict[Carried, tuple[list[Value], list[Value]]] = {}
        for state in self.carried:
            reached = [state.before]
            for value in reached:
                more: list[Operand] = [value]
                if value in states:
                    more = [states[value].first, states[value].after]
                    follows = states[value].after
                    is_new = value is state.before and follows.root not in states
                    more = [follows] if is_new and self.length.is_positive else more
                elif value in makers:
                    more = list(shared_with(makers[value]))
                roots = [other.root for other in more if isinstance(other, Value)]
                reached += [root for root in dict.fromkeys(roots) if root not in reached]
            around = [v for v in reached if v not in states and v not in makers]
            found[state] = around, [v for v in reached if v in makers]
        return found


def _is_whole(state: Carried | None) -> bool:
    """Whether the first of a state can be carried as it is, without an array that holds it."""
    if state is None:
        return True
    first = state.first
    return isinstance(first, Value) and same_shape(first.shape, state.before.shape)


def _fits(maker: Instruction, value: Value, slot: Value) -> bool:
    """Whether `value` can be computed in `slot`: not a number, which has no memory of its own."""
    return (
        takes_out(maker)
        and value.base is None
        and value.dtype == slot.dtype == FLOAT
        and bool(value.shape)
    )
