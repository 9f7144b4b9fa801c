"""Products of matrices found from their indices, transposes placed as a mathematician would.

sum_k X[k,i] G[k,j]     ->   X^T G            sum_j G[i,j]          ->   G 1
sum_k A[i,k] v[k]       ->   A v              u[i] v[j]             ->   u v^T
sum_ij A[i,j] B[i,j]    ->   <A, B>           sum_ij A[i,j] B[j,i]  ->   tr(A B)
sum_i (u * v)[i]        ->   u^T v            sum_ij (A**2)[i,j]    ->   |A|^2
u[i] A[i,j]             ->   diag(u) A        sum_i u[i] A[i,j] B[i,k]  ->   A^T diag(u) B
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.report.notation import formula as m
from symgrad.report.notation.build import chain, product, transposed


class NoMatrices(Exception):
    """Something in an equation has no form as matrices."""


@dataclass(frozen=True)
class Piece:
    """A matrix with the index of its rows and of its columns, None where there is only one.

    A vector is a column, a number has neither.
    """

    math: m.Math
    rows: int | None = None
    columns: int | None = None

    @property
    def turned(self) -> Piece:
        """Its transpose."""
        return Piece(transposed(self.math), self.columns, self.rows)

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(i for i in (self.rows, self.columns) if i is not None)

    @property
    def column(self) -> m.Math:
        """A vector, standing."""
        return transposed(self.math) if self.rows is None else self.math

    def reading(self, rows: int | None) -> Piece:
        """It or its transpose, so that its rows are counted by `rows`."""
        return self if self.rows == rows else self.turned


Pair = tuple[int | None, int | None]


def joined(pieces: list[Piece], wanted: Pair, sizes: Mapping[int, m.Math]) -> m.Math:
    """The product of `pieces` with the rows and columns `wanted`, all other indices summed over.

    Raises: NoMatrices if it is none of matrices.
    """
    numbers = [p.math for p in pieces if not p.indices]
    rest = [p for p in pieces if p.indices]
    kept = {i for i in wanted if i is not None}
    while True:
        merged = _merged(rest, kept, sizes)
        if merged is None:
            break
        rest = merged
        numbers += [p.math for p in rest if not p.indices]
        rest = [p for p in rest if p.indices]
    return product(*numbers, _assembled(rest, wanted, sizes))


def _merged(pieces: list[Piece], kept: set[int], sizes: Mapping[int, m.Math]) -> list[Piece] | None:
    """The pieces after one simplification, the plainest that there is; None if there is none."""
    uses: dict[int, int] = {}
    for piece in pieces:
        for index in piece.indices:
            uses[index] = uses.get(index, 0) + 1
    final = {i for i, count in uses.items() if count == 2 and i not in kept}
    for k, piece in enumerate(pieces):
        if piece.rows is not None and piece.rows == piece.columns:
            is_number = piece.rows in final
            inner = m.Apply("tr" if is_number else "diag", (piece.math,))
            return _with(pieces, (k,), Piece(inner, None if is_number else piece.rows))
    for k, j in _pairs(pieces):
        if set(pieces[k].indices) == set(pieces[j].indices):
            return _with(pieces, (k, j), _same_indices(pieces[k], pieces[j], final))
    for k, piece in enumerate(pieces):
        halves = _halves(piece.math)
        if halves and all(uses[index] == 1 and index not in kept for index in piece.indices):
            return _with(pieces, (k,), _summed_whole(piece, *halves))
        for index in reversed(piece.indices):
            if uses[index] == 1 and index not in kept:
                return _with(pieces, (k,), _summed(piece, index, sizes[index]))
    for k, j in _pairs(pieces):
        for index in pieces[k].indices:
            if index in final and index in pieces[j].indices:
                return _with(pieces, (k, j), _multiplied(pieces[k], pieces[j], index, kept))
    for k, j in _pairs(pieces):
        first, second = pieces[k], pieces[j]
        if len(first.indices) != len(second.indices) and set(first.indices) & set(second.indices):
            return _with(pieces, (k, j), _rescaled(first, second))
    return None


def _pairs(pieces: list[Piece]) -> Iterator[tuple[int, int]]:
    yield from ((k, j) for k in range(len(pieces)) for j in range(k + 1, len(pieces)))


def _with(pieces: list[Piece], gone: tuple[int, ...], new: Piece) -> list[Piece]:
    found = [p for k, p in enumerate(pieces) if k not in gone]
    found.insert(gone[0], new)
    return found


def _same_indices(first: Piece, second: Piece, final: set[int]) -> Piece:
    is_number = set(first.indices) <= final
    if len(first.indices) == 1:
        if not is_number:
            both = product(first.column, second.column, is_entrywise=True)
            return Piece(both, first.indices[0])
        if first.column == second.column:
            return Piece(_squared_norm(first.column))
        return Piece(chain(transposed(first.column), second.column))
    if not is_number:
        turned = second.reading(first.rows)
        both = product(first.math, turned.math, is_entrywise=True)
        return Piece(both, first.rows, first.columns)
    if first.rows != second.rows:
        return Piece(m.Apply("tr", (chain(first.math, second.math),)))
    if first.math == second.math:
        return Piece(_squared_norm(first.math))
    return Piece(m.Between("inner", (first.math, second.math)))


def _squared_norm(of: m.Math) -> m.Math:
    return m.Power(m.Between("norm", (of,)), m.Number("2"))


def _summed(piece: Piece, index: int, size: m.Math) -> Piece:
    ones = m.Ones(size)
    if len(piece.indices) == 1:
        return Piece(chain(transposed(ones), piece.column))
    facing = piece if piece.columns == index else piece.turned
    return Piece(chain(facing.math, ones), facing.rows)


def _halves(of: m.Math) -> tuple[m.Math, m.Math] | None:
    """What is multiplied entry by entry in a product of two or a square."""
    if isinstance(of, m.Power) and of.is_entrywise and of.exponent == m.Number("2"):
        return of.base, of.base
    if isinstance(of, m.Product) and of.is_entrywise and len(of.factors) == 2:
        first, second = of.factors
        if not isinstance(first, m.Repeated) and not isinstance(second, m.Repeated):
            return first, second
    return None


def _summed_whole(piece: Piece, first: m.Math, second: m.Math) -> Piece:
    """The sum of all entries of a product entry by entry: u^T v, <A, B>, |A|^2."""
    one, other = (Piece(half, piece.rows, piece.columns) for half in (first, second))
    return _same_indices(one, other, set(piece.indices))


def _multiplied(first: Piece, second: Piece, index: int, kept: set[int]) -> Piece:
    """The product over `index`; a vector stands on the right."""
    if len(first.indices) == 1:
        first, second = second, first
    left = first if first.columns == index else first.turned
    right = second if second.rows == index else second.turned
    return Piece(chain(left.math, right.math), left.rows, right.columns)


def _rescaled(first: Piece, second: Piece) -> Piece:
    """diag(u) A or A diag(u)."""
    vector, matrix = (first, second) if len(first.indices) == 1 else (second, first)
    diagonal = m.Apply("diag", (vector.column,))
    if matrix.rows == vector.indices[0]:
        return Piece(chain(diagonal, matrix.math), matrix.rows, matrix.columns)
    return Piece(chain(matrix.math, diagonal), matrix.rows, matrix.columns)


def _assembled(pieces: list[Piece], wanted: Pair, sizes: Mapping[int, m.Math]) -> m.Math:
    """The one piece that is left, turned as it is wanted; or a column times a row."""
    for piece in pieces:
        if len(pieces) == 1 and (piece.rows, piece.columns) == wanted:
            return piece.math
        if len(pieces) == 1 and (piece.columns, piece.rows) == wanted:
            return transposed(piece.math)
    vectors: dict[int, m.Math] = {}
    for piece in pieces:
        if len(piece.indices) != 1 or piece.indices[0] in vectors:
            raise NoMatrices
        vectors[piece.indices[0]] = piece.column
    if not vectors.keys() <= {i for i in wanted if i is not None}:
        raise NoMatrices
    sides = [vectors.get(i, m.Ones(sizes[i])) if i is not None else None for i in wanted]
    above, beside = sides
    if above is None:
        return m.ONE if beside is None else transposed(beside)
    return above if beside is None else chain(above, transposed(beside))
