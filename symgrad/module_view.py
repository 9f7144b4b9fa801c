"""From the stages of a compiled model to the frozen record that the template lays out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import sympy

from symgrad.derivation import Derived
from symgrad.emit.door import Door
from symgrad.emit.function import Equations, write_function
from symgrad.emit.helpers import helper_sources
from symgrad.emit.initialisers import init_lines
from symgrad.emit.literal import size_source
from symgrad.emit.module import ModuleView
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Cotangent, Input, Named, Tangent
from symgrad.expr.node import FLOAT, Node
from symgrad.model.model import Model
from symgrad.program.expansion import LOG_MAX
from symgrad.program.instruction import Instruction, Literal
from symgrad.program.schedule import Schedule
from symgrad.version import __version__

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
# What each derivative is compared with in the module's own check: one of these must be there.
BELOW: dict[str, tuple[str, ...]] = {
    "value_and_grad": (),
    "input_grad": ("loss", "value_and_grad"),
    "jvp": (),
    "vjp": (),
    "jacobian": ("forward",),
    "hvp": ("value_and_grad",),
    "hessian": ("value_and_grad",),
    "per_example_grad": ("loss", "value_and_grad"),
}


def view_of(
    model: Model,
    derived: Sequence[Derived],
    plans: Sequence[Schedule],
    equations: Sequence[Equations],
) -> ModuleView:
    """The record of the whole module."""
    names = [d.name for d in derived]
    doors = [_door(model, *each) for each in zip(derived, plans, equations, strict=True)]
    lines = [line for plan in plans for line in plan.program.instructions]
    calls = {str(line.options["name"]) for line in lines if line.op == "call"}
    calls |= {"add_along" for line in lines if line.op == "add_along"}
    parameter_dims = _dims_of(model.parameters)
    limits = _index_limits(lines)
    ravels = bool(model.parameters) and not parameter_dims
    distributions = {
        leaf.name: leaf.sums_to_one
        for leaf in model.inputs
        if isinstance(leaf, Input) and leaf.sums_to_one is not None
    }
    scalars = [leaf for door in doors for leaf in door.group(Input) if not leaf.shape]
    public = ["PARAMETERS", "INPUTS", "init_params", "check", *names]
    public += ["ravel", "unravel"] if ravels else []
    public += ["ravel_hessian"] if ravels and "hessian" in names else []
    public += ["OUTPUTS"] if model.outputs else []
    public += ["DISTRIBUTIONS"] if distributions else []
    return ModuleView(
        docstring=_docstring(model, names),
        parameters=tuple(_spec_of(leaf.name, leaf) for leaf in model.parameters),
        inputs=tuple(_spec_of(leaf.name, leaf) for leaf in model.inputs),
        outputs=tuple(_spec_of(name, node) for name, node in model.outputs.items()),
        distributions=tuple(f'"{name}": {axis},' for name, axis in distributions.items()),
        sizes=_size_rules(model, limits),
        init_signature=", ".join(
            ["seed=0", "dtype=np.float64", *(["*"] if parameter_dims else [])]
            + [d.name for d in parameter_dims]
        ),
        init_lines=init_lines(model.parameters),
        init_sizes="".join(f', {d.name}=sizes["{d.name}"]' for d in parameter_dims),
        ravels=ravels,
        functions=tuple(
            write_function(d.name, plan, own, door, d.returned, _function_doc(d, door))
            for d, plan, own, door in zip(derived, plans, equations, doors, strict=True)
        ),
        emitted=frozenset(names),
        claims=_claims(names),
        loss_function=next((f for f in ("loss", "value_and_grad") if f in names), ""),
        helpers=helper_sources(calls),
        uses_log_max=any(
            isinstance(o, Literal) and o.number.has(LOG_MAX)
            for line in lines
            for o in line.operands
        ),
        uses_guard=any(line.op == "guard" for line in lines),
        uses_least_sizes=any(
            line.startswith("    _refuse_size(")
            for door, d in zip(doors, derived, strict=True)
            for line in door.lines(d.name)
        ),
        uses_out=any(door.out is not None for door in doors),
        scalar_kinds=frozenset(leaf.dtype for leaf in scalars)
        | (frozenset({"any"}) if any(door.takes_scalars for door in doors) else frozenset()),
        takes_cotangents=any(door.group(Cotangent) for door in doors),
        float_outputs=str(tuple(k for k, v in model.outputs.items() if v.dtype == FLOAT)),
        public=tuple(sorted(public, key=lambda name: (not name.isupper(), name))),
        check_sizes=_check_sizes(model, doors),
        batch=_batch_name(model),
        index_limits=tuple(
            f'"{name}": {size if size.is_Integer else chr(34) + str(size) + chr(34)},'
            for name, size in limits.items()
        ),
    )


def _claims(names: Sequence[str]) -> tuple[str, ...]:
    """The derivatives that the module can compare with a function of its own."""
    return tuple(
        name
        for name in names
        if name in BELOW and (not BELOW[name] or set(BELOW[name]) & set(names))
    )


def _door(model: Model, derived: Derived, plan: Schedule, equations: Equations) -> Door:
    """The door of one function: what it reads, and what else must be passed."""
    read = set(derived.leaves)
    wanted: list[Named] = [*model.parameters]
    if derived.name in ("jvp", "hvp"):
        wanted += [_as_named(Tangent(leaf.name, leaf.shape)) for leaf in model.parameters]
    if derived.name == "vjp":
        wanted += [
            _as_named(Cotangent(name, node.shape))
            for name, node in model.outputs.items()
            if node.dtype == FLOAT
        ]
    leaves = [leaf for leaf in (*model.parameters, *model.inputs) if leaf in read]
    leaves = list(dict.fromkeys([*leaves, *derived.leaves]))
    lines = plan.program.instructions
    numbers = [o.number for line in lines for o in line.operands if isinstance(o, Literal)]
    needed = {s for number in numbers for s in number.free_symbols}
    sizes = [size for line in lines for size in line.result.shape]
    sizes += [size for node in derived.form.outputs.values() for size in node.shape]
    sizes += [size for leaf in (*leaves, *wanted) for size in leaf.shape]
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
    for line in plan.program.instructions:
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
        shapes = (f'"{name}": {_tuple(node)}' for name, node in derived.form.outputs.items())
        return "{" + ", ".join(shapes) + "}"
    return None


def _function_doc(derived: Derived, door: Door) -> tuple[str, ...]:
    text = [PURPOSE[derived.name]]
    inputs = [leaf for leaf in door.leaves if isinstance(leaf, Input)]
    if inputs:
        text.append("")
        text += [f"{door.local(leaf)}: {shape_text(leaf.shape)} {leaf.dtype}" for leaf in inputs]
    if door.out is not None:
        text += ["", "out: None, or a dict of arrays that the gradients are written into."]
    unread = [leaf.name for leaf in derived.unread if not isinstance(leaf, Input)]
    if unread:
        text += ["", *textwrap.wrap(f"Does not depend on {', '.join(unread)}.", 88)]
    return tuple(text)


def _docstring(model: Model, names: Sequence[str]) -> tuple[str, ...]:
    return (
        *textwrap.wrap(f"{model.name}: {', '.join(names)}.", 96),
        "",
        *textwrap.wrap(
            f"Generated by symgrad {__version__} from the definition of {model.name}: "
            "change that, not this file.",
            96,
        ),
        "Numbers in brackets are those of the equations in the derivation (`symgrad derive`).",
    )


def _index_limits(lines: Sequence[Instruction]) -> dict[str, sympy.Expr]:
    """For each input used as an index, the size that its entries must stay below."""
    limits: dict[str, sympy.Expr] = {}
    for line in lines:
        if line.op == "guard" and line.values[0].argument is not None:
            name, size = line.values[0].argument, line.options["size"]
            limits[name] = sympy.Min(limits.get(name, size), size)
    return limits


def _size_rules(model: Model, limits: Mapping[str, sympy.Expr]) -> tuple[str, ...]:
    """How sizes that are arithmetic of others are computed."""
    sizes = {size for leaf in (*model.parameters, *model.inputs) for size in leaf.shape}
    sizes |= {size for node in model.outputs.values() for size in node.shape}
    sizes |= set(limits.values())
    rules = []
    for size in sorted(sizes, key=str):
        if size.free_symbols and not isinstance(size, sympy.Symbol):
            symbols = ", ".join(sorted(s.name for s in size.free_symbols))
            rules.append(f'"{size}": lambda {symbols}: {size_source(size)},')
    return tuple(rules)


def _check_sizes(model: Model, doors: Sequence[Door]) -> str:
    """Sizes for the module's own check: small, different, and what slices and means ask for."""
    asked = {e for door in doors for e in door.least if not e.free_symbols - set(model.dims)}
    everywhere = [s for leaf in (*model.parameters, *model.inputs) for s in leaf.shape]
    tried = [(first, slack) for slack in (2, 0) for first in (*range(5, 60), *range(60, 1500, 40))]
    sizes = {d: sympy.Integer(5 + k) for k, d in enumerate(model.dims)}
    for first, slack in tried:
        drawn = {d: sympy.Integer(first + k) for k, d in enumerate(model.dims)}
        numbers = [sympy.sympify(size).subs(drawn) for size in everywhere]
        if all(number.is_Integer and number > 0 for number in numbers) and all(
            e.subs(drawn) >= slack for e in asked
        ):
            sizes = drawn
            break
    return "{" + ", ".join(f'"{d.name}": {size}' for d, size in sizes.items()) + "}"


def _batch_name(model: Model) -> str:
    """The size that leads the inputs."""
    leading = [leaf.shape[0] for leaf in model.inputs if leaf.shape]
    return next((size.name for size in leading if isinstance(size, sympy.Symbol)), "")


def _spec_of(name: str, node: Node) -> str:
    return f'"{name}": ({_tuple(node, quoted=True)}, "{node.dtype}"),'


def _tuple(node: Node, quoted: bool = False) -> str:
    """The shape of `node` as source; in quotes what is known only when a function is called."""
    sizes = [
        f'"{size}"' if quoted and size.free_symbols else size_source(size) for size in node.shape
    ]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"


def _dims_of(leaves: Sequence[Named]) -> list[sympy.Symbol]:
    found = {s for leaf in leaves for size in leaf.shape for s in size.free_symbols}
    return sorted(found, key=lambda s: s.name)
