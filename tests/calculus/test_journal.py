"""The journal says what was done, in order, and enough to do it again."""

from __future__ import annotations

import pytest
import sympy

from symgrad.calculus.derivatives import grad, hessian, hvp, jvp
from symgrad.calculus.journal import KINDS, Journal, Step
from symgrad.calculus.reverse import gradients
from symgrad.calculus.rules.registry import ADJOINTS, TANGENTS
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Constant, Input, Parameter, Tangent
from symgrad.expr.node import Node
from symgrad.expr.operators import elementwise
from symgrad.expr.reduction import ArgMax

n = dim("n")
x, W, b = Input("x", (n, 3)), Parameter("W", (3, 2)), Parameter("b", (2,))


def model() -> Node:
    h = elementwise(sympy.tanh, x @ W + b).named("h")
    return sum_over(h, [0, 1], 1 / n) + sum_over(elementwise(lambda a: a**2, W), [0, 1])


def of_kind(journal: Journal, kind: str) -> list[Step]:
    return [step for step in journal.steps if step.kind == kind]


def test_steps_of_a_layer():
    journal = Journal()
    loss = model()
    d_W, d_b = gradients(loss, [W, b], journal=journal)
    assert [step.number for step in journal.steps] == list(range(1, len(journal.steps) + 1))
    assert {step.kind for step in journal.steps} == {"seed", "rule", "unbroadcast", "accumulate"}
    assert {step.kind for step in journal.steps} <= set(KINDS)
    (seed,) = of_kind(journal, "seed")
    assert seed.node is loss and seed.number == 1
    (unbroadcast,) = of_kind(journal, "unbroadcast")
    assert unbroadcast.operand is b and unbroadcast.result is d_b
    (accumulate,) = of_kind(journal, "accumulate")
    assert accumulate.node is W and accumulate.result is d_W and len(accumulate.before) == 2


def test_rule_steps_name_the_rule_its_formula_and_the_line():
    journal = Journal()
    gradients(model(), [W], journal=journal)
    (step,) = [s for s in of_kind(journal, "rule") if s.node.label == "h"]
    assert step.rule == "map_adjoint" and step.mode == "reverse"
    assert step.formula == "y = f(x_0, ..., x_k) elementwise => x_i' = G * df/dx_i."
    assert step.location.endswith(f"test_journal.py:{model.__code__.co_firstlineno + 1}")
    assert step.location == step.node.location


def test_every_rule_step_can_be_repeated():
    journal = Journal()
    gradients(model(), [W, b], journal=journal)
    for step in of_kind(journal, "rule"):
        contributions = ADJOINTS[type(step.node)](*step.before, step.node, *step.node.operands)
        assert contributions[step.position] is step.result
    journal = Journal()
    jvp(model(), [W, b], [Tangent("t_W", W.shape), Tangent("t_b", b.shape)], journal)
    assert of_kind(journal, "rule")
    for step in of_kind(journal, "rule"):
        assert step.mode == "forward" and step.rule == TANGENTS[type(step.node)].__name__


def test_recording_changes_nothing():
    loss = model()
    assert grad(loss, [W, b]) == grad(loss, [W, b], Journal())


def test_provenance_prefers_named_tensors():
    journal = Journal()
    loss = model()
    d_W, d_b = gradients(loss, [W, b], journal=journal)
    assert journal.provenance[d_W] is W and journal.provenance[d_b] is b
    # The sum x @ W + b hands its cotangent on unchanged; the one who bears a name is W's term's
    # sum h only through tanh, so the cotangent of h belongs to h.
    (step,) = [s for s in of_kind(journal, "rule") if s.node.label == "h"]
    assert journal.provenance[step.before[0]].label == "h"


def test_motion_names_tangents():
    journal = Journal()
    t = Tangent("t", W.shape)
    loss = model()
    change = jvp(loss, W, t, journal)
    assert journal.motion[t] is W and journal.motion[change] is loss


def test_a_tangent_that_is_stretched_is_recorded():
    journal = Journal()
    t = Tangent("t_b", b.shape)
    jvp(x @ W + b, b, t, journal)
    (step,) = of_kind(journal, "broadcast")
    assert step.before == (t,) and step.result.shape == (n, 2)


def test_zero_and_independent_are_told_apart():
    journal = Journal()
    flat = sum_over(elementwise(f.floor, W), [0, 1])
    slopes = gradients(flat, [W, b], journal=journal)
    assert all(isinstance(g, Constant) and g.value == 0 for g in slopes)
    assert [(s.kind, s.node) for s in journal.steps[-2:]] == [("zero", W), ("independent", b)]
    journal = Journal()
    jvp({"flat": flat, "other": b @ b}, W, Tangent("t", W.shape), journal)
    assert [s.kind for s in journal.steps[1:]] == ["zero", "independent"]


def test_an_index_is_said_to_have_no_gradient():
    journal = Journal()
    index = ArgMax(W, 0)
    gradients(sum_over(index * sum_over(W, [0]), [0]), [W], journal=journal)
    assert all(step.node is not index for step in journal.steps)


def test_both_modes_of_a_second_derivative_are_recorded():
    journal = Journal()
    hvp(model(), W, Tangent("v", W.shape), journal)
    modes = [step.mode for step in journal.steps]
    assert modes == sorted(modes, reverse=True) and {"forward", "reverse"} == set(modes)


def test_a_hessian_records_the_batch():
    journal = Journal()
    block = hessian(model(), b, journal)
    assert block.shape == (2, 2)
    (batch,) = of_kind(journal, "batch")
    assert batch.node is b and batch.mode == "forward"


def test_steps_are_frozen():
    journal = Journal()
    gradients(model(), [W], journal=journal)
    with pytest.raises(AttributeError):
        journal.steps[0].kind = "rule"  # type: ignore[misc]
