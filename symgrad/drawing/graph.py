"""The graph of a computation as SVG: equations as boxes, uses as arrows with the shape beside.

Forward arrows lead down, solid and in the page's own colour; gradients lead back up, dashed and in
a second one; a key says so. Boxes link to their equations (`#eq-3`). The drawing keeps its text
readable: where it is wider than the page, it is scrolled sideways (put it into an element with
`overflow-x: auto`), never shrunk below that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from symgrad.drawing.boxes import Arrow, Box, Graph, folded, graph_of
from symgrad.drawing.placing import Placed, placed
from symgrad.expr.node import Node

BACKWARD = "#bf551d"  # legible on white and on black; a page may set --backward
ON_PAGE = f"var(--backward, {BACKWARD})"
HALF_WIDTH = 126.0
LINE, PADDING = 17.0, 7.0
ROW_GAP = 44.0
MARGIN = 8.0
LONGEST_NAME, LONGEST_FORMULA, LONGEST_SHAPE = 28, 32, 18
SIDE = 4.0  # from the middle between two arrows of opposite directions to each
DASHES = "5 3"
KEY_HEIGHT, KEY_WIDTH = 30.0, 225.0
SMALLEST_SCALE = 0.85  # of the text, when the page is narrow

RETURNING = {"fill": "none", "stroke": BACKWARD, "style": f"stroke: {ON_PAGE}"}
Point = tuple[float, float]


def computation_graph(
    outputs: Mapping[str, Node],
    names: Mapping[Node, str],
    numbers: Mapping[Node, int] | None = None,
    *,
    title: str = "computation",
    backward: bool = True,
    fold: bool = True,
) -> str:
    """An `<svg>` element that draws how `outputs` are computed.

    `names`, `numbers`: as for `graph_of`. `title`: whose graph it is, for the alternative text.
    `backward`: also draws where gradients flow. `fold`: draws blocks that repeat once.

    Raises: UnsupportedError if igraph is not installed.
    """
    graph = graph_of(outputs, names, numbers)
    return drawn(folded(graph) if fold else graph, title, backward)


def drawn(graph: Graph, title: str, backward: bool = True) -> str:
    """The drawing of a graph as an `<svg>` element."""
    halves = [_half_width(box) for box in graph.boxes]
    places = placed(graph, halves)
    heights = [_height(box, backward) for box in graph.boxes]
    tops = _tops(places.rows, heights)
    width = places.width + 2 * MARGIN + (40 if graph.arrows else 0)
    height = max((tops[row] + h for row, h in zip(places.rows, heights, strict=True)), default=0)
    leads_back = backward and any(arrow.has_gradient for arrow in graph.arrows)
    svg = _canvas(width, height + MARGIN, title, graph, leads_back)
    if leads_back:
        _draw_key(svg)
    arrows = SubElement(svg, "g", {"fill": "none", "stroke": "currentColor"})
    returns = SubElement(svg, "g", RETURNING)
    shapes = SubElement(svg, "g", {"fill": "currentColor", "font-size": "11.5"})
    ends = _ends(graph, places, halves)
    told: set[int] = set()
    for arrow in sorted(graph.arrows, key=lambda arrow: (arrow.tail, ends[arrow][0])):
        points = _points(arrow, places, tops, heights, ends[arrow])
        is_double = backward and arrow.has_gradient
        shift = SIDE if is_double else 0.0
        _draw_arrow(arrows, [(x - shift, y) for x, y in points], shift)
        if is_double:
            _draw_arrow(returns, [(x + shift, y) for x, y in reversed(points)], -shift)
        if arrow.shape and arrow.tail not in told:  # the first use of a tensor tells its shape
            told.add(arrow.tail)
            _tell_shape(shapes, arrow.shape, points, shift + 6)
    for i, box in enumerate(graph.boxes):
        x, top = places.centres[i] + MARGIN, tops[places.rows[i]]
        _draw_box(svg, box, (x - halves[i], top, 2 * halves[i], heights[i]), backward)
    return ElementTree.tostring(svg, encoding="unicode")


def _half_width(box: Box) -> float:
    """Inputs are as wide as their names; all equations are equally wide."""
    if box.kind != "input":
        return HALF_WIDTH
    return min(HALF_WIDTH, 4.2 * len(box.name) + 18)


def _tell_shape(group: Element, shape: str, points: Sequence[Point], distance: float) -> None:
    """The shape beside the start of an arrow, on the side from which it turns away."""
    (x, y), (towards, _) = points[:2]
    turns_right = towards > x + 0.5
    label = SubElement(
        group,
        "text",
        {
            "x": _n(x - distance if turns_right else x + distance),
            "y": _n(y + 15),
            "text-anchor": "end" if turns_right else "start",
        },
    )
    label.text = _shortened(shape, LONGEST_SHAPE)
    if label.text != shape:
        SubElement(label, "title").text = shape


def _draw_key(svg: Element) -> None:
    """What the two kinds of arrows mean, above the drawing."""
    key = SubElement(svg, "g", {"font-size": "12", "fill": "currentColor"})
    y = 14.0 - KEY_HEIGHT
    forward = SubElement(key, "g", {"fill": "none", "stroke": "currentColor"})
    _draw_arrow(forward, [(MARGIN + 6, y - 9), (MARGIN + 6, y + 9)])
    back = SubElement(key, "g", RETURNING)
    _draw_arrow(back, [(MARGIN + 86, y + 9), (MARGIN + 86, y - 9)], -SIDE)
    SubElement(key, "text", {"x": _n(MARGIN + 16), "y": _n(y + 4)}).text = "values"
    SubElement(key, "text", {"x": _n(MARGIN + 96), "y": _n(y + 4)}).text = "gradients"


def _canvas(width: float, height: float, title: str, graph: Graph, leads_back: bool) -> Element:
    top = 0.0
    if leads_back:  # the key stands above
        top, width = KEY_HEIGHT, max(width, KEY_WIDTH)
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 {_n(-top)} {_n(width)} {_n(height + top)}",
            "width": "100%",
            "style": f"max-width: {_n(width)}px; min-width: {_n(width * SMALLEST_SCALE)}px; "
            "height: auto",
            "class": "graph",
            "role": "group",
            "aria-label": f"The graph of {title}",
            "font-family": "system-ui, sans-serif",
            "font-size": "13",
        },
    )
    SubElement(svg, "title").text = f"The graph of {title}"
    SubElement(svg, "desc").text = _described(graph, leads_back)
    return svg


def _described(graph: Graph, leads_back: bool) -> str:
    """The drawing in words, for those who do not see it."""
    inputs = [box.name for box in graph.boxes if box.kind == "input"]
    results = [box.name for box in graph.boxes if box.kind == "result"]
    count = sum(box.members for box in graph.boxes if box.kind != "input")
    told = f"{count} equations lead from {_listed(inputs)} to {_listed(results)}."
    for box in graph.boxes:
        if box.kind == "folded":
            told += f" {box.formula} are folded into one box."
    if leads_back:
        told += " Dashed arrows lead back: they carry the gradients."
    return told


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "nothing"


def _height(box: Box, backward: bool) -> float:
    lines = 1 + bool(box.formula) + bool(backward and box.parameters)
    return lines * LINE + 2 * PADDING


def _tops(rows: Sequence[int], heights: Sequence[float]) -> list[float]:
    """The y of each row's upper edge."""
    tallest = [0.0] * (max(rows, default=0) + 1)
    for row, height in zip(rows, heights, strict=True):
        tallest[row] = max(tallest[row], height)
    tops, y = [], MARGIN
    for height in tallest:
        tops.append(y)
        y += height + ROW_GAP
    return tops


def _ends(
    graph: Graph, places: Placed, halves: Sequence[float]
) -> dict[Arrow, tuple[float, float]]:
    """How far from the middle of its boxes each arrow leaves and arrives, so that none meet."""
    offsets: dict[Arrow, list[float]] = {arrow: [0.0, 0.0] for arrow in graph.arrows}
    for side, (box_of, next_to) in enumerate((("tail", 1), ("head", -2))):
        at: dict[int, list[Arrow]] = {}
        for arrow in graph.arrows:
            at.setdefault(getattr(arrow, box_of), []).append(arrow)
        for box, group in at.items():
            group.sort(key=lambda arrow: places.ways[arrow][next_to])
            # the first two leave room for the shape between them
            room = 64.0 if side else max(64.0, 6.3 * min(len(group[0].shape), LONGEST_SHAPE) + 20)
            step = min(room, 1.6 * halves[box] / max(len(group) - 1, 1))
            for k, arrow in enumerate(group):
                offsets[arrow][side] = (k - (len(group) - 1) / 2) * step
    return {arrow: (out, into) for arrow, (out, into) in offsets.items()}


def _points(
    arrow: Arrow,
    places: Placed,
    tops: Sequence[float],
    heights: Sequence[float],
    ends: tuple[float, float],
) -> list[Point]:
    """From the lower edge of one box to the upper edge of the other, around what lies between."""
    way = [x + MARGIN for x in places.ways[arrow]]
    row = places.rows[arrow.tail]
    points = [(way[0] + ends[0], tops[row] + heights[arrow.tail])]
    below = tops[row + 1] - ROW_GAP
    if below > points[0][1] + 1:  # straight down past taller boxes of the row
        points.append((points[0][0], below))
    for k, x in enumerate(way[1:-1], start=1):
        points += [(x, tops[row + k]), (x, tops[row + k + 1] - ROW_GAP)]
    points.append((way[-1] + ends[1], tops[row + len(way) - 1]))
    return points


def _draw_arrow(group: Element, points: Sequence[Point], lean: float = 0.0) -> None:
    """A smooth line through the points, with a head at the last.

    lean: how far to the left of the middle between two arrows it stands; one that stands to the
    right of it leads back, dashed. Where the line runs sideways, it keeps that far below or above.
    """
    path = f"M{_n(points[0][0])} {_n(points[0][1])}"
    for (x0, y0), (x1, y1) in pairwise(points):
        if abs(x0 - x1) < 0.5:
            path += f"L{_n(x1)} {_n(y1)}"
        else:
            middle = (y0 + y1) / 2 + (lean if (x1 > x0) == (y1 > y0) else -lean)
            path += f"C{_n(x0)} {_n(middle)} {_n(x1)} {_n(middle)} {_n(x1)} {_n(y1)}"
    x, y = points[-1]
    back = -5.0 if points[-2][1] < y else 5.0
    SubElement(group, "path", {"d": path} | ({"stroke-dasharray": DASHES} if lean < 0 else {}))
    head = f"M{_n(x - 3.5)} {_n(y + back)}L{_n(x)} {_n(y)}L{_n(x + 3.5)} {_n(y + back)}"
    SubElement(group, "path", {"d": head})


def _draw_box(
    svg: Element, box: Box, frame: tuple[float, float, float, float], backward: bool
) -> None:
    """A box in its frame: x, y, width, height."""
    left, top, width, height = frame
    centre = left + width / 2
    told = f"{box.name} = {box.formula}" if box.formula and box.kind != "folded" else box.name
    told = f"{told}   {box.shape}"
    owner = svg
    if box.link is not None:
        owner = SubElement(svg, "a", {"href": box.link, "aria-label": f"{told}, to its equation"})
    group = SubElement(owner, "g")
    SubElement(group, "title").text = told
    look = {
        "x": _n(left),
        "y": _n(top),
        "width": _n(width),
        "height": _n(height),
        "rx": _n(height / 2 if box.kind == "input" else 5),
        "fill": "currentColor",
        "fill-opacity": "0.12" if box.kind == "result" else "0.04",
        "stroke": "currentColor",
        "stroke-width": "1.6" if box.kind == "result" else "1",
    }
    if box.kind == "folded":
        look["stroke-dasharray"] = "5 4"
    SubElement(group, "rect", look)
    lines = [(_shortened(box.name, LONGEST_NAME), {"font-weight": "600", "fill": "currentColor"})]
    if box.formula:
        mono = {"font-size": "12", "fill": "currentColor"}
        lines.append((_shortened(box.formula, LONGEST_FORMULA), mono))
    if backward and box.parameters:
        gradients = ", ".join(f"∂{name}" for name in box.parameters)
        second = {"font-size": "12", "fill": BACKWARD, "style": f"fill: {ON_PAGE}"}
        lines.append((_shortened(gradients, LONGEST_FORMULA), second))
    for k, (line, how) in enumerate(lines):
        at = {"x": _n(centre), "y": _n(top + PADDING + LINE * (k + 0.75)), "text-anchor": "middle"}
        SubElement(group, "text", {**at, **how}).text = line


def _shortened(text: str, longest: int) -> str:
    """`text` without its middle, where it is too long."""
    if len(text) <= longest:
        return text
    front = (longest - 1) * 2 // 3
    return f"{text[:front]}…{text[front + 1 - longest :]}"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
