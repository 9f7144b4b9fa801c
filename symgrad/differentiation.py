"""The derivatives that users ask for on expressions: stabilised first, then derived.

    sg.grad(sg.sum(sg.log(1 + sg.exp(x))), x)   is   sigmoid(x), not exp(x)/(1 + exp(x))

What is differentiated as written has lost what stabilising needs. A tensor of `wrt` that is
computed counts as given: no rewrite reaches into it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from symgrad.calculus import derivatives
from symgrad.calculus.structure import Structure, flat, like
from symgrad.errors import DefinitionError
from symgrad.expr.leaf import Input, Leaf
from symgrad.expr.node import Node
from symgrad.expr.walk import depends_on, substitute
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION, run

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "vjp"]


def _of_stable_form(derivative: Callable[..., Any]) -> Callable[..., Any]:
    """`derivative` of the stabilised output, with its docstring and its own words for misuse."""
    arguments = signature(derivative)

    @wraps(derivative)
    def stable(*args: Any, **options: Any) -> Structure:
        output, wrt, *directions = arguments.bind(*args, **options).arguments.values()
        try:
            outputs, leaves = flat(output, "output"), flat(wrt, "wrt")
        except DefinitionError:
            return derivative(output, wrt, *directions)
        given = [node for node in leaves if not isinstance(node, Leaf)]
        if _nested(given, leaves):
            return derivative(output, wrt, *directions)
        # no user's name holds a space
        stand_ins = {node: Input(f"wrt {i}", node.shape) for i, node in enumerate(given)}
        became = substitute(outputs, stand_ins)
        form = run(
            Form.of({str(i): became[node] for i, node in enumerate(outputs)}), BEFORE_DERIVATION
        )
        result = derivative(
            like(output, list(form.outputs.values())),
            like(wrt, [stand_ins.get(node, node) for node in leaves]),
            *directions,
        )
        return _with(result, {stand_in: node for node, stand_in in stand_ins.items()})

    return stable


def _nested(given: list[Node], leaves: list[Node]) -> bool:
    """Whether one of `given` is computed from another of `leaves`: then none can be a leaf."""
    return any(
        operand in depends_on(node.operands, leaves) for node in given for operand in node.operands
    )


def _with(result: Any, restored: dict[Node, Node]) -> Any:
    """`result` with the tensors that the stand-ins stood for."""
    if not restored:
        return result
    if isinstance(result, Node):
        return substitute([result], restored)[result]
    if isinstance(result, dict):
        return {key: _with(part, restored) for key, part in result.items()}
    return type(result)(_with(part, restored) for part in result)


grad = _of_stable_form(derivatives.grad)
vjp = _of_stable_form(derivatives.vjp)
jvp = _of_stable_form(derivatives.jvp)
hvp = _of_stable_form(derivatives.hvp)
jacobian = _of_stable_form(derivatives.jacobian)
hessian = _of_stable_form(derivatives.hessian)
