"""A name for every value that a function assigns, those of its loops included.

Views are written where they are used, but for those that a loop would make again at every step.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symgrad.emit.door import Door
from symgrad.emit.identifiers import Names, identifier
from symgrad.emit.linear_algebra import name_of_several
from symgrad.emit.literal import size_source
from symgrad.emit.numbering import Equations
from symgrad.expr.leaf import Arange, Constant, Identity, Leaf, Named, Table
from symgrad.expr.scan import Final, Stacked
from symgrad.program.inlining import inlined_values
from symgrad.program.instruction import ACTS, SEVERAL, VIEWS, Instruction, Value
from symgrad.program.loop import Loop
from symgrad.program.schedule import Schedule

LONGEST_SOURCE = 20  # letters of a name up to which what is computed from it is named after it
SHORT = {
    "multiply": "product", "divide": "ratio", "add": "sum", "subtract": "difference",
    "less": "mask", "less_equal": "mask", "equal": "mask", "not_equal": "mask", "dot": "product",
    "matmul": "product", "vecdot": "product", "square": "squared", "cast": "float",
    "maximum": "max", "minimum": "min", "negative": "negated",
}  # fmt: skip

STEPS = "tskr"  # what the index of a loop is called: the first letter that is free


class Naming:
    """The names of the values of one function. `indices`: what the indices of loops are called."""

    def __init__(self, plan: Schedule, equations: Equations, door: Door) -> None:
        self.equations = equations
        self.taken = Names(frozenset(door.locals) | frozenset(equations.names.values()))
        self.names: dict[Value, str] = {}
        self.indices: dict[sympy.Symbol, sympy.Symbol] = {}
        self._used: set[str] = set()
        self._depths: list[sympy.Symbol] = []
        for node, value in plan.program.arguments.items():
            assert isinstance(node, Named)
            self.names[value] = door.local(node)
        self._equations_first(plan)
        self._rest(plan)

    def _equations_first(self, plan: Schedule, depth: int = 0) -> None:
        """The values that hold the tensors of equations; the states and arrays of loops."""
        views = _views_with_names(plan.program.instructions)
        for line in plan.program.instructions:
            if line.op == "loop":
                self._states(line.options["loop"], plan.bodies[line], depth)
                self._equations_first(plan.bodies[line], depth + 1)
                self._arrays(line.options["loop"])
                continue
            held = line.result.node
            if held is None or line.op in ACTS or held not in self.equations.names:
                continue
            if line.op in VIEWS and line.result not in views:
                continue
            if isinstance(held, Named) or line.result in self.names:
                continue  # a copy of an argument, which keeps its name
            name = self.equations.names[held]
            if name not in self._used:
                self.names[line.result] = name
                self._used.add(name)

    def _states(self, loop: Loop, body: Schedule, depth: int) -> None:
        if depth == len(self._depths):  # loops in a row share an index
            letter = next((each for each in STEPS if self.taken.has_free(each)), STEPS[0])
            self._depths.append(sympy.Symbol(self.taken.unique(letter)))
        self.indices[loop.index] = self._depths[depth]
        made = {line.result for line in body.program.instructions}
        for state in loop.carried:
            name = self._once(self.equations.names.get(state.bound, state.before.argument or "h"))
            self.names[state.before] = name
            if body.renamed.get(state.after) is state.before:
                self.names[state.after] = name
            elif state.after in made and state.after not in self.names:
                self.names[state.after] = self.taken.unique(f"{name}_next")

    def _arrays(self, loop: Loop) -> None:
        """The arrays that a loop fills, and their entries; what only lies there needs no name."""
        index = self.indices[loop.index]
        read = {v.root for line in loop.body.instructions for v in line.values}
        read |= {state.after for state in loop.carried}
        for kept in loop.kept:
            if kept.trail_of is not None:
                name = self.taken.unique(f"{self.names[kept.trail_of.before]}_all")
            else:
                held = kept.array.node
                wish = self.equations.names.get(held) if held is not None else None
                name = self._once(wish or f"{self.names.get(kept.value, 'entry')}_all")
            self.names[kept.array] = name
            entry = f"{name}[{size_source(kept.at.subs(loop.index, index))}]"
            self.names[kept.slot] = entry
            if loop.direct.get(kept.value) is kept.slot and kept.value not in read:
                self.names[kept.value] = entry
        for value, state in loop.finals.items():
            wish = self.equations.names.get(value.node) if value.node is not None else None
            name = self.names[state.before]
            if wish is not None and wish not in self._used and wish != name:
                self._used.add(wish)
                name = wish
            self.names[value] = name

    def _once(self, name: str) -> str:
        """`name`, which an equation has, for one value; another for the next."""
        if name in self._used or name not in self.equations.names.values():
            return self.taken.unique(name)
        self._used.add(name)
        return name

    def _rest(self, plan: Schedule) -> None:
        """What has no name from an equation is named after where it is used."""
        lines = plan.program.instructions
        needs_name = _views_with_names(lines)
        position = {line.result: place for place, line in enumerate(lines)}
        after = {target: line for line, target in plan.written_to.items()}
        viewed = _viewed_once(plan)
        inlined = inlined_values(lines)
        for line in reversed(lines):
            value = line.result
            if line.op == "loop":
                self._first_states(line, plan)
                self._rest(plan.bodies[line])
            if value in self.names or line.op in ACTS or value in inlined:
                continue
            if line.op == "loop" or (line.op in VIEWS and value not in needs_name):
                continue
            successor = after.get(value)
            if viewed.get(value) in needs_name and value not in after:
                self.names[value] = self.names[viewed[value]]
            elif successor is not None and self._shares_name(line, successor, plan, position):
                self.names[value] = self.names[successor.result]
            else:
                self.names[value] = self.taken.unique(self._hint(line))

    def _shares_name(
        self,
        line: Instruction,
        successor: Instruction,
        plan: Schedule,
        position: dict[Value, int],
    ) -> bool:
        """Whether `successor` works in place on the result of `line`, for the same equation."""
        if line.result not in successor.operands or successor.result not in self.names:
            return False
        name = self.names[successor.result]
        for before in set(plan.renamed.values()):
            if self.names[before] == name and plan.last_use.get(before, -1) > position[line.result]:
                return False  # the state of the step before is still read under that name
        owner = self.equations.owner
        return owner(successor.node) is owner(line.node)

    def _first_states(self, line: Instruction, plan: Schedule) -> None:
        """What is made only to be the first of a state has its name from the beginning.

        Neither it nor its memory may be used later, when the name is that of another array.
        """
        loop: Loop = line.options["loop"]
        lines = plan.program.instructions
        used = {*plan.program.results.values(), *plan.written_to.values()}
        trails = loop.trails
        firsts = [state.first for state in loop.carried]
        made = {other.result: other for other in lines}
        for state in loop.carried:
            first = state.first
            if state in trails or not isinstance(first, Value) or first in self.names:
                continue
            readers = [other for other in lines if first in {v.root for v in other.values}]
            maker = made.get(first)
            is_own = maker is not None and maker.op not in VIEWS and firsts.count(first) == 1
            is_own = is_own and first not in used
            if is_own and readers == [line] and not _is_read_inside(loop, first):
                self.names[first] = self.names[state.before]

    def _hint(self, line: Instruction) -> str:
        equations = self.equations
        if line.result.dtype == SEVERAL:
            return name_of_several(line, equations.names.get(line.node.operands[0]))
        if "turned" in line.options:
            return f"{self.names.get(line.values[0].root, 'part')}_T"
        if "hint" in line.options:
            return str(line.options["hint"])
        if line.op in VIEWS:
            return self._view_hint(line)
        if isinstance(line.node, Leaf):
            return _leaf_hint(line.node)
        if line.op == "ufunc" and len(line.values) == len(line.operands) == 1:
            (source,) = line.values
            name = equations.names.get(source.node) if source.node is not None else None
            if name is not None and len(name) <= LONGEST_SOURCE:
                return f"{line.options['name']}_{name}"
        held = line.result.node
        if held is not None and held in equations.names:  # the name is that of another value
            if isinstance(held, Final):
                return f"{equations.names[held]}_last"
            if line.op != "copy":
                return equations.names[held]
        base = equations.names.get(equations.owner(line.node), "part")
        kind = str(line.options.get("name", line.op))
        return identifier(f"{base}_{SHORT.get(kind, kind)}")

    def _view_hint(self, line: Instruction) -> str:
        (source,) = line.values
        node = line.result.node
        name = self.names.get(source.root, "part")
        if node is not None and node in self.equations.names:
            return self.equations.names[node]
        if isinstance(node, Final):
            state = node.scan.step.carried[node.index]
            return f"{self.equations.names.get(state) or getattr(state, 'name', name)}_last"
        if isinstance(node, Stacked):
            inner = self.equations.names.get(node.inner) or getattr(node.inner, "name", name)
            return f"{inner}_before" if isinstance(node.inner, Leaf) else f"{inner}_after"
        if line.op == "entry":
            return f"{self.equations.names.get(line.node) or getattr(line.node, 'name', name)}_t"
        if line.op == "transpose":
            return f"{name}_{'T' if len(line.result.shape) == 2 else 'transposed'}"
        return f"{name}_view"


def _leaf_hint(leaf: Leaf) -> str:
    if isinstance(leaf, Constant):
        return {sympy.S.Zero: "zeros", sympy.S.One: "ones"}.get(leaf.value, "constant")
    return {Identity: "identity", Arange: "positions", Table: "table"}.get(type(leaf), "copy")


def _is_read_inside(loop: Loop, value: Value) -> bool:
    read: Iterable[Value] = (v for line in loop.body.instructions for v in line.values)
    return any(v.root is value for v in (*read, *(state.after for state in loop.carried)))


def _viewed_once(plan: Schedule) -> dict[Value, Value]:
    """For an array that only one line reads, which makes a view of it: that view."""
    readers: dict[Value, list[Instruction]] = {}
    results = set(plan.program.results.values())
    for line in plan.program.instructions:
        for value in line.values:
            readers.setdefault(value, []).append(line)
    return {
        value: reading[0].result
        for value, reading in readers.items()
        if len(reading) == 1
        and reading[0].op in VIEWS
        and value.base is None
        and value not in results
    }


def _views_with_names(lines: list[Instruction]) -> set[Value]:
    """Views that a loop reads, and entries of sequences that several lines of a body read."""
    found: set[Value] = set()
    readers: dict[Value, list[Instruction]] = {}
    for line in lines:
        if line.op == "loop":
            found.update(v for v in line.values if v.base is not None)
        if line.op in VIEWS:
            continue
        for value in line.values:
            for view in value.views():
                readers.setdefault(view, []).append(line)
    entries = [line.result for line in lines if line.op == "entry"]
    found.update(entry for entry in entries if len(readers.get(entry, ())) > 1)
    return found
