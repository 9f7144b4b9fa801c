"""What was held fixed for the derivation becomes the tensor itself.

    Detached(x) * y   ->   x * y
"""

from __future__ import annotations

from symgrad.expr.detached import Detached
from symgrad.expr.node import Node
from symgrad.expr.walk import rewrite
from symgrad.passes.form import Form


def attach(form: Form) -> Form:
    """The same outputs without Detached nodes: there is nothing more to be derived."""

    def rule(rebuilt: Node, _: Node) -> Node:
        return rebuilt.operands[0] if isinstance(rebuilt, Detached) else rebuilt

    return form.rewritten(rewrite(form.outputs.values(), rule))
