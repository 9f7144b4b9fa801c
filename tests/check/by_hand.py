"""Softmax regression with all functions: the form that symgrad generates, written by hand.

The tests of the checker load it as it is, and with one thing in it made wrong.
"""

import numpy as np

PARAMETERS = {
    "W": ((3, 4), "float"),
    "b": ((4,), "float"),
}
INPUTS = {
    "x": (("n", 3), "float"),
    "y": (("n",), "int"),
}
OUTPUTS = {
    "p": (("n", 4), "float"),
}


def init_params(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(0, 1, (3, 4)).astype(dtype), "b": np.zeros(4, dtype)}


def _refuse_indices(y):
    if y.size and not (y.min() >= 0 and y.max() < 4):
        raise IndexError(f"y: expected whole numbers in [0, 4), got {y.min()} to {y.max()}")


def _softmax(params, x):
    z = x @ params["W"] + params["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(params, *, x):
    p = _softmax(params, x)
    return p


def loss(params, *, x, y):
    _refuse_indices(y)
    p = _softmax(params, x)
    return -np.log(p[np.arange(len(y)), y]).sum() * x.dtype.type(1 / len(y))


def value_and_grad(params, *, x, y):
    value = loss(params, x=x, y=y)
    d_z = _softmax(params, x)
    d_z[np.arange(len(y)), y] -= 1
    d_z *= 1 / len(y)
    d_W = x.T @ d_z
    d_b = d_z.sum(axis=0)
    return value, {"W": d_W, "b": d_b}


def input_grad(params, *, x, y):
    _refuse_indices(y)
    d_z = _softmax(params, x)
    d_z[np.arange(len(y)), y] -= 1
    d_z *= 1 / len(y)
    d_x = d_z @ params["W"].T
    return {"x": d_x}


def jvp(params, tangents, *, x):
    p = _softmax(params, x)
    t_z = x @ tangents["W"] + tangents["b"]
    t_p = p * (t_z - (p * t_z).sum(axis=1, keepdims=True))
    return p, t_p


def vjp(params, cotangents, *, x):
    p = _softmax(params, x)
    g = cotangents
    d_z = p * (g - (p * g).sum(axis=1, keepdims=True))
    return p, {"W": x.T @ d_z, "b": d_z.sum(axis=0)}


def hvp(params, tangents, *, x):
    _, t_p = jvp(params, tangents, x=x)
    t_d_z = t_p / len(x)
    return {"W": x.T @ t_d_z, "b": t_d_z.sum(axis=0)}


def hessian(params, *, x):
    p = _softmax(params, x) * x.dtype.type(1)
    block = np.einsum("ni,ij->nij", p, np.eye(4, dtype=x.dtype)) - np.einsum("ni,nj->nij", p, p)
    block /= len(x)
    return {
        "W": {
            "W": np.einsum("na,nij,nb->aibj", x, block, x),
            "b": np.einsum("na,nij->aij", x, block),
        },
        "b": {
            "W": np.einsum("nij,nb->ibj", block, x),
            "b": block.sum(axis=0),
        },
    }


def jacobian(params, *, x):
    p = _softmax(params, x)
    block = np.einsum("ni,ij->nij", p, np.eye(4, dtype=x.dtype)) - np.einsum("ni,nj->nij", p, p)
    return {"W": np.einsum("nij,na->niaj", block, x), "b": block}


def per_example_grad(params, *, x, y):
    _refuse_indices(y)
    d_z = _softmax(params, x)
    d_z[np.arange(len(y)), y] -= 1
    return {"W": np.einsum("na,ni->nai", x, d_z), "b": d_z}
