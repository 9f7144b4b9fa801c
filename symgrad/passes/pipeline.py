"""The pipelines: which passes run, in which order, and why there.

A pass takes a form and gives one with the same values. Other results need another tuple, not a
flag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder
from symgrad.passes.algebra import stabilise_algebra
from symgrad.passes.attach import attach
from symgrad.passes.branches import join_branches
from symgrad.passes.contractions import merge_contractions
from symgrad.passes.convolve import convolve
from symgrad.passes.fission import split_scans
from symgrad.passes.fold import fold
from symgrad.passes.form import Form, Pass
from symgrad.passes.fuse import fuse
from symgrad.passes.gather import gather_first
from symgrad.passes.reuse import reuse_outputs
from symgrad.passes.settle import settle
from symgrad.passes.shift import shift_logsumexp
from symgrad.passes.squeeze import drop_unit_axes
from symgrad.passes.stabilise import stabilise
from symgrad.passes.steps import everywhere, name_steps

Observer = Callable[[str, Form], None]

BEFORE_DERIVATION: tuple[Pass, ...] = (
    # Entries are picked before they are computed, so that gradients flow to the picked ones only.
    gather_first,
    # Before anything is differentiated: the slope of an inverse or a determinant needs another.
    stabilise_algebra,
    # Before anything is differentiated: the derivative of a naive formula has lost what is needed.
    stabilise,
    # After stabilising, which looks for formulas as they are written; its own selections are whole.
    # Loops stay whole, too: a step is differentiated as it was written, and taken apart afterwards.
    join_branches,
)

ON_PAPER: tuple[Pass, ...] = (
    # First: what was held fixed is a tensor like any other from here on.
    attach,
    # Then, so that every later pass sees numbers, views and deltas in one form.
    fold,
    # Before maps are fused: a product that a sum swallows must still stand alone.
    merge_contractions,
    # When products are in their final order: what is added up of them is nobody else's.
    convolve,
    # Before maps are fused: what the definition computes is still a map of its own.
    reuse_outputs,
    # When no derivative needs it any more, what was kept for it has one reader and can be fused.
    fuse,
    # What a loop computes is in its final form: what is left of it can be told from what is not.
    split_scans,
    # Fusing has put factors together that a contraction can take, and a sum over the steps of a
    # scan has met the product that it sums.
    merge_contractions,
    # After all that could have met a scale which folding pulled out of a scatter.
    settle,
)

# After simplifying: what is left stands as it would on paper, these write it for the machine.
FOR_THE_MACHINE: tuple[Pass, ...] = (
    # After all that could have told it apart: what it writes holds the maximum fixed.
    shift_logsumexp,
    # When no tensor of a step will be put into another any more.
    name_steps,
)

AFTER_DERIVATION: tuple[Pass, ...] = (*ON_PAPER, *FOR_THE_MACHINE)

# For the gradient of one example, batched over all of them.
AFTER_BATCHING: tuple[Pass, ...] = (
    # First, as below: the next pass knows what is left.
    attach,
    # Before all others: the axis of the one example is in all shapes, and hides views from folding.
    drop_unit_axes,
    *AFTER_DERIVATION,
)


def run(
    form: Form, passes: Sequence[Pass], observer: Observer | None = None
) -> Form:
    """`form` after `passes`, in the steps of scans as well as around them.

    `observer` is told each pass's name and what it made.
    """
    # no pass makes a scan: whether there are steps to enter is asked once
    has_scans = any(isinstance(node, Scan) for node in postorder(form.outputs.values()))
    for each in passes:
        form = (everywhere(each) if has_scans else each)(form)
        if observer is not None:
            observer(each.__name__, form)
    return form
