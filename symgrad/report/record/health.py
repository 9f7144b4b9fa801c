"""How gradients shrink or grow through the layers, as a table and in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.report.record.definition import Drawing
from symgrad.report.record.equation import Prose


@dataclass(frozen=True)
class HealthRow:
    """One layer at initialisation, as numbers in text; "?" where the analysis does not reach.

    second_moment: of its output; forward: over that of the layer before. gradient: its root mean
    square over that at the last layer; measured: the same in the code, or "". backward: what the
    layer multiplies its second moment by. weights, kept_by: the variance that weights have, and the
    one that would make `backward` 1.
    """

    layer: str
    activation: str
    second_moment: str
    forward: str
    gradient: str
    measured: str
    backward: str
    weights: str
    kept_by: str
    verdict: str


@dataclass(frozen=True)
class HealthSection:
    """How gradients shrink or grow through the layers. summary: the verdict in a sentence.

    activations: what each does to a normal variable. measured: over which draws, or "". remarks:
    of recurrences, and what the analysis left out. plot: gradients through the depth, or None.
    """

    summary: str
    rows: tuple[HealthRow, ...]
    activations: tuple[Prose, ...]
    measured: str
    remarks: tuple[str, ...]
    plot: Drawing | None
