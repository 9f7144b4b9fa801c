"""`nn.utils.rnn`: sequences of different lengths, under PyTorch's names."""

from symgrad.model.layers.packed_sequence import (
    PackedSequence,
    pack_padded_sequence,
    pad_packed_sequence,
)

__all__ = ["PackedSequence", "pack_padded_sequence", "pad_packed_sequence"]
