"""The graph of a computation as data: a box for each named tensor, an arrow for each use.

Parameters and numbers stand in the boxes' formulas and have no boxes of their own. Blocks that
repeat many times over, as the layers of a deep net do, are folded into one box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from symgrad.expr.detached import Detached
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import right_side
from symgrad.expr.leaf import Input, Named, Parameter
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder

Kind = Literal["input", "tensor", "result", "folded"]

LONGEST_BLOCK = 16  # boxes in a block that repeats
FEWEST_REPEATS = 5  # with fewer, nothing is folded
LOOP = "the loop"  # a scan has no shape, and no name of the user's
SHOWN_REPEATS = 2  # before the fold; one more comes after it


@dataclass(frozen=True)
class Box:
    """One tensor. formula: what it is computed as, or "" for an input. link: "#eq-3", or None.

    parameters: whose gradients arise here. members: how many tensors are folded into it.
    """

    name: str
    formula: str
    shape: str
    kind: Kind
    link: str | None = None
    parameters: tuple[str, ...] = ()
    members: int = 1


@dataclass(frozen=True)
class Arrow:
    """A use of `tail` in `head` (positions of boxes). has_gradient: whether one comes back."""

    tail: int
    head: int
    shape: str
    has_gradient: bool


@dataclass(frozen=True)
class Graph:
    """Boxes, each after those that it is computed from, and arrows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def graph_of(
    outputs: Mapping[str, Node],
    names: Mapping[Node, str],
    numbers: Mapping[Node, int] | None = None,
) -> Graph:
    """The graph of `outputs`.

    `names`: of tensors that have a box; all others stand inside the formulas that use them.
    `numbers`: of equations, for links to "#eq-N". An output without a name is called by its key,
    the loss by "loss".
    """
    numbers = numbers or {}
    called = {node: key or "loss" for key, node in outputs.items()} | dict(names)
    order = postorder(outputs.values())
    called |= {node: node.name for node in order if isinstance(node, Named)}
    results = set(outputs.values())
    position: dict[Node, int] = {}
    reached: dict[Node, dict[Node, None]] = {}  # named tensors that a tensor's formula mentions
    trained: set[Node] = set()
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    for node in order:
        is_fed = any(operand in trained for operand in node.operands)
        if isinstance(node, Parameter) or (is_fed and not isinstance(node, Detached)):
            trained.add(node)
        below: dict[Node, None] = {}
        for operand in node.operands:
            below |= {operand: None} if operand in called else reached[operand]
        reached[node] = below
        if node not in called or (isinstance(node, Named) and not isinstance(node, Input)):
            continue
        position[node] = len(boxes)
        is_input = isinstance(node, Input)
        kind: Kind = "input" if is_input else "result" if node in results else "tensor"
        is_loop = isinstance(node, Scan)
        boxes.append(
            Box(
                LOOP if is_loop else called[node],
                "" if is_input else right_side(node, called.get),
                "" if is_loop else shape_text(node.shape),
                kind,
                f"#eq-{numbers[node]}" if node in numbers else None,
                tuple(called[p] for p in below if isinstance(p, Parameter)),
            )
        )
        arrows += [
            Arrow(position[tail], position[node], boxes[position[tail]].shape,
                  {tail, node} <= trained)
            for tail in below
            if tail in position
        ]
    return Graph(tuple(boxes), tuple(arrows))


def folded(graph: Graph) -> Graph:
    """The graph with blocks that repeat folded: the first ones and the last one stay."""
    place: list[int] = []  # box -> its box in the folded graph
    boxes: list[Box] = []
    runs = _runs(_signatures(graph))
    at = 0
    while at < len(graph.boxes):
        length, repeats = runs.get(at, (0, 0))
        if not repeats:
            place.append(len(boxes))
            boxes.append(graph.boxes[at])
            at += 1
            continue
        first, last = at + SHOWN_REPEATS * length, at + (repeats - 1) * length
        for i in range(at, at + repeats * length):
            if i <= first or i >= last:
                boxes.append(graph.boxes[i])
            place.append(len(boxes) - 1)
        fold = place[first]
        count = repeats - SHOWN_REPEATS - 1
        inner = graph.boxes[first:last]
        boxes[fold] = Box(
            f"{count} more like this",
            f"{inner[0].name} to {inner[-1].name}",
            inner[-1].shape,
            "folded",
            inner[0].link,
            (),
            len(inner),
        )
        at += repeats * length
    kept: dict[tuple[int, int], Arrow] = {}
    for arrow in graph.arrows:
        tail, head = place[arrow.tail], place[arrow.head]
        if tail != head:
            kept.setdefault((tail, head), replace(arrow, tail=tail, head=head))
    return Graph(tuple(boxes), tuple(kept.values()))


def _signatures(graph: Graph) -> list[tuple[object, ...]]:
    """What a box is but for names: shape, how far back its operands are, and what it does."""
    operands: dict[int, list[int]] = {}
    for arrow in graph.arrows:
        operands.setdefault(arrow.head, []).append(arrow.tail)
    signatures: list[tuple[object, ...]] = []
    for i, box in enumerate(graph.boxes):
        text = box.formula
        used = [*(graph.boxes[k].name for k in operands.get(i, ())), *box.parameters]
        for name in sorted(used, key=len, reverse=True):
            text = text.replace(name, "·")
        distances = tuple(i - k for k in operands.get(i, ()))
        signatures.append((box.kind, box.shape, text, distances))
    return signatures


def _runs(signatures: Sequence[tuple[object, ...]]) -> dict[int, tuple[int, int]]:
    """Where blocks repeat often enough: start -> (length of the block, repeats)."""
    runs: dict[int, tuple[int, int]] = {}
    at = 0
    while at < len(signatures):
        best = (0, 0)
        for length in range(1, LONGEST_BLOCK + 1):
            repeats = 1
            while signatures[at + repeats * length : at + (repeats + 1) * length] == signatures[
                at : at + length
            ] and at + (repeats + 1) * length <= len(signatures):
                repeats += 1
            if repeats >= FEWEST_REPEATS and repeats * length > best[0] * best[1]:
                best = (length, repeats)
        if best[1]:
            runs[at] = best
        at += max(best[0] * best[1], 1)
    return runs
