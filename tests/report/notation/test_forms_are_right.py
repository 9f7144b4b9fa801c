"""Both forms of an equation say what the tensor is, for every case of the catalogue.

The form with indices is read entry by entry, the form in matrices with NumPy's matrices, and each
must give what the interpreter of expressions gives: once with every operand written out, once for
every tensor of the graph in terms of its neighbours.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from catalogue import CASES, Case, Operand
from notation_value import Reader, Stretched
from numpy_evaluator import Run, _evaluated, evaluate, infer_sizes

import symgrad as sg
from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.leaf import Leaf, Named
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder
from symgrad.report.notation import Equations, equations_of, index_form, pieces, symbol, text
from symgrad.report.notation import formula as m
from symgrad.report.notation.remarks import EVERYWHERE

WHOLE = m.Symbol("Z")


def _more() -> Iterator[Case]:
    """What the catalogue of nodes does not ask for: products of heads, several batches, choices."""
    heads = [Operand((2, 3, 2, 4)), Operand((2, 3, 2, 4))]
    for label, operands, output, indices in [
        ("heads", heads, "bhij", ["bihd", "bjhd"]),
        ("batch_of_numbers", [Operand((3, 2)), Operand((3, 2))], "b", ["bi", "bi"]),
        ("weights_of_a_batch", [Operand((2, 3, 4)), Operand((2, 3, 2))], "ij", ["bni", "bnj"]),
        ("scaled_rows", [Operand((3,)), Operand((3, 2)), Operand((3, 4))], "ij", ["n", "ni", "nj"]),
        ("cycle", [Operand((2, 3)), Operand((3, 4)), Operand((4, 2))], "", ["ij", "jk", "ki"]),
        ("norm", [Operand((2, 3))], "", ["ij"]),
        ("row", [Operand((1, 3)), Operand((3, 2))], "ai", ["aj", "ji"]),
        ("column_and_row", [Operand((3, 1)), Operand((1, 2))], "ij", ["ia", "aj"]),
    ]:
        twice = 2 if label == "norm" else 1
        yield Case(Contraction, label, tuple(operands), lambda *xs, o=output, i=indices, t=twice: (
            contract(o, list(zip(xs, i, strict=True)) * t, "2/3")
        ))  # fmt: skip
    square, row = Operand((3, 4)), Operand((4,))
    yield Case(Map, "choice", (square,), lambda x: sg.where(x > 0, x, x / 3))
    yield Case(Map, "softmax", (square,), lambda x: sg.softmax(x, axis=1) * 2)
    yield Case(Map, "softmax_of_columns", (square,), lambda x: sg.softmax(x, axis=0))
    yield Case(Map, "softmax_of_a_batch", (Operand((2, 3, 4)),), lambda x: sg.softmax(x, axis=2))
    yield Case(Map, "log_softmax", (square,), lambda x: sg.log_softmax(x, axis=1))
    yield Case(Map, "normalised", (square,), lambda x: (x - sg.mean(x, axis=0)) / sg.std(x, axis=0))
    yield Case(Map, "rows_and_columns", (square, row), lambda x, v: x * v - sg.max(v) + v)
    yield Case(Map, "sigmoid", (square,), lambda x: sg.sigmoid(x) * sg.sigmoid(-x))


@pytest.mark.parametrize("case", [*CASES, *_more()], ids=str)
def test_a_case_of_the_catalogue(case: Case) -> None:
    rng = np.random.default_rng(zlib.crc32(str(case).encode()))
    leaves = case.leaves()
    root = case.build(*leaves)
    values = [_counting(v, o) for v, o in zip(case.values(rng), case.operands, strict=True)]
    given = dict(zip(leaves, values, strict=True))
    order = [node for node in postorder([root]) if not isinstance(node, Scan)]
    arrays = dict(zip(order, evaluate(order, given, case.sizes), strict=True))
    sizes = infer_sizes([(leaf, arrays[leaf]) for leaf in leaves if leaf in arrays], case.sizes)
    scans = _scans_below([root])
    count = itertools.count()
    names = {leaf: symbol(leaf.name) for leaf in arrays if isinstance(leaf, Named)}
    names |= {state: name for scan in scans for state, name in _named_states(scan, count)}
    states = {
        names[state]: rows
        for scan in scans
        for state, rows in _states(scan, evaluate([scan], given, case.sizes)[0], sizes).items()
    }
    _check({**names, root: WHOLE}, root, arrays, sizes, states)
    names |= {
        node: names.get(node, m.Symbol("T", (str(k),)))
        for k, node in enumerate(order)
        if not isinstance(node, Leaf)
    }
    for node in order:
        if not isinstance(node, Leaf):
            _check(names, node, arrays, sizes, states)


def _counting(array: Any, operand: Any) -> Any:
    """Indices that count from the end would be read as places that do not exist."""
    return array % 4 if operand.dtype == "int" and operand.low < 0 else array


def _scans_below(roots: Any) -> list[Scan]:
    return [node for node in postorder(roots) if isinstance(node, Scan)]


def _named_states(scan: Scan, count: Iterator[int]) -> Iterator[tuple[Node, m.Math]]:
    """A name for each carried state, of scans inside steps too."""
    for state in scan.step.carried:
        yield state, m.Symbol("s", (str(next(count)),))
    for inner in _scans_below(scan.step.following):
        yield from _named_states(inner, count)


def _states(scan: Scan, run: Run, sizes: Any) -> dict[Node, Any]:
    """What the carried states are after each step, the first state where step -1 or T is read.

    Those of a scan in the step have one more axis in front, for the step that they belong to.
    """
    found: dict[Node, Any] = {}
    for k, state in enumerate(scan.step.carried):
        before = [step[state] for step in run.steps]
        rows = [run.state[k], *before] if scan.is_reversed else [*before[1:], run.state[k]]
        if not scan.is_reversed and before:
            rows.append(before[0])
        found[state] = np.array(rows)
    for inner in _scans_below(scan.step.following):
        each = [
            _states(inner, _evaluated([inner], given, sizes, np.float64)[0], sizes)
            for given in run.steps
        ]
        found |= {state: np.array([one[state] for one in each]) for state in (each or [{}])[0]}
    return found


def _check(
    names: Mapping[Node, m.Math],
    node: Node,
    arrays: Mapping[Node, Any],
    sizes: Mapping[str, int],
    states: Mapping[m.Math, Any],
) -> None:
    known = {name: arrays[n] for n, name in names.items() if n in arrays and n is not node}
    known |= {symbol(name): value for name, value in sizes.items()} | dict(states)
    found = equations_of(node, names.get)
    expected = np.asarray(arrays[node], dtype=float)
    with np.errstate(all="ignore"):
        _check_indices(found, known, expected)
        if found.matrix is not None:
            _check_matrix(found, known, expected)


def _check_indices(found: Equations, known: Any, expected: Any) -> None:
    left = found.indices.left
    letters = left.indices if isinstance(left, m.Indexed) else ()
    assert len(letters) == expected.ndim
    reader = Reader(known, found.ranges)
    for places in itertools.product(*(range(n) for n in expected.shape)):
        counting = {i: p for i, p in zip(letters, places, strict=True) if i != m.ZERO}
        reader.names.update(counting)
        value = np.asarray(reader.value(found.indices.right), dtype=float).reshape(())
        np.testing.assert_allclose(
            value, expected[places], rtol=1e-9, atol=1e-9, err_msg=text(found.indices)
        )


def _check_matrix(found: Equations, known: Any, expected: Any) -> None:
    left = found.matrix.left
    letters = left.indices if isinstance(left, m.Indexed) else ()
    reader = Reader(known, found.batch)
    for places in itertools.product(*(range(n) for n in expected.shape[: len(letters)])):
        reader.names.update({i: p for i, p in zip(letters, places, strict=True) if i != m.ZERO})
        read = reader.value(found.matrix.right)
        value = np.asarray(read, dtype=float)
        here = expected[places]
        wanted = here.reshape(-1, 1) if here.ndim == 1 else here
        is_told = isinstance(read, Stretched) or EVERYWHERE in found.remarks
        if here.size == 1:
            value = value.reshape(wanted.shape)
        elif is_told or found.matrix.right == m.ZERO:
            value = np.broadcast_to(value, wanted.shape)
        assert value.shape == wanted.shape, (text(found.matrix), value.shape, wanted.shape)
        np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-9, err_msg=text(found.matrix))


def test_a_form_that_is_wrong_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index in the wrong place, a transpose forgotten: each fails."""
    product = next(case for case in CASES if str(case) == "Contraction-matrix_product")
    one = next(case for case in CASES if str(case) == "Contraction-one_operand_twice")
    monkeypatch.setattr(pieces.Piece, "turned", property(lambda piece: piece))
    with pytest.raises((AssertionError, ValueError)):
        test_a_case_of_the_catalogue(one)
    monkeypatch.undo()
    monkeypatch.setattr(index_form, "scaled", lambda scale, body: body)
    with pytest.raises(AssertionError):
        test_a_case_of_the_catalogue(product)
