"""Scan: a step repeated over an axis, with a state that is carried from one step to the next.

    h[t] = tanh(u[t] + h[t-1] @ W)

    Bound h, u, W      what one step is given: the state, the entry of a sequence, what is fixed
    Step               the state that follows, as an expression in those
    Scan               the step run over the entries of the sequences, from a first state
    Final(scan, h)     the state h after the last step
    Stacked(scan, x)   the tensor x of the step, at every step: x[t] along a new first axis

A step is closed: all that it reads is bound, and the scan's operands say to what. Any tensor of
the step can be asked for at every step, so that a backward pass finds what it needs: the state
before each step is `Stacked(scan, h)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import sympy
from sympy.core.basic import Basic
from sympy.core.containers import Tuple
from sympy.core.symbol import Str

from symgrad.errors import ShapeError
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import Shape, as_shape, same, same_shape, shape_text
from symgrad.expr.leaf import Constant, Leaf
from symgrad.expr.node import FLOAT, Node

_serial = count(1)

# What a derived tensor of a step is called if it stands alone in the end: unlike a label, a wish
# does not keep it from being put into the formula of its reader.
wishes: WeakKeyDictionary[Node, str] = WeakKeyDictionary()


class Inner(Basic):
    """A tensor that something refers to without being computed from it: one of a step, say.

    It has no arguments: SymPy compares as a tree what has, and a graph is exponentially larger.
    """

    node: Node

    def __new__(cls, node: Node) -> Inner:
        inner: Inner = super().__new__(cls)
        inner.node = node
        return inner

    def __hash__(self) -> int:
        return hash((type(self), self.node))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Inner) and self.node is other.node

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.node,)


class Owner(Inner):
    """The tensor that a role belongs to: it tells bound tensors apart, and is nothing more."""


class Bound(Leaf):
    """What a step is given under `name`, told apart from all others by `role`.

    The role says what it is to whom: `("state", 0, of x)`. Equal roles make one tensor, so that
    the same step written twice, or derived twice, is the same step.
    """

    name: str

    def __new__(cls, name: object, role: object, shape: object, dtype: object = FLOAT) -> Node:
        sizes = shape if isinstance(shape, Tuple) else Tuple(*as_shape(shape))
        texts = [text if isinstance(text, Str) else Str(str(text)) for text in (name, dtype)]
        assert isinstance(role, Iterable)
        parts = role if isinstance(role, Tuple) else Tuple(*map(_part_of_role, role))
        return super().__new__(cls, texts[0], parts, sizes, texts[1])

    @classmethod
    def like(cls, node: Node, role: Iterable[object], name: str) -> Node:
        """The one of this role, of the shape and dtype of `node`."""
        return cls(name, role, node.shape, node.dtype)

    @classmethod
    def fresh(cls, name: str, shape: Shape, dtype: str = FLOAT) -> Node:
        """A new one, unlike all others."""
        return cls(name, ("new", next(_serial)), shape, dtype)

    @property
    def role(self) -> tuple[object, ...]:
        """What it was told apart by: words, whole numbers and tensors."""
        return tuple(_role_of_part(part) for part in self.args[1].args)

    def _infer(self) -> tuple[Shape, str]:
        self.name = str(self.args[0])
        return tuple(self.args[2].args), str(self.args[3])


def _part_of_role(part: object) -> Basic:
    """A tensor, which is no operand of what is bound, or a word or number."""
    if isinstance(part, Node | Inner):
        return Owner(part if isinstance(part, Node) else part.node)
    return Str(part) if isinstance(part, str) else sympy.sympify(part)


def _role_of_part(part: Basic) -> object:
    if isinstance(part, Inner):
        return part.node
    if isinstance(part, Str):
        return part.name
    return int(part) if isinstance(part, sympy.Integer) else part


class Step(Basic):
    """One step: what it is given, and the state that follows.

    `carried[k]` becomes `following[k]`. `sequences`: given one entry a step. `fixed`: the same at
    every step. `companions`: pairs of a bound tensor and of its tangent, or its batched form,
    where this step was derived from another.
    """

    carried: tuple[Node, ...]
    following: tuple[Node, ...]
    sequences: tuple[Node, ...]
    fixed: tuple[Node, ...]
    companions: dict[Node, Node]

    def __new__(
        cls,
        carried: Iterable[Node],
        following: Iterable[Node],
        sequences: Iterable[Node] = (),
        fixed: Iterable[Node] = (),
        companions: object = (),
    ) -> Step:
        pairs = companions.items() if isinstance(companions, dict) else companions
        assert isinstance(pairs, Iterable)
        step: Step = super().__new__(
            cls,
            *(Tuple(*group) for group in (carried, following, sequences, fixed)),
            Tuple(*(pair if isinstance(pair, Tuple) else Tuple(*pair) for pair in pairs)),
        )
        step.carried, step.following, step.sequences, step.fixed = (
            tuple(group.args) for group in step.args[:4]
        )
        step.companions = {pair.args[0]: pair.args[1] for pair in step.args[4].args}
        return step

    def _parts(self) -> tuple[tuple[Node, ...], ...]:
        pairs = tuple(self.companions.items())
        return (self.carried, self.following, self.sequences, self.fixed, *pairs)

    def __hash__(self) -> int:
        return hash(self._parts())

    def __eq__(self, other: object) -> bool:
        """Part by part: SymPy would compare the graphs as trees."""
        return isinstance(other, Step) and self._parts() == other._parts()

    @property
    def bound(self) -> tuple[Node, ...]:
        """All that it is given, in the order of a scan's operands."""
        return (*self.carried, *self.sequences, *self.fixed)


class Scan(Node):
    """`step` run `length` times; read through Final and Stacked, it has no value of its own.

    Operands: the first states, the sequences (of shape [length, ...]), what is fixed.
    `is_reversed`: from the last entry of the sequences to the first. Its shape says nothing.
    """

    step: Step
    length: sympy.Expr
    is_reversed: bool

    def __new__(cls, step: Step, length: Any, is_reversed: Any, *operands: Node) -> Node:
        return super().__new__(
            cls, step, sympy.sympify(length), sympy.Integer(int(is_reversed)), *operands
        )

    def _infer(self) -> tuple[Shape, str]:
        self.step, self.length = self.args[0], self.args[1]
        self.is_reversed = bool(self.args[2])
        step = self.step
        assert len(self.operands) == len(step.bound), (
            "a scan needs an operand for all that is bound"
        )
        for before, after in zip(step.carried, step.following, strict=True):
            if not same_shape(before.shape, after.shape) or before.dtype != after.dtype:
                raise ShapeError(
                    f"the state {before.name} changes its shape or kind in a step",
                    facts={
                        "before": f"{before.dtype} {shape_text(before.shape)}",
                        "after": f"{after.dtype} {shape_text(after.shape)}",
                    },
                    fix="a step must give the state back as it came",
                )
        for bound, operand in self.inputs:
            given = operand.shape
            if bound in step.sequences:
                assert given and same(given[0], self.length), (bound, operand)
                given = given[1:]
            assert same_shape(bound.shape, given) and bound.dtype == operand.dtype, (bound, operand)
        return (), FLOAT

    @property
    def inputs(self) -> tuple[tuple[Node, Node], ...]:
        """What is bound, with the operand that it is bound to."""
        return tuple(zip(self.step.bound, self.operands, strict=True))

    @property
    def first(self) -> tuple[Node, ...]:
        """The states before the first step."""
        return self.operands[: len(self.step.carried)]


class Final(Node):
    """What `state`, one of the carried tensors of `scan`, is after the last step.

    It may be given by its place among the carried ones.
    """

    scan: Scan
    state: Node

    def __new__(cls, scan: Node, state: Any) -> Node:
        assert isinstance(scan, Scan)
        if isinstance(state, int):
            state = scan.step.carried[state]
        return super().__new__(cls, scan, state if isinstance(state, Inner) else Inner(state))

    def _infer(self) -> tuple[Shape, str]:
        (self.scan,) = self.operands
        self.state = self.args[1].node
        assert self.state in self.scan.step.carried, (self.state, self.scan)
        return self.state.shape, self.state.dtype

    @property
    def index(self) -> int:
        """The place of the state among those that are carried."""
        return self.scan.step.carried.index(self.state)


class Stacked(Node):
    """The tensor `inner` of the step of `scan` at every step, along a new first axis.

    Entry t belongs to entry t of the sequences, in whichever direction the scan runs.
    """

    scan: Scan
    inner: Node

    def __new__(cls, scan: Node, inner: Any) -> Node:
        return super().__new__(cls, scan, inner if isinstance(inner, Inner) else Inner(inner))

    def _infer(self) -> tuple[Shape, str]:
        (self.scan,) = self.operands
        self.inner = self.args[1].node
        return (self.scan.length, *self.inner.shape), self.inner.dtype


class Bundle(Node):
    """The cotangents of results of a scan, each under `key_of` the result.

    It exists while a scan is being differentiated, and is never computed.
    """

    keys: tuple[Basic, ...]

    def __new__(cls, keys: object, *cotangents: Node) -> Node:
        assert isinstance(keys, Sequence | Tuple)
        return super().__new__(cls, Tuple(*keys), *cotangents)

    def _infer(self) -> tuple[Shape, str]:
        self.keys = tuple(self.args[0].args)
        return (), FLOAT


def key_of(result: Final | Stacked) -> Basic:
    """What tells a result of a scan apart: for Stacked the Inner of its tensor."""
    return result.args[1] if isinstance(result, Stacked) else Tuple(result.args[1])


def stacked(scan: Scan, inner: Node) -> Node:
    """`inner` at every step of `scan`; what is known without running it is not asked of it."""
    step = scan.step
    if isinstance(inner, Bound) and inner not in step.carried:
        operand = dict(scan.inputs)[inner]
        return operand if inner in step.sequences else spread(operand, {0: scan.length})
    if isinstance(inner, Constant):
        dtype = inner.dtype if inner.dtype == FLOAT else None
        return Constant(inner.value, (scan.length, *inner.shape), dtype)
    if isinstance(inner, Leaf) and not isinstance(inner, Bound):
        return spread(inner, {0: scan.length})
    return Stacked(scan, inner)
