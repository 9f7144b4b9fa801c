"""Fission: what the steps of a scan do not need of one another is done for all of them at once.

    z[t] = x[t] @ W + h[t-1] @ U       ->   Z = X @ W   before the loop
    y[t] = h[t] @ V                    ->   Y = H @ V   after the loop
    W'   = sum_t h[t-1]^T z'[t]        ->   one product after the backward loop

A tensor of a step that depends on no state is computed for all steps before the loop and becomes
a sequence; one that no state depends on is computed after it. Both are the same tensor with one
more axis, made by the rules that batch. What a backward step takes from the step that it was
derived from, it takes from there: the forward loop keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symgrad.calculus.batching import batched_nodes
from symgrad.expr.contraction import spread
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Final, Scan, Stacked, Step, stacked, wishes
from symgrad.expr.walk import depends_on, postorder, rewrite, substitute
from symgrad.passes.complement import gates, with_complements
from symgrad.passes.fold import fold
from symgrad.passes.form import Form, repeated
from symgrad.passes.fuse import fuse
from symgrad.passes.independence import independent_tensors
from symgrad.passes.parts import names_of_parts
from symgrad.passes.steps import everywhere


def split_scans(form: Form) -> Form:
    """The same outputs with nothing in the loops that can be done for all steps at once."""
    if not any(isinstance(node, Scan) for node in postorder(form.outputs.values())):
        return form
    return repeated(form, _split_once)


def _split_once(form: Form) -> Form:
    """One round; the formulas that are left are put together anew, and can be split again."""
    apart = _before_loops(_after_loops(form))
    return form if apart is form else everywhere(fuse)(everywhere(fold)(apart))


# After the loop


def _after_loops(form: Form) -> Form:
    """Tensors asked for at every step that no state depends on, computed from those that are."""
    asked = _asked(form)
    inside = {scan: _in_loop(scan, asked[scan]) for scan in asked}

    def rule(now: Node, was: Node) -> Node:
        if not isinstance(was, Stacked) or _is_inside(was.inner, inside[was.scan]):
            return now
        (scan,) = now.operands
        assert isinstance(scan, Scan) and isinstance(was.scan, Scan)
        return _at_every_step(was.inner, scan, _frontier(was.inner, inside[was.scan]))

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _at_every_step(inner: Node, scan: Scan, known: Iterable[Node]) -> Node:
    """`inner` computed for all steps at once, from the tensors `known` at every step."""
    fixed = {bound: operand for bound, operand in scan.inputs if bound in scan.step.fixed}
    leaves = {node: stacked(scan, node) for node in known if node not in fixed}
    batched = batched_nodes([inner], leaves, scan.length)
    if inner not in batched:
        return spread(substitute([inner], fixed)[inner], {0: scan.length})
    return substitute([batched[inner]], fixed)[batched[inner]]


def _asked(form: Form) -> dict[Scan, dict[Node, None]]:
    """What is asked of each scan: the states after it, as what follows, and tensors of its step."""
    asked: dict[Scan, dict[Node, None]] = {}
    for node in postorder(form.outputs.values()):
        if isinstance(node, Scan):
            asked[node] = {}
        elif isinstance(node, Final):
            asked[node.scan].setdefault(node.scan.step.following[node.index])
            asked[node.scan].setdefault(node.state)
        elif isinstance(node, Stacked):
            asked[node.scan].setdefault(node.inner)
    return asked


def _live(step: Step, asked: Iterable[Node]) -> list[int]:
    """The states that must be carried for `asked`, and for one another."""
    live: set[int] = set()
    roots = list(asked)
    while True:
        below = set(postorder(roots))
        more = {k for k, state in enumerate(step.carried) if state in below} - live
        if not more:
            return sorted(live)
        live |= more
        roots += [step.following[k] for k in sorted(more)]


def _in_loop(scan: Scan, asked: Iterable[Node]) -> set[Node]:
    """What each step computes for the next one, and the states themselves."""
    step = scan.step
    live = _live(step, asked)
    return {*postorder(step.following[k] for k in live), *(step.carried[k] for k in live)}


def _is_inside(node: Node, inside: set[Node]) -> bool:
    """Whether the loop has `node`: as one of its own, or as a result of a loop within it."""
    return node in inside or (isinstance(node, Final | Stacked) and node.scan in inside)


def _frontier(node: Node, inside: set[Node]) -> list[Node]:
    """The tensors of the loop, and what is bound, that `node` is computed from directly."""
    found: dict[Node, None] = {}
    stack = [node]
    seen: set[Node] = set()
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if isinstance(each, Bound) or (_is_inside(each, inside) and not isinstance(each, Leaf)):
            found.setdefault(each)
        else:
            stack.extend(reversed(each.operands))
    return list(found)


# Before the loop


def _before_loops(form: Form) -> Form:
    """Tensors that depend on no state become sequences or fixed; what is not read is dropped."""
    asked = _asked(form)
    moves: dict[Scan, _Move] = {}

    def rule(now: Node, was: Node) -> Node:
        if isinstance(was, Scan):
            assert isinstance(now, Scan)
            moves[was] = _Move(was, now, list(asked[was]), moves)
            return moves[was].scan
        if isinstance(was, Final):
            return Final(moves[was.scan].scan, was.state)
        if isinstance(was, Stacked):
            move = moves[was.scan]
            return stacked(move.scan, move.became.get(was.inner, was.inner))
        return now

    return _naming(form.rewritten(rewrite(form.outputs.values(), rule)), moves.values())


def _naming(form: Form, moves: Iterable[_Move]) -> Form:
    """`form`, in which what was moved out of loops has a name."""
    called = {node: name for move in moves for node, name in move.names.items()}
    nodes = postorder(form.outputs.values())
    more = {node: called[node] for node in nodes if node in called and node not in form.names}
    return replace(form, names=form.names | more) if more else form


class _Move:
    """One scan without what was moved before it.

    `became`: what the tensors of its step are now. `bindings`: the new bound tensors, with their
    operand and whether it is a sequence. `names`: what those operands are called.
    """

    def __init__(self, was: Scan, now: Scan, asked: list[Node], moves: dict[Scan, _Move]) -> None:
        step = was.step
        live = _live(step, asked)
        self.was = was
        self.bindings: dict[Node, tuple[Node, bool]] = {}
        self.names: dict[Node, str] = {}
        self._operands = dict(now.inputs)
        self._sources = _sources(was, moves)
        roots = dict.fromkeys([*(step.following[k] for k in live), *asked])
        self.became = {node: node for node in postorder(roots)}
        for source in self._sources:
            self._follow(source)
        self._move_out(list(roots))
        self._roots = list(roots)
        self.scan = self._rebuilt(now, live)
        self.inside = _in_loop(self.scan, (self.became[root] for root in roots))

    # -- what another scan has moved ---------------------------------------------------------

    def _agreed(self, source: _Move) -> set[Node]:
        """What is bound to the same in both: tensors over these are the same at every step."""
        there = dict(source.was.inputs)
        carried = source.was.step.carried
        agreed = {b for b, binding in source.bindings.items() if self.bindings.get(b) == binding}
        for bound, operand in self.was.inputs:
            if bound in carried:
                is_same = isinstance(operand, Stacked) and (
                    operand.scan is source.was and operand.inner is bound
                )
            else:
                is_same = there.get(bound) is operand
            if is_same:
                agreed.add(bound)
        return agreed

    def _follow(self, source: _Move) -> None:
        """Makes of the tensors of this step what `source` has made of them."""
        self.bindings |= source.bindings
        own = _over(self.became, self._agreed(source))
        stand_ins = {node: source.became[node] for node in own if node in source.became}
        self._replace({old: new for old, new in stand_ins.items() if old is not new})
        kept = gates(source.inside)
        if kept:
            became = rewrite(self.became.values(), lambda now, _: with_complements(now, kept))
            _keep_labels(became)
            self.became = {node: became[now] for node, now in self.became.items()}

    def _replace(self, stand_ins: dict[Node, Node]) -> None:
        if not stand_ins:
            return
        became = substitute(self.became.values(), stand_ins)
        _keep_labels({old: new for old, new in became.items() if old not in stand_ins})
        self.became = {node: became[now] for node, now in self.became.items()}

    # -- what depends on no state ------------------------------------------------------------

    def _move_out(self, roots: list[Node]) -> None:
        apart = independent_tensors([self.became[root] for root in roots], self.was.step.carried)
        _keep_labels(apart.became)
        self.became = {node: apart.became.get(now, now) for node, now in self.became.items()}
        called = names_of_parts((self.became[root] for root in roots), apart.found)
        stand_ins: dict[Node, Node] = {}
        for node in apart.found:
            operand, is_sequence = self._outside(node)
            name = called.get(node)
            is_known = isinstance(operand, Stacked) and operand.inner.label is not None
            if name is not None and not isinstance(operand, Leaf) and not is_known:
                self.names[operand] = name
            bound = Bound.like(node, ("outside", operand, node), name or "given")
            stand_ins[node] = bound
            self.bindings[bound] = operand, is_sequence
        self._replace(stand_ins)

    def _outside(self, node: Node) -> tuple[Node, bool]:
        """`node`, computed outside of the loop, and whether it has an entry for each step."""
        sequences, fixed = self._given()
        if node not in depends_on([node], sequences):
            return substitute([node], fixed)[node], False
        batched = batched_nodes([node], self._known(node, sequences), self.was.length)[node]
        return substitute([batched], fixed)[batched], True

    def _given(self) -> tuple[dict[Node, Node], dict[Node, Node]]:
        """The sequences and the fixed tensors that there are, with their operands."""
        step = self.was.step
        sequences = {b: self._operands[b] for b in step.sequences}
        fixed = {b: self._operands[b] for b in step.fixed}
        for bound, (operand, is_sequence) in self.bindings.items():
            (sequences if is_sequence else fixed)[bound] = operand
        return sequences, fixed

    def _known(self, node: Node, sequences: dict[Node, Node]) -> dict[Node, Node]:
        """What is there at every step already, below `node`: kept by a source, or a sequence."""
        known = dict(sequences)
        for source in self._sources:
            there = self._agreed(source) & set(source.scan.step.bound)
            for each in _over([node], there):
                if not isinstance(each, Leaf | Scan) and each not in known:
                    known[each] = stacked(source.scan, each)
        return known

    # -- the scan that is left ---------------------------------------------------------------

    def _rebuilt(self, now: Scan, live: list[int]) -> Scan:
        step = now.step
        following = [self.became[step.following[k]] for k in live]
        read = set(postorder([*following, *(self.became[root] for root in self._roots)]))
        given = [{b: x for b, x in group.items() if b in read} for group in self._given()]
        carried = [step.carried[k] for k in live]
        parts = (carried, following, list(given[0]), list(given[1]))
        if parts == tuple(map(list, (step.carried, step.following, step.sequences, step.fixed))):
            return now
        new = Scan(
            Step(*parts),
            now.length,
            now.is_reversed,
            *(now.first[k] for k in live),
            *given[0].values(),
            *given[1].values(),
        )
        assert isinstance(new, Scan)
        return new


def _keep_labels(became: dict[Node, Node]) -> None:
    """Tensors that were rebuilt keep the names that they had."""
    for old, new in became.items():
        if new is not old and not isinstance(new, Leaf):
            new.label, new.location = new.label or old.label, new.location or old.location
            if old in wishes:
                wishes.setdefault(new, wishes[old])


def _sources(scan: Scan, moves: dict[Scan, _Move]) -> list[_Move]:
    """The scans whose states this one is given as sequences: it was derived from them."""
    found = {
        operand.scan: moves[operand.scan]
        for bound, operand in scan.inputs
        if isinstance(operand, Stacked) and operand.inner is bound
    }
    return list(found.values())


def _over(roots: Iterable[Node], bound: set[Node]) -> list[Node]:
    """The tensors below `roots` that are computed from nothing bound but `bound`."""
    order = postorder(roots)
    foreign = [leaf for leaf in order if isinstance(leaf, Bound) and leaf not in bound]
    apart = depends_on(roots, foreign)
    return [node for node in order if node not in apart]
