"""The graph of a computation: well-formed, escaped, linked, linear in the boxes, legible."""

from __future__ import annotations

import sys
from itertools import pairwise
from xml.etree import ElementTree

import pytest

import symgrad as sg
from symgrad import nn
from symgrad.drawing import extras
from symgrad.drawing.boxes import Box, Graph, folded, graph_of
from symgrad.drawing.graph import HALF_WIDTH, computation_graph, drawn
from symgrad.drawing.placing import placed
from symgrad.errors import UnsupportedError
from symgrad.model.model_file import load_model
from symgrad.report.naming import Naming
from tests.health.nets import deep, residual

F = nn.functional
SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = ["digits_mlp", "digits_cnn", "char_lstm", "tiny_transformer", "gaussian_process"]


def svg_of(model: sg.Model, **options: object) -> str:
    naming = Naming([model.loss], model.names)
    numbers = {node: i for i, node in enumerate(naming.lines, start=1)}
    return computation_graph({"": model.loss}, naming.names, numbers, title=model.name, **options)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_well_formed_and_told_in_words(name: str) -> None:
    model = load_model(f"examples/{name}.py")
    root = ElementTree.fromstring(svg_of(model))
    assert root.tag == f"{SVG}svg"
    assert root.attrib["aria-label"] == f"The graph of {name}"
    described = root.find(f"{SVG}desc").text
    assert "equations lead from" in described and "loss" in described
    assert "currentColor" in svg_of(model)


def test_boxes_hold_names_formulas_and_shapes() -> None:
    model = load_model("examples/digits_mlp.py")
    graph = graph_of({"": model.loss}, model.names)
    by_name = {box.name: box for box in graph.boxes}
    assert by_name["x"].kind == "input" and by_name["loss"].kind == "result"
    assert by_name["linear_0"].formula == "x @ 0.weight.T + 0.bias"
    assert by_name["linear_0"].parameters == ("0.weight", "0.bias")
    arrows = {(graph.boxes[a.tail].name, graph.boxes[a.head].name): a for a in graph.arrows}
    assert arrows["x", "linear_0"].shape == "[n, 64]"
    assert arrows["linear_0", "relu_1"].has_gradient
    assert not arrows["x", "linear_0"].has_gradient  # no gradient is asked for there


def test_ways_back_are_dashed_and_a_key_says_so() -> None:
    model = load_model("examples/digits_mlp.py")
    graph = graph_of({"": model.loss}, Naming([model.loss], model.names).names)
    root = ElementTree.fromstring(svg_of(model))
    dashed = [e for e in root.iter(f"{SVG}path") if e.get("stroke-dasharray")]
    assert len(dashed) == 1 + sum(arrow.has_gradient for arrow in graph.arrows)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"values", "gradients"} <= set(words)
    forward_only = svg_of(model, backward=False)
    assert "stroke-dasharray" not in forward_only and ">gradients<" not in forward_only
    assert "lead back" not in forward_only


def test_no_gradient_passes_what_is_held_fixed() -> None:
    w = sg.parameter("w", (3,))
    a = (w * 2).named("a")
    held = sg.stop_gradient(a).named("held")
    loss = sg.sum(held * w)
    graph = graph_of({"": loss}, {a: "a", held: "held"})
    assert [arrow.has_gradient for arrow in graph.arrows] == [False, False]


def test_boxes_link_to_their_equations() -> None:
    model = load_model("examples/digits_mlp.py")
    root = ElementTree.fromstring(svg_of(model))
    links = {a.attrib["href"] for a in root.iter(f"{SVG}a")}
    assert links and all(link.startswith("#eq-") for link in links)
    assert len(links) == len(root.findall(f".//{SVG}a"))


def test_user_text_is_escaped() -> None:
    nasty = "<script>alert('1')</script> & \"quoted\" ]]> <!--"
    box = Box(nasty, f"tanh({nasty})", "[n]", "tensor", "#eq-1", (nasty,))
    text = drawn(Graph((box,), ()), nasty)
    assert "<script" not in text and "<!--" not in text
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"].endswith(nasty)
    assert (
        nasty
        in next(g for g in root.iter(f"{SVG}g") if g.find(f"{SVG}title") is not None)
        .find(f"{SVG}title")
        .text
    )


def test_long_labels_are_shortened_and_kept_whole_in_a_title() -> None:
    box = Box("a_very_long_name_" * 5, "f(" + "x + " * 60 + "x)", "[n]", "tensor")
    root = ElementTree.fromstring(drawn(Graph((box,), ()), "long"))
    shown = [text.text for text in root.iter(f"{SVG}text")]
    assert all(len(text) <= 34 and "…" in text for text in shown)
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert any(box.name in text and box.formula in text for text in titles)


def test_a_hundred_layers_fold() -> None:
    model = deep(F.tanh, 100, 8)
    graph = graph_of({"": model.loss}, model.names)
    short = folded(graph)
    assert len(graph.boxes) > 100 > 20 > len(short.boxes)
    (fold,) = (box for box in short.boxes if box.kind == "folded")
    assert sum(box.members for box in short.boxes) == len(graph.boxes)
    assert fold.formula.partition(" to ")[2] and fold.name.endswith("more like this")
    assert "folded" in svg_of(model)


def test_residual_blocks_fold_with_their_skips() -> None:
    model = residual(F.relu, 40, 8, None)
    names = Naming([model.loss], model.names).names
    short = folded(graph_of({"": model.loss}, names))
    assert any(box.kind == "folded" for box in short.boxes)
    heads = {arrow.head for arrow in short.arrows}
    assert all(i in heads for i, box in enumerate(short.boxes) if box.kind != "input")


def test_nothing_folds_that_does_not_repeat() -> None:
    for name in EXAMPLES:
        model = load_model(f"examples/{name}.py")
        graph = graph_of({"": model.loss}, model.names)
        assert folded(graph) == graph


def test_size_is_linear_in_the_boxes() -> None:
    sizes = [len(svg_of(deep(F.tanh, depth, 8), fold=False)) for depth in (50, 100, 200)]
    assert sizes[2] - sizes[1] == pytest.approx(2 * (sizes[1] - sizes[0]), rel=0.1)
    assert sizes[2] < 200_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_boxes_of_a_row_do_not_overlap(name: str) -> None:
    model = load_model(f"examples/{name}.py")
    graph = graph_of({"": model.loss}, Naming([model.loss], model.names).names)
    places = placed(graph, [HALF_WIDTH] * len(graph.boxes))
    rows: dict[int, list[float]] = {}
    for x, row in zip(places.centres, places.rows, strict=True):
        rows.setdefault(row, []).append(x)
    for xs in rows.values():
        ordered = sorted(xs)
        assert all(b - a > 2 * HALF_WIDTH for a, b in pairwise(ordered))
    for arrow in graph.arrows:
        assert places.rows[arrow.tail] < places.rows[arrow.head]


def test_it_is_the_same_every_time() -> None:
    model = load_model("examples/tiny_transformer.py")
    assert svg_of(model) == svg_of(model)


def test_a_missing_library_is_said_once_and_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "igraph", None)
    with pytest.raises(UnsupportedError, match="igraph, which is not installed") as error:
        svg_of(load_model("examples/digits_mlp.py"))
    assert "symgrad[report]" in str(error.value)
    assert extras.library("json").__name__ == "json"
