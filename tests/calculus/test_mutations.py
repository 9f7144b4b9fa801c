"""The checkers are checked: every rule is made wrong in many ways, and each time they must fail.

After autograd's `tests/test_tests.py`, where a rule that is wrong by 0.05% must be caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import sympy
from catalogue import CASES_OF, Case
from checking import (
    Mismatch,
    case_graph,
    check_batch,
    check_gradient,
    check_rule,
    check_tangent,
    drawn,
    floats,
    weighted_sum,
)
from sympy.core.cache import clear_cache
from test_scalar_functions import ALL, scalar_graph

from symgrad.calculus import reverse
from symgrad.calculus.axes import flip, unbroadcast
from symgrad.calculus.rules.detached import detached_adjoint, detached_tangent
from symgrad.calculus.rules.leaf import leaf, leaf_batch, leaf_tangent
from symgrad.calculus.rules.linear_algebra import (
    sign_determinant_adjoint,
    sign_determinant_tangent,
)
from symgrad.calculus.rules.reduction import argument_adjoint, argument_tangent
from symgrad.calculus.rules.registry import ADJOINTS, BATCHERS, TANGENTS
from symgrad.errors import ShapeError
from symgrad.expr import formula
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Constant
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.scan import Bound, Bundle, Scan
from symgrad.expr.slots import slot
from symgrad.expr.smooth import Smooth
from symgrad.expr.steps import Kinked

CAUGHT = (Mismatch, ShapeError, AssertionError)
WITHOUT_DERIVATIVE = (
    leaf, leaf_tangent, leaf_batch, argument_adjoint, argument_tangent, detached_adjoint,
    detached_tangent, sign_determinant_adjoint, sign_determinant_tangent,
)  # fmt: skip


def times(y: Node, factor: object) -> Node:
    return Map(slot(0) * sympy.sympify(factor), y)


def of_values(mutation: Callable[[Node], Node | None]) -> Callable[[Node], Node | None]:
    """`mutation`, of each cotangent in a bundle."""

    def mutated(y: Node) -> Node | None:
        if not isinstance(y, Bundle):
            return mutation(y)
        changed = [mutation(g) for g in y.operands]
        if all(g is None for g in changed):
            return None
        pairs = zip(changed, y.operands, strict=True)
        return Bundle(y.keys, *(old if new is None else new for new, old in pairs))

    mutated.__name__ = mutation.__name__
    return mutated


def off_by_a_thousandth(y: Node) -> Node:
    return times(y, "1001/1000")


def negated(y: Node) -> Node:
    return times(y, -1)


def zero(y: Node) -> Node:
    return Constant(0, y.shape, FLOAT)


def reversed_entries(y: Node) -> Node | None:
    axes = [axis for axis, size in enumerate(y.shape) if size.is_Symbol or size > 1]
    return flip(y, axes[0]) if axes else None


def without_factor(k: int) -> Callable[[Node], Node | None]:
    """Operand k of the result replaced by ones."""

    def drop(y: Node) -> Node | None:
        if len(y.operands) <= max(k, 1) or isinstance(y.operands[k], Constant):
            return None
        operands = list(y.operands)
        operands[k] = Constant(1, operands[k].shape, operands[k].dtype)
        return y.with_operands(tuple(operands))

    drop.__name__ = f"without_factor_{k}"
    return drop


ALWAYS = tuple(map(of_values, (off_by_a_thousandth, negated, zero, reversed_entries)))
# Rules whose result is one node over one operand have no factor that could be dropped.
MUTATIONS = [*ALWAYS, *(of_values(without_factor(k)) for k in range(3))]
TABLES = (ADJOINTS, TANGENTS, BATCHERS)


# What is bound, bundles and, but for its adjoint, a scan have no value that could be wrong: the
# results of a scan have, and their rules are mutated.
WITHOUT_VALUE = {table[c] for table in TABLES for c in (Bound, Bundle)} | {
    TANGENTS[Scan],
    BATCHERS[Scan],
}


def rules(table: dict) -> Iterator[tuple[Callable, list[type[Node]]]]:
    for rule in dict.fromkeys(table.values()):
        if rule not in WITHOUT_DERIVATIVE and rule not in WITHOUT_VALUE:
            yield rule, [c for c, r in table.items() if r is rule]


RULES = {
    "ADJOINTS": list(rules(ADJOINTS)),
    "TANGENTS": list(rules(TANGENTS)),
    "BATCHERS": list(rules(BATCHERS)),
}


def named(entry: object) -> str:
    return getattr(entry, "__name__", "")


def caught(check: Callable[[Case], None], classes: list[type[Node]]) -> bool:
    """Whether the checker fails on a case of one of `classes`."""
    for case in (case for c in classes for case in CASES_OF[c]):
        try:
            check(case)
        except CAUGHT:
            return True
    return False


def install(monkeypatch, table: dict, classes: list[type[Node]], rule: Callable) -> None:
    for c in classes:
        monkeypatch.setitem(table, c, rule)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
@pytest.mark.parametrize("rule, classes", RULES["ADJOINTS"], ids=named)
def test_a_wrong_adjoint_is_caught(monkeypatch, rule, classes, mutation):
    applied = []

    def wrong(g, node, *operands):
        contributions = []
        for contribution in rule(g, node, *operands):
            changed = None if contribution is None else mutation(contribution)
            applied.append(changed is not None)
            contributions.append(contribution if changed is None else changed)
        return tuple(contributions)

    install(monkeypatch, ADJOINTS, classes, wrong)
    was_caught = caught(lambda case: check_rule(case, np.random.default_rng(0)), classes)
    assert was_caught == any(applied)
    assert was_caught or mutation not in ALWAYS


@pytest.mark.parametrize("rule, classes", RULES["ADJOINTS"], ids=named)
def test_an_adjoint_that_forgets_g_is_caught(monkeypatch, rule, classes):
    def wrong(g, node, *operands):
        return rule(Constant(1, g.shape, FLOAT), node, *operands)

    install(monkeypatch, ADJOINTS, classes, wrong)
    assert caught(lambda case: check_rule(case, np.random.default_rng(0)), classes)


@pytest.mark.parametrize("rule, classes", RULES["ADJOINTS"], ids=named)
def test_an_adjoint_that_swaps_operands_is_caught(monkeypatch, rule, classes):
    applied = []

    def wrong(g, node, *operands):
        contributions = list(rule(g, node, *operands))
        given = [k for k, c in enumerate(contributions) if c is not None]
        if len(given) > 1:
            i, j = given[:2]
            contributions[i], contributions[j] = contributions[j], contributions[i]
            applied.append(True)
        return tuple(contributions)

    install(monkeypatch, ADJOINTS, classes, wrong)
    was_caught = caught(lambda case: check_rule(case, np.random.default_rng(0)), classes)
    assert was_caught == any(applied)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
@pytest.mark.parametrize("rule, classes", RULES["TANGENTS"], ids=named)
def test_a_wrong_tangent_is_caught(monkeypatch, rule, classes, mutation):
    applied = []

    def wrong(tangents, node, *operands):
        t = rule(tangents, node, *operands)
        changed = None if t is None else mutation(t)
        applied.append(changed is not None)
        return t if changed is None else changed

    def check(case: Case) -> None:
        rng = np.random.default_rng(0)
        y, leaves, values = case_graph(case, rng)
        check_tangent(y, floats(leaves), values, rng)

    install(monkeypatch, TANGENTS, classes, wrong)
    was_caught = caught(check, classes)
    assert was_caught == any(applied)
    assert was_caught or mutation not in ALWAYS


def first_entry_only(y: Node) -> Node:
    """Every entry of the batch is the first."""
    return spread(y[0], {0: y.shape[0]})


@pytest.mark.parametrize(
    "mutation", [off_by_a_thousandth, reversed_entries, first_entry_only], ids=lambda m: m.__name__
)
@pytest.mark.parametrize("rule, classes", RULES["BATCHERS"], ids=named)
def test_a_wrong_batch_is_caught(monkeypatch, rule, classes, mutation):
    def check(case: Case) -> None:
        rng = np.random.default_rng(0)
        y, leaves, values = case_graph(case, rng)
        check_batch(y, dict.fromkeys(leaves, True), values, rng)

    install(monkeypatch, BATCHERS, classes, lambda *args: mutation(rule(*args)))
    assert caught(check, classes)


@pytest.mark.parametrize(
    "part, wrong",
    [
        ("total", lambda terms: terms[-1]),
        ("total", lambda terms: terms[0]),
        (
            "unbroadcast",
            lambda g, shape: g if same_shape(g.shape, shape) else zero(Constant(0, shape)),
        ),
        (
            "unbroadcast",
            lambda g, shape: (
                off_by_a_thousandth(unbroadcast(g, shape)) if not same_shape(g.shape, shape) else g
            ),
        ),
    ],
    ids=[
        "last_contribution_only",
        "first_contribution_only",
        "no_broadcast_sum",
        "broadcast_sum_off",
    ],
)
def test_a_wrong_driver_is_caught(monkeypatch, part, wrong):
    monkeypatch.setattr(reverse, part, wrong)
    assert caught(lambda case: check_rule(case, np.random.default_rng(0)), [Map])


def sloped() -> dict[type, str]:
    """Each scalar function that has slopes, with an entry of the catalogue whose head it is."""
    found = {}
    for name in ALL:
        y, _, _ = scalar_graph(name, np.random.default_rng(0))
        head = type(y.formula)
        if issubclass(head, Smooth | Kinked) and any(s != 0 for s in head.slopes(*y.formula.args)):
            found.setdefault(head, name)
    return found


@pytest.mark.parametrize("head, name", sloped().items(), ids=lambda h: getattr(h, "__name__", h))
def test_a_wrong_slope_is_caught(monkeypatch, head, name):
    slopes = head.slopes
    monkeypatch.setattr(
        head,
        "slopes",
        staticmethod(lambda *args: tuple(s * sympy.Rational(1001, 1000) for s in slopes(*args))),
    )
    forget_derivatives()
    try:
        rng = np.random.default_rng(3)
        y, leaves, values = scalar_graph(name, rng)
        wrt = floats(leaves)
        if name == "heaviside":  # its one slope, in the second argument, lives at 0 only
            values[leaves[0]] = np.zeros(6)
            wrt = leaves[1:]
        loss, weights = weighted_sum(y)
        values[weights] = drawn(weights, rng)
        with pytest.raises(Mismatch):
            check_gradient(loss, wrt, values, rng)
    finally:
        monkeypatch.undo()
        forget_derivatives()


def forget_derivatives() -> None:
    clear_cache()
    formula._partial.cache_clear()
