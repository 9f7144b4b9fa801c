"""Compiles every example into generated/, or checks that it is what is there.

python -m examples.generate            writes generated/
python -m examples.generate --check    exits with 1 if a file differs, is missing or is extra
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from examples.committed import ROOT, write_or_check
from symgrad.compiler import MARK, compile_model
from symgrad.model.model_file import load_model

HERE = Path(__file__).resolve().parent
GENERATED = ROOT / "generated"

# model file -> the functions of its module; None for the default three
MODELS: dict[str, list[str] | None] = {
    "char_lstm": None,
    "digits_cnn": None,
    "digits_mlp": ["forward", "loss", "value_and_grad", "input_grad", "per_example_grad"],
    "gaussian_process": None,
    "house_prices_hidden": None,
    "house_prices_linear": None,
    "logistic_regression": ["forward", "loss", "value_and_grad", "hvp", "hessian"],
    "reinforce": None,
    "textbook_2_2_2": None,
    "tiny_transformer": None,
    "waveforms": None,
}


def sources() -> dict[str, str]:
    """The text of every generated module by file name."""
    texts = {}
    for name, functions in MODELS.items():
        compiled = compile_model(load_model(HERE / f"{name}.py"), functions)
        texts[compiled.filename] = compiled.source
    return texts


def differences(texts: Mapping[str, str], folder: Path = GENERATED) -> list[str]:
    """What is wrong with the files of `folder`, a line each."""
    found = {path.name: path.read_text() for path in folder.glob("*.py")}
    wrong = [f"{name} is missing" for name in sorted(texts.keys() - found.keys())]
    wrong += [
        f"{name} is not made by any example"
        for name in sorted(found.keys() - texts.keys())
        if MARK in found[name]
    ]
    wrong += [
        f"{name} differs" for name in sorted(texts) if found.get(name, texts[name]) != texts[name]
    ]
    return wrong


def main(arguments: list[str]) -> int:
    command = "python -m examples.generate"
    return write_or_check(
        arguments, command, GENERATED, sources(), differences,
        lambda text: f"{len(text.splitlines())} lines",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
