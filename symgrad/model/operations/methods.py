"""The methods of a tensor, as NumPy's arrays have them: `x.sum(axis=0)` is `sg.sum(x, axis=0)`.

Each is the operation of its name. Where a name means one thing to NumPy and another to PyTorch
(`var`, `repeat`) there is no method. What people try that is not there gets one sentence that
says what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from symgrad.errors import DefinitionError
from symgrad.expr.node import Node, user_location

# Operations that take the tensor first, with NumPy's arguments.
BY_NAME = (
    "sum", "mean", "max", "min", "prod", "argmax", "argmin", "cumsum", "squeeze", "ravel",
    "swapaxes", "diagonal", "trace", "take", "clip", "dot", "astype",
)  # fmt: skip
# Operations whose list of sizes or axes may also be written out: x.reshape(2, 3).
WRITTEN_OUT = ("reshape", "transpose")

_NOT_COMPUTED = "nothing has been computed yet: compile the model and call its module"
_ONE_KIND = "leave it out: the arrays that the module is given decide the precision"
_SPREAD = "of all n numbers; PyTorch's is that with ddof=1"
# What PyTorch's users write, and what it is here.
INSTEAD: Mapping[str, str] = {
    "view": "x.reshape(...)",
    "permute": "x.transpose(...)",
    "t": "x.T",
    "mT": "x.swapaxes(-1, -2)",
    "flatten": "x.ravel(), or nn.Flatten() to keep the first axis",
    "unsqueeze": "sg.expand_dims(x, axis)",
    "expand": "sg.broadcast_to(x, shape)",
    "gather": "sg.take_along_axis(x, index, axis)",
    "index_select": "x.take(index, axis)",
    "masked_fill": "sg.where(mask, value, x)",
    "norm": "sg.norm(x)",
    "std": f"sg.std(x), {_SPREAD}",
    "var": f"sg.var(x), {_SPREAD}",
    "repeat": "sg.repeat(x, times, axis) for NumPy's, sg.tile(x, times) for PyTorch's",
    "detach": "sg.stop_gradient(x)",
    "float": 'x.astype("float")',
    "long": 'x.astype("int")',
    "int": 'x.astype("int")',
    "bool": 'x.astype("bool")',
    "double": _ONE_KIND,
    "half": _ONE_KIND,
    "to": _ONE_KIND,
    "cuda": "leave it out: the module is NumPy's and runs on the CPU",
    "cpu": "leave it out: the module is NumPy's and runs on the CPU",
    "device": "leave it out: the module is NumPy's and runs on the CPU",
    "clone": "leave it out: tensors are values and never change",
    "contiguous": "leave it out: tensors are values and never change",
    "requires_grad_": "leave it out: sg.parameter says what is trained",
    "requires_grad": "leave it out: sg.parameter says what is trained",
    "backward": "compile the model and call value_and_grad, or write sg.grad(loss, x)",
    "grad": "compile the model and call value_and_grad, or write sg.grad(loss, x)",
    "item": _NOT_COMPUTED,
    "numpy": _NOT_COMPUTED,
    "tolist": _NOT_COMPUTED,
}


def install(operations: Mapping[str, Callable[..., Any]], functions: Any) -> None:
    """Gives `Node` its methods. `functions`: the room of `nn.functional`, for advice."""
    for name in BY_NAME:
        setattr(Node, name, _method(operations[name]))
    for name in WRITTEN_OUT:
        setattr(Node, name, _written_out(operations[name]))

    def advice(name: str) -> str:
        if name in INSTEAD:
            text = INSTEAD[name]
            return f"write {text}" if text.startswith(("x.", "sg.")) else text
        if name in operations:
            return f"write sg.{name}(x)"
        if name in functions:
            return f"write nn.functional.{name}(x)"
        return "operations are functions: sg.exp(x), nn.functional.relu(x)"

    Node.advise = staticmethod(advice)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def method(self: Node, *arguments: Any, **options: Any) -> Any:
        return function(self, *arguments, **options)

    return method


def _written_out(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def method(self: Node, *numbers: Any, **options: Any) -> Any:
        if len(numbers) > 1:
            numbers = (numbers,)
        if function.__name__ == "transpose" and numbers and numbers[0] in ((0, 1), (-2, -1)):
            raise DefinitionError(
                f"transpose{numbers[0]} keeps the axes in NumPy and interchanges them in PyTorch",
                where=user_location(),
                fix="write x.swapaxes(0, 1), or x.T",
            )
        return function(self, *numbers, **options)

    return method
