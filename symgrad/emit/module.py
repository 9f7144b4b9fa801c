"""The frozen view of a module, and its rendering through the template."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import jinja2

from symgrad.emit.function import FunctionView
from symgrad.errors import OutputError


@dataclass(frozen=True)
class ModuleView:
    """Everything the template of a module may use: finished strings and tuples of them."""

    docstring: tuple[str, ...]
    parameters: tuple[str, ...]
    states: tuple[str, ...]
    state_functions: tuple[str, ...]
    draws: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    distributions: tuple[str, ...]
    held: tuple[str, ...]
    sizes: tuple[str, ...]
    init_signature: str
    init_lines: tuple[str, ...]
    init_sizes: str
    state_signature: str
    state_lines: tuple[str, ...]
    state_sizes: str
    ravels: bool
    functions: tuple[FunctionView, ...]
    emitted: frozenset[str]
    claims: tuple[str, ...]
    loss_function: str
    helpers: tuple[str, ...]
    uses_log_max: bool
    uses_guard: bool
    uses_least_sizes: bool
    uses_out: bool
    scalar_kinds: frozenset[str]
    scalar_types: str
    takes_cotangents: bool
    float_outputs: str
    public: tuple[str, ...]
    check_sizes: str
    batch: str
    index_limits: tuple[str, ...]


def templates_folder() -> Path:
    """The folder of templates: beside the package in a checkout, inside it in a wheel.

    Raises: OutputError if neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "module.py.j2").is_file():
            return folder
    raise OutputError(
        "symgrad's templates are missing from the installation",
        facts={"expected": "module.py.j2 in symgrad/templates"},
        fix="reinstall symgrad",
    )


def environment() -> jinja2.Environment:
    """Jinja as symgrad uses it: strict, and blind to anything but layout."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(view: ModuleView) -> str:
    """The text of the module."""
    record = {field.name: getattr(view, field.name) for field in fields(view)}
    return environment().get_template("module.py.j2").render(record)
