"""Which names can stand in a model: they become names in code that people read.

>>> print(name_problem("lambda", "an input"))
'lambda' cannot name an input: it is a Python keyword
  fix  choose another name, for example 'lambda_'
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import unicodedata

from symgrad.errors import NamingError

# What the emitted module calls its own things.
RESERVED = frozenset(
    """
    np numpy sys inspect params out dtype seed rng loss grads fits log_max self tangents cotangents
    init_params forward value_and_grad input_grad jvp vjp hvp hessian jacobian per_example_grad
    ravel unravel ravel_hessian check main PARAMETERS INPUTS OUTPUTS DISTRIBUTIONS STATE
    UPDATES_STATE DRAWS
    """.split()  # noqa: SIM905
)


def name_problem(name: object, what: str, where: str | None = None) -> NamingError | None:
    """What is wrong with `name` as the name of `what` ("an input"), or None."""
    reason = _reason(name)
    if reason is None:
        return None
    return NamingError(f"{name!r} cannot name {what}: {reason}", where=where, fix=_advice(name))


def path_problem(path: str, what: str, where: str | None = None) -> NamingError | None:
    """The same for a parameter's name, which may be a path: `encoder.0.weight`."""
    parts = path.split(".")
    if len(parts) == 1:
        return name_problem(path, what, where)
    for part in parts:
        if part.isdecimal() and part.isascii():
            continue
        reason = _not_an_identifier(part)
        if reason is not None:
            return NamingError(
                f"{path!r} cannot name {what}: {part!r} in it {reason.removeprefix('it ')}",
                where=where,
                fix="join identifiers and whole numbers by dots",
            )
    return None


def model_name_problem(name: object, where: str | None = None) -> NamingError | None:
    """The same for a model's name, which also names the file of the generated module."""
    if name == "numpy" or name in sys.stdlib_module_names:
        return NamingError(
            f"{name!r} cannot name a model: the generated file would hide the Python module {name}",
            where=where,
            fix=_advice(name),
        )
    return name_problem(name, "a model", where)


def _reason(name: object) -> str | None:
    if not isinstance(name, str):
        return "it is not text"
    reason = _not_an_identifier(name)
    if reason is not None:
        return reason
    if hasattr(builtins, name):
        return "it is a Python builtin, which the emitted code would hide"
    if name in RESERVED:
        return "the emitted code uses this name itself"
    return None


def _not_an_identifier(name: str) -> str | None:
    if keyword.iskeyword(name):
        return "it is a Python keyword"
    if not name.isidentifier():
        return "it is not a Python identifier"
    if unicodedata.normalize("NFKC", name) != name:
        return "Python would read its letters as others"
    if name.startswith("_"):
        return "it begins with an underscore, as the emitted module's own names do"
    return None


def _advice(name: object) -> str:
    if not isinstance(name, str):
        return 'write it in quotes, for example "x"'
    plain = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name)).strip("_")
    for proposal in (plain, f"{plain}_", f"t_{plain}"):
        if plain and _reason(proposal) is None and proposal not in sys.stdlib_module_names:
            return f"choose another name, for example {proposal!r}"
    return "choose a name of letters, digits and underscores"
