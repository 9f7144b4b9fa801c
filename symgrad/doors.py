"""The door of each function of a module, and its docstring: what it reads, and what it is given."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import sympy

from symgrad.derivation import Derived
from symgrad.emit.door import Door
from symgrad.emit.literal import tuple_source
from symgrad.emit.numbering import Equations
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Cotangent, Input, Named, Random, State, Tangent
from symgrad.expr.node import FLOAT, Node
from symgrad.model.model import Model
from symgrad.program.instruction import Literal, every_line
from symgrad.program.schedule import Schedule

PURPOSE = {
    "forward": "The outputs of the model.",
    "loss": "The loss.",
    "value_and_grad": "The loss and its gradient with respect to every parameter.",
    "input_grad": "The gradient of the loss with respect to the inputs.",
    "jvp": "The outputs, and how they change when the parameters move along `tangents`.",
    "vjp": "The outputs, and the gradient of sum(cotangents * outputs) for every parameter.",
    "hvp": "The Hessian of the loss times `tangents`.",
    "hessian": "The second derivatives of the loss: blocks [a][b] of shape a.shape + b.shape.",
    "jacobian": "The derivatives of the outputs: blocks of shape output.shape + parameter.shape.",
    "per_example_grad": "For each example the gradient of its own loss: [n, *parameter.shape].",
}


def door_of(model: Model, derived: Derived, plan: Schedule, equations: Equations) -> Door:
    """The door of one function: what it reads, and what else must be passed."""
    read = set(derived.leaves)
    takes_state = derived.returns_state or any(isinstance(leaf, State) for leaf in read)
    states = model.states if takes_state else ()
    last = max((i for i, leaf in enumerate(model.draws, start=1) if leaf in read), default=0)
    draws = model.draws[:last]
    wanted: list[Named] = [*model.parameters, *states]
    if derived.name in ("jvp", "hvp"):
        wanted += [_as_named(Tangent(leaf.name, leaf.shape)) for leaf in model.parameters]
    if derived.name == "vjp":
        wanted += [
            _as_named(Cotangent(name, node.shape))
            for name, node in model.outputs.items()
            if node.dtype == FLOAT
        ]
    leaves = [leaf for leaf in (*model.parameters, *states, *model.inputs) if leaf in read]
    passed = [leaf for leaf in derived.leaves if not isinstance(leaf, Random)]
    leaves = list(dict.fromkeys([*leaves, *passed]))
    lines = list(every_line(plan.program.instructions))
    numbers = [o.number for line in lines for o in line.operands if isinstance(o, Literal)]
    needed = {s for number in numbers for s in number.free_symbols}
    sizes = [size for line in lines for size in line.result.shape]
    sizes += [size for line in lines if line.op == "loop" for size in line.options["loop"].sizes]
    sizes += [size for node in derived.form.outputs.values() for size in node.shape]
    sizes += [size for leaf in (*leaves, *wanted, *draws) for size in leaf.shape]
    needed |= {s for size in sizes for s in size.free_symbols}
    for symbol in model.dims:  # an input that is read for nothing but its size
        if symbol in needed and not any(symbol in leaf.shape for leaf in (*leaves, *wanted)):
            sized = [leaf for leaf in model.inputs if symbol in leaf.shape][:1]
            leaves += sized
            needed |= {s for leaf in sized for size in leaf.shape for s in size.free_symbols}
    dims = tuple(d for d in model.dims if d in needed)
    taken = set(leaves)
    return Door(
        model.parameters,
        tuple(leaves),
        dims,
        {leaf: name for leaf, name in equations.names.items() if isinstance(leaf, Named)},
        unread=tuple(leaf for leaf in wanted if leaf not in taken),
        least=(*(e for e, _ in model.requirements), *_least_sizes(plan, numbers)),
        out=_out_shapes(model, derived),
        all_states=states,
        draws=draws,
        drawn=frozenset(leaf for leaf in draws if leaf in read),
    )


def _as_named(node: Node) -> Named:
    assert isinstance(node, Named)
    return node


def _least_sizes(plan: Schedule, numbers: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """What must be >= 0: a number is not divided by 0, and an empty axis has no maximum."""
    asked = []
    for number in numbers:
        below = sympy.fraction(sympy.together(number))[1] if number.free_symbols else sympy.S.One
        if below.free_symbols:
            asked.append(below - 1)
    for line in every_line(plan.program.instructions):
        extremum = line.op == "reduce" and line.options["name"] in {"maximum", "minimum"}
        if extremum or line.op in {"argmax", "argmin"}:
            axes = line.options["axes"] if extremum else (line.options["axis"],)
            asked += [line.operands[0].shape[axis] - 1 for axis in axes]
    return list(dict.fromkeys(e for e in asked if e.free_symbols))


def _out_shapes(model: Model, derived: Derived) -> str | None:
    """The shapes of the arrays in `out`, as source; None where it is not offered."""
    if derived.name == "value_and_grad":
        return "{k: p.shape for k, p in params.items()}"
    if derived.name == "per_example_grad":
        node = next(iter(derived.form.outputs.values()))
        return f"{{k: ({node.shape[0]}, *p.shape) for k, p in params.items()}}"
    if derived.name == "input_grad":
        outputs = derived.form.outputs.items()
        shapes = (f'"{name}": {tuple_source(node.shape)}' for name, node in outputs)
        return "{" + ", ".join(shapes) + "}"
    return None


def function_doc(derived: Derived, door: Door) -> tuple[str, ...]:
    text = [PURPOSE[derived.name]]
    inputs = [leaf for leaf in door.leaves if isinstance(leaf, Input)]
    if inputs:
        text.append("")
        text += [f"{door.local(leaf)}: {shape_text(leaf.shape)} {leaf.dtype}" for leaf in inputs]
    if door.all_states:
        text += ["", *_about_state(derived)]
    if door.draws:
        drawn = ", ".join(door.local(leaf) for leaf in door.draws)
        text += ["", *textwrap.wrap(
            f"rng: a numpy.random.Generator. From it are drawn, first and in this order: {drawn}; "
            "in the type of the arrays passed, so float32 and float64 differ.", 88,
        )]  # fmt: skip
    if door.out is not None:
        text += ["", "out: None, or a dict of arrays that the gradients are written into."]
    unread = [leaf.name for leaf in derived.unread if not isinstance(leaf, Input)]
    if unread:
        text += ["", *textwrap.wrap(f"Does not depend on {', '.join(unread)}.", 88)]
    return tuple(text)


def _about_state(derived: Derived) -> list[str]:
    if derived.returns_state:
        return [
            "state: a dict with the keys of STATE. The new one is returned last, with all keys;",
            "the one that was passed is not written to.",
        ]
    return ["state: a dict with the keys of STATE; it is held constant."]
