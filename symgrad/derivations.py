"""The derivation of a model's function, as Python and notebooks use it.

    derivation = sg.derive(model)                   in a notebook: the page
    derivation.save("digits.html")                  or .md, .tex, .txt
    sg.derive(model, "hessian", level="every", at="random").text()
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from symgrad.derivation_pages import derivation_of
from symgrad.errors import DefinitionError, OutputError
from symgrad.evaluation.step_check import StepCheck
from symgrad.evaluation.study import Given, Numbers
from symgrad.model.model import Model
from symgrad.report.aligned import aligned_latex
from symgrad.report.derivation import LEVELS
from symgrad.report.markdown import for_notebooks
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.render import render_derivation

SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".tex": "latex", ".txt": "text"}
AT_ONCE = 40  # equations in one display
FRAME = "width: 100%; height: 80vh; border: 1px solid #8886; border-radius: 6px"


@dataclass(frozen=True, eq=False, repr=False)
class Derivation:
    """How one function of a model comes about.

    record: all that is told, as data. numbers: values and what checking found, or None.
    """

    record: DerivationRecord
    numbers: Numbers | None

    @property
    def failures(self) -> tuple[StepCheck, ...]:
        """The steps and rewritings that do not hold; none if all is well."""
        return () if self.numbers is None else self.numbers.failures

    def written(self, form: str) -> str:
        """The whole in one of "html", "latex", "markdown", "text"."""
        return render_derivation(self.record, form)

    def html(self) -> str:
        """One HTML page that needs nothing else."""
        return self.written("html")

    def latex(self) -> str:
        """A LaTeX document."""
        return self.written("latex")

    def markdown(self) -> str:
        """Markdown with mathematics as GitHub reads it."""
        return self.written("markdown")

    def text(self) -> str:
        """Lines for a terminal."""
        return self.written("text")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a file whose format its ending says: .html, .md, .tex, .txt. Returns its path.

        Raises: OutputError if the ending is another, or the file cannot be written.
        """
        path = Path(path)
        form = SUFFIXES.get(path.suffix)
        if form is None:
            raise OutputError(
                f"the ending of {path} does not say what to write",
                facts={"known": ", ".join(SUFFIXES)},
                fix="choose one of these endings",
            )
        write_page(path, self.written(form))
        return path

    def __repr__(self) -> str:
        record = self.record
        found = f", {record.verification}" if record.verification else ""
        return f"<Derivation of {record.model}.{record.function}{found}>"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """The page in a frame of its own: its styles and links stay within."""
        page = self.html().replace("<head>", '<head>\n<base href="about:srcdoc">', 1)
        return (
            f'<iframe title="{escape(self.record.title)}" sandbox="allow-popups" style="{FRAME}" '
            f'srcdoc="{escape(page)}"></iframe>'
        )

    def _repr_markdown_(self) -> str:
        return for_notebooks(self.markdown())

    def _repr_latex_(self) -> str:
        """The equations, forward and backward, as one display for MathJax."""
        groups = (*self.record.forward, *self.record.derivatives)
        return aligned_latex([e for group in groups for e in group.items], AT_ONCE)


def derive(
    model: Model,
    function: str | None = None,
    level: str = "steps",
    at: str | Path | Given | None = None,
    *,
    seed: int = 0,
    verify: bool = True,
    measure: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> Derivation:
    """How `function` of `model` comes about, step by step; by default value_and_grad.

    `level`: "summary", "steps" or "every". `at`: values beside every equation: arrays by name, an
    .npz file, or "random" for small numbers, which `seed` chooses. `verify`: computes every step
    on both sides at random points. `measure`: draws parameters and measures gradients beside those
    that gradient health predicts. `sizes`: of dimensions, by name, at which costs are shown; by
    default those of the arrays given, else 64.

    Raises: DefinitionError if there is no such function, level or dimension; CheckError or
    WeightsError if the values cannot be read or do not fit.
    """
    if level not in LEVELS:
        raise DefinitionError(
            f"there is no level {level!r}",
            facts={"known": ", ".join(LEVELS)},
            fix="choose from these",
        )
    return Derivation(
        *derivation_of(
            model,
            function,
            level,
            at=at,
            seed=seed,
            is_checked=verify,
            measures=measure,
            sizes=sizes,
        )
    )


def write_page(path: Path, text: str) -> None:
    """Writes a page. Raises: OutputError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
