"""Reuse an output: a derivative h(x) as k(y) with y = f(x), where that is cheaper and sound.

    >>> x = slot(0)  # in the results it stands for y
    >>> reuse_output(f.tanh(x), 1 - f.tanh(x)**2), reuse_output(f.softplus(x), f.sigmoid(x))
    (1 - _0**2, -expm1(-_0))
    >>> reuse_output(f.relu(x), f.less(0, x)), reuse_output(f.sin(x), f.cos(x))
    (less(0, _0), None)

Candidates come from f occurring in h as it stands, from h applied to y itself, and from solving
y = f(x) for x. Each but the first is then *tried* in `passes.soundness`. That refuses what holds
on half of the domain only (sin), and what cancels (`y = expm1(x): exp(x) -> y + 1` near y = -1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S, Symbol, exp, log

from symgrad.errors import UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.adoption import in_vocabulary
from symgrad.expr.formula import operation_count, replace_slots, slot
from symgrad.expr.slots import fold, rebuild
from symgrad.passes.soundness import is_sound
from symgrad.passes.stability import stabilise_formula

MOST_OPERATIONS = 12  # of a formula that is inverted: keeps the search under half a second

# Relative costs of elementwise operations (float64, an array in cache; an addition is 1).
COSTS: dict[Any, int] = {
    f.where: 2,
    f.exp: 4,
    f.expm1: 5,
    f.log: 4,
    f.log1p: 5,
    f.exp2: 4,
    f.log2: 4,
    f.log10: 4,
    f.tanh: 4,
    f.root: 3,
    f.divide: 2,
    f.sigmoid: 7,
    f.softplus: 11,
    f.log1mexp: 20,
    f.bose: 7,
    f.logcosh: 18,
    f.hypot: 6,
    f.unit: 9,
    f.versin: 8,
    f.cbrt: 10,
}
CHEAP = (
    f.Indicator, f.absolute, f.sign, f.relu, f.maximum, f.minimum, f.raised, f.clip, f.floor,
    f.ceil,
)  # fmt: skip
DIVISION, ROOT, POWER, FUNCTION = 2, 3, 10, 6


@lru_cache(maxsize=4096)
def reuse_output(forward: Expr, wanted: Expr) -> Expr | None:
    """k with wanted(x) = k(forward(x)) wherever forward is real; None if no k is worth it.

    All three are formulas over slot 0, which in k stands for the output.
    """
    x = slot(0)
    if not wanted.has(x) or not forward.has(x) or forward == x:
        return None
    scale, unscaled = forward.as_coeff_Mul()
    for literal in (_replace(wanted, forward, Y), _replace(wanted, unscaled, Y / scale)):
        if not literal.has(x) and cost(literal) <= cost(wanted):
            return _as_formula(literal)
    if forward.free_symbols != {x} or wanted.free_symbols != {x}:
        return None
    candidates = [_replace(wanted, x, Y)]
    if operation_count(forward) <= MOST_OPERATIONS:
        candidates += _solved(forward, wanted)
    formulas = [k for k in map(_as_formula, candidates) if k is not None]
    worth = {k for k in map(stabilise_formula, formulas) if cost(k) <= cost(wanted)}
    for k in sorted(worth, key=lambda k: (cost(k), k.sort_key())):
        if is_sound(forward, wanted, k):
            return k
    return None


def cost(formula: Expr) -> int:
    """What computing it takes, each distinct subexpression once, in additions."""
    total = 0

    def count(node: Any, below: tuple[None, ...]) -> None:
        nonlocal total
        if node.is_number or not node.args:
            return
        if node.is_Add:
            total += len(node.args) - 1
        elif node.is_Mul:
            total += sum(1 for arg in node.args if arg != -1) - 1
        elif node.is_Pow:
            total += _power_cost(node.exp)
        elif not isinstance(node, CHEAP):
            total += COSTS.get(node.func, FUNCTION)
        else:
            total += 1

    fold(formula, count)
    return total


def _power_cost(exponent: Any) -> int:
    under = DIVISION if exponent.could_extract_minus_sign() else 0
    if exponent.is_Integer and abs(exponent) <= 8:
        size = abs(int(exponent))
        return under + size.bit_length() + size.bit_count() - 2
    if exponent.is_Rational and exponent.q == 2 and abs(exponent) <= 4:
        return under + ROOT + abs(int(exponent.p)) // 2
    return POWER


# --- candidates ---------------------------------------------------------------------------------

Y = Symbol("y", real=True)
Y_POSITIVE = Symbol("y", positive=True)

INVERSES: dict[Any, Callable[[Expr], Expr]] = {
    f.exp: log,
    f.expm1: f.log1p,
    f.exp2: f.log2,
    f.log: exp,
    f.log1p: f.expm1,
    f.log2: f.exp2,
    f.log10: lambda y: exp(y * log(10)),
    f.softplus: lambda y: log(f.expm1(y)),
    f.sigmoid: lambda y: log(y / (1 - y)),
    f.log1mexp: lambda y: -log(-f.expm1(y)),
    f.bose: lambda y: f.log1p(1 / y),
    f.tanh: f.atanh,
    f.atanh: f.tanh,
    f.sinh: f.asinh,
    f.asinh: f.sinh,
    f.sin: f.asin,
    f.asin: f.sin,
    f.cos: f.acos,
    f.tan: f.atan,
    f.atan: f.tan,
    f.root: lambda y: y**2,
    f.cbrt: lambda y: y**3,
}


def _replace(formula: Expr, old: Expr, new: Expr) -> Expr:
    return fold(formula, lambda node, args: new if node == old else rebuild(node, args))


def _as_formula(k: Expr) -> Expr | None:
    """k over slot 0, which stands for y from here on; None if x or something unreal is left."""
    if k.has(slot(0)):
        return None
    try:
        return in_vocabulary(k.xreplace({Y: slot(0), Y_POSITIVE: slot(0)}))
    except UnsupportedError:
        return None


def _solved(forward: Expr, wanted: Expr) -> list[Expr]:
    """wanted at the x that solves y = forward(x), for y of any sign and for y > 0."""
    return [
        simpler
        for y in (Y, Y_POSITIVE)
        for k in _by_branch(forward, wanted, y)
        for simpler in (k, _rational(k, y))
    ]


def _by_branch(forward: Expr, wanted: Expr, y: Expr) -> Iterator[Expr]:
    """Candidates, taking `where` and |x| apart and putting the branches together again."""
    x = slot(0)
    if isinstance(forward, f.where):
        condition, a, b = forward.args
        first = _inverted(a, _replace(wanted, condition, S.One), y)
        second = _inverted(b, _replace(wanted, condition, S.Zero), y)
        if first is not None and second is not None:
            yield f.where(_replace(condition, x, y), first, second)
    elif forward.has(f.absolute(x)):
        first, second = (
            _inverted(_signed(forward, sign), _signed(wanted, sign), y) for sign in (1, -1)
        )
        if first is not None and second is not None:
            if _replace(second, y, -y) == first:
                yield _replace(first, y, f.absolute(y))
            yield f.where(f.less(0, y), first, second)
    else:
        k = _inverted(forward, wanted, y)
        if k is not None:
            yield k


def _signed(formula: Expr, sign: int) -> Expr:
    x = slot(0)
    return _replace(_replace(formula, f.absolute(x), sign * x), f.sign(x), sympy.Integer(sign))


def _inverted(forward: Expr, wanted: Expr, y: Expr) -> Expr | None:
    if not wanted.has(slot(0)):
        return wanted
    solution = inverse(forward, y)
    if solution is None:
        return None
    k = replace_slots(wanted, {0: solution})
    for _ in range(4):
        simpler = fold(k, _cancel)
        if simpler == k:
            break
        k = simpler
    return k


def inverse(forward: Expr, y: Expr) -> Expr | None:
    """An x with forward(x) = y (one branch), or None if x cannot be isolated step by step."""
    x = slot(0)
    while forward != x:
        within = [arg for arg in forward.args if arg.has(x)]
        if len(within) != 1:
            return _root_of_rational(forward, y)
        inner = within[0]
        if forward.is_Add:
            y = y - (forward - inner)
        elif forward.is_Mul:
            y = y / (forward / inner)
        elif forward.is_Pow and forward.exp.is_Rational and forward.exp.p % 2:
            y = y ** (1 / forward.exp)
        elif forward.func in INVERSES:
            y = INVERSES[forward.func](y)
        else:
            return None
        forward = inner
    return y


def _root_of_rational(forward: Expr, y: Expr) -> Expr | None:
    """x where forward is a quotient of polynomials and x can be isolated in degree 1."""
    x = slot(0)
    if not forward.is_rational_function(x):
        return None
    numerator = sympy.together(forward - y).as_numer_denom()[0].expand()
    if sympy.degree(numerator, x) != 1:
        return None
    return -numerator.coeff(x, 0) / numerator.coeff(x, 1)


def _rational(k: Expr, y: Expr) -> Expr:
    return sympy.factor(sympy.cancel(k)) if k.is_rational_function(y) else k


def _cancel(node: Any, args: tuple[Any, ...]) -> Any:
    """Functions of a logarithm, and e**v - 1 beside 1 or e**-v, as they come from `INVERSES`."""
    node = rebuild(node, args)
    if node.is_Add and S.One in node.args:
        grown = [arg for arg in node.args if isinstance(arg, f.expm1)]
        return node - 1 - grown[0] + exp(grown[0].args[0]) if grown else node
    if node.is_Mul:
        for factor in node.args:
            if isinstance(factor, f.expm1) and exp(-factor.args[0]) in node.args:
                v = factor.args[0]
                return -node / factor / exp(-v) * f.expm1(-v)
        return node
    inner = node.args[0] if len(node.args) == 1 else S.Zero
    sign, logarithm = inner.as_coeff_Mul()
    if sign not in (1, -1) or not isinstance(logarithm, log | f.log1p):
        return node
    u = logarithm.args[0] if isinstance(logarithm, log) else 1 + logarithm.args[0]
    u = u**sign
    meanings = {
        f.sigmoid: u / (1 + u) if sign == 1 else 1 / (1 + 1 / u),
        f.softplus: f.log1p(u),
        f.expm1: logarithm.args[0] if isinstance(logarithm, f.log1p) and sign == 1 else u - 1,
        f.bose: 1 / (u - 1),
        exp: u,
    }
    return meanings.get(node.func, node)
