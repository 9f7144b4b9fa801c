"""`nn.functional`: layers and losses as functions, under PyTorch's names."""

from symgrad.model.layers.functional import *  # noqa: F403
from symgrad.model.layers.functional import __all__ as __all__
