"""Why each pass changes no value: what a page says where one rewrote a formula."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symgrad.report.record.equation import Reason, Rewriting

# pass -> a title, and why what it writes is equal
REASONS: dict[str, tuple[str, str]] = {
    "gather_first": (
        "Pick first, compute afterwards",
        "Entries are picked before they are computed: f(x)[y] = f(x[y]) for every map f, and what "
        "is not picked is never differentiated.",
    ),
    "stabilise_algebra": (
        "Solve instead of inverting",
        "A⁻¹ B is the X that solves A X = B, and log det A is read off a factorisation: the same "
        "values with less rounding.",
    ),
    "stabilise": (
        "Accurate over the whole range",
        "An identity of exponentials and logarithms, such as log Σ exp(z) = m + log Σ exp(z - m), "
        "or log(1/(1 + exp(-x))) = -log(1 + exp(-x)): equal for real numbers, and no longer "
        "overflowing or cancelling in floating point.",
    ),
    "join_branches": (
        "One selection",
        "A formula that a selection guards is written inside of it: where(x > 0, log x, 0). Values "
        "are the same, and its slope is never taken where the branch does not count.",
    ),
    "split_scans": (
        "Out of the loop",
        "What does not depend on the carried state is the same at every step or computed from the "
        "step's entry alone, so it is computed for all steps at once, outside of the loop.",
    ),
    "attach": (
        "Held tensors are tensors",
        "What was held fixed by stop_gradient has the value of what it holds; after the "
        "differentiation nothing tells them apart.",
    ),
    "drop_unit_axes": (
        "No axes of size 1",
        "An axis of size 1 holds every entry once, with or without it.",
    ),
    "fold": (
        "Arithmetic done once",
        "x·1 = x, x + 0 = x, products of constants are constants, a view of a view is a view, and "
        "a sum over a Kronecker delta is the entry that it picks.",
    ),
    "merge_contractions": (
        "Sums of products joined",
        "A sum of products of sums of products is one sum of products: sums may change places, and "
        "factors move out of sums that do not count them.",
    ),
    "convolve": (
        "Added windows are a convolution",
        "Adding up shifted products, or multiplying shifted windows and adding inside of the "
        "product, are the same sum in another order.",
    ),
    "reuse_outputs": (
        "Written with what is known",
        "The slope is written in terms of the value that the forward pass has computed, such as "
        "1 - tanh(x)² = 1 - y² with y = tanh(x), where that is cheaper and as accurate.",
    ),
    "fuse": (
        "Adjacent maps are one formula",
        "f(g(x)) entry by entry is one scalar formula, which is simplified as a whole.",
    ),
    "settle": (
        "Factors where they cost least",
        "A factor times zeros with a few other entries is the same as the factor times those "
        "entries, put between the zeros afterwards.",
    ),
    "shift_logsumexp": (
        "Relative to the maximum",
        "log Σ exp(z) = m + log Σ exp(z - m) for m = max(z): equal, and no exponential overflows.",
    ),
    "name_steps": ("Names in steps", "Tensors of a step get names; nothing else changes."),
}


# of what no pass of the module did: `symgrad.report.textbook`
BY_NAME = Reason(
    "read_instead",
    "By its name",
    "A part of the formula is what the definition calls so, and is written by that name.",
)


def reason(name: str) -> Reason:
    """What is said of the pass `name`."""
    return Reason(name, *REASONS[name])


def told_once(rewritings: Iterable[Rewriting], told: set[str]) -> tuple[Rewriting, ...]:
    """The same, each reason explained where it comes first; later its title says enough.

    `told`: names of passes that were explained before; it grows.
    """
    found = []
    for each in rewritings:
        new = {r.name for r in each.reasons} - told
        reasons = (r if r.name in new else replace(r, text="") for r in each.reasons)
        found.append(replace(each, reasons=tuple(reasons)))
        told |= new
    return tuple(found)
