"""`nn.utils`, for what PyTorch has there."""

from symgrad.nn.utils import rnn

__all__ = ["rnn"]
