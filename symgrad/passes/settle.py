"""Settling: a scale that was pulled out of a scatter and met nothing goes back to the few entries.

    Map(-_0/n, ScatterAlong(Constant(1), labels))   ->   ScatterAlong(Constant(-1/n), labels)

Folding pulls such scales outward, since there they may meet others; this is the last word on those
that did not: a scaled scatter costs a pass over the many zeros.
"""

from __future__ import annotations

from symgrad.expr.formula import slot
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Embed, ScatterAdd, ScatterAlong
from symgrad.expr.walk import rewrite, uses
from symgrad.passes.form import Form, repeated
from symgrad.passes.maps import composed, map_of, pure_scale
from symgrad.passes.tidy import finished


def settle(form: Form) -> Form:
    """The same outputs, with the scale of a scatter that nobody else reads on its entries."""
    return repeated(form, _settled_once)


def _settled_once(form: Form) -> Form:
    counts = uses(form.outputs.values())

    def rule(rebuilt: Node, original: Node) -> Node:
        scale = pure_scale(rebuilt)
        if scale is None or counts[original.operands[0]] > 1:
            return rebuilt
        (scatter,) = rebuilt.operands
        if not isinstance(scatter, Embed | ScatterAdd | ScatterAlong):
            return rebuilt
        first, *others = scatter.operands
        below = {0: (first.formula, first.operands)} if isinstance(first, Map) else {}
        formula, operands = composed(slot(0) * scale, (first,), below)
        scaled = map_of(finished(formula), operands, first.shape, rebuilt.dtype)
        return scatter.with_operands((scaled, *others))

    return form.rewritten(rewrite(form.outputs.values(), rule))
