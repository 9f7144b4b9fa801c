"""The verifier: whether a form still is what every stage relies on.

Runs between passes in the tests. It checks that every node is of a known family, that its shape
and kind follow anew from its arguments, and that names and origins belong to nodes of the graph.
"""

from __future__ import annotations

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import as_shape, same_shape
from symgrad.expr.leaf import Arange, Constant, Identity, Named, Table
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import Reduction
from symgrad.expr.reindex import Concat, Embed, Indexed, Reshape, Slice
from symgrad.expr.scan import Bound, Final, Scan, Stacked
from symgrad.expr.slots import fold, is_dimension, slot_index
from symgrad.expr.walk import postorder
from symgrad.expr.window import Windowed
from symgrad.passes.form import Form

LEAVES = (Named, Constant, Table, Arange, Identity)
OPERATIONS = (
    Map, Detached, Contraction, Reduction, LinearAlgebra, Reshape, Slice, Embed, Concat, Indexed,
    Windowed, Scan, Final, Stacked
)  # fmt: skip


class IllFormed(AssertionError):
    """A pass broke the form. Not the user's fault."""


def verify(form: Form) -> None:
    """Raises: IllFormed, naming the node, at the first thing that is wrong."""
    nodes = postorder(form.outputs.values())
    for node in nodes:
        _check(node, form)
    _check_steps(nodes, form)
    graph = set(nodes)
    for table in (form.names, form.origins):
        for node in table:
            if node not in graph:
                raise IllFormed(f"{_told(node, form)} is described but not part of the graph")


def _check_steps(nodes: list[Node], form: Form) -> None:
    """The steps of scans: well formed, and reading nothing but what is bound in them."""
    wanted: dict[Scan, dict[Node, None]] = {}
    for node in nodes:
        if isinstance(node, Scan):
            wanted.setdefault(node, {}).update(dict.fromkeys(node.step.following))
        elif isinstance(node, Stacked):
            wanted[node.scan].setdefault(node.inner)
    for scan, roots in wanted.items():
        inside = postorder(roots)
        for node in inside:
            if isinstance(node, Bound):
                if node not in scan.step.bound:
                    raise IllFormed(f"{_told(node, form)} is not bound in the step that reads it")
            elif isinstance(node, Named):
                raise IllFormed(f"{_told(node, form)} is read by a step, which must be closed")
            else:
                _check(node, form)
        _check_steps(inside, form)


def _check(node: Node, form: Form) -> None:
    if node.operands:
        if not isinstance(node, OPERATIONS):
            raise IllFormed(f"{_told(node, form)} is of no known family")
    elif not isinstance(node, LEAVES):
        raise IllFormed(f"{_told(node, form)} is not a leaf that may stand in a form")
    if node.func(*node.args) is not node:
        raise IllFormed(f"{_told(node, form)} is not what its arguments build")
    claimed = node.shape, node.dtype
    shape, dtype = node._infer()
    if not same_shape(claimed[0], shape) or claimed[1] != dtype:
        raise IllFormed(f"{_told(node, form)} follows as {dtype} {list(shape)} from its arguments")
    as_shape(node.shape)
    if isinstance(node, Map):
        _check_symbols(node, node.formula, form)
    if isinstance(node, Contraction):
        _check_symbols(node, node.scale, form)
        if any(not 0 <= index < len(node.sizes) for ids in node.indices for index in ids):
            raise IllFormed(f"{_told(node, form)} has an index without a size")


def _check_symbols(node: Node, formula: sympy.Expr, form: Form) -> None:
    slots = len(node.operands) if isinstance(node, Map) else 0

    def check(part: sympy.Basic, _: tuple[None, ...]) -> None:
        if not part.is_Symbol:
            return
        index = slot_index(part)
        known = index < slots if index is not None else is_dimension(part)
        if not known:
            raise IllFormed(f"{_told(node, form)} has the unknown symbol {part} in {formula}")

    fold(formula, check)


def _told(node: Node, form: Form) -> str:
    name = form.names.get(node)
    return f"{node}" + (f" ({name})" if name else "")
