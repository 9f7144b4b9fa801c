"""The plot of gradient health: predicted and measured gradients through the depth of a net.

matplotlib draws it. The result is SVG for a page: text is text, the background is transparent,
axes take the page's colour (`currentColor`), so that it reads in light and in dark.
"""

from __future__ import annotations

import io
import math
import re
from typing import Any
from xml.etree import ElementTree

from symgrad.drawing.extras import library
from symgrad.health.record import LIMIT, Comparison, Health

INK = "#010203"  # stands for the page's own colour until the text is written
PREDICTED, MEASURED = "#3d8bd4", "#e0752d"  # both are legible on white and on black
NAMED_LAYERS = 12  # with more, the axis counts
SVG = "http://www.w3.org/2000/svg"


def gradient_norms(found: Health, comparison: Comparison | None = None) -> str:
    """An `<svg>` element: the root mean square of the gradient at each layer over that at the last.

    Raises: UnsupportedError if matplotlib is not installed.
    """
    matplotlib = library("matplotlib")
    figure_class = library("matplotlib.figure").Figure
    layers = list(range(1, len(found.layers) + 1))
    predicted = [_shown(layer.gradient_norm) for layer in found.layers]
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"{found.model} {len(layers)}",
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": INK,
        **{f"{part}.color": INK for part in ("xtick", "ytick")},
        **{f"axes.{part}": INK for part in ("edgecolor", "labelcolor")},
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(style):
        figure = figure_class(figsize=(5.2, 3.3), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        if comparison is not None:
            _draw_measured(axes, layers, comparison)
        axes.plot(layers, predicted, ".-", color=PREDICTED, linewidth=1.6, markersize=4,
                  label="predicted", zorder=3)  # fmt: skip
        axes.axhline(1, color=INK, linewidth=0.6, alpha=0.5)
        _span_decades(axes)
        _mark_limits(axes)
        axes.set_ylabel("gradient (RMS), last layer = 1")
        if len(layers) <= NAMED_LAYERS:
            axes.set_xticks(layers, [_short(x.name) for x in found.layers], rotation=30, ha="right")
        else:
            axes.set_xlabel("layer, from the input to the loss")
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _for_a_page(text.getvalue(), found)


def _draw_measured(axes: Any, layers: list[int], comparison: Comparison) -> None:
    """A dot for the mean of the draws, a line from the lowest to the highest."""
    rows = comparison.rows
    measured = [_shown(row.measured_gradient) for row in rows]
    lows = [m - row.lowest_gradient for m, row in zip(measured, rows, strict=True)]
    highs = [row.highest_gradient - m for m, row in zip(measured, rows, strict=True)]
    spread = [[x if x > 0 else 0.0 for x in ends] for ends in (lows, highs)]
    axes.errorbar(layers, measured, spread, fmt="o", color=MEASURED, markersize=4.5,
                  elinewidth=1, label=f"measured, {len(comparison.seeds)} draws")  # fmt: skip


def _span_decades(axes: Any) -> None:
    """Whole powers of ten at both ends, so that every axis has two of them to read."""
    low, high = (math.log10(x) for x in axes.get_ylim())
    axes.set_ylim(10 ** math.floor(low), 10 ** (math.ceil(high) if high > 0.2 else 0.2))


def _mark_limits(axes: Any) -> None:
    low, high = axes.get_ylim()
    for limit, word in ((LIMIT, "vanishing"), (1 / LIMIT, "exploding")):
        if low <= limit <= high:
            axes.axhline(limit, color=INK, linewidth=0.8, linestyle="--", alpha=0.7)
            axes.annotate(word, (1, limit), xycoords=("axes fraction", "data"), xytext=(0, 3),
                          textcoords="offset points", ha="right", fontsize=9)  # fmt: skip


def _shown(value: float | None) -> float:
    """A positive number for a logarithmic axis, or nan, which leaves a gap."""
    return value if value is not None and value > 0 else math.nan


def _short(name: str) -> str:
    # matplotlib reads $...$ as mathematics
    name = name if len(name) <= 14 else f"{name[:6]}…{name[-7:]}"
    return name.replace("$", r"\$")


def _for_a_page(text: str, found: Health) -> str:
    """The drawing as one `<svg>` element with an alternative text, as wide as its column."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(text)
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    width = float(root.attrib["viewBox"].split()[2])
    root.attrib.update(
        {"width": "100%", "role": "img", "class": "plot",
         "style": f"max-width: {width * 4 / 3:.0f}px; height: auto",
         "aria-label": f"Gradient norms through the layers of {found.model}. {found.summary()}"}
    )  # fmt: skip
    root.attrib.pop("height", None)
    title = ElementTree.Element(f"{{{SVG}}}title")
    title.text = f"Gradient norms through the layers of {found.model}"
    root.insert(0, title)
    _own_names(root, f"health-{re.sub('[^a-zA-Z0-9]', '-', found.model)}-")
    return ElementTree.tostring(root, encoding="unicode").replace(INK, "currentColor")


def _own_names(root: ElementTree.Element, prefix: str) -> None:
    """Ids that nothing else on the page has; those that nothing refers to go."""
    text = ElementTree.tostring(root, encoding="unicode")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in used:
            element.attrib["id"] = prefix + str(name)
        for key, value in element.attrib.items():
            if key.endswith("href") and value.startswith("#"):
                element.attrib[key] = f"#{prefix}{value[1:]}"
            elif "url(#" in value:
                element.attrib[key] = value.replace("url(#", f"url(#{prefix}")
