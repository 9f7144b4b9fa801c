"""CTC's two forms of targets, padded rows and all labels along one axis, and their lengths."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from messages import message_of

import symgrad as sg
from symgrad import nn

rng = np.random.default_rng(53)
SCORES = {"scores": rng.normal(size=(7, 3, 5))}
s = sg.dim("s")


def ctc(targets: tuple[Any, ...], known: tuple[int, ...] | None = None) -> Any:
    """The losses of three sequences; lengths that are not known are an input."""
    scores = nn.functional.log_softmax(sg.parameter("scores", (7, 3, 5)), -1)
    lengths = sg.input("lengths", (3,), dtype="int") if known is None else known
    y = sg.input("y", targets, dtype="int")
    return nn.functional.ctc_loss(scores, y, (7, 5, 6), lengths, reduction="none")


def losses(targets: tuple[Any, ...], known: tuple[int, ...] | None = None, **arrays: Any) -> Any:
    """Their values, from a compiled module."""
    model = sg.Model("ctc", outputs={"losses": ctc(targets, known)})
    net = sg.compile(model, ["forward"]).load()
    asked = inspect.signature(net.forward).parameters
    return net.forward(SCORES, **{k: v for k, v in arrays.items() if k in asked})


@pytest.mark.parametrize("lengths", [(3, 2, 0), (0, 0, 0), (0, 4, 0)], ids=str)
def test_labels_along_one_axis_are_those_in_padded_rows(lengths: tuple[int, ...]) -> None:
    """Of known lengths and lengths passed in, of a known and of an open number of labels."""
    labels = rng.integers(1, 5, sum(lengths))
    padded = np.zeros((3, 6), np.int64)
    for i, k in enumerate(lengths):
        padded[i, :k] = labels[sum(lengths[:i]) :][:k]
    given = np.array(lengths)
    expected = losses((3, 6), y=padded, lengths=given)
    found = [losses((3, 6), lengths, y=padded)]
    for total in (len(labels), s):
        found += [losses((total,), y=labels, lengths=given), losses((total,), lengths, y=labels)]
    for each in found:
        np.testing.assert_allclose(each, expected, rtol=1e-13)


BEYOND = [
    ((s,), (1, 1, 1), "place (made of lengths) must hold whole numbers from -2 to 1, got 0 to 2"),
    ((s,), (0, 3, 0), "lengths must hold whole numbers from 0 to 2, got 0 to 3"),
    ((s,), (1, -1, 1), "lengths must hold whole numbers from 0 to 2, got -1 to 1"),
    ((3, s), (1, 3, 2), "lengths must hold whole numbers from 0 to 2, got 1 to 3"),
]


@pytest.mark.parametrize("targets, lengths, message", BEYOND, ids=[m for *_, m in BEYOND])
def test_lengths_beyond_the_labels_are_told_by_their_name(
    targets: tuple[Any, ...], lengths: tuple[int, ...], message: str
) -> None:
    y = np.ones(2 if len(targets) == 1 else (3, 2), np.int64)
    with pytest.raises(IndexError, match=f"^forward: {re.escape(message)}$"):
        losses(targets, y=y, lengths=np.array(lengths))


def test_fewer_labels_than_known_lengths_ask_for() -> None:
    with pytest.raises(ValueError, match=r"expected s >= 3, got y of shape \[3, 2\]"):
        losses((3, s), (1, 3, 2), y=np.ones((3, 2), np.int64))
    with pytest.raises(ValueError, match=r"expected s >= 6, got y of shape \[5\]"):
        losses((s,), (1, 3, 2), y=np.ones(5, np.int64))


def test_a_label_that_is_no_class() -> None:
    message = r"labels_and_blanks \(made of y, lengths\) must hold whole numbers from 0 to 4"
    with pytest.raises(IndexError, match=message):
        losses((s,), y=np.array([1, 5]), lengths=np.array([1, 1, 0]))


def test_the_modules_own_check_finds_labels_and_lengths() -> None:
    compiled = sg.compile(sg.Model("ctc", loss=sg.sum(ctc((s,)))))
    assert '    "lengths": "s + 1",\n    "y": 5,\n' in compiled.source
    assert compiled.load().check()


REFUSED = {
    ((4,), (3, 2, 0)): (
        "ShapeError: ctc_loss: the target lengths add up to 5, but there are 4 labels\n"
        "  at         HERE\n"
        "  log_probs  [7, 3, 5]\n"
        "  y          [4]"
    ),
    ((3, 2), (3, 2, 0)): (
        "ShapeError: ctc_loss: a target length is 3, but a row holds 2 labels\n"
        "  at         HERE\n"
        "  log_probs  [7, 3, 5]\n"
        "  y          [3, 2]"
    ),
    ((4,), (5, -1, 0)): (
        "DefinitionError: ctc_loss: target_lengths must not be negative, but one is -1\n"
        "  at         HERE\n"
        "  log_probs  [7, 3, 5]\n"
        "  y          [4]"
    ),
    ((2, 4), (1, 2, 0)): (
        "ShapeError: ctc_loss: targets must be [n, s], one padded row of labels for each sequence\n"
        "  at        HERE\n"
        "  expected  [3, s]\n"
        "  got       [2, 4]\n"
        "  fix       pad the rows to one length, or pass all labels one after the other along one "
        "axis"
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_does_not_fit_gets_one_clear_error(case: Any) -> None:
    assert message_of(lambda: ctc(*case)) == REFUSED[case]
