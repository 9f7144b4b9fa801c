"""Names as a teacher prints them, and the derivatives that are named after them."""

from __future__ import annotations

import pytest

from symgrad.report.notation import derivative, latex, symbol, text
from symgrad.report.notation import formula as m
from symgrad.report.notation.entry import entry_of


@pytest.mark.parametrize(
    ("name", "printed"),
    {
        "x": "x",
        "W_hh": r"W_{\mathrm{hh}}",
        "x1": "x_{1}",
        "W12": "W_{12}",
        "hidden2": r"\mathrm{hidden}_{2}",
        "alpha": r"\alpha",
        "alpha_t": r"\alpha_{t}",
        "Sigma": r"\Sigma",
        "learning_rate": r"\mathrm{learning}_{\mathrm{rate}}",
        "logits": r"\mathrm{logits}",
        "layers.0.weight": "W_{0}",
        "layers.0.bias": "b_{0}",
        "encoder.2.weight": r"W_{\mathrm{encoder}, 2}",
        "rnn.weight_ih_l0": r"W_{\mathrm{ih}, \mathrm{l0}, \mathrm{rnn}}",
        "e": r"\mathrm{e}",
        "β": "\\beta",
        "naïve": r"\text{naïve}",
        "_": r"\mathrm{\_}",
    }.items(),
)
def test_a_name(name: str, printed: str) -> None:
    assert latex(symbol(name)) == printed


@pytest.mark.parametrize(
    ("name", "printed"),
    {
        "d_h": "∂L/∂h",
        "d_W_hh": "∂L/∂W_hh",
        "t_h": "ḣ",
        "t_W_hh": "Ẇ_hh",
        "t_d_h": "d(∂L/∂h)",
        "t_depth": "d(depth)",
        "depth": "depth",
        "d": "d",
    }.items(),
)
def test_a_derivative(name: str, printed: str) -> None:
    assert text(derivative(name)) == printed


def test_entries_of_derivatives() -> None:
    i, j = m.Symbol("i"), m.Symbol("j")
    assert text(entry_of(derivative("d_W"), (i, j))) == "∂L/∂W[i, j]"
    assert text(entry_of(derivative("t_W_hh"), (i, j))) == "Ẇ_hh[i, j]"
    assert latex(entry_of(derivative("t_W_hh"), (i, j))) == r"\dot{W}_{\mathrm{hh};\, i, j}"
    hessian = m.SecondPartial(m.Symbol("w"), m.Symbol("w"), 1)
    assert text(entry_of(hessian, (i, j))) == "∂²L/∂w[i]∂w[j]"
    assert latex(entry_of(hessian, (i, j))) == (
        r"\frac{\partial^{2} L}{\partial w_{i} \, \partial w_{j}}"
    )
