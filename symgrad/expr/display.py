"""What a notebook shows of an object. Formulas are printed far above the rooms of expressions and
models, so the printers are entered here from there, per class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class Displayed:
    """Base of what a notebook shows as mathematics; `print` and `repr` stay as they are.

    `_displays`: "html", "latex" -> what writes it. Where it gives None, the text is shown.
    `_enter_printers`: fills them, when a notebook first asks.
    """

    _displays: ClassVar[Mapping[str, Callable[[Any], str | None]]] = {}
    _enter_printers: ClassVar[Callable[[], object]] = staticmethod(lambda: None)

    def _repr_html_(self) -> str | None:
        return self._display("html")

    def _repr_latex_(self) -> str | None:
        return self._display("latex")

    def _display(self, form: str) -> str | None:
        Displayed._enter_printers()
        write = self._displays.get(form)
        return None if write is None else write(self)
