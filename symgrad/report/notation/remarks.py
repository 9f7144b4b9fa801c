"""What must be said beside a formula in matrix notation for it to be unambiguous.

    b stands in every row        about the formula at hand: it is said each time
    softmax acts on each row     about the notation, a Convention: a page says it once
"""

from __future__ import annotations

from symgrad.report.notation import formula as m
from symgrad.report.notation.text import text


class Convention(str):
    """A remark on the notation itself, which holds wherever it is used."""


EVERYWHERE = Convention("a number stands for the same number in every entry")
BY_ROW = {
    "softmax": Convention("softmax acts on each row"),
    "logsumexp": Convention("logsumexp acts on each row"),
    "rowmax": Convention("rowmax takes the largest entry of each row"),
    "rowmin": Convention("rowmin takes the smallest entry of each row"),
    "rowargmax": Convention("rowargmax takes the place of the largest entry of each row"),
    "rowargmin": Convention("rowargmin takes the place of the smallest entry of each row"),
    "rowprod": Convention("rowprod multiplies the entries of each row"),
}
HELD = "stop"  # the function that stop_gradient is
IS_HELD = Convention("stop(x) is x, and is held fixed where it is differentiated")
SPAN = Convention("a:b stands for the entries from a to b - 1 of an axis")
STRIDE = Convention("::c takes every c-th entry, backwards where c is negative")
WHOLE_AXIS = Convention("a colon alone stands for all entries of an axis")


def remarks_of(formula: m.Math) -> dict[str, None]:
    """What `formula` leaves unsaid, by what stands in it."""
    found: dict[str, None] = {}
    spans: list[m.Span] = []
    for part in m.parts_of(formula):
        if isinstance(part, m.Repeated):
            found[f"{text(part.of)} stands in every {part.place}"] = None
        elif isinstance(part, m.Span):
            spans.append(part)
        elif isinstance(part, m.Apply) and part.function == HELD:
            found[IS_HELD] = None
        elif isinstance(part, m.OneHot):
            found[f"row i of {text(part)} is 1 at the label of row i, else 0"] = None
    if any(span.start or span.stop for span in spans):
        found[SPAN] = None
    if any(span.step for span in spans):
        found[STRIDE] = None
    if m.Span() in spans:
        found[WHOLE_AXIS] = None
    return found
