"""Models from files: `load_model("examples/digits_mlp.py")`, or `"file.py:NAME"` for one of many.

The file is run as Python, as if imported, with its own folder on the path; afterwards
`sys.path`, `sys.modules` and the names of other models' tensors are as before.
"""

from __future__ import annotations

import linecache
import os
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symgrad.errors import ModelFileError, SymgradError
from symgrad.expr.node import Node
from symgrad.model.model import Model
from symgrad.model.unused import until_end_of_file

MODULE_NAME = "symgrad_model_file"
_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep


def load_model(path: str | os.PathLike[str], name: str | None = None) -> Model:
    """The model that a Python file defines.

    `name`: its variable or its own name, where the file defines several; also as "path:NAME".

    Raises: ModelFileError if there is no such file or model, or if the file fails; the error of
    the definition itself, where that is what is wrong.
    """
    file, wanted = _split(os.fspath(path), name)
    namespace = _run(file)
    models = _models_of(namespace)
    shown = _listed(models)
    if not models:
        raise ModelFileError(
            f"{file} defines no model", fix="assign sg.Model(...) to a variable of the file"
        )
    if wanted is not None:
        chosen = [m for variable, m in models.items() if wanted in (variable, m.name)]
        if len(set(chosen)) != 1:
            raise ModelFileError(
                f"{file} defines no model called {wanted}", facts={"models": shown}
            )
        return chosen[0]
    if len(set(models.values())) > 1:
        first = next(iter(models))
        raise ModelFileError(
            f"{file} defines {len(set(models.values()))} models",
            facts={"models": shown},
            fix=f"say which: {file}:{first}",
        )
    return next(iter(models.values()))


def _split(path: str, name: str | None) -> tuple[Path, str | None]:
    """The file, and the name after the colon if there is one."""
    before, colon, after = path.rpartition(":")
    if name is None and colon and after.isidentifier() and not os.path.exists(path):
        path, name = before, after
    file = Path(path)
    if file.suffix != ".py":
        raise ModelFileError(f"{file} is not a Python file", fix="a model file ends in .py")
    if not file.is_file():
        raise ModelFileError(f"there is no file {file}")
    return file, name


def _models_of(namespace: dict[str, Any]) -> dict[str, Model]:
    return {key: value for key, value in namespace.items() if isinstance(value, Model)}


def _listed(models: dict[str, Model]) -> str:
    return ", ".join(
        key if key == model.name else f"{key} ({model.name})" for key, model in models.items()
    )


def _run(file: Path) -> dict[str, Any]:
    """The variables of the file after it has run."""
    module = types.ModuleType(MODULE_NAME)
    module.__file__ = str(file.resolve())
    try:
        code = compile(file.read_bytes(), module.__file__, "exec")
        with _own_imports(file.resolve().parent), _own_labels(), until_end_of_file():
            sys.modules[MODULE_NAME] = module
            exec(code, module.__dict__)
    except SymgradError as error:
        if error.where is None:
            raise _located(file, error) from None
        raise
    except SyntaxError as error:
        raise ModelFileError(
            f"{file} is not valid Python: {error.msg}",
            where=f"{file}:{error.lineno}",
            facts={"line": (error.text or "").strip()},
        ) from None
    except OSError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise _failure(file, error) from None
        raise ModelFileError(f"{file} cannot be read: {error.strerror}") from None
    except (Exception, SystemExit) as error:
        raise _failure(file, error) from None
    return module.__dict__


def _failure(file: Path, error: BaseException) -> ModelFileError:
    """The error of the user's code, with the line of the file that led to it."""
    line = _line_of(file, error)
    what = traceback.format_exception_only(error)[-1].strip().splitlines()[0]
    if line is None:
        return ModelFileError(f"{file} failed: {what}")
    return ModelFileError(
        f"{file} failed: {what}",
        where=f"{file}:{line}",
        facts={"line": linecache.getline(str(file.resolve()), line).strip()},
    )


def _located(file: Path, error: SymgradError) -> SymgradError:
    """`error`, which does not know where it arose, at the line of the file that led to it."""
    line = _line_of(file, error)
    if line is None:
        return error
    return type(error)(error.what, where=f"{file}:{line}", facts=error.facts, fix=error.fix)


def _line_of(file: Path, error: BaseException) -> int | None:
    """The last line of the file that was running when the error arose."""
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(file.resolve())
    ]
    return lines[-1] if lines else None


@contextmanager
def _own_imports(folder: Path) -> Iterator[None]:
    """The folder first on the path; what is imported from it is forgotten afterwards."""
    path, known = list(sys.path), set(sys.modules)
    packages = {name.partition(".")[0] for name in known}
    sys.path.insert(0, str(folder))
    linecache.checkcache()
    try:
        yield
    finally:
        sys.path[:] = path
        sys.modules.pop(MODULE_NAME, None)
        for name in set(sys.modules) - known:
            if name.partition(".")[0] not in packages and _lies_in(sys.modules[name], folder):
                del sys.modules[name]


def _lies_in(module: Any, folder: Path) -> bool:
    """Whether a module is the user's own: a file below the folder that was not installed there."""
    origin = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), None)
    if not isinstance(origin, str):
        return False
    parts = Path(origin).parts
    installed = "site-packages" in parts or "dist-packages" in parts
    return folder in Path(origin).resolve().parents and not installed


@contextmanager
def _own_labels() -> Iterator[None]:
    """Tensors are shared between equal definitions: forget, meanwhile, what others called them."""
    labelled = {node: node.label for node in Node._interned.values() if node.label is not None}
    for node in labelled:
        node.label = None
    try:
        yield
    finally:
        for node, label in labelled.items():
            node.label = label
