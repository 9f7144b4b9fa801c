"""The derivations that every textbook has come out in the form that the books print."""

from __future__ import annotations

from contextlib import chdir
from functools import cache

import numpy as np
import pytest

from examples.gallery import MODELS, PAGES, ROOT, Page
from symgrad.derivation_pages import derivation_of
from symgrad.model.model_file import load_model
from symgrad.report.notation import text
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.record.equation import Equation

# file of the gallery -> equations in matrix notation, as they stand among its derivatives
COLLECTED = {
    "linear_regression.html": ("∂L/∂w = Xᵀ r/n",),
    "logistic_regression.html": ("∂L/∂z = (p - y)/n", "∂L/∂w = Xᵀ (∂L/∂z)"),
    "logistic_regression_hessian.html": (
        "∂²L/∂z∂wᵀ = diag(p ⊙ (1 - p)) X/n",
        "∂²L/∂w∂wᵀ = Xᵀ (∂²L/∂z∂wᵀ)",
    ),
    "softmax_regression.html": ("∂L/∂Z = (P - Y)/n", "∂L/∂W = Xᵀ (∂L/∂Z)"),
    "attention.html": (
        "∂L/∂O = ∂L/∂E = O - Y",
        "∂L/∂V = Aᵀ (∂L/∂E)",
        "∂L/∂A = (∂L/∂E) Vᵀ",
        "∂L/∂S = A ⊙ (∂L/∂A - ((∂L/∂A) ⊙ A) 𝟏)",
        "∂L/∂Q = (∂L/∂S) K/8",
        "∂L/∂K = (∂L/∂S)ᵀ Q/8",
    ),
    "principal_components.html": ("∂L/∂V = -Aᵀ - S V",),
    "log_determinant.html": ("∂L/∂A = Sᵀ - A⁻ᵀ",),
    "batch_norm.html": (
        "∂L/∂β = (∂L/∂Y)ᵀ 𝟏",
        "∂L/∂γ = (X̂ ⊙ (∂L/∂Y))ᵀ 𝟏",
        "∂L/∂X̂ = (∂L/∂Y) diag(γ)",
        "∂L/∂v = -(D ⊙ (∂L/∂X̂)/(v^⊙(3/2)))ᵀ 𝟏/2",
        "∂L/∂D = ∂L/∂X̂/√(v) + 2 (D diag(∂L/∂v))/n",
        "∂L/∂μ = -(∂L/∂D)ᵀ 𝟏",
        "∂L/∂X = ∂L/∂D + ∂L/∂μ/n",
    ),
    "adversarial.html": ("∂L/∂s = p - y", "∂L/∂h = Vᵀ (∂L/∂s)", "∂L/∂x = Wᵀ (∂L/∂z)"),
}
# the same of the results in one formula; none where what is collected is that already
CLOSED = {
    "linear_regression.html": ("∂L/∂w = Xᵀ (X w - y)/n",),
    "logistic_regression.html": ("∂L/∂w = Xᵀ (p - y)/n",),
    "logistic_regression_hessian.html": ("∂²L/∂w∂wᵀ = Xᵀ diag(p ⊙ (1 - p)) X/n",),
    "softmax_regression.html": ("∂L/∂W = Xᵀ (P - Y)/n",),
    "backpropagation.html": (
        "∂C/∂b_4 = r ⊙ a_4 ⊙ (1 - a_4)",
        "∂C/∂W_4 = (r ⊙ a_4 ⊙ (1 - a_4)) a_3ᵀ",
        "∂C/∂b_3 = (W_4ᵀ (r ⊙ a_4 ⊙ (1 - a_4))) ⊙ a_3 ⊙ (1 - a_3)",
        "∂C/∂W_3 = ((W_4ᵀ (r ⊙ a_4 ⊙ (1 - a_4))) ⊙ a_3 ⊙ (1 - a_3)) a_2ᵀ",
    ),
    "attention.html": (
        "∂L/∂V = Aᵀ E",
        "∂L/∂K = (A ⊙ (E Vᵀ - ((E Vᵀ) ⊙ A) 𝟏))ᵀ Q/8",
        "∂L/∂Q = (A ⊙ (E Vᵀ - ((E Vᵀ) ⊙ A) 𝟏)) K/8",
    ),
    "principal_components.html": ("∂L/∂V = -Sᵀ V - S V",),
    "log_determinant.html": (),
    "batch_norm.html": ("∂L/∂β = Gᵀ 𝟏", "∂L/∂γ = (X̂ ⊙ G)ᵀ 𝟏"),
    "adversarial.html": ("∂L/∂x = Wᵀ ((Vᵀ (p - y)) ⊙ [h > 0])",),
    "recurrent.html": (),
}
# with indices, as far as those are what a book prints
WITH_INDICES = {
    "linear_regression.html": "∂L/∂w[i] = (1/n) Σ_j (Σ_k X[j, k] w[k] - y[j]) X[j, i]",
    "logistic_regression_hessian.html": (
        "∂²L/∂w[i]∂w[j] = (1/n) Σ_k X[k, j] p[k] (1 - p[k]) X[k, i]"
    ),
    "softmax_regression.html": "∂L/∂W[i, j] = (1/n) Σ_l (P[l, j] - Y[l, j]) X[l, i]",
}
# the same of the forward pass
DEFINED = {
    "linear_regression.html": ("r = X w - y", "L = ‖r‖²/(2 n)"),
    "logistic_regression_hessian.html": ("z = X w", "p = σ(z)"),
    "softmax_regression.html": ("Z = X W", "P = softmax(Z)", "L = -⟨Y, Z - logsumexp(Z)⟩/n"),
    "backpropagation.html": ("z_3 = W_3 a_2 + b_3", "a_3 = σ(z_3)", "C = ‖r‖²/2"),
    "attention.html": ("S = Q Kᵀ/8", "A = softmax(S)", "O = A V", "L = ‖E‖²/2"),
    "principal_components.html": ("A = Vᵀ S", "L = -tr(A V)"),
    "batch_norm.html": ("μ = Xᵀ 𝟏/n", "v = (D ⊙ D)ᵀ 𝟏/n + 1e-05", "X̂ = D/√(v)", "Y = X̂ diag(γ) + β"),
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


@pytest.mark.parametrize("file", CLOSED)
def test_results_in_one_formula(file: str) -> None:
    found = [each.equation for each in record_of(BY_FILE[file]).closed]
    assert tuple(text(equation.matrix) for equation in found) == CLOSED[file]
    if file in WITH_INDICES:
        assert [text(equation.index) for equation in found] == [WITH_INDICES[file]]


@pytest.mark.parametrize("file", DEFINED)
def test_definitions(file: str) -> None:
    assert set(DEFINED[file]) <= set(matrices(record_of(BY_FILE[file]).forward))


def test_the_four_equations_of_backpropagation() -> None:
    """BP1 to BP4: what Nielsen calls delta, the derivative by z, is that by b (BP3)."""
    found = matrices(record_of(BY_FILE["backpropagation.html"]).derivatives)
    assert "∂C/∂a_4 = ∂C/∂r = a_4 - y" in found
    assert "∂C/∂z_4 = ∂C/∂b_4 = (∂C/∂r) ⊙ a_4 ⊙ (1 - a_4)" in found  # BP1, BP3
    for k, j in ((4, 3), (3, 2)):
        assert f"∂C/∂a_{j} = W_{k}ᵀ (∂C/∂b_{k})" in found  # BP2
        assert f"∂C/∂z_{j} = ∂C/∂b_{j} = (∂C/∂a_{j}) ⊙ a_{j} ⊙ (1 - a_{j})" in found
        assert f"∂C/∂W_{k} = (∂C/∂b_{k}) a_{j}ᵀ" in found  # BP4
    assert "∂C/∂W_2 = (∂C/∂b_2) xᵀ" in found


def test_backpropagation_through_time_is_a_loop() -> None:
    """Werbos 1990; in the notation of Goodfellow, Bengio and Courville, section 10.2.2."""
    record = record_of(BY_FILE["recurrent.html"])
    assert matrices(record.forward) == [
        "a[t] = W_xh x[t] + W_hh h[t - 1] + b",
        "h[t] = tanh(a[t])",
        "h_T = h[T - 1]",
        "L = ‖h_T - y‖²/2",
    ]
    assert matrices(record.derivatives) == [
        "∂L/∂h_T = h_T - y",
        "slope_a = 1 - h ⊙ h",
        "∂L/∂a[t] = (∂L/∂h[t]) ⊙ slope_a[t]",
        "∂L/∂h[t - 1] = W_hhᵀ (∂L/∂a[t])",
        "∂L/∂b = (∂L/∂a)ᵀ 𝟏",
        "∂L/∂W_hh = Σ_t (∂L/∂a[t]) h[t - 1]ᵀ",
        "∂L/∂W_xh = (∂L/∂a)ᵀ x",
    ]
    (loop,) = [s.inner for group in record.chapters for s in group.items if s.inner is not None]
    arrived = [a.equation.matrix for step in loop.steps for a in step.arrivals]
    given = [text(equation) for equation in arrived if equation is not None]
    assert "∂L/∂a[t] = (∂L/∂h[t]) ⊙ (1 - tanh(a[t])^⊙2)" in given
    assert "∂L/∂W_xh[t] = (∂L/∂a[t]) x[t]ᵀ" in given


def test_the_cell_of_a_long_short_term_memory() -> None:
    """Derivatives pass through the cell from step to step multiplied by its forget gate alone."""
    record = record_of(BY_FILE["lstm.html"])
    forward = matrices(record.forward)
    for gate, function in (("i", "σ"), ("f", "σ"), ("g", "tanh"), ("o", "σ")):
        assert f"{gate}_in[t] = W_{gate} x[t] + U_{gate} h[t - 1]" in forward
        assert f"{gate}[t] = {function}({gate}_in[t])" in forward
    assert "c[t] = f[t] ⊙ c[t - 1] + i[t] ⊙ g[t]" in forward
    assert "h[t] = o[t] ⊙ tanh(c[t])" in forward
    found = matrices(record.derivatives)
    assert "δ_c_later[t - 1] = f[t] ⊙ (∂L/∂c[t])" in found
    assert "∂L/∂c[t] = δ_c_later[t] + (∂L/∂h[t]) ⊙ slope_c[t]" in found
    for gate in "ifgo":
        assert f"∂L/∂U_{gate} = Σ_t (∂L/∂{gate}_in[t]) h[t - 1]ᵀ" in found
        assert f"∂L/∂W_{gate} = (∂L/∂{gate}_in)ᵀ x" in found


def test_the_numbers_of_the_textbook() -> None:
    """Mazur's loss, and what he prints of the derivatives by w5 and w1."""
    record = record_of(BY_FILE["textbook.html"])
    values = {text(e.name): e.values for e in equations((*record.forward, *record.derivatives))}
    numbers = {name: np.array(v.replace("[", " ").replace("]", " ").replace(";", " ").split(), float)
               for name, v in values.items() if v is not None}  # fmt: skip
    assert numbers["net_h"] == pytest.approx([0.3775, 0.3925])
    assert numbers["o"] == pytest.approx([0.75136507, 0.772928465])
    assert numbers["E_total"] == pytest.approx([0.298371109])
    assert numbers["∂E_total/∂W_2"][0] == pytest.approx(0.082167041)
    assert numbers["∂E_total/∂W_1"][0] == pytest.approx(0.000438568, rel=1e-6)
