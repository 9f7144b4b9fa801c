"""A wrong rule is seen at the step where it stands, and at no other; the report names it."""

from __future__ import annotations

import pytest
import sympy
from catalogue import CASES_OF, Case
from derivations import of_model
from test_verified_steps import of_case, recurrent

import symgrad as sg
from symgrad.calculus import batching, forward, reverse
from symgrad.calculus.journal import Journal
from symgrad.calculus.rules.registry import ADJOINTS, BATCHERS, TANGENTS
from symgrad.evaluation.step_check import StepCheck
from symgrad.evaluation.study import study
from symgrad.evaluation.verify import verify_derivation, watched
from symgrad.expr.contraction import Contraction, transpose
from symgrad.expr.formula import heads
from symgrad.expr.linear_algebra import Solve
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Final, Scan, Stacked
from symgrad.expr.slots import slot
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION

SLIGHTLY = sympy.Rational(10001, 10000)


def times(node: Node, factor: object) -> Node:
    return Map(slot(0) * sympy.sympify(factor), node)


def failures(model: Model, function: str = "value_and_grad") -> list[StepCheck]:
    derived = of_model(model, function)
    return list(study(derived, (*model.parameters, *model.inputs)).failures)


def of_class(node_class: type[Node]) -> Case:
    """A case in which operands have some entries."""
    return next(
        case
        for case in CASES_OF[node_class]
        if all(0 not in operand.shape for operand in case.operands)
    )


REVERSE = [
    c for c in CASES_OF
    if c not in (Final, Stacked, Bundle)
    and of_class(c).build(*of_class(c).leaves()).dtype == "float"
    and ADJOINTS[c].__name__ not in ("detached_adjoint", "sign_determinant_adjoint")
]  # fmt: skip


@pytest.mark.parametrize("node_class", REVERSE, ids=lambda c: c.__name__)
def test_each_reverse_rule_a_little_wrong(
    node_class: type[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = ADJOINTS[node_class]

    def wrong(g: Node, node: Node, *operands: Node) -> tuple[Node | None, ...]:
        return tuple(None if c is None else times(c, SLIGHTLY) for c in good(g, node, *operands))

    monkeypatch.setitem(ADJOINTS, node_class, wrong)
    checks = of_case(of_class(node_class))
    seen = {check.step for check in checks if not check.ok}
    there = {c.step for c in checks if c.kind == "rule" and c.rule == "wrong"}
    assert there and seen == there


FORWARD = [c for c in REVERSE if c is not Scan]


@pytest.mark.parametrize("node_class", FORWARD, ids=lambda c: c.__name__)
def test_each_forward_rule_a_little_wrong(
    node_class: type[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = TANGENTS[node_class]

    def wrong(tangents: tuple[Node | None, ...], node: Node, *operands: Node) -> Node | None:
        t = good(tangents, node, *operands)
        return None if t is None else times(t, SLIGHTLY)

    monkeypatch.setitem(TANGENTS, node_class, wrong)
    checks = of_case(of_class(node_class))
    seen = {check.step for check in checks if not check.ok}
    there = {c.step for c in checks if c.kind == "rule" and c.rule == "wrong"}
    assert there and seen == there


def plain() -> Model:
    n = sg.dim("n")
    x, W, b = sg.input("x", (n, 3)), sg.parameter("W", (3, 3)), sg.parameter("b", (3,))
    h = sg.tanh(x @ W + b)
    return sg.Model("plain", loss=sg.sum(sg.square(h) + h * b), outputs={"h": h})


def test_a_lost_factor_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    good = ADJOINTS[Map]

    def square_without_two(g: Node, node: Node, *operands: Node) -> tuple[Node | None, ...]:
        """y = x**2  =>  x' = G * x."""
        if node.formula == slot(0) ** 2:
            return (Map(slot(0) * slot(1), operands[0], g),)
        return good(g, node, *operands)

    monkeypatch.setitem(ADJOINTS, Map, square_without_two)
    (check,) = failures(plain())
    assert check.kind == "rule" and check.rule == "square_without_two"
    assert check.step.node.formula == slot(0) ** 2
    assert check.error == pytest.approx(0.5)
    assert str(check).startswith(f"rule {check.number} square_without_two FAILS: ")
    assert str(check).endswith("relative error 5.0e-01 at 2 points")


def test_a_forgotten_transpose(monkeypatch: pytest.MonkeyPatch) -> None:
    good = ADJOINTS[Contraction]

    def no_transpose(g: Node, node: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Y = X W  =>  W' = (X^T G)^T."""
        if len(operands) == 2 and operands[1].ndim == 2:
            first, second = good(g, node, *operands)
            return first, transpose(second, [1, 0])
        return good(g, node, *operands)

    monkeypatch.setitem(ADJOINTS, Contraction, no_transpose)
    (check,) = failures(plain())
    assert check.rule == "no_transpose" and check.step.operand.name == "W"


def test_a_solve_without_its_transpose(monkeypatch: pytest.MonkeyPatch) -> None:
    good = ADJOINTS[Solve]

    def solve_again(g: Node, node: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        """X = A^-1 B  =>  B' = A^-1 G."""
        return good(g, node, a, b)[0], Solve(a, g)

    monkeypatch.setitem(ADJOINTS, Solve, solve_again)
    A, b = sg.parameter("A", (3, 3)), sg.parameter("b", (3,))
    (check,) = failures(sg.Model("solved", loss=sg.sum(sg.sin(sg.linalg.solve(A, sg.exp(b))))))
    assert check.rule == "solve_again" and check.step.position == 1


@pytest.mark.parametrize("function", ["value_and_grad", "jvp"])
def test_a_wrong_rule_inside_the_step_of_a_scan(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjoint, tangent = ADJOINTS[Map], TANGENTS[Map]

    def is_tanh(node: Node) -> bool:
        return "tanh" in heads(node.formula)

    def wrong_adjoint(g: Node, node: Node, *operands: Node) -> tuple[Node | None, ...]:
        found = adjoint(g, node, *operands)
        return tuple(times(c, "0.999") if is_tanh(node) else c for c in found)

    def wrong_tangent(tangents: tuple[Node | None, ...], node: Node, *operands: Node) -> Node:
        found = tangent(tangents, node, *operands)
        return times(found, "0.999") if is_tanh(node) else found

    monkeypatch.setitem(ADJOINTS, Map, wrong_adjoint)
    monkeypatch.setitem(TANGENTS, Map, wrong_tangent)
    model = recurrent()
    derived = of_model(model, function)
    numbers = study(derived, model.parameters)
    (inner,) = derived.journal.inner.values()
    found = numbers.failures
    assert found and all(check.step in inner.steps for check in found)
    assert {check.step.node for check in found} == {n for n in inner_nodes(inner) if is_tanh(n)}
    assert {check.rule for check in found} <= {"wrong_adjoint", "wrong_tangent"}
    assert {check.scan for check in found} == {"the scan over h"}
    follows = [check for check in numbers.checks if not check.ok and check not in found]
    assert all(isinstance(check.step.node, Scan) for check in follows)
    assert {check.because for check in follows} <= {f"step {found[0].number} in the scan over h"}


def inner_nodes(journal: Journal) -> set[Node]:
    return {step.node for step in journal.steps if isinstance(step.node, Map)}


def test_a_broadcast_undone_by_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    good = reverse.unbroadcast

    def halved(g: Node, shape: tuple[sympy.Expr, ...]) -> Node:
        fitted = good(g, shape)
        return fitted if fitted is g else times(fitted, "1/2")

    monkeypatch.setattr(reverse, "unbroadcast", halved)
    found = failures(plain())
    assert found and {check.kind for check in found} == {"unbroadcast"}


def test_a_path_that_is_not_added(monkeypatch: pytest.MonkeyPatch) -> None:
    good = reverse.total
    lost = lambda terms: terms[0] if len(terms) > 1 else good(terms)  # noqa: E731
    monkeypatch.setattr(reverse, "total", lost)
    found = failures(plain())
    assert found and {check.kind for check in found} == {"accumulate"}


def test_a_tangent_that_is_not_stretched_right(monkeypatch: pytest.MonkeyPatch) -> None:
    good = forward.stretch

    def wrong(t: Node, shape: tuple[sympy.Expr, ...]) -> Node:
        fitted = good(t, shape)
        return fitted if fitted is t else times(fitted, 2)

    monkeypatch.setattr(forward, "stretch", wrong)
    x, b = sg.input("x", (2, 3)), sg.parameter("b", (3,))
    found = failures(sg.Model("shifted", outputs={"y": sg.sin(sg.exp(b)[None, :] + x + b)}), "jvp")
    found += failures(sg.Model("shifted", outputs={"y": sg.matmul(x + b, sg.eye(3))}), "jvp")
    assert found and {check.kind for check in found} == {"broadcast"}


def test_a_slope_that_is_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADJOINTS, Map, lambda g, node, *operands: (None,) * len(operands))
    found = failures(plain())
    assert {check.step.node.name for check in found} == {"W", "b"}
    assert {check.kind for check in found} == {"zero"}


def test_a_batch_that_forgets_a_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    good = BATCHERS[Map]

    def wrong(size: sympy.Expr, node: Node, *rest: object) -> Node:
        return times(good(size, node, *rest), SLIGHTLY)

    monkeypatch.setitem(BATCHERS, Map, wrong)
    assert batching.BATCHERS is BATCHERS
    found = failures(plain(), "hessian")
    assert found and {check.kind for check in found} == {"batch"}


def test_a_pass_that_changes_a_value() -> None:
    def spoil(form: Form) -> Form:
        return Form({k: times(n, SLIGHTLY) for k, n in form.outputs.items()}, {}, {})

    model = plain()
    derived = of_model(model)
    forms = watched(derived.raw, [*BEFORE_DERIVATION[:2], spoil, *BEFORE_DERIVATION[2:]])
    found = [c for c in verify_derivation(derived, model.parameters, forms) if not c.ok]
    assert [(check.kind, check.number, check.rule) for check in found] == [("pass", 3, "spoil")]
