"""Which index a state bears around step t: it is given h[t-1] and makes h[t].

    h[t]     = f(h[t-1], x[t])     forwards; backwards h[t] = f(h[t+1], x[t])
    d_h[t-1] = d_h[t] * f'         what arrives at a state has the index of that state

So the derivative by h[t] is d_h[t], though the backward loop is given it and makes d_h[t-1].
"""

from __future__ import annotations

import sympy

from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Scan

# Ends the name of what arrives at a state from the step after, where it is not all that arrives.
LATER = "_later"


def given_at(scan: Scan, state: Node) -> int:
    """The index of what step t is given of a state, less t."""
    return 0 if _leads(state) else -_direction(scan)


def made_at(scan: Scan, state: Node) -> int:
    """The index of what step t makes of a state, less t."""
    return _direction(scan) if _leads(state) else 0


def first_index(scan: Scan, state: Node) -> sympy.Expr:
    """The index of a state before the first step."""
    first = scan.length - 1 if scan.is_reversed else sympy.S.Zero
    return first + given_at(scan, state)


def last_index(scan: Scan, state: Node) -> sympy.Expr:
    """The index of a state after the last step."""
    last = sympy.S.Zero if scan.is_reversed else scan.length - 1
    return last + made_at(scan, state)


def _direction(scan: Scan) -> int:
    return -1 if scan.is_reversed else 1


def _leads(state: Node) -> bool:
    """Whether step t is given what bears index t: of a derivative by a state that follows it."""
    leads = False
    while isinstance(state, Bound):
        kind, *parts = state.role
        if kind == "d" and isinstance(parts[0], Scan) and isinstance(parts[1], int):
            leads, state = not leads, parts[0].step.carried[parts[1]]
        elif kind in ("t", "batch") and isinstance(parts[-1], Node):
            state = parts[-1]
        else:
            break
    return leads
