"""The pipelines: which passes run, in which order, and why there.

A pass takes a form and gives one with the same values. Other results need another tuple, not a
flag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.passes.branches import join_branches
from symgrad.passes.contractions import merge_contractions
from symgrad.passes.fold import fold
from symgrad.passes.form import Form, Pass
from symgrad.passes.fuse import fuse
from symgrad.passes.gather import gather_first
from symgrad.passes.reuse import reuse_outputs
from symgrad.passes.settle import settle
from symgrad.passes.shift import shift_logsumexp
from symgrad.passes.squeeze import drop_unit_axes
from symgrad.passes.stabilise import stabilise

Observer = Callable[[str, Form], None]

BEFORE_DERIVATION: tuple[Pass, ...] = (
    # Entries are picked before they are computed, so that gradients flow to the picked ones only.
    gather_first,
    # Before anything is differentiated: the derivative of a naive formula has lost what is needed.
    stabilise,
    # After stabilising, which looks for formulas as they are written; its own selections are whole.
    join_branches,
)

AFTER_DERIVATION: tuple[Pass, ...] = (
    # First, so that every later pass sees numbers, views and deltas in one form.
    fold,
    # Before maps are fused: a product that a sum swallows must still stand alone.
    merge_contractions,
    # Before maps are fused: what the definition computes is still a map of its own.
    reuse_outputs,
    # When no derivative needs it any more, what was kept for it has one reader and can be fused.
    fuse,
    # Fusing has put factors together that a contraction can take.
    merge_contractions,
    # After all that could have met a scale which folding pulled out of a scatter.
    settle,
    # Last: what it writes is meant for the machine, and holds the maximum fixed.
    shift_logsumexp,
)

# For the gradient of one example, batched over all of them.
AFTER_BATCHING: tuple[Pass, ...] = (
    # First: the axis of the one example stands in every shape, and hides views from folding.
    drop_unit_axes,
    *AFTER_DERIVATION,
)


def run(
    form: Form, passes: Sequence[Pass], observer: Observer | None = None
) -> Form:
    """`form` after `passes`; `observer` is told each pass's name and what it made."""
    for each in passes:
        form = each(form)
        if observer is not None:
            observer(each.__name__, form)
    return form
