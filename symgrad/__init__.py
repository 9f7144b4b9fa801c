"""symgrad: from the definition of a network and a loss to a checked, standalone NumPy module.

    import symgrad as sg
    from symgrad import nn

    n = sg.dim("n")
    x, y = sg.input("x", (n, 64)), sg.input("y", (n,), dtype="int")
    logits = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))(x)
    model = sg.Model("digits", loss=nn.functional.cross_entropy(logits, y))
"""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from symgrad import linalg, nn
from symgrad.compiler import Compiled
from symgrad.compiler import compile_model as compile
from symgrad.differentiation import grad, hessian, hvp, jacobian, jvp, vjp
from symgrad.errors import SymgradError
from symgrad.expr.dimension import dim
from symgrad.expr.display import Displayed
from symgrad.expr.node import Node
from symgrad.model import initialisers as init
from symgrad.model import random
from symgrad.model.declarations import input, parameter, state
from symgrad.model.formula_text import formula
from symgrad.model.initialisers import (
    constant,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    normal,
    ones,
    uniform,
    zeros,
)
from symgrad.model.model import Model
from symgrad.model.model_file import load_model
from symgrad.model.operations import OPERATIONS, methods
from symgrad.model.operations.elementwise import elementwise
from symgrad.model.operations.scan import scan
from symgrad.model.regularisers import elastic_net, group_lasso, l1, l2
from symgrad.torch_import.convert import from_torch
from symgrad.torch_import.weights import weights_from_torch
from symgrad.version import __version__
from symgrad.weights.files import load_weights, save_weights

globals().update(OPERATIONS)  # NumPy's operations, by name
methods.install(OPERATIONS, vars(nn.functional))  # and as methods of tensors

# Whoever only compiles does not wait for the rooms that print derivations.
Displayed._enter_printers = staticmethod(lambda: import_module("symgrad.notebooks"))
ON_DEMAND = {"Derivation": "symgrad.derivations", "derive": "symgrad.derivations"}


def __getattr__(name: str) -> Callable[..., Any]:
    """What is loaded when it is asked for, or is not there.

    (It also tells type checkers that the operations are functions.)
    """
    if name in ON_DEMAND:
        value: Callable[..., Any] = getattr(import_module(ON_DEMAND[name]), name)
        return value
    close = get_close_matches(name, __all__, n=3)
    advice = f"; did you mean {' or '.join(close)}?" if close else ""
    raise AttributeError(f"symgrad has no {name}{advice}")


def __dir__() -> list[str]:
    return sorted({*globals(), *ON_DEMAND})


__all__ = [
    *OPERATIONS,
    "Compiled",
    "Derivation",
    "Model",
    "Node",
    "SymgradError",
    "__version__",
    "compile",
    "constant",
    "derive",
    "dim",
    "elastic_net",
    "elementwise",
    "formula",
    "from_torch",
    "glorot_normal",
    "glorot_uniform",
    "grad",
    "group_lasso",
    "he_normal",
    "he_uniform",
    "hessian",
    "hvp",
    "init",
    "input",
    "jacobian",
    "jvp",
    "l1",
    "l2",
    "linalg",
    "load_model",
    "load_weights",
    "nn",
    "normal",
    "ones",
    "parameter",
    "random",
    "save_weights",
    "scan",
    "state",
    "uniform",
    "vjp",
    "weights_from_torch",
    "zeros",
]
