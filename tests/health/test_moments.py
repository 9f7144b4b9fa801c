"""Moments of activations: closed forms against quadrature, known constants, and each other."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Rational, exp, pi, sin, sqrt, symbols

import symgrad as sg
from symgrad import nn
from symgrad.errors import UnsupportedError
from symgrad.health import gain, gaussian, moments, weight_variance
from symgrad.health.moments import Moment, Q

F = nn.functional
z, a = symbols("z a", real=True)
LEAKY = sympy.Piecewise((z, z > 0), (a * z, True))

TAIL = 1e-17  # what may lie beyond 9 deviations

# activation -> whether all three moments have a closed form
ACTIVATIONS = {
    "relu": (sympy.Max(z, 0), True),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), True),
    "identity": (z, True),
    "absolute": (abs(z), True),
    "square": (z**2, True),
    "squared relu": ("maximum(z, 0)**2", True),
    "erf": (sympy.erf(z), True),
    "gelu": (F.gelu, True),
    "elu": (F.elu, True),
    "selu": (F.selu, True),
    "celu": (lambda x: F.celu(x, 1.5), True),
    "hardtanh": (F.hardtanh, True),
    "hardswish": (F.hardswish, True),
    "hardsigmoid": (F.hardsigmoid, True),
    "relu6": (F.relu6, True),
    "softshrink": (F.softshrink, True),
    "hardshrink": (F.hardshrink, True),
    "threshold": (lambda x: F.threshold(x, 0.3, 2.0), True),
    "sine": (sin(3 * z), True),
    "shifted cosine": (sympy.cos(z + 1), True),
    "gaussian": (exp(-(z**2)), True),
    "wavelet": (z * exp(-(z**2) / 2), True),
    "step": (lambda x: sg.where(x > 1, 2 * x, -1), True),
    "parabola's kinks": (lambda x: sg.maximum(x * x - 1, 0), True),
    "tanh": (sympy.tanh(z), False),
    "sigmoid": (F.sigmoid, False),
    "naive sigmoid": (1 / (1 + exp(-z)), False),
    "silu": ("z * sigmoid(z)", False),
    "softplus": (F.softplus, False),
    "mish": (F.mish, False),
    "softsign": (F.softsign, False),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), False),
    "arctan": (sympy.atan(z), False),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_closed_form_is_found_where_there_is_one(name: str) -> None:
    given, is_closed = ACTIVATIONS[name]
    assert [m.exact is not None for m in moments(given)] == [is_closed] * 3


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("variance", [0.01, 0.3, 1.0, 7.5, 60.0])
def test_every_moment_is_what_brute_force_gives(name: str, variance: float) -> None:
    """A million equal steps over 9 deviations: slow, plain, and independent of the code."""
    t = np.linspace(-9, 9, 1_000_001)
    density = np.exp(-t * t / 2) / math.sqrt(2 * math.pi) * (t[1] - t[0])
    for moment in moments(ACTIVATIONS[name][0]):
        values = _on_grid(moment.integrand, math.sqrt(variance) * t)
        brute = float(np.sum(values * density))
        scale = float(np.sum(np.abs(values) * density)) + TAIL
        # at a jump the grid is off by at most the jump times a step
        allowed = TAIL + 1e-7 * scale + float(np.max(np.abs(np.diff(values)))) * (t[1] - t[0])
        assert float(moment.at(variance)) == pytest.approx(brute, rel=0, abs=allowed)
        number, error = moment.number(variance)
        assert number == pytest.approx(
            float(moment.at(variance)), rel=1e-9, abs=TAIL + 1e-11 * scale
        )
        assert error <= TAIL + 1e-9 * scale


def _on_grid(formula: sympy.Expr, at: np.ndarray) -> np.ndarray:
    """The formula on an array, by NumPy; the vocabulary's functions by their definitions."""
    own = {
        "relu": lambda x: np.maximum(x, 0),
        "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
        "softplus": lambda x: np.logaddexp(0, x),
        "ndtr": lambda x: 0.5 * _erfc(-x / math.sqrt(2)),
        "erf": lambda x: 1 - _erfc(x),
        "absolute": np.abs,
        "less": lambda x, y: 1.0 * np.less(x, y),
        "less_equal": lambda x, y: 1.0 * np.less_equal(x, y),
        "equal": lambda x, y: 1.0 * np.equal(x, y),
        "maximum": np.maximum,
        "minimum": np.minimum,
        "logical_and": lambda x, y: 1.0 * np.logical_and(x, y),
        "logical_or": lambda x, y: 1.0 * np.logical_or(x, y),
        "logical_not": lambda x: 1.0 * np.logical_not(x),
        "where": np.where,
        "sign": np.sign,
        "expm1": np.expm1,
    }
    function = sympy.lambdify(sympy.Symbol("_0", real=True), formula, [own, "numpy"])
    return np.broadcast_to(function(at), at.shape).astype(float)


def _erfc(x: np.ndarray) -> np.ndarray:
    from scipy.special import erfc

    return erfc(x)


def test_textbook_closed_forms() -> None:
    relu = moments(sympy.Max(z, 0))
    assert relu.mean.exact == sqrt(Q) / sqrt(2 * pi)
    assert (relu.square.exact, relu.slope_square.exact) == (Q / 2, Rational(1, 2))
    leaky = moments(LEAKY)
    assert sympy.expand(leaky.square.exact - Q * (1 + a**2) / 2) == 0
    assert sympy.expand(leaky.slope_square.exact - (1 + a**2) / 2) == 0
    erf = moments(sympy.erf(z))
    assert (
        sympy.simplify(erf.square.exact - 2 * sympy.asin(2 * Q / (1 + 2 * Q)) / pi) == 0
    )  # Williams 1997
    assert sympy.simplify(erf.slope_square.exact - 4 / (pi * sqrt(1 + 4 * Q))) == 0
    assert sympy.simplify(moments(sin(z)).square.exact - (1 - exp(-2 * Q)) / 2) == 0


def test_selu_keeps_mean_0_and_variance_1() -> None:
    """Klambauer et al. 2017: the fixed point that its two constants were chosen for."""
    selu = moments(F.selu)
    assert float(selu.mean.at(1)) == pytest.approx(0, abs=1e-12)
    assert float(selu.square.at(1)) == pytest.approx(1, abs=1e-12)


def test_a_known_number_to_many_digits() -> None:
    with mpmath.workdps(30):
        expected = mpmath.quad(lambda t: mpmath.sech(t) ** 4 * mpmath.npdf(t), [-12, 0, 12])
    assert float(moments(sympy.tanh(z)).slope_square.at(1)) == pytest.approx(
        float(expected), rel=1e-12
    )


def test_he_and_glorot_come_out() -> None:
    assert gain(sympy.Max(z, 0)) == sqrt(2)
    assert gain(sympy.Max(z, 0), direction="forward") == sqrt(2)
    assert gain(sympy.Max(z, 0), Q) == sqrt(2)  # whatever the variance
    for direction in ("forward", "backward"):
        derived = gain(LEAKY, Q, direction=direction)
        assert sympy.simplify(derived - sqrt(2 / (1 + a**2))) == 0
    fan_in, fan_out = symbols("fan_in fan_out", positive=True)
    assert sympy.simplify(weight_variance(z, fan_in, fan_out) - 2 / (fan_in + fan_out)) == 0
    assert weight_variance(sympy.Max(z, 0), fan_in, fan_out, keep="forward") == 2 / fan_in
    assert weight_variance(sympy.Max(z, 0), fan_in, fan_out, keep="backward") == 2 / fan_out
    # Glorot and Bengio assume the linear regime: tanh is the identity there
    assert gain(sympy.tanh(z), 0) == 1
    assert gain(sympy.tanh(z), 0, direction="forward") == 1


def test_pytorchs_table_of_gains() -> None:
    torch = pytest.importorskip("torch")
    table = torch.nn.init.calculate_gain
    assert float(gain(sympy.Max(z, 0))) == pytest.approx(table("relu"))
    assert float(gain(lambda x: F.leaky_relu(x, 0.3))) == pytest.approx(table("leaky_relu", 0.3))
    assert float(gain(z)) == pytest.approx(table("linear"))
    # 5/3 for tanh is empirical; ours depends on q, and passes 5/3 between q = 1 and q = 2
    assert gain(sympy.tanh(z), 1) < table("tanh") < gain(sympy.tanh(z), 2)
    # 3/4 for selu is a choice of PyTorch's; the slope's second moment at the fixed point asks for more
    assert float(gain(F.selu)) == pytest.approx(0.966, abs=1e-3)
    # 1 for sigmoid is the default of the table; its slope is at most 1/4, so that nothing below 4 keeps a gradient
    assert gain(F.sigmoid, 0) == 4


def test_a_gain_keeps_what_it_says() -> None:
    for given, _ in ACTIVATIONS.values():
        found = moments(given)
        keeps = gain(given, 2)
        assert float(keeps**2 * found.slope_square.at(2)) == pytest.approx(1, rel=1e-9)


def test_limits_at_zero() -> None:
    assert moments(sympy.Max(z, 0)).slope_square.at(0) == Rational(1, 2)
    assert moments(F.sigmoid).mean.at(0) == Rational(1, 2)
    with pytest.raises(UnsupportedError, match="not 0 at 0"):
        gain(F.sigmoid, 0, direction="forward")
    with pytest.raises(UnsupportedError, match="lets nothing through"):
        gain(sympy.sign(z))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("z + w", "2 variables"),
        ("sum(z)", "elementwise"),
        ("z +", "not a formula"),
        (lambda x: F.softmax(x, -1), "elementwise"),
        (3.5, "not an activation"),
    ],
)
def test_what_is_no_activation_is_refused(given: object, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        moments(given)


def test_wrong_integrals_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with quadrature fails when a rule of integration is off by a thousandth."""
    right = gaussian._density
    monkeypatch.setattr(gaussian, "_density", lambda law, at: right(law, at) * Rational(1001, 1000))
    broken = Moment("E[h]", F_HARDTANH**2, gaussian.expectation(_pieces(F_HARDTANH**2)))
    assert float(broken.at(1)) != pytest.approx(broken.number(1)[0], rel=1e-5)


F_HARDTANH = moments(F.hardtanh).formula


def _pieces(formula: sympy.Expr) -> tuple:
    from symgrad.health.pieces import pieces

    return pieces(formula)


def test_nothing_hangs_on_a_hard_formula() -> None:
    import time

    start = time.perf_counter()
    hard = moments("tanh(exp(sin(z)) * log1p(z**2)) / (1 + abs(z)**3) + sigmoid(z)**7")
    assert hard.square.exact is None
    float(hard.square.at(1))
    assert time.perf_counter() - start < 10
