"""Costs as they stand on paper: the terms of largest degree first, dimensions in their order.

9*n + 1 + 2*d*n, of dimensions n and d  ->  2 n d + 9 n + 1
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.report.notation import Math, number
from symgrad.report.notation.build import negative, product, ratio, total
from symgrad.report.notation.formula import Apply, Negative


def cost_formula(cost: sympy.Expr, dims: Sequence[sympy.Symbol]) -> Math:
    """`cost` as a sum; what is subtracted stands after what is added, a maximum last."""
    terms = [_Term(term, dims) for term in sympy.Add.make_args(cost)]
    written = [term.written for term in sorted(terms, key=lambda term: term.place)]
    minus = [term for term in written if isinstance(term, Negative)]
    plus = [term for term in written if term not in minus]
    return total(*plus, *minus)


class _Term:
    """A product: a number, powers of dimensions, and what is made of them (`floor(n/2)`)."""

    def __init__(self, term: sympy.Expr, dims: Sequence[sympy.Symbol]) -> None:
        self.dims = dims
        self.coefficient, rest = term.as_coeff_Mul()
        powers = rest.as_powers_dict()
        self.powers = {dim: powers[dim] for dim in dims if dim in powers}
        others = [(b, e) for b, e in powers.items() if b not in self.powers and b != 1]
        self.others = sorted(others, key=str)

    @property
    def place(self) -> tuple[object, ...]:
        is_maximum = any(isinstance(base, sympy.Max) for base, _ in self.others)
        exponents = [-self.powers.get(dim, 0) for dim in self.dims]
        degree = sum(exponents) - len(self.others)
        return is_maximum, degree, exponents, str(self.others)

    @property
    def written(self) -> Math:
        factors = [number(base**power) for base, power in self.powers.items()]
        factors += [self._other(base, power) for base, power in self.others]
        above, below = abs(self.coefficient).as_numer_denom()
        whole = ratio(product(number(above), *factors), number(below))
        return negative(whole) if self.coefficient < 0 else whole

    def _other(self, base: sympy.Expr, power: sympy.Expr) -> Math:
        if isinstance(base, sympy.Max) and power == 1:
            arguments = sorted(base.args, key=lambda x: (len(x.free_symbols), str(x)))
            return Apply("max", tuple(cost_formula(x, self.dims) for x in arguments))
        return number(base**power)
