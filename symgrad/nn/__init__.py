"""`from symgrad import nn`: layers and losses in the manner of `torch.nn`.

What PyTorch has in modules of their own is importable from there: `symgrad.nn.functional`,
`symgrad.nn.utils.rnn`.
"""

from symgrad.model.layers import *  # noqa: F403
from symgrad.model.layers import __all__ as __all__
from symgrad.nn import functional as functional  # type: ignore[no-redef]
from symgrad.nn import utils as utils
