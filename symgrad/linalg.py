"""`sg.linalg`: linear algebra in the manner of `numpy.linalg`."""

from symgrad.model.linear_algebra import *  # noqa: F403
from symgrad.model.linear_algebra import __all__ as __all__
