"""What is cut, joined, embedded and reshaped, with the formulas that a reader expects.

Each entry: a label, the shapes, what is built, its matrix form (None: it has none) and its form
with indices (None: it is not compared).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy
from catalogue import Case, Operand

import symgrad as sg
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node
from symgrad.expr.reindex import Concat, Embed, Reshape, Slice

n, m = sg.dim("n"), sg.dim("m")
EVERY = (0, n, 1)
Entry = tuple[str, list[Any], Callable[..., Node], str | None, str | None]


def _cut(*box: Any) -> Callable[[Node], Node]:
    return lambda x: Slice(x, box)


def _put(*box: Any) -> Callable[[Node], Node]:
    return lambda x: Embed(x, box)


def _joined(axis: int) -> Callable[..., Node]:
    return lambda *parts: Concat(axis, *parts)


def _shape(*shape: Any) -> Callable[[Node], Node]:
    return lambda x: Reshape(x, shape)


SLICES: list[Entry] = [
    ("columns", [(n, 8)], _cut(EVERY, (2, 4, 1)), "A[:, 2:6]", "A[i, j + 2]"),
    ("first", [(n, 8)], _cut(EVERY, (0, 4, 1)), "A[:, 0:4]", "A[i, j]"),
    ("one_row", [(4, n)], _cut((2, 1, 1), EVERY), "A[2:3, :]", "A[2, i]"),
    ("one_column", [(n, 4)], _cut(EVERY, (3, 1, -2)), "A[:, 3:4]", "A[i, 3]"),
    ("of_one", [(1, n)], _cut((0, 1, 1), EVERY), "A", "A[0, i]"),
    ("symbolic", [(3 * n,)], _cut((n, n, 1)), "A[n:2 n]", "A[i + n]"),
    ("no_row", [(5, n)], _cut((2, 0, 1), EVERY), "A[2:2, :]", None),
    ("even", [(n, 5)], _cut(EVERY, (0, 3, 2)), "A[:, ::2]", "A[i, 2 j]"),
    ("strided", [(2 * n, 6)], _cut((1, n, 2), (1, 2, 2)), "A[1::2, 1:5:2]", None),
    ("flipped", [(n, 3)], _cut((n - 1, n, -1), (0, 3, 1)), "A[::-1, :]", "A[n - 1 - i, j]"),
    ("walked_back", [(7,)], _cut((5, 3, -2)), "A[5::-2]", "A[5 - 2 i]"),
    ("stops_before", [(7,)], _cut((5, 2, -2)), "A[5:1:-2]", None),
    ("unknown_stop", [(m + 5,)], _cut((m + 4, m, -2)), None, None),
    ("of_a_batch", [(2, n, 6)], _cut((0, 2, 1), EVERY, (3, 3, 1)), "A[b, :, 3:6]",
     "A[i, j, k + 3]"),
    ("of_some", [(5, n, 6)], _cut((1, 2, 2), EVERY, (3, 3, 1)), "A[2 b + 1, :, 3:6]", None),
    ("some", [(5, n, 6)], _cut((1, 4, 1), EVERY, (0, 6, 1)), "A[b + 1]", None),
    ("twice", [(n, 9)], lambda x: _cut(EVERY, (1, 3, 2))(_cut(EVERY, (2, 7, 1))(x)),
     "A[:, 3::2]", "A[i, 2 j + 3]"),
    ("of_a_product", [(3, n)], lambda x: _cut((1, 2, 1), (0, 3, 1))(x @ x.T), "(A Aᵀ)[1:3, :]",
     None),
    ("of_a_transpose", [(3, n)], lambda x: _cut(EVERY, (1, 2, 1))(x.T), "(Aᵀ)[:, 1:3]",
     "A[j + 1, i]"),
    ("of_a_vector", [(5, n)], lambda x: _cut((1, 2, 1))(sg.sum(x, axis=1)), "(A 𝟏)[1:3]", None),
    ("of_a_number", [(5,)], lambda x: _cut((0, 0, 1))(sg.sum(x, axis=0, keepdims=True)), None, None),
    ("of_truths", [(5,)], lambda x: sg.where(_cut((1, 3, 1))(x > 0), x[:3], 2),
     "{A[0:3] if (A > 0)[1:4]; 2 otherwise}", None),
    ("in_a_product", [(n, 4), (2, n)], lambda x, y: y @ _cut(EVERY, (1, 2, 1))(x), "B A[:, 1:3]",
     "Σ_k B[i, k] A[k, j + 1]"),
    ("row_in_a_product", [(4, 3), (3, n)], lambda x, y: _cut((1, 1, 1), (0, 3, 1))(x) @ y,
     "A[1:2, :] B", None),
    ("inside_a_map", [(n, 6)], lambda x: sg.tanh(_cut(EVERY, (3, 3, 1))(x)), "tanh(A[:, 3:6])",
     "tanh(A[i, j + 3])"),
]  # fmt: skip
CONCATS: list[Entry] = [
    ("beside", [(n, 2), (n, 3)], _joined(1), "[A, B]", "{A[i, j] if j < 2; B[i, j - 2] otherwise}"),
    ("above", [(n, 3), (m, 3)], _joined(0), "[A; B]", "{A[i, j] if i < n; B[i - n, j] otherwise}"),
    ("vectors", [(n,), (2,), (m,)], _joined(0), "[A; B; C]", None),
    ("one_entry", [(1,), (n,)], _joined(0), "[A; B]", None),
    ("one_row", [(1, n), (2, n)], _joined(0), "[A; B]", None),
    ("one_column", [(n, 1), (n, 2)], _joined(1), "[A, B]", None),
    ("none_of_it", [(0, 3), (n, 3)], _joined(0), "B", None),
    ("all_empty", [(n, 0), (n, 0)], _joined(1), "A", None),
    ("of_a_batch", [(2, n, 3), (2, n, 1)], _joined(2), "[A[b], B[b]]", None),
    ("batches", [(2, n, 3), (1, n, 3)], _joined(0), None, None),
    ("nested", [(n, 2), (n, 3), (n, 1)], lambda x, y, z: Concat(1, Concat(1, x, y), z),
     "[A, B, C]", None),
    ("grid", [(n, 2), (n, 3), (m, 5)], lambda x, y, z: Concat(0, Concat(1, x, y), z),
     "[[A, B]; C]", None),
    ("with_zeros", [(n, 2)], lambda x: Concat(1, Constant(0, (n, 3)), x), "[0, A]", None),
    ("with_numbers", [(n, 2)], lambda x: Concat(1, x, Constant(4, (n, 3))), "[A, 4 𝟏 𝟏ᵀ]", None),
    ("with_repeated", [(n, 2), (3,)], lambda x, v: Concat(1, x, sg.broadcast_to(v, (n, 3)) * 2),
     "[A[b]; 2 B]", None),
    ("in_a_product", [(n, 2), (n, 3), (5, 2)], lambda x, y, w: Concat(1, x, y) @ w, "[A, B] C",
     None),
    ("transposed", [(n, 2), (n, 3)], lambda x, y: Concat(1, x, y).T, "[A, B]ᵀ", None),
]  # fmt: skip
EMBEDS: list[Entry] = [
    ("columns", [(n, 2)], _put(EVERY, (3, 7, 1)), "[0, A, 0]", "[3 ≤ j] [j < 5] A[i, j - 3]"),
    ("first", [(n, 2)], _put(EVERY, (0, 7, 1)), "[A, 0]", None),
    ("rows", [(2, n)], _put((m, m + 2, 1), EVERY), "[0; A]", None),
    ("vector", [(n,)], _put((m, 3 * m + n, 1)), "[0; A; 0]", None),
    ("one_entry", [(1,)], _put((2, 4, -3)), "[0; A; 0]", None),
    ("one_row", [(1, n)], _put((0, 3, 1), EVERY), "[A; 0]", None),
    ("of_a_batch", [(2, n, 3)], _put((0, 2, 1), EVERY, (1, 5, 1)), "[0, A[b], 0]", None),
    ("into_a_batch", [(2, n, 3)], _put((1, 4, 1), EVERY, (0, 3, 1)), None, None),
    ("both_axes", [(2, n)], _put((1, 4, 1), (m, n + m, 1)), None, None),
    ("all_of_it", [(2, n)], _put((0, 2, 1), EVERY), "A", "A[i, j]"),
    ("empty", [(n, 0)], _put(EVERY, (1, 4, 1)), None, None),
    ("put_back", [(n, 6)], lambda x: _put(EVERY, (3, 6, 1))(sg.tanh(_cut(EVERY, (3, 3, 1))(x))),
     "[0, tanh(A[:, 3:6])]", "[3 ≤ j] tanh(A[i, j])"),
    ("put_back_symbolic", [(2 * n,)], lambda x: _put((n, 2 * n, 1))(_cut((n, n, 1))(x)),
     "[0; A[n:2 n]]", "[n ≤ i] A[i]"),
    ("in_a_product", [(n, 2), (n, 3)], lambda g, x: x.T @ _put(EVERY, (1, 4, 1))(g),
     "Bᵀ [0, A, 0]", None),
]  # fmt: skip
RESHAPES: list[Entry] = [
    ("merged", [(m, n, 4)], _shape(m * n, 4), None, "A[⌊i/n⌋, mod(i, n), j]"),
    ("parted", [(m * n, 4)], _shape(m, n, 4), None, "A[n i + j, k]"),
    ("ones_about", [(m, 1, n, 4)], _shape(1, m * n, 1, 4), None, "A[⌊i/n⌋, 0, mod(i, n), j]"),
    ("flat", [(n, 6)], _shape(6 * n), None, "A[⌊i/6⌋, mod(i, 6)]"),
    ("heads", [(2, n, 12)], _shape(2, n, 3, 4), None, "A[i, j, 4 k + l]"),
    ("heads_merged", [(2, n, 3, 4)], _shape(2, n, 12), None, "A[i, j, ⌊k/4⌋, mod(k, 4)]"),
    ("regrouped", [(2 * n, 3)], _shape(2, 3 * n), None, "A[n i + ⌊j/3⌋, mod(j, 3)]"),
    ("three", [(n, 2, 3, 4)], _shape(n, 24), None, "A[i, ⌊j/12⌋, mod(⌊j/4⌋, 3), mod(j, 4)]"),
    ("no_common_factor", [(6, 4)], _shape(8, 3), None, "A[⌊(3 i + j)/4⌋, mod(3 i + j, 4)]"),
    ("sums", [((n + 1) * m, 2)], _shape(n + 1, 2 * m), None, "A[m i + ⌊j/2⌋, mod(j, 2)]"),
    ("one_side_of_two", [(2, n + 1)], _shape(2 * n + 2), None, "A[⌊i/(1 + n)⌋, mod(i, 1 + n)]"),
    ("there_and_back", [(m * n, 4)], lambda x: _shape(m * n, 4)(sg.tanh(_shape(m, n, 4)(x))), None,
     "tanh(A[i, j])"),
    ("back_and_there", [(m, n, 4)], lambda x: _shape(m, n, 4)(sg.tanh(_shape(m * n, 4)(x))), None,
     "tanh(A[i, j, k])"),
    ("numbers_in_range", [(n, 5, 6)], lambda x: _shape(n, 5, 6)(sg.tanh(_shape(n, 30)(x))), None,
     "tanh(A[i, j, k])"),
    ("two_moves", [(m, n, 4)], lambda x: _shape(m, 4 * n)(_shape(m * n, 4)(x)), None,
     "A[i, ⌊j/4⌋, mod(j, 4)]"),
    ("no_entry", [(0, n, 4)], _shape(0, 5), None, "A[0, 0, 0]"),
    ("a_number", [(1, 1)], _shape(), "A", "A[0, 0]"),
    ("of_a_slice", [(n, 8)], lambda x: _shape(n, 2, 2)(_cut(EVERY, (4, 4, 1))(x)), None,
     "A[i, 2 j + k + 4]"),
    ("of_joined", [(n, 2, 3), (n, 1, 3)], lambda x, y: _shape(3 * n, 3)(Concat(1, x, y)), None, None),
]  # fmt: skip


def _case(kind: type[Node], entry: Entry) -> Case:
    label, shapes, build, *_ = entry
    return Case(kind, label, tuple(map(Operand, shapes)), build)


LISTS: dict[type[Node], list[Entry]] = {
    Slice: SLICES, Concat: CONCATS, Embed: EMBEDS, Reshape: RESHAPES,
}  # fmt: skip
TOLD = [
    (_case(kind, entry), entry[3], entry[4]) for kind, entries in LISTS.items() for entry in entries
]
MOVES = [case for case, _, _ in TOLD]


def sized(case: Case) -> list[Case]:
    """The case at its sizes, and at sizes of 0 and 1 where it has symbols."""
    symbols = [sympy.sympify(s).free_symbols for o in case.operands for s in o.shape]
    more = [{"n": 0, "m": 2}, {"n": 1, "m": 2}, {"n": 1, "m": 1}, {"n": 4, "m": 1}]
    named = [replace(case, label=f"{case.label}-n{s['n']}m{s['m']}", sizes=s) for s in more]
    return [case, *(named if any(symbols) else [])]
