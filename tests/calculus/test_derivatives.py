"""grad, jvp, vjp, hvp, jacobian and hessian on whole models, against JAX in float64.

Among them the cases in which SymPy 1.14's own matrix calculus fails: 0, silently, or shapes that
do not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sympy
from checking import evaluate

from symgrad.calculus.derivatives import grad, hessian, hvp, jacobian, jvp, vjp
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, sum_over
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Constant, Cotangent, Input, Parameter, Tangent
from symgrad.expr.node import Node
from symgrad.expr.operators import elementwise
from symgrad.expr.reduction import LogSumExp

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy

n = dim("examples")
X, y = Input("X", (n, 3)), Input("y", (n,))
x, w = Parameter("x", (3,)), Parameter("w", (3,))
A, U, V = Parameter("A", (3, 3)), Parameter("U", (3, 4)), Parameter("V", (4, 3))
rng = np.random.default_rng(1)
VALUES = {
    leaf: rng.normal(size=[5 if s == n else int(s) for s in leaf.shape])
    for leaf in (X, x, w, A, U, V)
}
VALUES[y] = np.sign(rng.normal(size=5))


def trace(m: Node) -> Node:
    return contract((), [(m, "ii")])


def total(z: Node) -> Node:
    return sum_over(z, range(z.ndim))


def squared(z: Node) -> Node:
    return total(elementwise(lambda a: a**2, z))


def logistic(weights: Node) -> Node:
    return sum_over(elementwise(lambda z, t: f.softplus(-t * z), X @ weights, y), [0], 1 / n)


@dataclass(frozen=True)
class Model:
    """A scalar loss, the parameters it is differentiated by, and the same in JAX."""

    loss: Node
    wrt: tuple[Node, ...]
    reference: Callable[..., Any]


MODELS = {
    "loss_plus_l2": Model(
        logistic(w) + squared(w) / 4,
        (w,),
        lambda w: jnp.mean(jnp.logaddexp(0, -VALUES[y] * (VALUES[X] @ w))) + jnp.sum(w**2) / 4,
    ),
    "exp_of_square_norm": Model(
        elementwise(sympy.exp, x @ x / 8), (x,), lambda x: jnp.exp(x @ x / 8)
    ),
    "frobenius_norm_by_trace": Model(
        elementwise(sympy.sqrt, trace(A.T @ A)), (A,), lambda A: jnp.sqrt(jnp.trace(A.T @ A))
    ),
    "log_of_sum_of_exp": Model(
        elementwise(sympy.log, total(elementwise(sympy.exp, A @ x))),
        (A, x),
        lambda A, x: jnp.log(jnp.sum(jnp.exp(A @ x))),
    ),
    "logsumexp": Model(
        LogSumExp(A @ x, 0), (A, x), lambda A, x: jax.scipy.special.logsumexp(A @ x)
    ),
    "two_layer_tanh_with_trace": Model(
        trace(elementwise(sympy.tanh, elementwise(sympy.tanh, A @ U) @ V)),
        (A, U, V),
        lambda A, U, V: jnp.trace(jnp.tanh(jnp.tanh(A @ U) @ V)),
    ),
    "logistic": Model(
        logistic(w),
        (w,),
        lambda w: jnp.mean(jnp.logaddexp(0, -VALUES[y] * (VALUES[X] @ w))),
    ),
    "quadratic_form": Model(x @ A @ x, (x, A), lambda x, A: x @ A @ x),
    "determinant_of_three": Model(
        # by the rule of Sarrus, as far as this calculus goes without linear algebra
        elementwise(
            sympy.log,
            elementwise(
                lambda d: d**2 + 1,
                A[0, 0] * A[1, 1] * A[2, 2]
                + A[0, 1] * A[1, 2] * A[2, 0]
                + A[0, 2] * A[1, 0] * A[2, 1]
                - A[0, 2] * A[1, 1] * A[2, 0]
                - A[0, 1] * A[1, 0] * A[2, 2]
                - A[0, 0] * A[1, 2] * A[2, 1],
            ),
        ),
        (A,),
        lambda A: jnp.log(jnp.linalg.det(A) ** 2 + 1),
    ),
    "scalar_parameters": Model(
        elementwise(
            lambda a, b: sympy.sin(a) * sympy.exp(b) * a, Parameter("a", ()), Parameter("b", ())
        ),
        (Parameter("a", ()), Parameter("b", ())),
        lambda a, b: jnp.sin(a) * jnp.exp(b) * a,
    ),
}
VALUES |= {Parameter("a", ()): np.array(0.7), Parameter("b", ()): np.array(-0.4)}


def same(mine: Any, reference: Any) -> None:
    np.testing.assert_allclose(mine, reference, rtol=1e-10, atol=1e-11)


def values_of(wrt: tuple[Node, ...]) -> tuple[Any, ...]:
    return tuple(VALUES[leaf] for leaf in wrt)


@pytest.mark.parametrize("name", MODELS)
def test_gradient(name):
    model = MODELS[name]
    slots = tuple(range(len(model.wrt)))
    loss, *slopes = evaluate([model.loss, *grad(model.loss, list(model.wrt))], VALUES)
    same(loss, model.reference(*values_of(model.wrt)))
    for mine, theirs in zip(
        slopes, jax.grad(model.reference, slots)(*values_of(model.wrt)), strict=True
    ):
        same(mine, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_hessian_and_its_products(name):
    model = MODELS[name]
    slots = tuple(range(len(model.wrt)))
    blocks = hessian(model.loss, list(model.wrt))
    theirs = jax.hessian(model.reference, slots)(*values_of(model.wrt))
    vectors = [Tangent(f"v{k}", leaf.shape) for k, leaf in enumerate(model.wrt)]
    given = VALUES | {
        v: rng.normal(size=VALUES[leaf].shape) for v, leaf in zip(vectors, model.wrt, strict=True)
    }
    products = evaluate(hvp(model.loss, list(model.wrt), vectors), given)
    for a, row in enumerate(blocks):
        expected = 0
        for b, block in enumerate(row):
            assert block.shape == model.wrt[a].shape + model.wrt[b].shape
            (mine,) = evaluate([block], VALUES)
            same(mine, theirs[a][b])
            expected = expected + np.tensordot(theirs[a][b], given[vectors[b]], model.wrt[b].ndim)
        same(products[a], expected)


@pytest.mark.parametrize("rows", [2, 9], ids=["reverse", "forward"])
def test_jacobian_in_both_modes(rows):
    b = Parameter("b", (rows, 3))
    output = elementwise(sympy.tanh, b @ x)
    values = VALUES | {b: rng.normal(size=(rows, 3))}
    blocks = jacobian(output, {"x": x, "b": b, "w": w})
    found = dict(zip(blocks, evaluate(list(blocks.values()), values), strict=True))
    theirs = jax.jacobian(lambda x, b: jnp.tanh(b @ x), (0, 1))(VALUES[x], values[b])
    same(found["x"], theirs[0])
    same(found["b"], theirs[1])
    assert found["w"].shape == (rows, 3) and not found["w"].any()


def test_jacobian_of_a_symbolic_batch():
    block = jacobian(elementwise(sympy.sin, X @ w), w)
    assert block.shape == (n, sympy.Integer(3))
    same(evaluate([block], VALUES)[0], jax.jacobian(lambda w: jnp.sin(VALUES[X] @ w))(VALUES[w]))


@pytest.mark.parametrize("inner", [2, 5], ids=["forward", "reverse"])
def test_jacobian_of_a_matrix_by_a_matrix(inner):
    p, q = Parameter("p", (2, inner)), Parameter("q", (inner, 4))
    values = {leaf: rng.normal(size=[int(s) for s in leaf.shape]) for leaf in (p, q)}
    block = jacobian(elementwise(sympy.tanh, p @ q), p)
    assert block.shape == (2, 4, 2, inner)
    theirs = jax.jacobian(lambda p: jnp.tanh(p @ values[q]))(values[p])
    same(evaluate([block], values)[0], theirs)


def test_third_derivative():
    third = jacobian(hessian(logistic(w), w), w)
    reference = MODELS["logistic"].reference
    same(evaluate([third], VALUES)[0], jax.jacobian(jax.hessian(reference))(VALUES[w]))


def test_gradient_of_a_function_of_the_gradient():
    penalty = squared(grad(logistic(w), w))
    theirs = jax.grad(lambda v: jnp.sum(jax.grad(MODELS["logistic"].reference)(v) ** 2))
    same(evaluate([grad(penalty, w)], VALUES)[0], theirs(VALUES[w]))


def test_jvp_and_vjp_of_several_outputs():
    outputs = {"a": elementwise(sympy.sin, A @ x), "b": x @ x}
    t = {"x": Tangent("t_x", (3,)), "A": Tangent("t_A", (3, 3))}
    c = {"a": Cotangent("c_a", (3,)), "b": Cotangent("c_b", ())}
    given = VALUES | {
        leaf: rng.normal(size=[int(s) for s in leaf.shape]) for leaf in (*t.values(), *c.values())
    }

    def reference(x, A):
        return {"a": jnp.sin(A @ x), "b": x @ x}

    changes = jvp(outputs, {"x": x, "A": A}, t)
    _, theirs = jax.jvp(reference, (VALUES[x], VALUES[A]), (given[t["x"]], given[t["A"]]))
    for key, change in changes.items():
        same(evaluate([change], given)[0], theirs[key])
    pulled = vjp(outputs, [x, A], c)
    _, pull = jax.vjp(reference, VALUES[x], VALUES[A])
    for mine, other in zip(pulled, pull({k: given[v] for k, v in c.items()}), strict=True):
        same(evaluate([mine], given)[0], other)


def test_a_tensor_that_was_computed_can_be_differentiated_by():
    h = elementwise(sympy.tanh, A @ x)
    loss = squared(h) + total(h)
    slope, curvature = grad(loss, h), hessian(loss, h)
    found = evaluate([h, slope, curvature], VALUES)
    same(found[1], 2 * found[0] + 1)
    same(found[2], 2 * np.eye(3))


def test_structure_of_the_result_is_that_of_wrt():
    loss = x @ A @ x
    assert isinstance(grad(loss, x), Node)
    assert list(grad(loss, {"second": A, "first": x})) == ["second", "first"]
    assert isinstance(grad(loss, (x, A)), tuple)
    blocks = hessian(loss, {"x": x, "A": A})
    assert blocks["x"]["A"].shape == x.shape + A.shape
    assert blocks["A"]["x"].shape == A.shape + x.shape


def test_what_the_loss_does_not_depend_on_gets_zeros():
    slope = grad(x @ x, {"w": w, "x": x})["w"]
    assert isinstance(slope, Constant) and slope.value == 0 and slope.dtype == "float"
    assert slope.shape == w.shape
    block = hessian(x @ w, [x, w])[0][0]
    assert evaluate([block], VALUES)[0].shape == (3, 3)
    assert not evaluate([block], VALUES)[0].any()


def test_gradient_of_a_sum_of_whole_numbers_is_a_float():
    assert grad(total(x), x).dtype == "float"
    assert grad(total(elementwise(f.relu, x)), x).dtype == "float"
