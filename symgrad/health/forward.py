"""Forward: the law of every tensor, from the inputs to the loss.

q_l = sigma_w^2 fan_in E[f(z)^2] + sigma_b^2, z ~ N(0, q_{l-1}): the recursion of mean-field
theory (Poole et al. 2016, eq. 3), read off the graph. Whatever uses a signal is kept as a
`Passage`, for the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy
from sympy import Expr, S

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import product
from symgrad.expr.leaf import Constant, Filled, Input, Parameter, Random
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Embed, Reshape, Slice, Take, TakeAlong
from symgrad.expr.scan import Scan
from symgrad.expr.slots import slots_of
from symgrad.expr.walk import postorder, uses
from symgrad.expr.window import Windows
from symgrad.health.padding import Padding
from symgrad.health.passages import Forward, Linear, Passage, Recurrent, Sizes, law_of
from symgrad.health.signal import Source, Sources, UnknownError, composed, settled

MOST_STEPS = 200  # of a recurrence, until the size of its state is steady
STEADY = 1e-6


def forward(roots: Iterable[Node], sizes: Sizes) -> Forward:
    """Follows the signals to `roots`."""
    roots = list(roots)
    return _Walk(roots, sizes).run(roots)


class _Walk:
    """One pass over a graph; `signals`: what each tensor is, as a formula of sources."""

    def __init__(self, roots: list[Node], sizes: Sizes) -> None:
        self.found = Forward()
        self.signals: dict[Node, Expr] = {}
        self.uses = uses(roots)
        self.sizes = sizes
        self.used: dict[Source, int] = {}
        self.padding: dict[Node, Padding] = {}

    def run(self, roots: list[Node]) -> Forward:
        self.follow(roots)
        for root in roots:  # what is returned as it is leaves the analysis, too
            end = self.found.sources.unknown(root, "a result", ())
            self.found.passages.append(Passage(self.signals[root], root, end, S.NaN))
        return self.found

    def follow(self, roots: Iterable[Node]) -> None:
        """Finds the signals up to `roots`; those that are known already stay."""
        for node in postorder(roots):
            if node in self.signals:
                continue
            rule = next((r for kind, r in _RULES if isinstance(node, kind)), _Walk.other)
            try:
                self.signals[node] = rule(self, node)
            except UnknownError as error:
                self.signals[node] = self.unknown(node, str(error))

    def size(self, sizes: Iterable[Expr]) -> Expr:
        return product(sizes).subs(self.sizes)

    def unknown(self, node: Node, reason: str) -> Expr:
        """The node as a source of unknown law; what it uses leaves the analysis there."""
        known = [self.signals[o] for o in node.operands]
        within = [s for signal in known for s in self.found.sources.of(signal)]
        made = self.found.sources.unknown(node, reason, within)
        for signal in known:
            if self.found.sources.of(signal):
                self.found.passages.append(Passage(signal, node, made, S.NaN))
        return made.slot

    # leaves

    def constant(self, node: Any) -> Expr:
        return sympy.sympify(node.value).subs(self.sizes)

    def input(self, node: Any) -> Expr:
        if node.dtype != FLOAT:
            return self.found.sources.unknown(node, f"{node.name} holds no real numbers", ()).slot
        return self.found.sources.add(node, "input", S.Zero, S.One, True).slot

    def filled(self, node: Any) -> Expr:
        mean, variance, is_normal = law_of(node, self.sizes)
        if variance == 0 and mean != 0:
            return mean
        return self.found.sources.add(node, "parameter", mean, variance, is_normal).slot

    def draw(self, node: Any) -> Expr:
        chance = node.probability
        mean, variance = {
            "bernoulli": (chance, chance * (1 - chance)),
            "uniform": (S.Half, S.One / 12),
        }.get(node.kind, (S.Zero, S.One))
        return self.found.sources.add(node, "draw", mean, variance, node.kind == "normal").slot

    def other(self, node: Node) -> Expr:
        name = type(node).__name__
        raise UnknownError(_WORDS.get(name, f"{name} is not followed"))

    # what passes a signal on

    def same(self, node: Node) -> Expr:
        if node.operands[0] in self.padding:
            padding = self.padding[node.operands[0]]
            is_windows = isinstance(node, Windows)
            self.padding[node] = padding.seen(node) if is_windows else padding.averaged()
        return self.signals[node.operands[0]]

    def padded(self, node: Any) -> Expr:
        """Zeros around a signal: a layer sees less of it, on average over its windows."""
        self.padding[node] = Padding.around(node, self.padding.get(node.operands[0]), self.sizes)
        return self.signals[node.operands[0]]

    def looked_up(self, node: Any) -> Expr:
        """Rows of a table; those of a parameter are a signal from here on."""
        signal = self.signals[node.source]
        found = self.found.sources.of(signal)
        source = found[0] if len(found) == 1 else None
        if source is None or source.kind != "parameter" or signal != source.slot:
            if isinstance(node, TakeAlong):
                raise UnknownError("it picks entries by an index")
            return signal
        made = self.found.sources.add(
            node, "sum", source.mean, source.variance, source.is_normal, [source]
        )
        return made.slot

    def map(self, node: Any) -> Expr:
        if any(operand in self.padding for operand in node.operands):
            raise UnknownError("it acts on a padded signal")
        signal = composed(node.formula.subs(self.sizes), [self.signals[o] for o in node.operands])
        sources = self.found.sources.of(signal)
        terms = self._independent_terms(signal)
        if len(terms) > 1:
            return self._sum(node, signal, terms)
        followed = [s for s in sources if s.kind == "unknown"]
        if followed and self.found.sources.as_line(signal) is None:
            raise UnknownError(followed[0].reason or "it acts on what is not followed")
        self.found.sources.moments(signal)  # what cannot be said is said here, not further on
        if len(sources) == 1 and signal == sources[0].slot and sources[0].kind == "linear":
            self._rename(sources[0], node)
        return signal

    def _independent_terms(self, signal: Expr) -> list[Expr]:
        """The formula as a sum of formulas that share no source; constants join the first."""
        groups: list[tuple[set[int], Expr]] = []
        rest = S.Zero
        for term in sympy.Add.make_args(signal):
            mine, total = set(slots_of(term)), term
            if not mine:
                rest += term
                continue
            for other in [g for g in groups if g[0] & mine]:
                groups.remove(other)
                mine, total = mine | other[0], total + other[1]
            groups.append((mine, total))
        terms = [total for _, total in groups]
        return [terms[0] + rest, *terms[1:]] if terms else [rest]

    def _sum(self, node: Node, signal: Expr, terms: list[Expr]) -> Expr:
        """Independent signals added: variances add, and so do means."""
        sources = self.found.sources
        sources.check_independent(sources.of(signal))
        unknown = [s for s in sources.of(signal) if s.kind == "unknown"]
        if unknown:
            raise UnknownError(unknown[0].reason or "it adds what is not followed")
        laws = [sources.moments(term) for term in terms]
        mean = sympy.Add(*(first for first, _ in laws))
        variance = sympy.Add(*(second - first**2 for first, second in laws))
        layer = self._biased_layer(node, terms)
        if layer is not None:
            added = [sources.moments(term) for term in terms if term != layer.slot]
            self.found.bias_variance[layer] = settled(sympy.Add(*(b - a**2 for a, b in added)))
            layer.mean, layer.variance = settled(mean), settled(variance)
            self._rename(layer, node)
            return layer.slot
        is_normal = all(
            sources.as_line(term) is not None
            and all(s.is_normal or s.kind == "parameter" for s in sources.of(term))
            for term in terms
        )
        made = sources.add(node, "sum", mean, variance, is_normal, sources.of(signal))
        self.found.passages += [Passage(term, node, made, S.One) for term in terms]
        return made.slot

    def _biased_layer(self, node: Node, terms: list[Expr]) -> Source | None:
        """The linear layer to which this map only adds a bias."""
        sources = self.found.sources
        layers = [s for t in terms for s in sources.of(t) if s.kind == "linear" and s.slot == t]
        others = [s for t in terms for s in sources.of(t) if s not in layers]
        if len(layers) != 1 or any(s.kind != "parameter" for s in others):
            return None
        (layer,) = layers
        operand = next(o for o in node.operands if self.signals[o] == layer.slot)
        return layer if self.uses[operand] == 1 and layer.node.shape == node.shape else None

    def _rename(self, source: Source, node: Node) -> None:
        if node.label is not None or source.node.label is None:
            if source.node.shape == node.shape:
                source.node = node

    def recurrence(self, node: Any) -> Expr:
        """A barrier for the analysis of layers; the recurrence itself is followed step by step."""
        step = node.step
        if len(step.carried) != 1:
            raise UnknownError("a recurrence of several states")
        inner = _Walk(list(step.following), self.sizes)
        given = dict(node.inputs)
        for bound in step.fixed:
            if not isinstance(given[bound], Filled):
                raise UnknownError("a recurrence with computed weights")
            inner.signals[bound] = inner.filled(given[bound])
        laws = {}
        for bound in step.sequences:
            signal = self.signals[given[bound]]
            mean, square = self.found.sources.moments(signal)
            laws[bound] = mean, square - mean**2, _is_normal(self.found.sources, signal)
        (carried,), (following,) = step.carried, step.following
        state = inner.found.sources.add(carried, "sum", S.Zero, S.Zero, True).slot
        fixed, signals = dict(inner.signals), []
        for _ in range(MOST_STEPS):
            inner.signals = fixed | {carried: state}
            for bound, law in laws.items():
                inner.signals[bound] = inner.found.sources.add(bound, "sum", *law).slot
            inner.follow([following])
            state = inner.signals[following]
            sources = inner.found.sources.of(state)
            if len(sources) != 1 or sources[0].variance.free_symbols:
                raise UnknownError("a recurrence whose state mixes several signals")
            signals.append(sources[0])
            if len(signals) > 2 and _is_steady(signals[-2], signals[-1]):
                break
        end = inner.found.sources.unknown(following, "a result", ())
        inner.found.passages.append(Passage(state, following, end, S.NaN))
        self.found.recurrences.append(Recurrent(node, state, inner.found, tuple(signals)))
        raise UnknownError("a recurrence")

    # contractions

    def contraction(self, node: Any) -> Expr:
        data, weights, scale = self._parts(node)
        if not data and not weights:
            return scale
        if not weights and len(data) == 1 and not self._sums(node) and _is_plain(node):
            return scale * self.signals[data[0][0]]
        if not weights:
            if len(data) > 1:
                raise UnknownError("it multiplies signals, as attention does")
            raise UnknownError("it adds up entries of one signal, as a mean or a pooling does")
        if len(weights) == 1 and not data and not self._sums(node):
            return scale * self.signals[weights[0][0]]
        if len(weights) != 1 or len(data) != 1:
            raise UnknownError("it multiplies several parameters or several signals")
        return self._linear(node, data[0], weights[0], scale)

    def _parts(self, node: Any) -> tuple[list[Any], list[Any], Expr]:
        """Operands that carry a signal, those that are parameters, and what scales them."""
        data, weights, scale = [], [], node.scale.subs(self.sizes)
        for term in node.terms:
            signal = self.signals[term[0]]
            sources = self.found.sources.of(signal)
            is_number = not term[1] or isinstance(term[0], Constant)
            if not sources and is_number and not self._sums(node):
                scale = scale * signal
            elif sources and all(s.kind == "parameter" for s in sources):
                weights.append(term)
            elif not sources:
                raise UnknownError("its weights are all equal at the start")
            else:
                data.append(term)
        return data, weights, scale

    def _sums(self, node: Any) -> bool:
        return any(self.size([node.sizes[i]]) != 1 for i in node.summed)

    def _linear(self, node: Any, data: Any, weight: Any, scale: Expr) -> Expr:
        sources = self.found.sources
        (x, at_x), (w, at_w) = data, weight
        line = sources.as_line(self.signals[w])
        if line is None or len(line[1]) != 1 or line[0] != 0:
            raise UnknownError("its weights are more than one scaled parameter")
        ((drawn, factor),) = line[1].items()
        if drawn.mean != 0:
            raise UnknownError("its weights do not have the mean 0")
        if len(set(at_x)) < len(at_x) or len(set(at_w)) < len(at_w):
            raise UnknownError("it takes a diagonal")
        if any(i not in at_w for i in node.summed):
            raise UnknownError("it sums entries that share a weight")
        variance = settled((scale * factor) ** 2 * drawn.variance)
        fan_in = self.size(node.sizes[i] for i in node.summed)
        fan_out = self.size(node.sizes[i] for i in node.output if i not in at_x)
        share = self.padding[x].averaged().share if x in self.padding else S.One
        square = sources.moments(self.signals[x])[1] * share
        made = sources.add(node, "linear", S.Zero, fan_in * variance * square, True)
        passage = Passage(self.signals[x], x, made, settled(fan_out * variance * share))
        self.found.passages.append(passage)
        assert isinstance(drawn.node, Parameter)
        self.found.layers.append(Linear(passage, drawn.node, fan_in, fan_out, variance))
        self.used[drawn] = self.used.get(drawn, 0) + 1
        if self.used[drawn] == 2:
            self.found.notes.append(
                f"{drawn.node.name} is used more than once; its uses are taken as independent"
            )
        return made.slot


def _is_normal(sources: Sources, signal: Expr) -> bool:
    line = sources.as_line(signal)
    return line is not None and all(s.is_normal for s in line[1])


def _is_steady(before: Source, now: Source) -> bool:
    return abs(float(before.variance - now.variance)) <= STEADY * abs(float(now.variance))


def _is_plain(node: Any) -> bool:
    return all(len(set(indices)) == len(indices) for indices in node.indices)


_RULES: tuple[tuple[Any, Callable[[_Walk, Any], Expr]], ...] = (
    (Constant, _Walk.constant),
    (Input, _Walk.input),
    (Filled, _Walk.filled),
    (Random, _Walk.draw),
    (Map, _Walk.map),
    (Contraction, _Walk.contraction),
    (Embed, _Walk.padded),
    (Scan, _Walk.recurrence),
    (Take | TakeAlong, _Walk.looked_up),
    (Reshape | Slice | Windows, _Walk.same),
)
_WORDS = {
    "Final": "a recurrence",
    "Stacked": "a recurrence",
    "Max": "a maximum over entries",
    "LogSumExp": "a sum of exponentials over entries",
    "Concat": "it joins several signals",
    "Detached": "it is held fixed",
}
