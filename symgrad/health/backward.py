"""Backward: the second moment of the gradient at every source, from the loss to the inputs.

E[d_z^2] = sigma_w^2 fan_out E[f'(z)^2] E[d_y^2] (He et al. 2015, eq. 14; Schoenholz et al. 2017,
eq. 9). Where a signal is used twice, as around a residual block, contributions add, since the
weights between the uses are independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, S

from symgrad.expr.dimension import product
from symgrad.health.passages import Forward, Passage
from symgrad.health.signal import Source, UnknownError, settled


class Backward:
    """`gradients`: E[d^2] at every source, over that at the last source that the loss reaches.

    What reaches a source from where the analysis does not follow is a symbol of its own.
    `barriers`: unknown sources with layers behind them.
    """

    def __init__(self, found: Forward, sizes: Mapping[sympy.Symbol, int]) -> None:
        self.found, self.sizes = found, sizes
        self.gradients: dict[Source, Expr] = {}
        self.barriers = self._with_layers_behind()
        self._hidden: dict[sympy.Symbol, str] = {}
        passages: dict[Source, list[Passage]] = {}
        for passage in found.passages:
            for source in found.sources.of(passage.formula):
                passages.setdefault(source, []).append(passage)
        is_reached = False
        for source in reversed(found.sources.all):
            total: Expr = S.Zero
            for passage in passages.get(source, ()):
                target = passage.target
                if passage.factor is not S.NaN:
                    total += self._contribution(passage, source)
                elif source.kind in ("linear", "sum"):
                    is_head = target not in self._fed and not is_reached
                    if is_head and not any(p.factor is not S.NaN for p in passages[source]):
                        total = S.One
                        break
                    total += self._symbol(source, target.reason or "")
            is_reached = is_reached or total != 0
            self.gradients[source] = settled(total)

    def through(self, passage: Passage, source: Source) -> Expr:
        """What `passage` multiplies the gradient's second moment by, back to `source`.

        Raises: UnknownError.
        """
        slope = self.found.sources.slope_square(passage.formula, source)
        # an entry that is copied, as by overlapping windows, receives what all copies receive
        copies = product(passage.tensor.shape) / product(source.node.shape)
        return settled(passage.factor * slope * sympy.cancel(copies.subs(self.sizes)))

    def measure_from(self, layers: Sequence[Source]) -> None:
        """From now on all is relative to the gradient at the last of `layers` that it reaches."""
        reference = next(
            (g for s in reversed(layers) if (g := self.known(self.gradients[s])) not in (None, 0)),
            S.One,
        )
        self.gradients = {s: settled(g / reference) for s, g in self.gradients.items()}

    def known(self, value: Expr) -> Expr | None:
        """`value`, or None if it rests on what the analysis does not know."""
        hidden = self._hidden.keys() | self.found.sources.hidden
        return None if value.free_symbols & hidden or value is S.NaN else value

    def reason(self, source: Source) -> str | None:
        """Why the gradient at `source` is not known, or None if it is."""
        for symbol in sorted(self.gradients[source].free_symbols, key=str):
            if symbol in self._hidden:
                return self._hidden[symbol]
        if self.known(self.gradients[source]) is None:
            return "the size of the signals behind it is not known"
        return None

    def _contribution(self, passage: Passage, source: Source) -> Expr:
        try:
            return self.gradients[passage.target] * self.through(passage, source)
        except UnknownError as error:
            return self._symbol(source, str(error))

    def _symbol(self, source: Source, reason: str) -> Expr:
        symbol = sympy.Symbol(f"g{source.index}", positive=True)
        self._hidden.setdefault(symbol, reason)
        return symbol

    def why(self, source: Source) -> str:
        """Why an unknown source is not known: the first reason on the way to it."""
        ways = (self.found.sources.all[i] for i in sorted(source.roots))
        return next(s.reason or "" for s in ways if s.kind == "unknown")

    def _with_layers_behind(self) -> list[Source]:
        """Unknown sources from which a signal goes on into a layer, those nearest to it."""
        fed: set[Source] = set()
        nearest: list[Source] = []
        for passage in reversed(self.found.passages):
            target = passage.target
            if target.kind == "linear" or target in fed:
                for source in self.found.sources.of(passage.formula):
                    fed.add(source)
                    if source.kind == "unknown" and target.kind != "unknown":
                        if self._carries_signal(source):
                            nearest.append(source)
        self._fed = fed
        return sorted(dict.fromkeys(nearest), key=lambda s: s.index)

    def _carries_signal(self, source: Source) -> bool:
        kinds = {self.found.sources.all[i].kind for i in source.roots}
        return bool(kinds & {"input", "linear", "sum"})
