"""Cases of scans: lengths 0, 1 and more, both directions, several states, whole numbers, nesting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import symgrad as sg
from symgrad.expr.node import Node
from symgrad.expr.scan import Final, Scan, Stacked


def _recurrent(h: Node, x: Node, w: Node, u: Node) -> tuple[Node, Node]:
    def step(h: Node, x: Node) -> tuple[Node, Node]:
        h = sg.tanh(x @ w + h @ u)
        return h, h * 2

    return sg.scan(step, h, x)


def _backwards(h: Node, x: Node, w: Node) -> tuple[Node, Node]:
    return sg.scan(lambda h, x: (sg.sin(h @ w) + x, h * x), h, x, reverse=True)


def _swapped(a: Node, b: Node, x: Node) -> tuple[Any, Any]:
    """Two states that change places: the second reads what the first was."""
    return sg.scan(lambda s, x: ((s[1] * x, s[0] + sg.cos(x)), s[0] * s[1]), (a, b), x)


def _counting(h: Node, x: Node) -> tuple[Any, Any]:
    """A whole number among the states, and a state that is handed on as it is."""

    def step(s: dict[str, Node], x: Node) -> tuple[dict[str, Node], Node]:
        grown = s["h"] * sg.cos(x) + s["scale"] * s["k"]
        return {"h": grown, "k": s["k"] + 1, "scale": s["scale"]}, grown

    first = {"h": h, "k": sg.argmax(h), "scale": h * 2}
    return sg.scan(step, first, x)


def _free(h: Node) -> tuple[Any, Any]:
    return sg.scan(lambda h, _: (h + sg.sin(h) / 4, None), h, length=3)


def _nested(h: Node, x: Node, w: Node) -> tuple[Any, Any]:
    """For each row of x a scan over its entries, with the outer state read in the inner step."""

    def outer(h: Node, row: Node) -> tuple[Node, Node]:
        last, every = sg.scan(lambda g, entry: (sg.tanh(g * w + entry + h), g), h, row)
        return last, every[-1]

    return sg.scan(outer, h, x)


def cases(case: Callable[..., Any], n: Any, m: Any) -> Iterator[Any]:
    for label, length, batch in (("", 4, 2), ("_empty", 0, 2), ("_once", 1, 1), ("_none", 3, 0)):
        shapes = [(batch, 3), (length, batch, 2), (2, 3), (3, 3)]
        yield case(Final, f"recurrent{label}", shapes, lambda *x: _recurrent(*x)[0])
        yield case(Stacked, f"recurrent{label}", shapes, lambda *x: _recurrent(*x)[1])
    shapes = [(m, 3), (n, m, 3), (3, 3)]
    yield case(Final, "backwards", shapes, lambda *x: _backwards(*x)[0])
    yield case(Stacked, "backwards", shapes, lambda *x: _backwards(*x)[1])
    shapes = [(2,), (2,), (4, 2)]
    yield case(Final, "swapped", shapes, lambda *x: _swapped(*x)[0][0])
    yield case(Stacked, "swapped", shapes, lambda *x: _swapped(*x)[1])
    yield case(Scan, "both_results", shapes, lambda *x: _swapped(*x)[0][1] + _swapped(*x)[1][0])
    yield case(Final, "counting", [(2,), (3, 2)], lambda *x: _counting(*x)[0]["h"])
    yield case(Final, "handed_on", [(2,), (3, 2)], lambda *x: _counting(*x)[0]["scale"])
    yield case(Final, "without_sequences", [(2,)], lambda x: _free(x)[0])
    yield case(Final, "nested", [(2,), (2, 3, 2), (2,)], lambda *x: _nested(*x)[0])
    yield case(Stacked, "nested", [(2,), (2, 3, 2), (2,)], lambda *x: _nested(*x)[1])
