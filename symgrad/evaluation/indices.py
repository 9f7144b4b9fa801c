"""How large the entries of whole-number leaves may be, read from what they index.

labels: [n] int,  take_along(logits: [n, 10], labels)         labels < 10
labels == arange(10)                                          labels < 10
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.evaluation.sizes import Sizes
from symgrad.expr.leaf import Arange, Named
from symgrad.expr.map import Map
from symgrad.expr.node import INT, Node
from symgrad.expr.reindex import ScatterAdd, ScatterAlong, Take, TakeAlong
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder


def index_limits(nodes: Sequence[Node], sizes: Sizes) -> dict[Node, int]:
    """For each leaf of whole numbers among `nodes`, the number of values that it may take."""
    sources = _sources(nodes, {})
    limits: dict[Node, int] = {}
    _note(nodes, sources, sizes, limits)
    return limits


def _note(
    nodes: Sequence[Node],
    sources: Mapping[Node, set[Node]],
    sizes: Sizes,
    limits: dict[Node, int],
) -> None:
    for node in nodes:
        if isinstance(node, Take | TakeAlong):
            limit = sizes.of(node.operands[0].shape[node.axis])
            _lower(limits, sources[node.operands[1]], limit)
        elif isinstance(node, ScatterAdd | ScatterAlong):
            _lower(limits, sources[node.operands[1]], sizes.of(node.shape[node.axis]))
        elif isinstance(node, Map):
            ranges = [x for x in node.operands if _counts(x) is not None]
            for x in ranges:
                for other in node.operands:
                    if other not in ranges:
                        extent = _counts(x)
                        assert extent is not None
                        _lower(limits, sources[other], sizes.of(extent.shape[0]))
        elif isinstance(node, Scan):
            within = dict(zip(node.step.bound, (sources[x] for x in node.operands), strict=True))
            inner = postorder(node.step.following)
            _note(inner, _sources(inner, within), sizes, limits)


def _sources(nodes: Sequence[Node], known: Mapping[Node, set[Node]]) -> dict[Node, set[Node]]:
    """The leaves of whole numbers that each of `nodes` is made of, by whole numbers alone."""
    sources: dict[Node, set[Node]] = {}
    for node in nodes:
        if node in known:
            sources[node] = known[node]
        elif isinstance(node, Named):
            sources[node] = {node} if node.dtype == INT else set()
        elif node.dtype == INT:
            sources[node] = set().union(*(sources[x] for x in node.operands))
        else:
            sources[node] = set()
    return sources


def _counts(node: Node) -> Arange | None:
    """The range that `node` shows, as it is or along other axes."""
    while len(node.operands) == 1 and node.dtype == INT and not isinstance(node, Map):
        (node,) = node.operands
    return node if isinstance(node, Arange) else None


def _lower(limits: dict[Node, int], leaves: set[Node], limit: int) -> None:
    for leaf in leaves:
        limits[leaf] = min(limits.get(leaf, limit), limit)
