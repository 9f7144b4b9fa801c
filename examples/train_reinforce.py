"""Balances a pole on a cart by policy gradient: REINFORCE with a baseline.

    python -m examples.train_reinforce

A step that ends with the pole standing earns 1, and an episode ends after 200 steps at the
latest. The baseline of a step is the mean return that followed that step in all episodes.
"""

from __future__ import annotations

import time

import numpy as np

from examples.adam import Adam
from examples.cart_pole import begin, push
from generated import reinforce as net

EPISODES, LONGEST, UPDATES, RATE = 32, 200, 60, 0.01

Play = tuple[np.ndarray, np.ndarray, np.ndarray]


def play(params: dict[str, np.ndarray], count: int, rng: np.random.Generator) -> Play:
    """`count` episodes: states [t, count, 4], actions [t, count], which of them go on [t, count].

    An action is played where its episode stood before it.
    """
    states, stands = begin(count, rng), np.ones(count, bool)
    seen, done, standing = [], [], []
    for _ in range(LONGEST):
        right = net.forward(params, states=states)[:, 1]
        actions = (rng.random(count) < right).astype(int)
        seen.append(states)
        done.append(actions)
        standing.append(stands)
        states, upright = push(states, actions)
        stands = stands & upright
        if not stands.any():
            break
    return np.stack(seen), np.stack(done), np.stack(standing)


def advantages(standing: np.ndarray) -> np.ndarray:
    """[t, count]: the steps that an episode still lasts, less their mean over episodes that go on.

    Divided by the deviation, so that the rate suits short episodes and long ones.
    """
    to_go = np.cumsum(standing[::-1], axis=0)[::-1]
    mean = to_go.sum(axis=1) / np.maximum(standing.sum(axis=1), 1)
    advantage = (to_go - mean[:, None]) * standing
    return advantage / (advantage[standing].std() + 1e-8)


def main() -> tuple[float, float]:
    start = time.perf_counter()
    params = net.init_params(seed=0)
    optimiser = Adam(params, RATE)
    rng = np.random.default_rng(0)
    before = mean_return(params)
    print(f"mean return of 200 episodes before training {before:.1f} of {LONGEST}")
    for update in range(1, UPDATES + 1):
        states, actions, standing = play(params, EPISODES, rng)
        _, grads = net.value_and_grad(
            params,
            states=states[standing],
            actions=actions[standing],
            advantages=advantages(standing)[standing] / EPISODES,
        )
        optimiser.step(grads)
        if update % 10 == 0:
            print(f"update {update:4d}   mean return {standing.sum(axis=0).mean():.1f}")
    after = mean_return(params)
    print(f"mean return of 200 episodes after training {after:.1f}", end=" ")
    print(f"in {time.perf_counter() - start:.1f} s")
    return before, after


def mean_return(params: dict[str, np.ndarray]) -> float:
    """Of 200 episodes that training does not see."""
    return float(play(params, 200, np.random.default_rng(1))[2].sum(axis=0).mean())


if __name__ == "__main__":
    main()
