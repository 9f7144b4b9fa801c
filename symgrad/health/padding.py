"""Padding: how much of a signal the windows over a padded tensor see.

Of the windows of 3 over 8 entries with a zero at either end, 22 of 24 places hold an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy
from sympy import Expr, S


class Inner(NamedTuple):
    """Where the entries lie on a padded axis: from `start`, `size` of them among `whole`."""

    start: Expr
    size: Expr
    whole: Expr

    @property
    def share(self) -> Expr:
        return self.size / self.whole


@dataclass(frozen=True)
class Padding:
    """share: of entries among what was seen so far. axes: those not yet seen through windows."""

    share: Expr
    axes: tuple[Inner | None, ...]

    @staticmethod
    def around(node: Any, before: Padding | None, sizes: Mapping[sympy.Symbol, int]) -> Padding:
        """Of an Embed node whose operand has the padding `before`."""
        share = S.One if before is None else before.averaged().share
        axes: list[Inner | None] = []
        inner = node.operands[0].shape
        for (start, _, step), size, whole in zip(node.box, inner, node.shape, strict=True):
            here = Inner(*(sympy.sympify(x).subs(sizes) for x in (start, size, whole)))
            if step != 1:  # zeros between entries, too
                share *= here.share
                axes.append(None)
            else:
                axes.append(None if here.size == here.whole else here)
        return Padding(share, tuple(axes))

    def seen(self, node: Any) -> Padding:
        """Through the windows of a Windows node along one axis."""
        inner = self.axes[node.axis]
        rest = (*self.axes[: node.axis], None, None, *self.axes[node.axis + 1 :])
        if inner is None:
            return Padding(self.share, rest)
        numbers = (inner.start, inner.size, node.count, node.window)
        if not all(x.is_Integer for x in numbers):
            return Padding(self.share * inner.share, rest)
        start, size, count, window = map(int, numbers)
        inside = sum(
            start <= o * node.stride + k * node.dilation < start + size
            for o in range(count)
            for k in range(window)
        )
        return Padding(self.share * sympy.Rational(inside, count * window), rest)

    def averaged(self) -> Padding:
        """With what no window has told counted in full."""
        share = sympy.Mul(self.share, *(inner.share for inner in self.axes if inner is not None))
        return Padding(share, (None,) * len(self.axes))
