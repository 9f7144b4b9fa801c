"""The language: tensor expressions, their sizes and scalar formulas, and the walk over them."""

from symgrad.expr import operators as operators  # gives nodes Python's operators
