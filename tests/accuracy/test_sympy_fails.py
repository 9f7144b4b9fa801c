"""Where SymPy 1.14's own matrix calculus is wrong or gives up, end to end: emitted code is right.

Each case shows SymPy's answer too, so that the claim is checked and not only made.
"""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
import sympy
from sympy import Determinant, HadamardProduct, MatrixSymbol, OneMatrix, Trace, tanh

import symgrad as sg

EMITTED = ("value_and_grad", "hvp", "hessian")


def emitted(text, shapes, parameters):
    """A module from a text, with the gradient and the Hessian of its value."""
    model = sg.Model("case", loss=sg.formula(text, shapes=shapes, parameters=parameters))
    return sg.compile(model, emit=EMITTED).load()


def rng():
    return np.random.default_rng(11)


def two_layers(text):
    draw = rng().standard_normal
    shapes = {"X": "n 3", "W": "3 4", "V": "4 2", "Y": "n 2"}
    params = {"W": draw((3, 4)) / 2, "V": draw((4, 2)) / 2}
    return text, shapes, params, {"X": draw((5, 3)), "Y": draw((5, 2))}


def cases():
    """name -> text, shapes, parameters, inputs."""
    draw = rng().standard_normal
    labels = np.where(draw(6) > 0, 1.0, -1.0)
    return {
        "loss and L2": (
            "mean((X @ w - y)**2) + lam/2*sum(w**2)",
            {"X": "n 3", "w": "3", "y": "n", "lam": ""},
            {"w": draw(3)},
            {"X": draw((6, 3)), "y": draw(6), "lam": 0.3},
        ),
        "exp(x @ x)": ("exp(x @ x)", {"x": "4"}, {"x": draw(4) / 2}, {}),
        "norm": ("sqrt(trace(A.T @ A))", {"A": "3 4"}, {"A": draw((3, 4))}, {}),
        "log of a trace of squares": ("log(trace(A.T @ A))", {"A": "3 3"}, {"A": draw((3, 3))}, {}),
        "log of a sum of exponentials": (
            "log(sum(exp(A @ x)))",
            {"A": "5 3", "x": "3"},
            {"x": draw(3)},
            {"A": draw((5, 3))},
        ),
        "two layers, trace": two_layers("trace((tanh(X @ W) @ V - Y).T @ (tanh(X @ W) @ V - Y))"),
        "two tanh, trace": two_layers("trace(Y.T @ tanh(tanh(X @ W) @ V))"),
        "logistic": (
            "sum(log(1 + exp(-y * (X @ w))))",
            {"X": "n 3", "y": "n", "w": "3"},
            {"w": draw(3)},
            {"X": draw((6, 3)), "y": labels},
        ),
    }


CASES = cases()


def called_with(module, function, params, inputs, *more):
    """A function of the module with the inputs that it reads."""
    taken = signature(getattr(module, function)).parameters
    read = {name: array for name, array in inputs.items() if name in taken}
    return getattr(module, function)(params, *more, **read)


@pytest.mark.parametrize("name", CASES)
def test_gradient_and_hessian_against_central_differences(name):
    text, shapes, params, inputs = CASES[name]
    module = emitted(text, shapes, list(params))
    _, slopes = called_with(module, "value_and_grad", params, inputs)
    blocks = called_with(module, "hessian", params, inputs)
    draw = np.random.default_rng(5).standard_normal
    for _ in range(3):
        step = {key: draw(p.shape) for key, p in params.items()}
        h = 1e-5
        (ahead, up), (behind, down) = (
            called_with(
                module, "value_and_grad", {k: params[k] + t * step[k] for k in params}, inputs
            )
            for t in (h, -h)
        )
        slope = sum(np.sum(slopes[k] * step[k]) for k in params)
        np.testing.assert_allclose(slope, (ahead - behind) / (2 * h), rtol=1e-7, atol=1e-8)
        products = called_with(module, "hvp", params, inputs, step)
        for a in params:
            change = (up[a] - down[a]) / (2 * h)
            np.testing.assert_allclose(products[a], change, rtol=1e-6, atol=1e-7)
            whole = sum(
                np.tensordot(blocks[a][b], step[b], axes=step[b].ndim) for b in params
            )
            np.testing.assert_allclose(whole, change, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_gradient_and_hessian_against_jax(name):
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    written = {
        "loss and L2": lambda p, X, y, lam: (
            jnp.mean((X @ p["w"] - y) ** 2) + lam / 2 * jnp.sum(p["w"] ** 2)
        ),
        "exp(x @ x)": lambda p: jnp.exp(p["x"] @ p["x"]),
        "norm": lambda p: jnp.sqrt(jnp.trace(p["A"].T @ p["A"])),
        "log of a trace of squares": lambda p: jnp.log(jnp.trace(p["A"].T @ p["A"])),
        "log of a sum of exponentials": lambda p, A: jax.nn.logsumexp(A @ p["x"]),
        "two layers, trace": lambda p, X, Y: jnp.trace(
            (jnp.tanh(X @ p["W"]) @ p["V"] - Y).T @ (jnp.tanh(X @ p["W"]) @ p["V"] - Y)
        ),
        "two tanh, trace": lambda p, X, Y: jnp.trace(
            Y.T @ jnp.tanh(jnp.tanh(X @ p["W"]) @ p["V"])
        ),
        "logistic": lambda p, X, y: jnp.sum(jax.nn.softplus(-y * (X @ p["w"]))),
    }
    text, shapes, params, inputs = CASES[name]
    module = emitted(text, shapes, list(params))
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        value, slopes = jax.value_and_grad(written[name])(params, **inputs)
        blocks = jax.hessian(written[name])(params, **inputs)
        value, slopes, blocks = jax.tree.map(np.asarray, (value, slopes, blocks))
    mine, my_slopes = called_with(module, "value_and_grad", params, inputs)
    my_blocks = called_with(module, "hessian", params, inputs)
    np.testing.assert_allclose(mine, value, rtol=1e-12)
    for a in params:
        np.testing.assert_allclose(my_slopes[a], slopes[a], rtol=1e-10, atol=1e-12)
        for b in params:
            np.testing.assert_allclose(my_blocks[a][b], blocks[a][b], rtol=1e-9, atol=1e-11)


def test_the_logistic_hessian_is_x_transposed_s_x():
    _, _, params, inputs = CASES["logistic"]
    text, shapes, *_ = CASES["logistic"]
    hessian = called_with(emitted(text, shapes, ["w"]), "hessian", params, inputs)["w"]["w"]
    p = 1 / (1 + np.exp(-inputs["X"] @ params["w"]))
    np.testing.assert_allclose(
        hessian, inputs["X"].T @ np.diag(p * (1 - p)) @ inputs["X"], rtol=1e-12
    )


# --- what SymPy says ------------------------------------------------------------------------------

is_1_14 = pytest.mark.skipif(not sympy.__version__.startswith("1.14"), reason="SymPy 1.14's")
N = sympy.Symbol("n", integer=True, positive=True)
A, SQUARE = MatrixSymbol("A", 3, 4), MatrixSymbol("S", 3, 3)
X, W, V, Y = (MatrixSymbol(*s) for s in (("X", N, 3), ("W", 3, 4), ("V", 4, 2), ("Y", N, 2)))
COLUMN, TARGET, FACTOR = MatrixSymbol("w", 3, 1), MatrixSymbol("y", N, 1), sympy.Symbol("lam")
ZEROS = {
    "loss and L2": (
        ((X * COLUMN - TARGET).T * (X * COLUMN - TARGET))[0, 0]
        + FACTOR * (COLUMN.T * COLUMN)[0, 0] / 2,
        COLUMN,
    ),
    "log(det(A))": (sympy.log(Determinant(SQUARE)), SQUARE),
    "exp(x @ x)": (sympy.exp((COLUMN.T * COLUMN)[0, 0]), COLUMN),
    "log of a trace of squares": (sympy.log(Trace(A.T * A)), A),
    "log of a sum of exponentials": (
        sympy.log((OneMatrix(1, N) * (X * COLUMN).applyfunc(sympy.exp))[0, 0]),
        COLUMN,
    ),
}


@is_1_14
@pytest.mark.parametrize("name", ZEROS)
def test_sympy_says_zero_for_what_is_not(name):
    loss, variable = ZEROS[name]
    assert loss.has(variable)
    assert loss.diff(variable) == sympy.ZeroMatrix(*variable.shape)


@is_1_14
def test_sympy_has_no_root_of_a_trace():
    with pytest.raises(TypeError):
        sympy.sqrt(Trace(A.T * A)).diff(A)


@is_1_14
def test_sympy_gives_a_two_layer_net_shapes_that_do_not_fit():
    residual = (X * W).applyfunc(tanh) * V - Y
    slope = Trace(residual.T * residual).diff(W)
    shapes = [[factor.shape for factor in h.args] for h in slope.atoms(HadamardProduct)]
    assert any(a != b for a, b in shapes)
    with pytest.raises(ValueError, match="index is larger"):
        Trace(Y.T * ((X * W).applyfunc(tanh) * V).applyfunc(tanh)).diff(W)


@is_1_14
def test_sympy_has_no_logistic_hessian():
    z = sympy.Dummy("z")
    softplus = sympy.Lambda(z, sympy.log(1 + sympy.exp(z)))
    slope = (OneMatrix(1, N) * (X * COLUMN).applyfunc(softplus)).diff(COLUMN)
    with pytest.raises(AttributeError):
        slope.diff(COLUMN)
