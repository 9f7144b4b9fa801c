"""`from symgrad import nn`: layers and losses in the manner of `torch.nn`."""

from symgrad.model.layers import *  # noqa: F403
from symgrad.model.layers import __all__ as __all__
