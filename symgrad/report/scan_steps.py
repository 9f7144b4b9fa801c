"""The step of a scan on paper: subscripts t, and t-1 for the state before; and its derivation.

    h_t = tanh(u_t + h_{t-1} W)       what arrives at h_t goes back to u_t, h_{t-1} and W

A tensor that is the same at every step receives something at each: dL/dW_t, summed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from symgrad.calculus.journal import FORWARD, Journal
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import Final, Scan, Stacked, wishes
from symgrad.expr.step_index import first_index
from symgrad.expr.walk import postorder
from symgrad.report.equation_writer import EquationWriter
from symgrad.report.journal_steps import EVERY, displayed, told_apart
from symgrad.report.naming import LETTER, Naming
from symgrad.report.notation import Along, Math, Partial, Symbol, number
from symgrad.report.notation.entry import entry_of
from symgrad.report.notation.formula import Big, Indexed, Relation
from symgrad.report.notation.index_scans import index_given, index_made
from symgrad.report.notation.names import derivative
from symgrad.report.notation.step_letter import step_letter, within_a_step
from symgrad.report.paper_names import PaperNames, derivative_names
from symgrad.report.record.equation import Equation, Prose

NameOf = Callable[[Node], Math | None]


class StepOnPaper:
    """The step of a scan: what its tensors are called, and its equations.

    `read`: what is asked of each step besides the states. `outer`: names around the scan. `taken`:
    names that are not to be given again. `journal`: of the derivation of the step, if it is told.
    """

    def __init__(
        self,
        scan: Scan,
        read: Iterable[Node],
        outer: PaperNames,
        taken: Iterable[str] = (),
        journal: Journal | None = None,
        level: str = "",
    ) -> None:
        self.scan, self.outer, self.taken = scan, outer, tuple(taken)
        self.letter = step_letter()
        self.roots = list(dict.fromkeys([*scan.step.following, *read]))
        self.told = frozenset(postorder(self.roots))
        self.naming = self._names_as_text(journal or Journal(), level, taken)
        more = step_names(scan, outer, outer.loss)
        for node, name in self.naming.names.items():
            if (node in self.told or node in self.naming.automatic) and node not in more:
                more[node] = entry_of(derivative(name, outer.loss), (self.letter,))
        steps = journal.steps if journal is not None else []
        mark = "t" if steps and steps[0].mode == FORWARD else "d"
        here = (self.letter,)
        self.slopes = {w: _slope(entry_of(more[w], here), mark, outer) for w in scan.step.fixed}
        if journal is not None:
            more |= self._seeds(journal, more, outer)
        texts = self.naming.names
        _, belongs = derivative_names(journal or Journal(), texts, self.naming.automatic)
        for node, (own, primal) in belongs.items():
            if node not in self.told and node not in self.naming.automatic:
                named = more.get(primal)
                slope = self.slopes.get(primal)
                if slope is None and named is not None:
                    slope = _slope(named, own, outer)
                if slope is not None:
                    more.setdefault(node, slope)
        self.names = PaperNames(self.naming, belongs, more, slopes=self.slopes)
        self.names.loss = outer.loss

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Those of the step, without those of its derivation."""
        lines = [node for node in self.naming.lines if node in self.told]
        with within_a_step():
            return tuple(map(self._equation, _as_written(lines)))

    def _equation(self, node: Node) -> Equation:
        """An equation of the step; of a loop within it, those of that loop's step."""
        equation = EquationWriter(self.names, {}).equation(node)
        if not isinstance(node, Scan):
            return equation
        inner = StepOnPaper(node, read_of_steps(self.told, node), self.names, self.taken)
        return replace(equation, intro=inner.intro, steps=inner.equations)

    def from_outside(self, stacks: Iterable[Stacked]) -> dict[Node, Math]:
        """What the tensors of the step are called around it, where the step is an index of theirs.

        `stacks`: those of the scan that have no name of their own.
        """
        found: dict[Node, Math] = {s: self._symbol(s) for s in self.scan.step.carried}
        for stack in stacks:
            step = self.scan.step
            name = self.naming.name_of(stack.inner)
            if stack.inner in step.following and not isinstance(stack.inner, Leaf):
                found[stack] = self._symbol(step.carried[step.following.index(stack.inner)])
            elif name is None or stack.inner in self.naming.automatic:
                continue  # written out
            elif stack.inner not in step.carried:  # a step earlier
                found[stack] = derivative(name, self.outer.loss)
        return found

    @property
    def intro(self) -> Prose:
        """`for t = 0, ..., T - 1, from h_{-1} = h_0`, with what else is given and has no name."""
        last = number(self.scan.length - 1)
        writer = EquationWriter(self.outer, {})
        starts: list[Math] = []
        for state, given in zip(self.scan.step.carried, self.scan.first, strict=True):
            first, name = self._first(state), self.outer(given)
            told = writer.equation(given, first).either if name is None else None
            if name is not None and name != first:
                told = Relation("=", first, name)
            starts.append(told or first)
        intro: list[str | Math] = ["for ", self.letter, " = 0, ..., ", last]
        if self.scan.is_reversed:
            intro = ["for ", self.letter, " = ", last, ", ..., 0"]
        for k, start in enumerate(starts):
            intro += [", from " if k == 0 else ", ", start]
        for k, line in enumerate(self._unnamed()):
            intro += [", with " if k == 0 else ", ", line]
        return tuple(intro)

    def _unnamed(self) -> Iterator[Math]:
        """What is given to the steps and has no name around them."""
        given, writer = dict(self.scan.inputs), EquationWriter(self.outer, {})
        for bound in (*self.scan.step.sequences, *self.scan.step.fixed):
            if self.outer(given[bound]) is None and _as_state(given[bound], self.outer) is None:
                equation = writer.equation(given[bound], self._symbol(bound))
                if equation.either is not None:
                    yield equation.either

    def _name_outside(self, bound: Node) -> str:
        """What is given to the step is called as around it, a state as it is bound."""
        given = dict(self.scan.inputs)[bound]
        known = None if bound in self.scan.step.carried else self.outer.naming.name_of(given)
        return known or _name(bound)

    def _first(self, state: Node) -> Math:
        """A state before the first step."""
        return entry_of(self._symbol(state), (number(first_index(self.scan, state)),))

    def arrival(self, position: int, left: Math) -> Math:
        """What the scan's operand at `position` receives: `left`, by what its steps receive."""
        bound = self.scan.step.bound[position]
        if bound in self.scan.step.fixed:
            return Relation("=", left, Big("sum", (self.letter,), self.slopes[bound]))
        if bound in self.scan.step.sequences:
            slope, each = self.names.derivative(bound), entry_of(left, (self.letter,))
            return left if slope is None or slope == each else Relation("=", each, slope)
        return Relation("=", left, Partial(self._first(bound), self.names.loss))

    def _names_as_text(self, journal: Journal, level: str, taken: Iterable[str]) -> Naming:
        scan = self.scan
        known: dict[Node, str] = {}
        for node in self.told:
            if node.label is not None or node in wishes:
                known[node] = node.label or wishes[node]
            elif isinstance(node, Scan):  # has lines of its own
                known[node] = "loop"
        for state, follows in zip(scan.step.carried, scan.step.following, strict=True):
            if not isinstance(follows, Leaf):
                known[follows] = _name(state)
        known |= {bound: self._name_outside(bound) for bound in scan.step.bound}
        owned, _ = derivative_names(journal, known)
        is_told = told_apart(self.roots, known)
        passed = [step.node for step in journal.steps] if level == EVERY else []
        plain = Naming([*self.roots, *passed], known, (), taken, letter=LETTER)
        nameless = {node for node in self.told if node not in plain.names}
        shown = [*self.roots, *passed, *displayed(journal, is_told, level)]
        naming = Naming(shown, owned | plain.names, nameless, taken, letter=LETTER)
        naming.automatic |= plain.automatic
        return naming

    def _seeds(
        self, journal: Journal, names: Mapping[Node, Math], outer: PaperNames
    ) -> dict[Node, Math]:
        """What arrives at a step: from the step after it, and from outside where it is read."""
        seeds = [step for step in journal.steps if step.kind == "seed"]
        summed = {step.node for step in journal.steps if step.kind == "accumulate"}
        states = set(self.scan.step.following)
        found: dict[Node, Math] = {}
        for step in seeds:
            name = names.get(step.node) or self._name_of_seed(step.node)
            if step.mode == FORWARD or step.node not in summed:
                found[step.result] = _slope(name, "t" if step.mode == FORWARD else "d", outer)
                continue
            base = name.of if isinstance(name, Indexed) else name
            is_first = not any(s.node is step.node and s.result in found for s in seeds)
            place = "later" if is_first and step.node in states else "out"
            below = (base.base, *base.below) if isinstance(base, Symbol) else ()
            found[step.result] = entry_of(Symbol("delta", (*below, place)), (self.letter,))
        return found

    def _name_of_seed(self, node: Node) -> Math:
        name = self.naming.name_of(node) or "y"
        return entry_of(derivative(name, self.outer.loss), (self.letter,))

    def _symbol(self, bound: Node) -> Math:
        return derivative(_name(bound), self.outer.loss)


def step_names(scan: Scan, outer: NameOf, loss: Math) -> dict[Node, Math]:
    """What a step is given and makes of its states, at step t. `loss`: what the loss is called."""
    step = scan.step
    given = dict(scan.inputs)
    found: dict[Node, Math] = {}
    for state, follows in zip(step.carried, step.following, strict=True):
        before, after = around_step(scan, state, derivative(_name(state), loss))
        found[state] = before
        if not isinstance(follows, Leaf):
            found.setdefault(follows, after)
    for x in step.sequences:
        named = outer(given[x]) or derivative(_name(x), loss)
        found[x] = _as_state(given[x], outer) or entry_of(named, (step_letter(),))
    for w in step.fixed:
        found[w] = outer(given[w]) or derivative(_name(w), loss)
    return found


def around_step(scan: Scan, state: Node, name: Math) -> tuple[Math, Math]:
    """What step t is given of a state, and what it makes of it: h[t - 1] and h[t]."""
    indices = index_given(scan, state, step_letter()), index_made(scan, state, step_letter())
    before, after = (entry_of(name, (index,)) for index in indices)
    return before, after


def _as_state(given: Node, outer: NameOf) -> Math | None:
    """The state of another loop before its step t, if that is what is given at step t."""
    if not isinstance(given, Stacked) or given.inner not in given.scan.step.carried:
        return None
    name = None if outer(given) is not None else outer(given.inner)
    return None if name is None else around_step(given.scan, given.inner, name)[0]


def _as_written(lines: Sequence[Node]) -> list[Node]:
    """`lines` in the order in which the user wrote them, as far as each follows what it reads."""
    places = {node: (_line_of(node), k) for k, node in enumerate(lines)}
    seen: dict[Node, set[Node]] = {}  # a tensor's lines: itself, or those that it is made of
    missing: dict[Node, int] = {}
    readers: dict[Node, list[Node]] = {}
    for node in postorder(lines):
        reads = set[Node]().union(*(seen[x] for x in node.operands))
        seen[node] = {node} if node in places else reads
        if node in places:
            missing[node] = len(reads)
            for read in reads:
                readers.setdefault(read, []).append(node)
    ready = [(places[node], node) for node in lines if not missing[node]]
    heapify(ready)
    found: list[Node] = []
    while ready:
        _, node = heappop(ready)
        found.append(node)
        for reader in readers.get(node, ()):
            missing[reader] -= 1
            if not missing[reader]:
                heappush(ready, (places[reader], reader))
    return found


def _line_of(node: Node) -> tuple[str, int]:
    file, _, line = (node.location or "").rpartition(":")
    return file, int(line) if line.isdecimal() else 0


def read_of_steps(nodes: Iterable[Node], scan: Scan) -> list[Node]:
    """What `nodes` ask of each step of `scan`, in an order in which it can be computed."""
    read = dict.fromkeys(n.inner for n in nodes if isinstance(n, Stacked) and n.scan is scan)
    return [n for n in postorder([*scan.step.following, *read]) if n in read]


def owner_in(roots: Iterable[Node], names: NameOf) -> Callable[[Node], Node]:
    """The tensor with a name that one without is written inside of: its only reader.

    A loop and what it leaves stand alone: they are told as the loop is.
    """
    roots = list(roots)
    readers: dict[Node, Node] = {}
    for node in postorder(roots):
        for operand in node.operands:
            readers.setdefault(operand, node)

    def owner(node: Node) -> Node:
        while names(node) is None and node in readers:
            if isinstance(node, Leaf | Scan | Final | Stacked) or isinstance(readers[node], Scan):
                break
            node = readers[node]
        return node

    return owner


def _slope(name: Math, mark: str, outer: PaperNames) -> Math:
    return Along(name) if mark == "t" else Partial(name, outer.loss)


def _name(bound: Node) -> str:
    return bound.label or str(getattr(bound, "name", "s"))
