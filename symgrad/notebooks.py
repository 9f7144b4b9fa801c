"""What a notebook shows: expressions and models as equations, in MathML and in LaTeX.

`import symgrad` enters these printers into the classes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.model.model import Model, names_in
from symgrad.report.aligned import aligned_html, aligned_latex, html_prose
from symgrad.report.notation import Math, symbol
from symgrad.report.record.equation import Equation, Prose
from symgrad.report.short_form import short_form

OF_EXPRESSION, OF_MODEL = 12, 24  # equations that are shown at once
MOST_GIVEN = 12


def expression_html(node: Node) -> str | None:
    """The last equations of `node`, with shapes beside."""
    equations = _equations_of(node)
    return aligned_html(equations, OF_EXPRESSION) if equations else None


def expression_latex(node: Node) -> str | None:
    """The same as a formula for MathJax."""
    equations = _equations_of(node)
    return aligned_latex(equations, OF_EXPRESSION) if equations else None


def model_html(model: Model) -> str:
    """What is given, and all equations."""
    given = "".join(
        f"<div>{what}: {html_prose(_listed(leaves))}</div>" for what, leaves in _given(model)
    )
    equations = aligned_html(_equations_of_model(model), OF_MODEL, folds=True)
    return f"<div><strong>{html_prose((model.name,))}</strong></div>{given}{equations}"


def model_latex(model: Model) -> str:
    """The last equations as a formula for MathJax."""
    return aligned_latex(_equations_of_model(model), OF_MODEL)


def _equations_of(node: Node) -> tuple[Equation, ...]:
    return short_form([node], _names([node]))


def _equations_of_model(model: Model) -> tuple[Equation, ...]:
    roots = [node for key, node in model.values().items() if key]  # the loss comes last
    if model.loss is not None:
        roots.append(model.loss)
    return short_form(roots, model.names, model.loss)


def _names(roots: Sequence[Node]) -> dict[Node, str]:
    """What the user calls the tensors below `roots`, by `.named` or in the notebook."""
    notebook = sys.modules.get("__main__")
    variables: dict[Node, str] = {}
    for name, value in list(vars(notebook).items()) if notebook is not None else ():
        if isinstance(value, Node) and not name.startswith("_"):
            variables.setdefault(value, name)
    return names_in(postorder(roots), None, {}, {}, variables)


def _given(model: Model) -> list[tuple[str, Sequence[Named]]]:
    """What a model is given, by its kind, as far as there is some."""
    kinds: dict[str, Sequence[Named]] = {
        "parameters": model.parameters, "states": model.states, "inputs": model.inputs
    }  # fmt: skip
    return [(kind, leaves) for kind, leaves in kinds.items() if leaves]


def _listed(leaves: Sequence[Named]) -> Prose:
    """`W [3, 2], b [2]`; of many only the first."""
    parts: list[str | Math] = []
    for k, leaf in enumerate(leaves[:MOST_GIVEN]):
        shape = f" {shape_text(leaf.shape)}" if leaf.shape else ""
        parts += [", " if k else "", symbol(leaf.name), shape]
    if len(leaves) > MOST_GIVEN:
        parts.append(f", and {len(leaves) - MOST_GIVEN} more")
    return tuple(parts)


Node._displays = {"html": expression_html, "latex": expression_latex}
Model._displays = {"html": model_html, "latex": model_latex}
