"""Stabilise a scalar formula: equal on paper, accurate over the whole range of a float.

    >>> from sympy import exp, log
    >>> from symgrad.expr.slots import slot
    >>> z, t = slot(0), slot(1)
    >>> p = 1 / (1 + exp(-z))
    >>> stabilise_formula(-(t * log(p) + (1 - t) * log(1 - p)))
    _1*softplus(-_0) + (1 - _1)*softplus(_0)

It runs *before* differentiation, because a derivative of the naive form has lost what is needed,
and once more on derivatives, where terms can cancel anew. Rules are directed: each takes a node
of one kind whose arguments are stable to an equal formula that is closer to the vocabulary of
`symgrad.expr.functions`. They are tried in order, bottom-up, until none fires.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sympy import Add, Expr, Mul, Pow

from symgrad.expr.adoption import in_vocabulary
from symgrad.expr.slots import fold, rebuild
from symgrad.passes.stability_logs import FUNCTION_RULES
from symgrad.passes.stability_products import POWER_RULES, PRODUCT_RULES
from symgrad.passes.stability_sums import SUM_RULES

RULES: dict[Any, tuple[Callable[..., Expr | None], ...]] = {
    Add: SUM_RULES,
    Mul: PRODUCT_RULES,
    Pow: POWER_RULES,
    **FUNCTION_RULES,
}
TAKES_WHOLE = (Add, Mul, Pow)  # their rules take the node, those of functions its arguments
MOST_ROUNDS = 32


@lru_cache(maxsize=16384)
def stabilise_formula(formula: Expr) -> Expr:
    """The stable form; the formula itself if no rule fires."""
    for _ in range(MOST_ROUNDS):
        rewritten = fold(formula, _rewrite)
        if rewritten == formula:
            return formula
        formula = in_vocabulary(rewritten)
    raise AssertionError(f"the rules do not settle on {formula}")


def _rewrite(node: Any, args: tuple[Any, ...]) -> Any:
    node = rebuild(node, args)
    for rule in RULES.get(node.func, ()):
        found = rule(node) if node.func in TAKES_WHOLE else rule(*node.args)
        if found is not None and found != node:
            return found
    return node
