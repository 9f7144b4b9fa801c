"""Which functions are kept from warning: those that compute a branch that `where` leaves out.

    where(x > 0, log(x), 0)    computes log(x) for every x, and NumPy would warn of log(-1)

All other warnings of an emitted function are about its results, so they are left on.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.program.instruction import Instruction, Value

# What gives a finite number for every finite number.
HARMLESS = frozenset(
    """
    where negative absolute maximum minimum fmax fmin sign floor ceil trunc rint heaviside less
    less_equal equal not_equal logical_and logical_or logical_not sin cos tanh arctan arcsinh cbrt
    logaddexp logaddexp2
    """.split()  # noqa: SIM905
)
DECORATOR = (
    '@np.errstate(divide="ignore", invalid="ignore", over="ignore")  # of what `where` leaves out'
)


def quiet(lines: Sequence[Instruction]) -> tuple[str, ...]:
    """The decorator of a function with these lines, if it needs one."""
    makers = {line.result: line for line in lines if line.op == "ufunc"}
    seen: set[Value] = set()
    left_out: list[Value] = []
    for line in makers.values():
        if line.options["name"] == "where":
            left_out += [o for o in line.operands[1:] if isinstance(o, Value)]
    while left_out:
        value = left_out.pop()
        maker = makers.get(value)
        if maker is None or value in seen:
            continue
        seen.add(value)
        if maker.options["name"] not in HARMLESS:
            return (DECORATOR,)
        left_out += maker.values
    return ()
