"""Linear layers and those that only rearrange: how each is made, and on what it runs."""

from __future__ import annotations

from layer_catalogue import Entry, normal

ENTRIES = [
    Entry("Linear", [{"in_features": 3, "out_features": 4}, {"in_features": 3, "out_features": 1, "bias": False}],
          [(normal(5, 3),), (normal(1, 3),), (normal(2, 1, 3),), (normal(3),)]),
    Entry("Linear", [{"in_features": 1, "out_features": 2}], [(normal(4, 1),), (normal(1),)]),
    Entry("Flatten", [{}, {"start_dim": 0}, {"start_dim": -2, "end_dim": -1}],
          [(normal(2, 3, 4),), (normal(1, 1, 3, 2),), (normal(3, 1),)]),
]  # fmt: skip
