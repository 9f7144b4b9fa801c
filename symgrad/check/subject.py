"""The module under check: loaded from its file, and called with the arguments that it asks for."""

from __future__ import annotations

import importlib.util
import inspect
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.check.tree import Array, Tree
from symgrad.errors import CheckError

FUNCTIONS = (
    "forward",
    "loss",
    "value_and_grad",
    "input_grad",
    "jvp",
    "vjp",
    "hvp",
    "hessian",
    "jacobian",
    "per_example_grad",
)
Specification = tuple[tuple[int | str, ...], str]
Arrays = dict[str, Array]


def load_module(path: Path) -> types.ModuleType:
    """The module in the file `path`, under a name of its own.

    Raises: CheckError if there is no such file, or it fails on import.
    """
    if not path.is_file():
        raise CheckError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"_checked_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CheckError(f"{path} is not a Python file", fix="give the path of a generated module")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a file does when it runs: it is not ours
        raise CheckError(
            f"{path} cannot be loaded", facts={"cause": f"{type(error).__name__}: {error}"}
        ) from error
    module.__file__ = str(path)  # as it was given, for messages
    return module


class Subject:
    """A generated module and what it declares.

    `reference`: a module of the same model that may have functions which this one lacks; they
    serve as what derivatives are compared with.
    """

    def __init__(self, module: types.ModuleType, reference: types.ModuleType | None = None) -> None:
        self.module = module
        self.name = Path(str(getattr(module, "__file__", module.__name__))).stem
        self.parameters = _declared(module, "PARAMETERS")
        self.inputs = _declared(module, "INPUTS")
        self.outputs = _declared(module, "OUTPUTS") if hasattr(module, "OUTPUTS") else {}
        self.distributions: Mapping[str, int] = getattr(module, "DISTRIBUTIONS", {})
        self.functions = tuple(f for f in FUNCTIONS if callable(getattr(module, f, None)))
        self._reference = reference
        self._signatures: dict[Any, tuple[list[str], list[str]]] = {}
        if not self.functions or not callable(getattr(module, "init_params", None)):
            raise _not_generated(module, "init_params and one of " + ", ".join(FUNCTIONS))

    def lower(self, *names: str) -> str | None:
        """The first of the functions `names` that can be called, here or in the reference."""
        return next((name for name in names if self._find(name) is not None), None)

    def call(self, function: str, params: Arrays, inputs: Arrays, **directions: Tree) -> Tree:
        """Calls `function` with those of its arguments that it takes.

        `directions`: `tangents` and `cotangents`, where the function has them.
        """
        target = self._find(function)
        assert target is not None, function
        if target not in self._signatures:
            kinds = inspect.signature(target).parameters.values()
            self._signatures[target] = (
                [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD],
                [p.name for p in kinds if p.kind is p.KEYWORD_ONLY and p.default is p.empty],
            )
        positional, keywords = self._signatures[target]
        given = {"params": params, **directions}
        with np.errstate(all="ignore"):
            return target(*(given[p] for p in positional), **{k: inputs[k] for k in keywords})

    def reads(self, function: str) -> set[str]:
        """The inputs that `function` takes."""
        target = self._find(function)
        assert target is not None, function
        return set(inspect.signature(target).parameters) & set(self.inputs)

    def init_params(self, seed: int, sizes: Mapping[str, int]) -> Arrays:
        """Fresh parameters in float64."""
        function = self.module.init_params
        asked = inspect.signature(function).parameters
        return dict(function(seed, np.float64, **{k: v for k, v in sizes.items() if k in asked}))

    def _find(self, name: str) -> Any:
        if name in self.functions:
            return getattr(self.module, name)
        return getattr(self._reference, name, None)


def _declared(module: types.ModuleType, table: str) -> dict[str, Specification]:
    rows = getattr(module, table, None)
    try:
        assert isinstance(rows, dict)
        return {str(name): (tuple(shape), str(dtype)) for name, (shape, dtype) in rows.items()}
    except (AssertionError, TypeError, ValueError):
        raise _not_generated(module, f"{table} = {{name: (shape, dtype)}}") from None


def _not_generated(module: types.ModuleType, lacks: str) -> CheckError:
    return CheckError(
        f"{getattr(module, '__file__', module.__name__)} is not a module that symgrad generated",
        facts={"lacks": lacks},
        fix="write one with: symgrad compile MODEL.py",
    )
