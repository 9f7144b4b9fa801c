"""The errors a user can meet: one class per stage, all under `SymgradError`.

Each message has the house form: what happened, where, what was expected and what came, and how
to mend it::

    ShapeError: dense_2 cannot multiply its input by W2: the inner sizes differ
      at   examples/mlp.py:21
      x    [n, 16]
      W2   [32, 10]
      fix  declare W2 as [16, 10]
"""

from __future__ import annotations

from collections.abc import Mapping


class SymgradError(Exception):
    """Base of every error that symgrad raises on purpose.

    `what` is one sentence; `where` a "file:line" of the user's definition or None; `facts` are
    aligned label/value lines; `fix` says how to mend it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        facts: Mapping[str, str] | None = None,
        fix: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.facts = dict(facts or {})
        self.fix = fix
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole text, without the class name."""
        rows = [("at", self.where)] if self.where else []
        rows += list(self.facts.items())
        if self.fix:
            rows.append(("fix", self.fix))
        width = max((len(label) for label, _ in rows), default=0)
        lines = [self.what] + [f"  {label:<{width}}  {text}" for label, text in rows]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.message


class ShapeError(SymgradError):
    """Sizes or axes of a definition do not fit."""


class DefinitionError(SymgradError):
    """A model, layer or operation was defined in a way that has no meaning."""


class NamingError(SymgradError):
    """A name cannot be used, or is used twice."""


class UnsupportedError(SymgradError):
    """An argument, function or combination that symgrad does not offer; it is named."""


class FormulaError(SymgradError):
    """The text of a formula does not parse or uses something outside its language."""


class ModelFileError(SymgradError):
    """A model file is missing, fails on import, or does not define what was asked for."""


class OutputError(SymgradError):
    """A module cannot be written where it was asked for."""


class WeightsError(SymgradError):
    """Numbers cannot be stored or read, or do not fit the definition that they are for."""


class CheckError(SymgradError):
    """A module to be checked cannot be loaded or lacks what a check needs."""
