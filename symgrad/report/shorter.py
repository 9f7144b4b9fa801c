"""Derivatives in fewer operations than the module's: for readers, who compute nothing twice.

    (y*(exp(t) - 1) - (1 - y)*(exp(u) - 1))/n    ->   (sigmoid(z) - y)/n

The module reads what the forward pass has computed, here the logarithms t and u of a sigmoid and of
its complement, and keeps to forms that do not cancel. On paper those are no reasons.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import sympy

from symgrad.derivation import Derived, passes_on_paper
from symgrad.expr.formula import f, heads, operation_count
from symgrad.expr.leaf import Leaf
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.walk import postorder, rewrite
from symgrad.passes.fold import folded
from symgrad.passes.form import Form
from symgrad.passes.inversion import cost
from symgrad.passes.maps import composed, map_of
from symgrad.passes.pipeline import run
from symgrad.passes.reuse import reuse_named, reuse_outputs
from symgrad.passes.tidy import finished

MOST_OPERATIONS = 24  # of a formula that is multiplied out


def with_shorter(form: Form, derived: Derived, kept: Collection[Node]) -> Form:
    """The same outputs, with maps in fewer operations where such are found. `kept`: as they are."""
    passes = (
        reuse_named if each is reuse_outputs else each for each in passes_on_paper(derived.name)
    )
    other = run(derived.begun, tuple(passes))
    standing = {origin: node for node, origin in other.origins.items()}
    known = set(postorder(form.outputs.values()))

    def rule(rebuilt: Node, original: Node) -> Node:
        if original in kept or not isinstance(rebuilt, Map) or rebuilt.dtype != FLOAT:
            return rebuilt
        found = standing.get(form.origins.get(original, original))
        if not isinstance(found, Map) or found is original or found.shape != rebuilt.shape:
            return rebuilt
        short = _shortened(found)
        if not isinstance(short, Map) or cost(short.formula) >= cost(rebuilt.formula):
            return rebuilt
        is_known = all(x in known or isinstance(x, Leaf) for x in short.operands)
        return short if is_known else rebuilt

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _shortened(node: Map) -> Node:
    """`node` multiplied out, with the plain arithmetic that it reads."""
    inner = {
        k: (x.formula, x.operands)
        for k, x in enumerate(node.operands)
        if isinstance(x, Map) and heads(x.formula) <= {"add", "multiply"}
    }
    formula, operands = composed(node.formula, node.operands, inner)
    if operation_count(formula) > MOST_OPERATIONS:
        return node
    short = _multiplied_out(formula)
    if cost(short) >= cost(node.formula):
        return node
    return folded(map_of(short, operands, node.shape, node.dtype))


@lru_cache(maxsize=4096)
def _multiplied_out(formula: sympy.Expr) -> sympy.Expr:
    halves = {half for half in formula.atoms(f.sigmoid) if half.args[0].could_extract_minus_sign()}
    whole = formula.xreplace({half: 1 - f.sigmoid(-half.args[0]) for half in halves})
    return finished(sympy.expand(whole))
