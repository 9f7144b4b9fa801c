"""Steps and equations in groups, one for each layer, so that a hundred layers can be folded.

A layer is known by the parameters that it reads: `0.weight` and `0.bias` belong to 0, `W2` to 2.
What reads none belongs to the layer before it in the forward pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from symgrad.expr.leaf import Named, Parameter
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.report.record.derivation import Group

Item = TypeVar("Item")

FEWEST = 24  # items up to which all stand in one group
OUTSIDE = "outside of the layers"


def grouped(
    items: Sequence[tuple[str, Item]], prefix: str
) -> tuple[Group, ...]:
    """`items` with their layers, as groups in their order; one group where there are few.

    What has no layer, "", goes with what is before it.
    """
    if not items:
        return ()
    if len(items) <= FEWEST or len({title for title, _ in items if title}) < 2:
        return (Group("", prefix, tuple(item for _, item in items)),)
    found: list[tuple[str, list[Item]]] = []
    for title, item in items:
        if not found or title not in ("", found[-1][0]):
            found.append((title, []))
        found[-1][1].append(item)
    return tuple(
        Group(title or OUTSIDE, f"{prefix}-group-{k}", tuple(parts))
        for k, (title, parts) in enumerate(found, 1)
    )


def layers_of(roots: Iterable[Node], owner: Callable[[Node], Node]) -> dict[Node, str]:
    """For each tensor the layer that it belongs to."""
    found: dict[Node, str] = {}
    place: dict[str, int] = {}
    for node in postorder(roots):
        if isinstance(node, Named):
            continue
        own = [x.name for x in node.operands if isinstance(x, Parameter)]
        below = [found[x] for x in node.operands if x in found]
        title = layer_of(own[0]) if own else max(below, key=lambda t: place.get(t, -1), default="")
        if title and title not in place:
            place[title] = len(place)
        found[node] = title
    for node in found:
        found[node] = found.get(owner(node), found[node])
    return found


def layer_of(parameter: str) -> str:
    """`layer 0` for `0.weight`, `layer 2` for `W2`, `encoder` for `encoder.weight`."""
    path, dot, _ = parameter.rpartition(".")
    if dot:
        return f"layer {path}" if path.isdecimal() else path
    number = re.search(r"(\d+)\Z", parameter)
    return f"layer {number[1]}" if number else ""
