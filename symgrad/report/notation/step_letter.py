"""The letter that counts the steps of a loop on paper: t, or s where something is called t.

A loop within a loop counts with the next letter.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from symgrad.report.notation import formula as m

LETTERS = "tskr"

_free: ContextVar[tuple[str, ...]] = ContextVar("letters of steps", default=tuple(LETTERS))


def step_letter() -> m.Symbol:
    """What counts the steps of the loop that is told."""
    return m.Symbol(_free.get()[0])


@contextmanager
def steps_counted_beside(names: Container[str]) -> Iterator[None]:
    """Within it steps are counted by letters that are none of `names`, if there are such."""
    free = tuple(letter for letter in LETTERS if letter not in names)
    with _counted_by(free or tuple(LETTERS)):
        yield


@contextmanager
def within_a_step() -> Iterator[None]:
    """Within it the steps of inner loops are counted, by another letter than those around."""
    free = _free.get()
    with _counted_by(free[1:] or free):
        yield


@contextmanager
def _counted_by(letters: tuple[str, ...]) -> Iterator[None]:
    token = _free.set(letters)
    try:
        yield
    finally:
        _free.reset(token)
