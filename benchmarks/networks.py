"""The networks of the speed and memory benchmarks: sizes, data, and symgrad's definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import symgrad as sg
from symgrad import nn
from symgrad.compiler import Compiled

Arrays = dict[str, np.ndarray]

# Further from 0 than float32 rounds: otherwise two right programs may stand on different sides of
# a rectifier's kink, and the gradients of a whole layer differ by one row.
FROM_KINK = 1e-5


@dataclass(frozen=True)
class Network:
    """Sizes of a dense network, its activation ("tanh" or "relu") and its batch.

    One output: mean squared error; several: cross-entropy with class indices.
    """

    sizes: tuple[int, ...]
    activation: str
    batch: int

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, n = {self.batch}"

    @property
    def classifies(self) -> bool:
        return self.sizes[-1] > 1


NETWORKS = (
    Network((2, 8, 1), "tanh", 1),
    Network((64, 64, 64, 10), "relu", 32),
    Network((784, 512, 512, 10), "relu", 128),
    Network((784, 2048, 2048, 10), "relu", 512),
)


@dataclass(frozen=True)
class Call:
    """Parameters under `state_dict` names, inputs and targets."""

    params: Arrays
    x: np.ndarray
    y: np.ndarray

    def in_type(self, dtype: type) -> Call:
        """The same numbers in another float type."""
        params = {name: p.astype(dtype) for name, p in self.params.items()}
        return Call(
            params, self.x.astype(dtype), self.y if self.y.ndim == 1 else self.y.astype(dtype)
        )


def made_call(network: Network, seed: int = 0) -> Call:
    """A call in float32; rows of x for which a rectifier would stand on its kink are drawn anew."""
    rng = np.random.default_rng(seed)
    params: Arrays = {}
    for k, (fan_in, fan_out) in enumerate(pairwise(network.sizes)):
        bound = 1 / np.sqrt(fan_in)
        params[f"{2 * k}.weight"] = rng.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32)
        params[f"{2 * k}.bias"] = rng.uniform(-bound, bound, fan_out).astype(np.float32)
    x = rng.standard_normal((network.batch, network.sizes[0])).astype(np.float32)
    while (near := rows_near_a_kink(network, params, x)).any():
        x[near] = rng.standard_normal((near.sum(), network.sizes[0]))
    if network.classifies:
        return Call(params, x, rng.integers(0, network.sizes[-1], network.batch))
    return Call(params, x, rng.standard_normal((network.batch, 1)).astype(np.float32))


def rows_near_a_kink(network: Network, params: Arrays, x: np.ndarray) -> np.ndarray:
    """For each row of x, whether it brings the input of some rectifier too near to 0."""
    near = np.zeros(len(x), bool)
    if network.activation == "relu":
        for z in hidden_inputs(params, x):
            near |= (abs(z) < FROM_KINK).any(axis=1)
    return near


def hidden_inputs(params: Arrays, x: np.ndarray) -> Iterator[np.ndarray]:
    """What each rectifier is given, in float64."""
    h = x.astype(np.float64)
    for k in range(0, len(params) - 2, 2):
        z = h @ params[f"{k}.weight"].T.astype(np.float64) + params[f"{k}.bias"]
        yield z
        h = np.maximum(z, 0)


def compiled(network: Network) -> Compiled:
    """symgrad's module for the network: the loss and all gradients."""
    n = sg.dim("n")
    x = sg.input("x", (n, network.sizes[0]))
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(network.sizes):
        layers += [
            nn.Linear(fan_in, fan_out),
            nn.Tanh() if network.activation == "tanh" else nn.ReLU(),
        ]
    output = nn.Sequential(*layers[:-1])(x)
    if network.classifies:
        loss = nn.functional.cross_entropy(output, sg.input("y", (n,), dtype="int"))
    else:
        loss = nn.functional.mse_loss(output, sg.input("y", (n, 1)))
    return sg.compile(sg.Model("benchmark_net", loss=loss), emit=["value_and_grad"])
