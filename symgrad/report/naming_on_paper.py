"""Which tensors have a line of their own on paper, and under which name.

    h = tanh(x W)      h[:, None] is written where it is read; what a loop is given has a name
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from symgrad.expr.contraction import Contraction
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import Reshape
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.report.naming import LETTER, Naming


def naming_on_paper(
    roots: Iterable[Node],
    known: Mapping[Node, str],
    nameless: Container[Node] = frozenset(),
    taken: Iterable[str] = (),
) -> Naming:
    """Names below `roots`; arguments as for Naming."""
    return Naming(roots, known, nameless, taken, _is_short, LETTER)


def given_to_scans(roots: Iterable[Node]) -> list[Node]:
    """What is given to scans: each of it gets a name, but for numbers in every entry."""
    loops = [node for node in postorder(roots) if isinstance(node, Scan)]
    return [x for loop in loops for x in loop.operands if not _is_number(x)]


def _is_number(node: Node) -> bool:
    """Whether it is one number in every entry."""
    if isinstance(node, Contraction) and node.is_view:
        return _is_number(node.operands[0])
    return isinstance(node, Constant)


def _is_short(node: Node) -> bool:
    """What needs no name: a number, an axis of size 1 more or less, a logsumexp, what a step made.

    A tensor of a step is written as in the step, with the step as its first index.
    """
    if _is_number(node):
        return True
    if isinstance(node, Reshape) or (isinstance(node, Contraction) and node.is_view):
        sizes = [[s for s in shape if s != 1] for shape in (node.shape, node.operands[0].shape)]
        return sizes[0] == sizes[1]
    return isinstance(node, LogSumExp | Stacked | Final)
