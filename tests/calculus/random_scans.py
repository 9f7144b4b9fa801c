"""Random scans: a few states, sequences and fixed tensors, and a step of random operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symgrad as sg
from symgrad import nn
from symgrad.expr.node import Node

ROWS, COLUMNS = 2, 3


@dataclass
class RandomScan:
    """One scan, made from a seed. Its states and all that its step computes are [rows, columns]."""

    seed: int
    length: int = field(init=False)
    leaves: dict[str, Node] = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self.length = int(self._rng.choice([0, 1, 2, 4]))
        shape = (ROWS, COLUMNS)
        self.leaves = {
            "a": sg.parameter("a", shape),
            "b": sg.parameter("b", shape),
            "w": sg.parameter("w", (COLUMNS, COLUMNS)),
            "v": sg.parameter("v", (COLUMNS,)),
            "x": sg.parameter("x", (self.length, *shape)),
            "y": sg.parameter("y", (self.length, COLUMNS)),
        }

    def values(self) -> dict[str, Any]:
        rng = np.random.default_rng(self.seed + 1)
        return {
            name: rng.uniform(0.2, 0.9, tuple(map(int, leaf.shape)))
            * rng.choice([-1, 1], tuple(map(int, leaf.shape)))
            for name, leaf in self.leaves.items()
        }

    def loss(self) -> Node:
        leaf = self.leaves
        count = int(self._rng.integers(1, 4))
        first = [leaf["a"], leaf["b"], leaf["a"] * leaf["v"]][:count]
        backwards = bool(self._rng.integers(2))
        last, kept = sg.scan(self._step, tuple(first), (leaf["x"], leaf["y"]), reverse=backwards)
        asked = [sg.sum(sg.sin(s) * (k + 1)) for k, s in enumerate(last) if self._rng.integers(2)]
        total = sg.sum(kept * kept) if not asked or self._rng.integers(2) else asked.pop()
        for part in asked:
            total = total + part
        return total + sg.sum(leaf["v"] * 0.1)

    def _step(self, states: tuple[Node, ...], given: tuple[Node, Node]) -> tuple[Any, Node]:
        known = [*states, given[0], given[1] + states[0] * 0, self.leaves["b"]]
        for _ in range(int(self._rng.integers(2, 7))):
            known.append(self._operation(known))
        if self.seed % 5 == 0:
            known.append(self._inner_scan(known))
        after = tuple(self._pick(known) * 0.7 for _ in states)
        if self._rng.integers(4) == 0:
            after = (after[-1], *after[:-1])
        return after, self._pick(known)

    def _pick(self, known: list[Node]) -> Node:
        return known[int(self._rng.integers(len(known)))]

    def _operation(self, known: list[Node]) -> Node:
        p, q = self._pick(known), self._pick(known)
        kinds = [
            lambda: sg.tanh(p + q),
            lambda: nn.functional.sigmoid(p) * q,
            lambda: p @ self.leaves["w"],
            lambda: p * self.leaves["v"] + q,
            lambda: sg.sin(p) - q,
            lambda: sg.concat([p[:, 1:], q[:, :1]], axis=1),
            lambda: p - sg.mean(q, axis=1, keepdims=True),
            lambda: sg.where(p > q, p, q * 0.5),
            lambda: nn.functional.softmax(p, 1) * q,
            lambda: p * sg.max(q, axis=0),
            lambda: sg.einsum("ij,kj,kl->il", p, q, p),
        ]
        return kinds[int(self._rng.integers(len(kinds)))]()

    def _inner_scan(self, known: list[Node]) -> Node:
        p, q = self._pick(known), self._pick(known)
        last, _ = sg.scan(
            lambda h, row: (sg.tanh(h * row + q), None), p, sg.stack([p[0], q[1], self.leaves["v"]])
        )
        return last
