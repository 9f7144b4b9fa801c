"""Prints the derivations of docs/gallery/, or checks that they are what is there.

python -m examples.gallery            writes docs/gallery/
python -m examples.gallery --check    exits with 1 if a file differs, is missing or is extra
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from examples.committed import ROOT, write_or_check
from examples.gallery_index import Entry, index_page, readme
from symgrad.derivation_pages import derivation_of
from symgrad.errors import CheckError
from symgrad.model.model_file import load_model
from symgrad.report.render import render_derivation

MODELS = Path("examples/classics")
GALLERY = ROOT / "docs" / "gallery"


@dataclass(frozen=True)
class Page:
    """One derivation. `model`: a file of MODELS. `at`: a file of values there, or ""."""

    model: str
    title: str
    result: str
    function: str = "value_and_grad"
    at: str = ""

    @property
    def file(self) -> str:
        """The page in docs/gallery/."""
        suffix = "" if self.function in ("value_and_grad", "input_grad") else f"_{self.function}"
        return f"{self.model}{suffix}.html"

    @property
    def command(self) -> str:
        """The command that prints this page; paths count from the root of the repository."""
        options = "" if self.function == "value_and_grad" else f" --function {self.function}"
        options += f" --at {MODELS / self.at}" if self.at else ""
        return f"symgrad derive {MODELS / self.model}.py{options} -o {self.file}"


PAGES = (
    Page("linear_regression", "Linear regression", "Xᵀ(Xw − y)/n, the normal equations"),
    Page("logistic_regression", "Logistic regression", "the error p − y"),
    Page("logistic_regression", "The Hessian of logistic regression",
         "Xᵀ diag(p(1 − p)) X/n, for Newton's method", "hessian"),
    Page("softmax_regression", "Softmax regression", "the error P − Y of several classes"),
    Page("textbook", "The 2-2-2 textbook network", "every number of the original, step by step",
         at="textbook.npz"),
    Page("backpropagation", "Backpropagation", "Nielsen's equations BP1 to BP4 for a deep net"),
    Page("recurrent", "Backpropagation through time", "a tanh network that reads a sequence"),
    Page("lstm", "Long short-term memory", "its gates, and what passes through the cell"),
    Page("attention", "Scaled dot-product attention", "gradients of queries, keys and values"),
    Page("convolutional", "A convolutional network", "convolution, pooling, and a linear layer"),
    Page("batch_norm", "Batch normalisation", "its backward pass, equation by equation"),
    Page("custom_activation", "An activation of one's own", "a formula, its slope derived"),
    Page("log_determinant", "The log-determinant", "the inverse transposed"),
    Page("principal_components", "Principal components", "the trace objective"),
    Page("adversarial", "The gradient of an input", "the direction of an adversarial attack",
         "input_grad"),
)  # fmt: skip


def sources() -> dict[str, str]:
    """The text of every file of the gallery by its name."""
    texts = {}
    with chdir(ROOT):  # the user's lines are quoted with paths from here
        for page in PAGES:
            texts[page.file] = derived(page)
    entries = [Entry(page.file, page.title, page.result, page.command) for page in PAGES]
    return texts | {"index.html": index_page(entries), "README.md": readme(entries)}


def derived(page: Page) -> str:
    """The page, all of its steps verified. Raises: CheckError if one does not hold."""
    record, numbers = derivation_of(
        load_model(f"{MODELS / page.model}.py"),
        page.function,
        at=str(MODELS / page.at) if page.at else None,
        is_checked=True,
        is_portable=True,
    )
    failures = () if numbers is None else numbers.failures
    if failures:
        raise CheckError(f"{page.file}: a step does not hold: {failures[0]}")
    return render_derivation(record, "html")


def differences(texts: Mapping[str, str], folder: Path = GALLERY) -> list[str]:
    """What is wrong with the files of `folder`, a line each."""
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*")}
    wrong = [f"{name} is missing" for name in sorted(texts.keys() - found.keys())]
    wrong += [f"{name} is not of the gallery" for name in sorted(found.keys() - texts.keys())]
    wrong += [f"{n} differs" for n in sorted(texts.keys() & found.keys()) if found[n] != texts[n]]
    return wrong


def main(arguments: list[str]) -> int:
    command = "python -m examples.gallery"
    return write_or_check(
        arguments, command, GALLERY, sources(), differences,
        lambda text: f"{len(text.encode()) // 1000} kB",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
