"""The laws of every pass: same values, a legal form, nothing left to do, the same each time.

`Broken` says which law a pass broke, on which program: the text can be pasted into a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from numpy_evaluator import evaluate

from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form, Pass
from symgrad.passes.verify import verify

RTOL, ATOL = 1e-9, 1e-11


class Broken(AssertionError):
    """A pass broke a law."""


def check_laws(
    form: Form,
    passes: Sequence[Pass],
    values: Mapping[Any, Any],
    dims: Mapping[str, int] | None = None,
) -> Form:
    """Runs `passes` one after the other and checks each; returns the last form."""
    expected = evaluate(list(form.outputs.values()), values, dims)
    for each in passes:
        before = form
        try:
            form = each(before)
            verify(form)
            twin = each(before)
            again = each(form)
            found = evaluate(list(form.outputs.values()), values, dims)
        except Exception as error:
            raise Broken(f"{each.__name__} fails on\n{as_text(before)}") from error
        if twin.outputs != form.outputs:
            raise Broken(f"{each.__name__} is not deterministic on\n{as_text(before)}")
        if again.outputs != form.outputs:
            raise Broken(
                f"{each.__name__} is not idempotent: after it\n{as_text(form)}"
                f"\nand once more\n{as_text(again)}"
            )
        for name, old, new in zip(form.outputs, expected, found, strict=True):
            node = form.outputs[name]
            if node.dtype != before.outputs[name].dtype or np.shape(new) != np.shape(old):
                raise Broken(f"{each.__name__} changes the kind or shape of {name}")
            if not np.allclose(new, old, rtol=RTOL, atol=ATOL, equal_nan=True):
                raise Broken(
                    f"{each.__name__} changes {name}: {old} becomes {new} on\n{as_text(before)}"
                    f"\nwhich becomes\n{as_text(form)}"
                )
    return form


def as_text(form: Form) -> str:
    """One line for each node, operands by number."""
    number: dict[Node, str] = {}
    lines = []
    for node in postorder(form.outputs.values()):
        number[node] = getattr(node, "name", None) or f"v{len(number)}"
        args = ", ".join(
            number[arg] if isinstance(arg, Node) else sympy.sstr(arg) for arg in node.args
        )
        lines.append(f"{number[node]} = {type(node).__name__}({args})  # {list(node.shape)}")
    outputs = ", ".join(f"{name}: {number[node]}" for name, node in form.outputs.items())
    return "\n".join([*lines, outputs])
