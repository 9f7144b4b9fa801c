"""The contestants of the speed benchmark: a loss and its gradients, each as its users write it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.networks import Call, Network, compiled

Run = Callable[[], tuple[float, list[np.ndarray]]]


def symgrad_run(network: Network, call: Call) -> Run:
    """The emitted module as it is, checks of its arguments included."""
    module = compiled(network).load()
    params, inputs, targets = call.params, call.x, call.y

    def run() -> tuple[float, list[np.ndarray]]:
        loss, grads = module.value_and_grad(params, x=inputs, y=targets)
        return loss, list(grads.values())

    return run


def by_hand(network: Network, call: Call) -> Run:
    """What a careful person writes: in place, bound methods, nothing checked."""
    params, x, y = call.params, call.x, call.y
    weights = [p for name, p in params.items() if name.endswith("weight")]
    biases = [p for name, p in params.items() if name.endswith("bias")]
    tanh = network.activation == "tanh"
    n = network.batch
    rows = np.arange(n)
    ones = np.ones(n, x.dtype)

    def run() -> tuple[float, list[np.ndarray]]:
        h, activations = x, [x]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = h.dot(w.T)
            h += b
            h = np.tanh(h, h) if tanh else np.maximum(h, 0, out=h)
            activations.append(h)
        z = h.dot(weights[-1].T)
        z += biases[-1]
        if network.classifies:
            z -= z.max(axis=1)[:, None]
            picked = z[rows, y]
            g = np.exp(z, z)
            s = g.sum(axis=1)
            loss = (np.log(s) - picked).sum() / n
            g /= s[:, None]
            g[rows, y] -= 1
            g /= n
        else:
            z -= y
            loss = np.vdot(z, z) / n
            g = z
            g *= 2 / n
        grads: list[np.ndarray] = []
        for k in range(len(weights) - 1, -1, -1):
            grads += [ones.dot(g), g.T.dot(activations[k])]
            if k:
                g = g.dot(weights[k])
                h = activations[k]
                if tanh:
                    h *= h
                    np.subtract(1, h, h)
                    g *= h
                else:
                    g *= h > 0
        return loss, grads[::-1]

    return run


def torch_run(network: Network, call: Call) -> Run:
    import torch

    params, x, y = call.params, call.x, call.y
    tensors = [torch.tensor(p, requires_grad=True) for p in params.values()]
    inputs, targets = torch.tensor(x), torch.tensor(y)
    activate = torch.tanh if network.activation == "tanh" else torch.relu
    functional = torch.nn.functional

    def run() -> tuple[float, list[np.ndarray]]:
        h = inputs
        for k in range(0, len(tensors), 2):
            h = functional.linear(h, tensors[k], tensors[k + 1])
            if k < len(tensors) - 2:
                h = activate(h)
        loss = (
            functional.cross_entropy(h, targets)
            if network.classifies
            else functional.mse_loss(h, targets)
        )
        grads = torch.autograd.grad(loss, tensors)
        return loss, grads  # type: ignore[return-value]

    return run


def jax_run(network: Network, call: Call) -> Run:
    import jax
    import jax.numpy as jnp

    params, x, y = call.params, call.x, call.y
    tensors = [jnp.asarray(p) for p in params.values()]
    inputs, targets = jnp.asarray(x), jnp.asarray(y)
    activate = jnp.tanh if network.activation == "tanh" else jax.nn.relu

    def loss_of(p: list, x: object, y: object) -> object:
        h = x
        for k in range(0, len(p), 2):
            h = h @ p[k].T + p[k + 1]
            if k < len(p) - 2:
                h = activate(h)
        if not network.classifies:
            return jnp.mean((h - y) ** 2)
        return -jnp.mean(jax.nn.log_softmax(h)[jnp.arange(network.batch), y])

    compiled = jax.jit(jax.value_and_grad(loss_of))

    def run() -> tuple[float, list[np.ndarray]]:
        return jax.block_until_ready(compiled(tensors, inputs, targets))

    return run


def autograd_run(network: Network, call: Call) -> Run:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    params, x, y = call.params, call.x, call.y
    tensors = list(params.values())
    rows = np.arange(network.batch)

    def loss_of(p: list) -> object:
        h = x
        for k in range(0, len(p), 2):
            h = anp.dot(h, p[k].T) + p[k + 1]
            if k < len(p) - 2:
                h = anp.tanh(h) if network.activation == "tanh" else anp.maximum(h, 0)
        if not network.classifies:
            return anp.mean((h - y) ** 2)
        return anp.mean(logsumexp(h, axis=1) - h[rows, y])

    compiled = value_and_grad(loss_of)
    return lambda: compiled(tensors)


PEERS: dict[str, Callable[[Network, Call], Run]] = {
    "symgrad": symgrad_run,
    "NumPy by hand": by_hand,
    "PyTorch": torch_run,
    "JAX jit": jax_run,
    "autograd": autograd_run,
}
