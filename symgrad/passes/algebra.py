"""Linear algebra in the form that loses the fewest digits, and costs less.

    log(det(A))      ->   log(sign_of_det(A)) + log_abs_det(A), which cannot overflow
    log(abs(det(A))) ->   log_abs_det(A)
    inv(A) @ b       ->   solve(A, b)
    b @ inv(A)       ->   solve(A.T, b.T).T
    log_abs_det(L @ L.T), L = cholesky(K)   ->   2 * sum(log(diag(L)))

An inverse that is read otherwise, too, or by many products, is computed as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import Contraction, contract, spread, transpose
from symgrad.expr.decompositions import Cholesky
from symgrad.expr.formula import slot, slots_of
from symgrad.expr.linear_algebra import (
    Determinant,
    Inverse,
    LogAbsDeterminant,
    SignDeterminant,
    Solve,
    matrix_transpose,
)
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.operators import matmul
from symgrad.expr.walk import postorder, rewrite
from symgrad.passes.form import Form

MOST_SYSTEMS = 3  # systems of one matrix that cost no more than its inverse: 2/3 n^3 each, of 2 n^3


def stabilise_algebra(form: Form) -> Form:
    """Logarithms of determinants by `slogdet`, products with inverses by `solve`."""
    products = _products_with_inverses(form.outputs.values())

    def rule(rebuilt: Node, original: Node) -> Node:
        if isinstance(rebuilt, Map):
            return _with_log_determinants(rebuilt)
        if isinstance(rebuilt, LogAbsDeterminant):
            return _of_factor(rebuilt)
        if original in products:
            assert isinstance(rebuilt, Contraction)
            solution = _solved(rebuilt)
            return rebuilt if solution is None else solution
        return rebuilt

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _with_log_determinants(node: Map) -> Node:
    formula, operands = node.formula, list(node.operands)
    for k, operand in enumerate(node.operands):
        is_size = isinstance(operand, Map) and operand.formula == f.absolute(slot(0))
        determinant = operand.operands[0] if is_size else operand
        if not isinstance(determinant, Determinant):
            continue
        (a,) = determinant.operands
        log_abs, sign = slot(len(operands)), slot(len(operands) + 1)
        operands += [LogAbsDeterminant(a), SignDeterminant(a)]
        log = log_abs if is_size else log_abs + sympy.log(sign)
        formula = formula.xreplace({sympy.log(slot(k)): log})
    if formula == node.formula:
        return node
    used = list(slots_of(formula))
    renumbered = formula.xreplace({slot(i): slot(k) for k, i in enumerate(used)})
    return Map(renumbered, *(operands[i] for i in used))


def _of_factor(node: LogAbsDeterminant) -> Node:
    """The logarithm of the determinant of L L^T by the diagonal of L, a Cholesky factor."""
    (product,) = node.operands
    factor = product.operands[0] if product.operands else product
    if not isinstance(factor, Cholesky) or product is not matmul(factor, matrix_transpose(factor)):
        return node
    axes = list(range(factor.ndim - 1))
    diagonal = contract(axes, [(factor, [*axes, axes[-1]])])
    logs = Map(sympy.log(slot(0)), diagonal)
    return contract(axes[:-1], [(logs, axes)], 2)


def _products_with_inverses(roots: Iterable[Node]) -> set[Node]:
    """The products by which alone some inverse is read."""
    roots = list(roots)
    readers: dict[Node, list[Node]] = {}
    for node in postorder(roots):
        for operand in node.operands:
            if isinstance(operand, Inverse):
                readers.setdefault(operand, []).append(node)
    found: set[Node] = set()
    for inverse, nodes in readers.items():
        is_solvable = all(isinstance(x, Contraction) and _solved(x) is not None for x in nodes)
        if is_solvable and len(nodes) <= MOST_SYSTEMS and inverse not in roots:
            found.update(nodes)
    return found


def _solved(node: Contraction) -> Node | None:
    """A product with an inverse as the solution of a system, if it is a product of matrices."""
    if len(node.terms) != 2:
        return None
    inverse, other = node.terms
    if not isinstance(inverse[0], Inverse):
        inverse, other = other, inverse
    if not isinstance(inverse[0], Inverse) or isinstance(other[0], Inverse):
        return None
    (*batch, row, column), (b, indices), output = inverse[1], other, node.output
    a = inverse[0].operands[0]
    if row in indices:  # b @ inv(A): the transposed system
        a, row, column = matrix_transpose(a), column, row
    if row in indices or row not in output or column not in indices or column in output:
        return None
    rest = [i for i in indices if i != column and i not in batch]
    distinct = len(set(indices)) == len(indices) and len({*batch, row, column}) == len(batch) + 2
    whole = set(batch) <= set(indices) and set(output) == {*batch, row, *rest}
    if len(rest) > 1 or not distinct or not whole:
        return None
    order = [*batch, column, *rest]
    b = transpose(b, [indices.index(i) for i in order])
    if batch and not rest:
        b = spread(b, {b.ndim: sympy.S.One})
    x, labels = Solve(a, b), [*batch, row, *rest]
    if batch and not rest:
        labels.append(-1)
    result = x if labels == list(output) else contract(output, [(x, labels)])
    return result if node.scale == 1 else Map(node.scale * slot(0), result)
