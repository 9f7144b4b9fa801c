"""Many carts at once, each with a pole to be kept upright by pushes to the left or the right.

Source: Barto, Sutton and Anderson 1983, with the figures of their simulation: a push each 20 ms,
and the end when the pole leans by 12 degrees or the cart has left 2.4 m of track to a side.
"""

from __future__ import annotations

import numpy as np

GRAVITY, CART, POLE, HALF_LENGTH = 9.8, 1.0, 0.1, 0.5  # m/s^2, kg, kg, m
FORCE, STEP = 10.0, 0.02  # N, s
TRACK, LEAN = 2.4, np.deg2rad(12)  # beyond these an episode is over


def begin(count: int, rng: np.random.Generator) -> np.ndarray:
    """States near rest, [count, 4]: place, speed, angle from upright, its speed."""
    return rng.uniform(-0.05, 0.05, (count, 4))


def push(states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The states one step later, by Euler's method, and which of them stand; 1 pushes right."""
    _, speed, angle, turning = states.T
    force = np.where(actions == 1, FORCE, -FORCE)
    sine, cosine = np.sin(angle), np.cos(angle)
    mass = CART + POLE
    thrust = (force + POLE * HALF_LENGTH * turning**2 * sine) / mass
    spin = (GRAVITY * sine - cosine * thrust) / (HALF_LENGTH * (4 / 3 - POLE * cosine**2 / mass))
    acceleration = thrust - POLE * HALF_LENGTH * spin * cosine / mass
    after = states + STEP * np.stack([speed, acceleration, turning, spin], axis=1)
    return after, (np.abs(after[:, 0]) < TRACK) & (np.abs(after[:, 2]) < LEAN)
