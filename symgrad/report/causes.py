"""Why a rule applies to a step: one sentence for each family, from what the step is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from symgrad.calculus.journal import FORWARD, Step
from symgrad.expr.contraction import Contraction
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.report.explanations import family_of, title_of
from symgrad.report.notation import Math, Words
from symgrad.report.record.equation import Prose
from symgrad.report.record.steps import Cause

Sentence = Callable[[Sequence[Node], Math, Prose], Prose]


def causes(
    steps: Iterable[Step], about: Math, read: Callable[[Node], list[Math]]
) -> tuple[Cause, ...]:
    """The causes of `steps`, each family once. `read`: the named tensors that a node reads."""
    families: dict[str, list[Step]] = {}
    for step in steps:
        families.setdefault(family_of(step), []).append(step)
    found = []
    for family, own in families.items():
        nodes = list(dict.fromkeys(step.node for step in own))
        operands = dict.fromkeys(name for node in nodes for name in read(node))
        told = SENTENCES[family](nodes, about, listed(list(operands)) or ("its operands",))
        if own[0].mode == FORWARD and own[0].kind == "rule":
            told = (*told, " Read forwards, this gives the change of ", about, ".")
        told = _in_words(told)
        found.append(Cause(family, title_of(family), own[0].rule, own[0].formula, told))
    return tuple(found)


def _in_words(sentence: Prose) -> Prose:
    """A sentence in which what has no symbol (the loop over t) is a word like others."""
    parts = [part.text if isinstance(part, Words) else part for part in sentence]
    first = next((k for k, part in enumerate(parts) if part != ""), 0)
    start = parts[first]
    if isinstance(start, str):
        parts[first] = start[:1].upper() + start[1:]
    return tuple(parts)


def listed(formulas: list[Math]) -> Prose:
    """`a, b and c`."""
    parts: list[str | Math] = []
    for k, formula in enumerate(formulas):
        if k:
            parts.append(" and " if k == len(formulas) - 1 else ", ")
        parts.append(formula)
    return tuple(parts)


def _map(nodes: Sequence[Node], about: Math, read: Prose) -> Prose:
    if all(isinstance(node, Map) and _is_addition(node) for node in nodes):
        return ("A sum has slope 1 in each term, a difference -1 in what is subtracted: what "
                "arrives at ", about, " is handed on.")  # fmt: skip
    return ("Each entry of ", about, " depends on ", *read, " through one scalar formula, so what "
            "arrives is multiplied by that formula's slope, entry by entry.")  # fmt: skip


def _is_addition(node: Map) -> bool:
    terms = node.formula.args if node.formula.is_Add else (node.formula,)
    return all((term if term.is_Symbol else -term).is_Symbol or term.is_number for term in terms)


def _contraction(nodes: Sequence[Node], about: Math, read: Prose) -> Prose:
    products = [node for node in nodes if len(node.operands) > 1]
    if products:
        return (about, " holds a sum of products of ", *read, ", linear in each factor: for each, "
                "the other factors stay, what arrives stands in for it, and the sum runs over the "
                "indices that it does not have.")  # fmt: skip
    is_sum = any(isinstance(node, Contraction) and node.summed for node in nodes)
    what = " holds a sum over entries of " if is_sum else " holds entries of "
    return (about, what, *read, ", which is linear: each entry that was read receives what arrives "
            "where it went.")  # fmt: skip


def _reduction(nodes: Sequence[Node], about: Math, read: Prose) -> Prose:
    if all(isinstance(node, LogSumExp) for node in nodes):
        return (about, " holds a logarithm of a sum of exponentials of ", *read,
                "; its slopes are the softmax, positive weights that sum to 1.")  # fmt: skip
    return (about, " is gathered along an axis of ", *read, ", so each entry read receives what "
            "arrives at the places that it reached.")  # fmt: skip


def _told(before: str, after: str) -> Sentence:
    """`before` the name, `after` it."""
    return lambda nodes, about, read: (before, about, after)


def _from(middle: str, after: str) -> Sentence:
    """The name, `middle`, what is read, `after`."""
    return lambda nodes, about, read: (about, middle, *read, after)


SENTENCES: dict[str, Sentence] = {
    "seed": _told("The derivation starts here: how ", " moves is what is given."),
    "map": _map,
    "contraction": _contraction,
    "reduction": _reduction,
    "products": _from(
        " is a product of entries of ", ": its slope by one of them is the product of the others."
    ),
    "reindex": _from(
        " only moves entries of ", ", so what arrives goes back to where each entry came from."
    ),
    "selection": _from(
        " holds entries of ", " picked by index: what arrives is added where they came from."
    ),
    "window": _from(
        " holds windows of ", ": what arrives at the copies of an entry is added up."
    ),
    "linear_algebra": _from(
        " solves an equation in ", "; differentiating that equation gives its slopes."
    ),
    "decompositions": _from(
        " is defined by a factorisation of ", "; differentiating it gives the slopes."
    ),
    "scan": _from(
        " repeats one step that reads ",
        ": what arrives goes back through the steps, from the last to the first.",
    ),
    "detached": _told("", " is held fixed: nothing goes back through it."),
    "leaf": _told("", " is given."),
    "broadcast": _told(
        "An entry was stretched over several places in computing ",
        "; it receives the sum over all of them.",
    ),
    "accumulate": _told(
        "", " is read in several places; by the chain rule its derivative is the sum over them."
    ),
    "nothing": _told("No path with a slope leads to ", ", so its derivative is 0."),
    "batch": _told("", " is differentiated along every direction of a basis at once."),
}
