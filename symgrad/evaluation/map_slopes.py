"""The slopes of maps, entry by entry.

A point on a kink has other slopes to its left and right, and is left out. Where a formula cancels
(1 - tanh(x)**2 for a large x), floats cannot decide: there both sides are computed with many
digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.evaluation.carried import Array
from symgrad.evaluation.compare import Finding, compared
from symgrad.evaluation.interpreter import computed
from symgrad.evaluation.local_slopes import changed, stepped
from symgrad.evaluation.sizes import Sizes
from symgrad.evaluation.step_check import TOLERANCE
from symgrad.expr.arithmetic import MpArithmetic, evaluate
from symgrad.expr.map import Map
from symgrad.expr.node import Node

NEAR = (1e-6, 1e-7)  # one-sided steps; the slopes at a smooth point agree to about the first
DIGITS = 80
FINE = 1e-25  # the step with so many digits
MOST = 12  # entries that are computed with many digits


@dataclass(frozen=True)
class MapSlope:
    """`result` is said to be `factor` times the change of `node` along `directions`.

    values: of the operands of `node`, and of the tensors that `result` is computed from.
    """

    node: Map
    result: Node
    directions: Mapping[int, Array]
    factor: Array
    values: Mapping[Node, Array]

    @property
    def below(self) -> list[Array]:
        return [self.values[x] for x in self.node.operands]

    def holds(self, given: Array, sizes: Sizes) -> Finding:
        """How far `given`, the value of `result`, is from what `node` says."""
        slope = changed(self.node, self.below, self.directions, sizes)
        with np.errstate(all="ignore"):
            expected = np.where(self.factor == 0, 0, self.factor * slope)
        given = np.broadcast_to(given, expected.shape)
        finding = compared(given, expected)
        if finding.holds:
            return finding
        smooth = ~self._is_kink(sizes)
        finding = compared(given[smooth], expected[smooth])
        if finding.holds:
            return finding
        largest = np.max(np.abs(expected), where=np.isfinite(expected), initial=0)
        with np.errstate(all="ignore"):
            apart = (
                smooth & np.isfinite(expected) & ~(np.abs(given - expected) <= TOLERANCE * largest)
            )
        exact = [self._exactly(tuple(at), sizes) for at in np.argwhere(apart)[:MOST]]
        if not exact or None in exact:
            return finding
        return Finding(max(float(error) for error in exact if error is not None), finding.count)

    def _is_kink(self, sizes: Sizes) -> Array:
        """Where the slopes to both sides differ, or grow as the step gets smaller."""
        here = computed(self.node, self.below, sizes)
        sides = []
        with np.errstate(all="ignore"):
            for step in (NEAR[0], -NEAR[0], NEAR[1], -NEAR[1]):
                there = computed(self.node, stepped(self.below, self.directions, step), sizes)
                sides.append((there - here) / step)
            size = 1e-3 * (1 + sum(np.abs(side) for side in sides))
            differ = np.abs(sides[0] - sides[1]) > size
            return differ | (np.abs(sides[0] - sides[2]) > size)

    def _exactly(self, at: tuple[int, ...], sizes: Sizes) -> float | None:
        """The relative error of one entry, computed with many digits; None where it cannot be."""
        arithmetic = MpArithmetic(DIGITS)
        mpf = arithmetic.context.mpf
        shape = np.broadcast_shapes(*(np.shape(x) for x in self.below))

        def entry(array: Array) -> Any:
            return mpf(float(np.broadcast_to(array, shape)[at]))

        found = self._computed(
            self.result,
            [entry(self.values[x]) for x in self.result.operands]
            if isinstance(self.result, Map)
            else None,
            entry,
            sizes,
            arithmetic,
        )
        if found is None:
            return None
        sides = []
        for step in (mpf(FINE), -mpf(FINE)):
            moved = [
                entry(x) + (step * entry(self.directions[k]) if k in self.directions else 0)
                for k, x in enumerate(self.below)
            ]
            sides.append(self._computed(self.node, moved, entry, sizes, arithmetic))
        expected = entry(self.factor) * (sides[0] - sides[1]) / (2 * mpf(FINE))
        largest = max(abs(found), abs(expected))
        return float(abs(found - expected) / largest) if largest else 0.0

    def _computed(
        self, node: Node, below: Sequence[Any] | None, entry: Any, sizes: Sizes, arithmetic: Any
    ) -> Any:
        if not isinstance(node, Map) or below is None:
            return entry(self.values[node]) if node in self.values else None
        values: dict[Any, Any] = dict(enumerate(below))
        values |= {
            s: sizes.known[s.name] for s in node.formula.free_symbols if s.name in sizes.known
        }
        try:
            return evaluate(node.formula, values, arithmetic)
        except KeyError:  # a function that has no such form
            return None
