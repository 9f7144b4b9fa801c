"""`docs/layers.md`: for each public name of `torch.nn`, whether symgrad has it, or why not.

What is supported is read from the catalogue, what is not from `symgrad/torch_import/reasons.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from registry import entries

from symgrad import nn
from symgrad.torch_import import reasons

HEAD = """\
# Layers, losses and functions of `torch.nn`

Written by `pytest tests/model/test_layers_page.py --update-golden` from the catalogue that drives
the tests, for PyTorch {version}.
Constructions and inputs are those on which the tests compare
values and derivatives, in the inputs and in all parameters, with PyTorch's: to 1e-10, relative, in
float64. Inputs on kinks and ties count too; there only first derivatives are compared.

{classes} of {all_classes} classes and {functions} of {all_functions} functions are there.
"""

# Names that organise tensors and modules and compute nothing.
STRUCTURE = frozenset({
    "Buffer", "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterDict", "ParameterList",
    "Sequential",
})  # fmt: skip
# Of what is not said in the entries: which derivatives the tests compare.
ORDERS = {"AdaptiveLogSoftmaxWithLoss": "first", "CTCLoss": "first (PyTorch has no second)"}
# What `torch.nn.functional` imports for its own use; no part of its interface.
NOT_PUBLIC = frozenset({
    "Optional", "assert_int_or_pair", "boolean_dispatch", "handle_torch_function",
    "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
})  # fmt: skip


def version(torch: Any) -> str:
    """Of PyTorch, without what says how it was built."""
    return str(torch.__version__).split("+")[0]


def classes_of(torch: Any) -> list[str]:
    """The public classes of `torch.nn`."""
    home = torch.nn
    return sorted(name for name in dir(home) if name[0] != "_" and inspect.isclass(getattr(home, name)))


def functions_of(torch: Any) -> list[str]:
    """The public functions of `torch.nn.functional`."""
    home = torch.nn.functional
    return sorted(
        name
        for name in dir(home)
        if name[0] != "_" and name not in NOT_PUBLIC
        and callable(getattr(home, name)) and not inspect.isclass(getattr(home, name))
    )  # fmt: skip


def supported_classes() -> set[str]:
    """The classes that `symgrad.nn` offers."""
    return {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))}


def page(torch: Any) -> str:
    """The whole text."""
    classes, functions = classes_of(torch), functions_of(torch)
    head = HEAD.format(
        version=version(torch),
        classes=len(supported_classes() & set(classes)), all_classes=len(classes),
        functions=len(set(nn.functional.__all__) & set(functions)), all_functions=len(functions),
    )  # fmt: skip
    parts = [head, "## Classes\n", "\n".join(_class_rows(classes)),
             "\n## Functions\n", "\n".join(_function_rows(functions))]  # fmt: skip
    return "\n".join(parts) + "\n"


def _class_rows(names: Iterable[str]) -> Iterator[str]:
    yield "| class | constructions | inputs | derivatives | or why not |"
    yield "| --- | ---: | ---: | --- | --- |"
    for name in names:
        if name not in supported_classes():
            yield f"| {name} | | | | {reasons.CLASSES.get(name, 'not said')} |"
        elif name in STRUCTURE:
            yield f"| {name} | | | computes nothing | |"
        else:
            known = entries().get(name, ())
            made = sum(len(entry.constructions) for entry in known)
            inputs = sum(len([*entry.data, *getattr(entry, "kinks", ())]) for entry in known)
            yield f"| {name} | {made} | {inputs} | {_orders(name, known)} | |"


def _orders(name: str, known: Iterable[Any]) -> str:
    """Which derivatives are compared, and how closely if not to 1e-10."""
    second = any(getattr(entry, "second_order", True) for entry in known)
    plain = "first and second" if second else "first (PyTorch has no second)"
    tolerance = max((getattr(entry, "slope_tolerance", 0) for entry in known), default=0)
    return ORDERS.get(name, plain) + (f", to {tolerance:g}" if tolerance > 1e-10 else "")


def _function_rows(names: Iterable[str]) -> Iterator[str]:
    yield "| function | there | or why not |"
    yield "| --- | --- | --- |"
    for name in names:
        there = name in nn.functional.__all__
        why = "" if there else reasons.FUNCTIONS.get(name, "not said")
        yield f"| {name} | {'yes' if there else ''} | {why} |"
