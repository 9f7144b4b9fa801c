"""Holding a tensor fixed: `stop_gradient`."""

from __future__ import annotations

from typing import Any

from symgrad.expr.detached import Detached
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node
from symgrad.model.operations.operation import operation


@operation
def stop_gradient(x: Any) -> Node:
    """`x`, taken as a constant by every derivative: JAX's stop_gradient, PyTorch's detach."""
    node = as_node(x)
    return node if node.dtype != FLOAT or isinstance(node, Constant) else Detached(node)
