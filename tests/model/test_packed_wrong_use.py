"""What is wrong with the use of packed sequences, as whole messages."""

from __future__ import annotations

import pytest
from messages import message_of

import symgrad as sg
from symgrad import nn
from symgrad.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

x = sg.input("x", (5, 2, 3))
counts = sg.input("counts", (2,), dtype="int")

labels = sg.input("labels", (5, 2), dtype="int")

WRONG = {
    "unsorted": (
        lambda: pack_padded_sequence(x, (2, 4)),
        """\
DefinitionError: pack_padded_sequence: lengths must be in decreasing order where enforce_sorted is True
  at       HERE
  lengths  (2, 4)
  fix      pass enforce_sorted=False; the results keep the order of the batch""",
    ),
    "empty": (
        lambda: pack_padded_sequence(x, (2, 0)),
        """\
DefinitionError: pack_padded_sequence: each sequence must have a step, but lengths[1] is 0
  at  HERE
  x   [5, 2, 3]""",
    ),
    "too long": (
        lambda: pack_padded_sequence(x, (6, 2)),
        """\
ShapeError: pack_padded_sequence: lengths[0] is 6, but there are 5 steps
  at  HERE
  x   [5, 2, 3]""",
    ),
    "count": (
        lambda: pack_padded_sequence(x, (3, 2, 1)),
        """\
ShapeError: pack_padded_sequence: lengths must hold one length for each sequence: [2], not [3]
  at  HERE
  x   [5, 2, 3]""",
    ),
    "kind": (
        lambda: pack_padded_sequence(x, sg.input("k", (2,))),
        """\
DefinitionError: pack_padded_sequence: lengths must be whole numbers, but k is a tensor of float
  at   HERE
  x    [5, 2, 3]
  k    [2]
  fix  declare the lengths with dtype="int\"""",
    ),
    "number": (
        lambda: pack_padded_sequence(x, (3.5, 2)),
        """\
DefinitionError: pack_padded_sequence: a length must be a whole number, not 3.5
  at  HERE
  x   [5, 2, 3]""",
    ),
    "rank": (
        lambda: pack_padded_sequence(sg.input("v", (5,)), (5,), batch_first=True),
        """\
ShapeError: pack_padded_sequence: the input must have an axis of steps and one of sequences: [n, t, ...]
  at  HERE
  v   [5]""",
    ),
    "not packed": (
        lambda: pad_packed_sequence(x),
        """\
DefinitionError: pad_packed_sequence: the sequence must be a PackedSequence, not a tensor
  at   HERE
  x    [5, 2, 3]
  fix  make one with pack_padded_sequence(input, lengths)""",
    ),
    "total of known": (
        lambda: pad_packed_sequence(pack_padded_sequence(x, (4, 2)), total_length=3),
        """\
ShapeError: pad_packed_sequence: total_length must be at least 4, the length of the longest sequence, not 3
  at  HERE""",
    ),
    "total": (
        lambda: pad_packed_sequence(pack_padded_sequence(x, counts), total_length=3),
        """\
ShapeError: pad_packed_sequence: total_length must be at least 5, the steps that were packed, not 3
  at   HERE
  fix  cut the padded tensor, if no sequence is longer than that""",
    ),
    "padding": (
        lambda: pad_packed_sequence(pack_padded_sequence(labels, (4, 2)), padding_value=0.5),
        """\
DefinitionError: pad_packed_sequence: whole numbers cannot be padded with 0.5
  at  HERE""",
    ),
    "data": (
        lambda: pack_padded_sequence(x, counts).data,
        """\
UnsupportedError: a packed sequence has no data: it is a padded tensor and its lengths
  at   HERE
  fix  unpack it with pad_packed_sequence, compute, and pack it again""",
    ),
    "layer": (
        lambda: nn.Linear(3, 4)(pack_padded_sequence(x, counts)),
        """\
DefinitionError: PackedSequence([5, 2, 3]) is not a number or a tensor expression
  at  HERE, layer linear""",
    ),
    "width": (
        lambda: nn.LSTM(7, 4)(pack_padded_sequence(x, counts)),
        """\
ShapeError: lstm expects 7 features on the last axis of its input, which has 3
  at      HERE, layer lstm
  packed  [5, 2, 3]
  fix     change the layer's size, or what comes before""",
    ),
    "scalars": (
        lambda: nn.LSTM(2, 4)(pack_padded_sequence(x[..., 0], counts)),
        """\
ShapeError: lstm takes a packed sequence of [t, n, in]
  at      HERE, layer lstm
  padded  [5, 2]""",
    ),
    "state": (
        lambda: nn.GRU(3, 4)(pack_padded_sequence(x, counts), sg.input("h", (1, 3, 4))),
        """\
ShapeError: gru: the state h_0 does not fit the input
  at        HERE, layer gru
  expected  [1, 2, 4]
  got       [1, 3, 4]""",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_gets_one_clear_error(case: str) -> None:
    build, text = WRONG[case]
    assert message_of(build) == text


def test_a_packed_sequence_says_what_it_is() -> None:
    packed = pack_padded_sequence(x, counts)
    assert isinstance(packed, PackedSequence) and packed.lengths is counts
    assert repr(packed) == "PackedSequence([5, 2, 3])"
    assert nn.utils.rnn.pack_padded_sequence is pack_padded_sequence
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        packed.nothing  # noqa: B018
