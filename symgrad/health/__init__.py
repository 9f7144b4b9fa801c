"""Gradient health, from the formulas: how a net's initialisation and activations treat signals.

    moments("z * sigmoid(z)").slope_square.at(1)     E[f'(z)^2] under N(0, 1)
    gain(sympy.Max(z, 0))                            sqrt(2), He's constant, derived
    health(model)                                    per layer, what shrinks and what grows

The analysis is mean-field theory: wide layers, independent weights. Sources: Glorot and Bengio
2010; He et al. 2015; Poole et al. 2016; Schoenholz et al. 2017.
"""

from symgrad.health.analysis import health
from symgrad.health.gains import gain, weight_variance
from symgrad.health.moments import Moment, Moments, moments
from symgrad.health.record import (
    Comparison,
    Health,
    LayerHealth,
    MeasuredLayer,
    RecurrenceHealth,
    Verdict,
)

__all__ = [
    "Comparison",
    "Health",
    "LayerHealth",
    "MeasuredLayer",
    "Moment",
    "Moments",
    "RecurrenceHealth",
    "Verdict",
    "gain",
    "health",
    "moments",
    "weight_variance",
]
