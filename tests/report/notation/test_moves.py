"""What moves entries, in both forms: as a reader expects it, right at every size, and no more."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
import test_forms_are_right as forms
from catalogue import Case
from hypothesis import given, settings
from hypothesis import strategies as st
from moves_catalogue import MOVES, TOLD, sized
from notation_value import Reader

import symgrad as sg
from symgrad.expr.leaf import Input
from symgrad.expr.reindex import Embed, Reshape, Slice
from symgrad.report.notation import (
    equations_of,
    index_moves,
    index_reshape,
    latex,
    mathml,
    matrix_moves,
    symbol,
    text,
)  # fmt: skip
from symgrad.report.notation import formula as f
from symgrad.report.notation.remarks import SPAN, WHOLE_AXIS

SIZED = [each for case in MOVES for each in sized(case)]
NUMBERS = {sg.dim("n"): 3, sg.dim("m"): 2}


def _equations(case: Case) -> Any:
    leaves = case.leaves()
    root = case.build(*leaves)
    names = {x: f.Symbol(letter) for x, letter in zip(leaves, "ABC", strict=False)}
    return equations_of(root, {**names, root: symbol("Z")}.get)


@pytest.mark.parametrize("case", SIZED, ids=str)
def test_both_forms_are_right(case: Case) -> None:
    forms.test_a_case_of_the_catalogue(case)


@pytest.mark.parametrize(("case", "in_matrices", "with_indices"), TOLD, ids=[*map(str, MOVES)])
def test_the_forms_that_a_reader_expects(
    case: Case, in_matrices: str | None, with_indices: str | None
) -> None:
    found = _equations(case)
    assert (found.matrix and text(found.matrix.right)) == in_matrices
    if with_indices is not None:
        assert text(found.indices.right) == with_indices


def test_matrices_are_really_looked_at() -> None:
    counts = Counter(type(part) for case in SIZED if (found := _equations(case)).matrix
                     for part in f.parts_of(found.matrix))  # fmt: skip
    assert counts[f.Span] > 50 and counts[f.Blocks] > 50 and counts[f.Zeros] > 50


def test_zeros_and_spans_are_told() -> None:
    x = sg.input("x", (sg.dim("n"), 2))
    inside = Embed(x, [(0, sg.dim("n"), 1), (3, 7, 1)])
    found = equations_of(inside, {x: symbol("G"), inside: symbol("Z")}.get)
    assert found.remarks == ("the zeros beside G: 3 columns before it, 2 columns after it",)
    cut = Slice(x, [(0, sg.dim("n"), 1), (1, 1, 1)])
    found = equations_of(cut, {x: symbol("G"), cut: symbol("Z")}.get)
    assert found.remarks == (SPAN, WHOLE_AXIS)


def test_blocks_in_the_other_printers() -> None:
    a, b = f.Symbol("A"), f.Zeros(f.ONE, f.ONE)
    blocks = f.Blocks(((a, b), (b, a)))
    assert latex(blocks) == r"\begin{bmatrix}A & 0 \\ 0 & A\end{bmatrix}"
    assert text(blocks) == "[A, 0; 0, A]"
    assert mathml(blocks).count("<mtr>") == 2 and mathml(blocks).count("<mtd>") == 4
    wide = latex(f.Blocks(((a,) * 11,)))
    assert wide.startswith(r"\left[\begin{array}{ccccccccccc}")  # a matrix ends at ten columns
    span = f.Indexed(a, (f.Span(), f.Span(f.ONE, f.Symbol("d"), f.Number("2"))))
    assert latex(span) == "A_{{:}, 1{:}d{:}2}"
    assert text(span) == "A[:, 1:d:2]"


def _spoilt(name: str) -> tuple[Any, str, Any, str]:
    """A module with a mistake in it, and the case that must see it."""
    if name == "a start":
        right = matrix_moves._span
        return matrix_moves, "_span", lambda s, *rest: right(s + 1, *rest), "Slice-columns"
    if name == "a stop":
        right = matrix_moves._span
        return matrix_moves, "_span", lambda s, n, *r: right(s, n - 1, *r), "Slice-of_a_batch"
    if name == "an order":
        joined = matrix_moves._joined
        return matrix_moves, "_joined", lambda b, *r: joined(b[::-1], *r), "Concat-beside"
    if name == "a width":
        zeros = matrix_moves._zeros
        return matrix_moves, "_zeros", lambda n, a, x, c: zeros(n, a, x, c + 1), "Embed-columns"
    if name == "a factor":
        return index_reshape, "index_product", lambda factor, index: index, "Reshape-parted"
    if name == "a rest":
        divided = index_reshape.divided
        return (
            index_reshape, "divided", lambda *args: (divided(*args)[0], args[0]), "Reshape-merged"
        )  # fmt: skip
    start = index_moves.strided
    return index_moves, "strided", lambda s, step, i: start(s + 1, step, i), "Slice-columns"


MISTAKES = ["a start", "a stop", "an order", "a width", "a factor", "a rest", "an index"]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, wrong, label = _spoilt(name)
    case = next(case for case in MOVES if str(case) == label)
    forms.test_a_case_of_the_catalogue(case)
    monkeypatch.setattr(module, attribute, wrong)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        forms.test_a_case_of_the_catalogue(case)


FACTORS = st.lists(st.sampled_from([1, 2, 3, 4, "n", "m", "n + 1"]), min_size=1, max_size=5)


@st.composite
def _two_shapes(draw: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Two shapes with as many entries, from the same factors or, at times, others."""
    dims = {"n": sg.dim("n"), "m": sg.dim("m"), "n + 1": sg.dim("n") + 1}
    factors = [dims.get(each, each) for each in draw(FACTORS)]
    shapes = []
    for order in (factors, draw(st.one_of(st.just(factors), st.permutations(factors)))):
        cuts = [draw(st.booleans()) for _ in order[1:]]
        shape = [order[0]]
        for factor, is_cut in zip(order[1:], cuts, strict=True):
            shape[-1:] = [shape[-1], factor] if is_cut else [shape[-1] * factor]
        shapes.append(tuple(shape))
    return shapes[0], shapes[1]


@given(shapes=_two_shapes())
@settings(max_examples=150, deadline=None)
def test_any_reshape(shapes: tuple[tuple[Any, ...], tuple[Any, ...]]) -> None:
    x = Input("x", shapes[0])
    z = Reshape(x, shapes[1])
    found = equations_of(z, {x: symbol("X"), z: symbol("Z")}.get)
    before, after = (
        tuple(int(size.subs(NUMBERS)) for size in node.shape) for node in (x, z)
    )
    values = np.arange(np.prod(before, dtype=int)).reshape(before)
    names = {symbol("X"): values, **{symbol(n.name): size for n, size in NUMBERS.items()}}
    reader = Reader(names, found.ranges)
    left = found.indices.left
    letters = left.indices if isinstance(left, f.Indexed) else ()
    expected = values.reshape(after)
    for places in itertools.islice(itertools.product(*map(range, after)), 60):
        reader.names.update({i: p for i, p in zip(letters, places, strict=True) if i != f.ZERO})
        assert reader.value(found.indices.right) == expected[places], text(found.indices)
