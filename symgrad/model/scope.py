"""The user's own code, seen from inside a call: what its variables are called."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

from symgrad.expr.node import Node

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_DEFINING = tuple(_PACKAGE + room for room in ("expr", "model"))


def calling_frame() -> FrameType | None:
    """The user's frame that called into symgrad's definitions; None if symgrad itself did."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_PACKAGE):
            return frame
        if not filename.startswith(_DEFINING):
            return None
        frame = frame.f_back
    return None


def variables(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    """The variables visible in `frame`, local ones first, except those that start with _."""
    if frame is None:
        return
    spaces: list[Mapping[str, Any]] = [dict(frame.f_locals)]
    if frame.f_globals is not frame.f_locals:
        spaces.append(dict(frame.f_globals))
    for space in spaces:
        for name, value in space.items():
            if not name.startswith("_"):
                yield name, value


def local_variables(frame: FrameType | None) -> dict[str, Any]:
    """The variables of the function (or module) of `frame` alone."""
    return {} if frame is None else dict(frame.f_locals)


def names_of_nodes(frame: FrameType | None) -> dict[Node, str]:
    """The first variable of the user's that is bound to each node."""
    names: dict[Node, str] = {}
    for name, value in variables(frame):
        if isinstance(value, Node):
            names.setdefault(value, name)
    return names


def called_with_locals(
    f: Callable[..., Any], *arguments: Any
) -> tuple[Any, dict[str, Any]]:
    """What `f` returns, and what its own variables were when it did so.

    None are seen of what is not a user's Python function. A profiler pauses while `f` runs.
    """
    code = _code_of(f)
    seen: dict[str, Any] = {}

    def observe(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            own = frame.f_locals
            seen.update((name, own[name]) for name in code.co_varnames if name in own)

    if code is None or code.co_filename.startswith(_PACKAGE):
        return f(*arguments), seen
    before = sys.getprofile()
    sys.setprofile(observe)
    try:
        return f(*arguments), seen
    finally:
        sys.setprofile(before)


def _code_of(f: Callable[..., Any]) -> CodeType | None:
    while isinstance(f, functools.partial):
        f = f.func
    f = inspect.unwrap(f)
    function = f if inspect.isroutine(f) else type(f).__call__
    return getattr(getattr(function, "__func__", function), "__code__", None)
