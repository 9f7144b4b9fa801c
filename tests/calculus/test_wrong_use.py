"""What derivatives refuse, with the whole message."""

from __future__ import annotations

import pytest

from symgrad.calculus.derivatives import grad, hessian, hvp, jacobian, jvp, vjp
from symgrad.errors import DefinitionError, ShapeError, SymgradError
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Cotangent, Input, Parameter, Tangent

n = dim("n")
x, w = Parameter("x", (3,)), Parameter("w", (3,))
rows = Input("rows", (n, 3))
labels = Input("labels", (n,), "int")
loss = x @ w


def message(error: SymgradError) -> str:
    """The message without the line of the definition."""
    return type(error)(error.what, facts=error.facts, fix=error.fix).message


@pytest.mark.parametrize("derive", [grad, hessian], ids=lambda d: d.__name__)
def test_a_loss_that_is_not_a_scalar(derive):
    with pytest.raises(DefinitionError) as caught:
        derive(rows @ x, x)
    assert message(caught.value) == (
        f"{derive.__name__} needs a scalar loss; this one has 1 axis\n"
        "  loss      [n]\n"
        "  expected  []\n"
        "  fix       take its sum or mean, or use sg.vjp or sg.jacobian"
    )
    assert caught.value.where is not None


def test_a_loss_that_is_no_expression():
    with pytest.raises(DefinitionError) as caught:
        hvp(3.0, x, x)
    assert message(caught.value) == (
        "hvp needs a tensor expression as its loss, not 3.0\n"
        "  fix  build the loss from sg.input and sg.parameter with symgrad's operations"
    )


def test_whole_numbers_have_no_derivative():
    with pytest.raises(DefinitionError) as caught:
        grad(loss, [x, labels])
    assert message(caught.value) == (
        "wrt holds labels of dtype int: only floats have derivatives\n"
        "  fix  leave it out, or declare it with dtype float"
    )


@pytest.mark.parametrize("wrt", ["x", ["x"], {"x": "x"}])
def test_wrt_holds_something_else(wrt):
    with pytest.raises(DefinitionError) as caught:
        grad(loss, wrt)
    assert message(caught.value) == (
        "wrt holds 'x', which is not a tensor expression\n"
        "  expected  a tensor, or a list or dict of tensors"
    )


def test_jacobian_takes_one_output():
    with pytest.raises(DefinitionError) as caught:
        jacobian([rows @ x, rows @ w], x)
    assert message(caught.value) == (
        "jacobian takes one output, not 2\n"
        "  fix  call it for each output, or stack them with sg.concat"
    )


def test_a_vector_of_another_shape():
    with pytest.raises(ShapeError) as caught:
        hvp(loss, x, Tangent("v", (4,)))
    assert message(caught.value) == (
        "vector does not have the shape of x\n  expected  [3]\n  got       [4]"
    )


def test_too_few_tangents():
    with pytest.raises(DefinitionError) as caught:
        jvp(loss, [x, w], [Tangent("t", (3,))])
    assert message(caught.value) == (
        "tangent holds 1 tensors for the 2 of wrt\n"
        "  fix  give one tensor of the same shape for each tensor of wrt"
    )


@pytest.mark.parametrize(
    "given, got", [({"b": Cotangent("c", ())}, "b"), (Cotangent("c", ()), "<Cotangent float []>")]
)
def test_cotangents_by_other_keys(given, got):
    with pytest.raises(DefinitionError) as caught:
        vjp({"a": loss}, x, given)
    assert message(caught.value) == (
        f"cotangent does not have the keys of output\n  expected  a\n  got       {got}"
    )
