"""The derivations that every textbook has come out in the form that the books print."""

from __future__ import annotations

from contextlib import chdir
from functools import cache

import numpy as np
import pytest

from examples.gallery import MODELS, PAGES, ROOT, Page
from symgrad.derivation_pages import derivation_of
from symgrad.model.model_file import load_model
from symgrad.report.derivation_record import DerivationRecord, Equation
from symgrad.report.notation import text

# file of the gallery -> equations in matrix notation, as they stand among its derivatives
COLLECTED = {
    "linear_regression.html": ("∂L/∂w = Xᵀ r/n",),
    "logistic_regression.html": ("∂L/∂z = (σ(z) - y)/n", "∂L/∂w = Xᵀ (∂L/∂z)"),
    "softmax_regression.html": ("∂L/∂Z = (softmax(Z) - Y)/n", "∂L/∂W = Xᵀ (∂L/∂Z)"),
    "attention.html": (
        "∂L/∂O = ∂L/∂E = O - Y",
        "∂L/∂V = Aᵀ (∂L/∂E)",
        "∂L/∂A = (∂L/∂E) Vᵀ",
        "∂L/∂S_in = A ⊙ (∂L/∂A - ((∂L/∂A) ⊙ A) 𝟏)/8",
        "∂L/∂Q = (∂L/∂S_in) K",
        "∂L/∂K = (∂L/∂S_in)ᵀ Q",
    ),
    "principal_components.html": ("∂L/∂V = -Aᵀ - S V",),
    "log_determinant.html": ("∂L/∂A = Sᵀ - A⁻ᵀ",),
    "batch_norm.html": (
        "∂L/∂β = (∂L/∂Y)ᵀ 𝟏",
        "∂L/∂γ = (X̂ ⊙ (∂L/∂Y))ᵀ 𝟏",
        "∂L/∂X̂ = (∂L/∂Y) diag(γ)",
        "∂L/∂X = ∂L/∂D - (∂L/∂D)ᵀ 𝟏/n",
    ),
    "adversarial.html": ("∂L/∂s = p - y", "∂L/∂h = Vᵀ (∂L/∂s)", "∂L/∂x = Wᵀ (∂L/∂z)"),
}
# the same of the forward pass
DEFINED = {
    "linear_regression.html": ("r = X w - y", "L = ‖r‖²/(2 n)"),
    "softmax_regression.html": ("Z = X W", "L = -⟨Y, Z - logsumexp(Z)⟩/n"),
    "backpropagation.html": ("z_3 = W_3 a_2 + b_3", "a_3 = σ(z_3)", "L = ‖r‖²/2"),
    "attention.html": ("S = Q Kᵀ/8", "A = softmax(S)", "O = A V", "L = ‖E‖²/2"),
    "principal_components.html": ("A = Vᵀ S", "L = -tr(A V)"),
    "batch_norm.html": ("μ = Xᵀ 𝟏/n", "X̂ = D/√(v)", "Y = X̂ diag(γ) + β"),
}
BY_FILE = {page.file: page for page in PAGES}


@cache
def record_of(page: Page) -> DerivationRecord:
    with chdir(ROOT):
        at = ROOT / MODELS / page.at if page.at else None
        return derivation_of(load_model(str(MODELS / f"{page.model}.py")), page.function, at=at)[0]


def equations(groups: tuple, found: list[Equation] | None = None) -> list[Equation]:
    """All equations of a part of a page, those of loops too."""
    return [e for group in groups for whole in group.items for e in (whole, *whole.steps)]


def matrices(groups: tuple) -> list[str]:
    return [text(e.matrix) for e in equations(groups) if e.matrix is not None]


@pytest.mark.parametrize("file", COLLECTED)
def test_derivatives(file: str) -> None:
    assert set(COLLECTED[file]) <= set(matrices(record_of(BY_FILE[file]).derivatives))


@pytest.mark.parametrize("file", DEFINED)
def test_definitions(file: str) -> None:
    assert set(DEFINED[file]) <= set(matrices(record_of(BY_FILE[file]).forward))


def test_the_four_equations_of_backpropagation() -> None:
    """BP1 to BP4: what Nielsen calls delta, the derivative by z, is that by b (BP3)."""
    found = matrices(record_of(BY_FILE["backpropagation.html"]).derivatives)
    assert "∂L/∂a_4 = ∂L/∂r = a_4 - y" in found
    assert "∂L/∂z_4 = ∂L/∂b_4 = (∂L/∂r) ⊙ a_4 ⊙ (1 - a_4)" in found  # BP1, BP3
    for k, j in ((4, 3), (3, 2)):
        assert f"∂L/∂a_{j} = W_{k}ᵀ (∂L/∂b_{k})" in found  # BP2
        assert f"∂L/∂z_{j} = ∂L/∂b_{j} = (∂L/∂a_{j}) ⊙ a_{j} ⊙ (1 - a_{j})" in found
        assert f"∂L/∂W_{k} = (∂L/∂b_{k}) a_{j}ᵀ" in found  # BP4
    assert "∂L/∂W_2 = (∂L/∂b_2) xᵀ" in found


def test_backpropagation_through_time_is_a_loop() -> None:
    record = record_of(BY_FILE["recurrent.html"])
    assert "h[t] = tanh(W_hh h[t - 1] + add_b[t])" in matrices(record.forward)
    found = matrices(record.derivatives)
    assert "∂L/∂h[t] = W_hhᵀ (∂L/∂given[t])" in found
    assert "∂L/∂W_xh = (∂L/∂given)ᵀ x" in found


def test_the_numbers_of_the_textbook() -> None:
    """Mazur's loss, and what he prints of the derivatives by w5 and w1."""
    record = record_of(BY_FILE["textbook.html"])
    values = {text(e.name): e.values for e in equations((*record.forward, *record.derivatives))}
    numbers = {name: np.array(v.replace("[", " ").replace("]", " ").replace(";", " ").split(), float)
               for name, v in values.items() if v is not None}  # fmt: skip
    assert numbers["net_h"] == pytest.approx([0.3775, 0.3925])
    assert numbers["o"] == pytest.approx([0.75136507, 0.772928465])
    assert numbers["L"] == pytest.approx([0.298371109])
    assert numbers["∂L/∂W_2"][0] == pytest.approx(0.082167041)
    assert numbers["∂L/∂W_1"][0] == pytest.approx(0.000438568, rel=1e-6)
