"""`scan`: a user's own step, repeated over the first axis of sequences."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.dimension import as_dimension, same, shape_text
from symgrad.expr.inner_names import names_of_arguments
from symgrad.expr.leaf import Constant, Leaf, Named
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node
from symgrad.expr.scan import Bound, Final, Scan, Step, stacked, wishes
from symgrad.expr.walk import depends_on, postorder, substitute
from symgrad.model.operations.operation import operation
from symgrad.model.scope import called_with_locals

# How many steps are being written down at the moment, one within the other.
_depth: ContextVar[int] = ContextVar("depth", default=0)


@operation
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """A step repeated over the first axis of `xs`, as `jax.lax.scan`.

        def step(h, x):
            h = sg.tanh(x + h @ W)
            return h, h

        last, every = sg.scan(step, h0, xs)      # xs: [T, n, k], every: [T, n, k]

    `f(state, x)` returns the state that follows and what is kept of this step, or None. States,
    entries and what is kept are tensors, or tuples, lists and dicts of them. `length`: the number
    of steps, where there are no sequences. `reverse`: from the last entry to the first.

    Returns: the state after the last step, and what was kept, stacked along a new first axis.
    Tensors from outside (weights) may be used in `f`. The step is differentiated as a step and
    emitted as a loop, whatever the length. Raises: DefinitionError, ShapeError if the step does
    not take and return two things, if the state changes its structure, shape or kind in a step, or
    if sequences differ in length.
    """
    _check_step(f)
    states = [_as_state(value) for value in _leaves(init)]
    sequences = [as_node(value) for value in _leaves(xs)]
    steps = _length(sequences, length)
    state_name, entry_name = _parameter_names(f)
    depth = _depth.get() + 1  # a step within a step binds other tensors, of whatever it is given
    carried = [
        Bound.like(s, ("state", s, depth, k), name)
        for k, (s, name) in enumerate(zip(states, _named(state_name, init), strict=True))
    ]
    entries = [
        Bound(name, ("entry", x, depth, k), x.shape[1:], x.dtype)
        for k, (x, name) in enumerate(zip(sequences, _named(entry_name, xs), strict=True))
    ]
    result, called = _at_depth(depth, f, _like(init, carried), _like(xs, entries))
    if not isinstance(result, tuple) or len(result) != 2:
        raise DefinitionError(
            "the step must return two things: the state that follows, and what to keep",
            facts={"got": _shape_of(result)},
            fix="return state, y   (or state, None)",
        )
    after, kept = result
    following = [as_node(value) for value in _leaves(after)]
    _check_structure(init, after)
    following = [_of_kind(follows, s) for follows, s in zip(following, carried, strict=True)]
    ys = [as_node(value) for value in _leaves(kept)]
    if isinstance(init, tuple | list):
        _call_states(carried, following, called)
    _call([*following, *ys], [*carried, *entries], called, following)
    inside, fixed = _closed([*following, *ys], [*carried, *entries], depth)
    _call_arguments(inside, carried)
    step = Step(carried, inside[: len(following)], entries, tuple(fixed))
    whole = Scan(step, steps, reverse, *states, *sequences, *fixed.values())
    assert isinstance(whole, Scan)
    last = [Final(whole, k) for k in range(len(states))]
    return _like(init, last), _like(kept, [stacked(whole, y) for y in inside[len(following) :]])


def _check_step(f: Any) -> None:
    """Raises: DefinitionError unless `f` can be called with a state and an entry."""
    fix = "write def step(state, x): ... return state, y   (x is None where there are no sequences)"
    if not callable(f):
        raise DefinitionError(
            "the step must be a function", facts={"got": type(f).__name__}, fix=fix
        )
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # of a callable that is not written in Python
        return
    try:
        signature.bind("state", "x")
    except TypeError:
        raise DefinitionError(
            "the step must take two things: the state, and the entry of each sequence",
            facts={"got": f"{getattr(f, '__name__', type(f).__name__)}{signature}"},
            fix=fix,
        ) from None


def _as_state(value: Any) -> Node:
    """A first state; a number is one of floats, since it is one in most steps."""
    node = as_node(value)
    if isinstance(node, Constant) and not isinstance(value, Node):
        return Constant(node.value, node.shape, FLOAT)
    return node


def _of_kind(follows: Node, state: Node) -> Node:
    """`follows`, as a float where a constant is meant to be one."""
    if isinstance(follows, Constant) and state.dtype == FLOAT:
        return Constant(follows.value, follows.shape, FLOAT)
    return follows


def _length(sequences: Sequence[Node], length: Any) -> sympy.Expr:
    for x in sequences:
        if not x.ndim:
            raise ShapeError(
                "a sequence has a first axis, one entry for each step; this is a number"
            )
    if length is None:
        if not sequences:
            raise DefinitionError(
                "without sequences the number of steps is not known", fix="give length=..."
            )
        length = sequences[0].shape[0]
    steps = as_dimension(length)
    for x in sequences:
        if not same(x.shape[0], steps):
            raise ShapeError(
                "sequences must have one entry for each step",
                facts={"steps": str(steps), "sequence": shape_text(x.shape)},
            )
    return steps


def _at_depth(
    depth: int, f: Callable[..., Any], *arguments: Any
) -> tuple[Any, dict[str, Any]]:
    """What a step returns, and its own variables."""
    token = _depth.set(depth)
    try:
        return called_with_locals(f, *arguments)
    finally:
        _depth.reset(token)


def _call(
    roots: list[Node], bound: list[Node], called: Mapping[str, Any], states: list[Node]
) -> None:
    """The tensors of the step are called what the user's variables call them.

    `states`: what follows, which is called as the state.
    """
    inside = depends_on(roots, bound) - set(states)
    for name, value in called.items():
        is_own = isinstance(value, Node) and value in inside and not isinstance(value, Leaf)
        if is_own and value.label is None and not name.startswith("_"):
            value.named(name)


def _call_states(
    carried: list[Node], following: list[Node], called: Mapping[str, Any]
) -> None:
    """The states of a tuple are called as the user's variables call what they become."""
    names = {value: name for name, value in called.items() if isinstance(value, Node)}
    for state, follows in zip(carried, following, strict=True):
        name = names.get(follows) or names.get(state)
        if name is not None and state.label is None and not isinstance(follows, Leaf):
            state.named(name)


def _call_arguments(roots: list[Node], carried: list[Node]) -> None:
    """What follows is called as the state; what only a named function reads, after it."""
    called = {
        follows: bound.label or bound.name
        for follows, bound in zip(roots, carried, strict=False)
        if isinstance(bound, Bound) and not isinstance(follows, Leaf)
    }
    called |= {node: node.label for node in postorder(roots) if node.label is not None}
    for node, name in (*called.items(), *names_of_arguments(roots, called).items()):
        wishes.setdefault(node, name)


def _closed(
    roots: list[Node], bound: list[Node], depth: int
) -> tuple[list[Node], dict[Node, Node]]:
    """`roots` reading nothing but bound tensors, and what stands for what from outside."""
    inside = depends_on(roots, bound)
    order = postorder(roots)
    outside: dict[Node, None] = {}
    for node in order:
        if node in inside:
            outside |= {o: None for o in node.operands if o not in inside}
    outside |= {root: None for root in roots if root not in inside}
    stand_ins = {
        node: Bound.like(
            node, ("fixed", node, depth), str(node.label or getattr(node, "name", "fixed"))
        )
        for node in outside
        if not isinstance(node, Leaf) or isinstance(node, Named | Bound)
    }
    became = substitute(roots, stand_ins)
    for old, new in became.items():
        if new is not old and old not in stand_ins:
            new.label, new.location = new.label or old.label, old.location or new.location
            if old in wishes:
                wishes.setdefault(new, wishes[old])
    fixed = {bound: node for node, bound in stand_ins.items()}
    return [became[root] for root in roots], fixed


def _check_structure(before: Any, after: Any) -> None:
    if _shape_of(before) != _shape_of(after):
        raise DefinitionError(
            "the step returns a state of another structure than it was given",
            facts={"given": _shape_of(before), "returned": _shape_of(after)},
        )


def _shape_of(structure: Any) -> str:
    """The structure in words: `(tensor, {h: tensor})`."""
    if structure is None:
        return "nothing"
    if isinstance(structure, Mapping):
        return "{" + ", ".join(f"{k}: {_shape_of(v)}" for k, v in structure.items()) + "}"
    if isinstance(structure, tuple | list):
        return "(" + ", ".join(_shape_of(v) for v in structure) + ")"
    return "tensor"


def _leaves(structure: Any) -> list[Any]:
    """The tensors of a tensor, or of tuples, lists and dicts of them; none of None."""
    if structure is None:
        return []
    if isinstance(structure, Mapping):
        return [leaf for value in structure.values() for leaf in _leaves(value)]
    if isinstance(structure, tuple | list):
        return [leaf for value in structure for leaf in _leaves(value)]
    return [structure]


def _like(structure: Any, leaves: list[Node]) -> Any:
    """`leaves` in the structure that `_leaves` took apart."""
    remaining = iter(leaves)

    def build(part: Any) -> Any:
        if part is None:
            return None
        if isinstance(part, Mapping):
            return {key: build(value) for key, value in part.items()}
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return type(part)(*(build(value) for value in part))
        if isinstance(part, tuple | list):
            return type(part)(build(value) for value in part)
        return next(remaining)

    return build(structure)


def _parameter_names(f: Callable[..., Any]) -> tuple[str, str]:
    """What the user calls the state and the entry, in the step's own parameters."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values()]
    except (TypeError, ValueError):
        names = []
    names = [name if name.isidentifier() and name != "_" else "" for name in names[:2]]
    state, entry = [*names, "", ""][:2]
    return state or "state", entry or "entry"


def _named(name: str, structure: Any) -> list[str]:
    """A name for each tensor of `structure`: `h`, or `state_0`, `state_1`, or after the keys."""
    if isinstance(structure, Mapping):
        return [n for key, value in structure.items() for n in _named(str(key), value)]
    if isinstance(structure, tuple | list):
        fields = getattr(structure, "_fields", None) or range(len(structure))
        labels = [str(f) if isinstance(f, str) else f"{name}_{f}" for f in fields]
        return [n for one, v in zip(labels, structure, strict=True) for n in _named(one, v)]
    return [] if structure is None else [name]
