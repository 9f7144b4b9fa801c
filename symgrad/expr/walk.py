"""One iterative, memoised walk for every graph of tensor expressions.

A graph is shared: seen as a tree it may be exponentially larger than it is. Nothing else in
symgrad recurses over nodes, so depth meets no recursion limit and cost stays linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from symgrad.expr.node import Node


def postorder(roots: Iterable[Node]) -> list[Node]:
    """Every node below `roots`, once, operands before the nodes that use them."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.append((node, True))
        stack.extend((operand, False) for operand in reversed(node.operands) if operand not in seen)
    return order


def rewrite(
    roots: Iterable[Node],
    rule: Callable[[Node, Node], Node],
    known: Mapping[Node, Node] | None = None,
) -> dict[Node, Node]:
    """Rebuilds a graph bottom-up; returns what each node became.

    `rule(rebuilt, original)` receives a node whose operands were rewritten already and returns
    what to put in its place. `known` holds nodes that are replaced without a look inside.
    """
    became: dict[Node, Node] = dict(known or {})
    order: list[Node] = []
    seen: set[Node] = set(became)
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((operand, False) for operand in reversed(node.operands))
    for node in order:
        operands = tuple(became[operand] for operand in node.operands)
        rebuilt = node if operands == node.operands else node.with_operands(operands)
        became[node] = rule(rebuilt, node)
    return became


def substitute(roots: Iterable[Node], replacements: Mapping[Node, Node]) -> dict[Node, Node]:
    """Replaces nodes in a graph; returns what each node became."""
    return rewrite(roots, lambda rebuilt, _: rebuilt, replacements)


def uses(roots: Iterable[Node]) -> dict[Node, int]:
    """How often each node below `roots` is used: by other nodes and as a root."""
    roots = list(roots)
    counts = dict.fromkeys(postorder(roots), 0)
    for node in counts:
        for operand in node.operands:
            counts[operand] += 1
    for root in roots:
        counts[root] += 1
    return counts


def depends_on(roots: Iterable[Node], leaves: Iterable[Node]) -> set[Node]:
    """The nodes below `roots` that are, or are computed from, one of `leaves`."""
    found = set(leaves)
    for node in postorder(roots):
        if any(operand in found for operand in node.operands):
            found.add(node)
    return found
