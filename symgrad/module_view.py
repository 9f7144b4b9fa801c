"""From the stages of a compiled model to the frozen record that the template lays out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import sympy

from symgrad.derivation import Derived
from symgrad.doors import door_of, function_doc
from symgrad.emit.door import Door
from symgrad.emit.function import write_function
from symgrad.emit.helpers import helper_sources, helpers_called
from symgrad.emit.index_check import whole_numbers
from symgrad.emit.initialisers import init_lines
from symgrad.emit.literal import number_source, size_source
from symgrad.emit.module import ModuleView
from symgrad.emit.numbering import Equations
from symgrad.expr.detached import Detached
from symgrad.expr.leaf import Cotangent, Input, Named, Random
from symgrad.expr.node import BOOL, FLOAT, INT, Node
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.steps import results_of_steps
from symgrad.program.expansion import LOG_MAX
from symgrad.program.instruction import Instruction, Literal, every_line
from symgrad.program.schedule import Schedule
from symgrad.version import __version__

NUMBERS = {INT: "np.int64", BOOL: "np.bool_"}  # what states without axes may be, besides arrays
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
    doors = [door_of(model, *each) for each in zip(derived, plans, equations, strict=True)]
    lines = [line for plan in plans for line in every_line(plan.program.instructions)]
    calls = helpers_called(lines)
    parameter_dims, state_dims = _dims_of(model.parameters), _dims_of(model.states)
    functions = [d.name for d in derived if d.returns_state]
    local = equations[0].names if equations else {}
    limits = _index_limits(lines)
    ravels = bool(model.parameters) and not parameter_dims
    distributions = {
        leaf.name: leaf.sums_to_one
        for leaf in model.inputs
        if isinstance(leaf, Input) and leaf.sums_to_one is not None
    }
    held = _held(model)
    scalars = [leaf for door in doors for leaf in door.group(Input) if not leaf.shape]
    public = ["PARAMETERS", "INPUTS", "init_params", "check", *names]
    public += ["ravel", "unravel"] if ravels else []
    public += ["ravel_hessian"] if ravels and "hessian" in names else []
    public += ["STATE", "init_state"] if model.states else []
    public += ["UPDATES_STATE"] if functions else []
    public += ["DRAWS"] if model.draws else []
    public += ["OUTPUTS"] if model.outputs else []
    public += ["DISTRIBUTIONS"] if distributions else []
    public += ["HELD"] if held else []
    return ModuleView(
        docstring=_docstring(model, names),
        parameters=tuple(_spec_of(leaf.name, leaf) for leaf in model.parameters),
        states=tuple(_spec_of(leaf.name, leaf) for leaf in model.states),
        state_functions=tuple(functions),
        draws=tuple(_draw_of(local[leaf], leaf) for leaf in model.draws),
        inputs=tuple(_spec_of(leaf.name, leaf) for leaf in model.inputs),
        outputs=tuple(_spec_of(name, node) for name, node in model.outputs.items()),
        distributions=tuple(f'"{name}": {axis},' for name, axis in distributions.items()),
        held=tuple(f'"{name}",' for name in held),
        sizes=_size_rules(model, limits),
        init_signature=_init_signature(parameter_dims),
        init_lines=init_lines(model.parameters),
        init_sizes=_init_sizes(parameter_dims),
        state_signature=_init_signature(state_dims),
        state_lines=init_lines(model.states),
        state_sizes=_init_sizes(state_dims),
        ravels=ravels,
        functions=tuple(
            write_function(d.name, plan, own, door, d.returned, function_doc(d, door))
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
        scalar_types=", ".join(
            ["np.ndarray", "np.float32", "np.float64"]
            + [NUMBERS[kind] for kind in NUMBERS if any(
                leaf.dtype == kind and not leaf.shape for leaf in model.states
            )]
        ),
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


def _held(model: Model) -> list[str]:
    """Parameters and inputs that stand behind a stop_gradient, wholly or in part."""
    nodes = postorder(model.values().values())
    fixed = [node for node in nodes if _is_held(node)]
    if _holds(results_of_steps(nodes)):
        fixed += [node for node in nodes if isinstance(node, Scan)]
    below = set(postorder(fixed))
    leaves = [*model.parameters, *model.inputs]
    return [leaf.name for leaf in leaves if leaf in below and leaf.dtype == FLOAT]


def _is_held(node: Node) -> bool:
    return isinstance(node, Detached) and not node.is_exact


def _holds(roots: Sequence[Node]) -> bool:
    """Whether something below `roots`, or in the steps of scans there, is held fixed."""
    nodes = postorder(roots)
    inner = results_of_steps(nodes)
    return any(map(_is_held, nodes)) or (bool(inner) and _holds(inner))


def _init_signature(dims: Sequence[sympy.Symbol]) -> str:
    return ", ".join(
        ["seed=0", "dtype=np.float64", *(["*"] if dims else []), *(d.name for d in dims)]
    )


def _init_sizes(dims: Sequence[sympy.Symbol]) -> str:
    return "".join(f', {d.name}=sizes["{d.name}"]' for d in dims)


def _draw_of(name: str, leaf: Random) -> str:
    law = leaf.kind
    if leaf.kind == "bernoulli":
        law = f"{leaf.kind}({number_source(leaf.probability)})"
    return f'"{name}": ({_tuple(leaf, quoted=True)}, "{law}"),'


def _claims(names: Sequence[str]) -> tuple[str, ...]:
    """The derivatives that the module can compare with a function of its own."""
    return tuple(
        name
        for name in names
        if name in BELOW and (not BELOW[name] or set(BELOW[name]) & set(names))
    )


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
    """For each input used as an index, the size that its entries must stay below.

    For one that an index is only computed from, the size that this index must stay below.
    """
    limits: dict[str, sympy.Expr] = {}
    computed: dict[str, sympy.Expr] = {}
    for line in lines:
        if line.op != "guard":
            continue
        (index,), size = line.values, line.options["size"]
        given = index.argument
        found = computed if given is None else limits
        for name in whole_numbers(index.node) if given is None else [given]:
            found[name] = sympy.Min(found.get(name, size), size)
    return computed | limits


def _size_rules(model: Model, limits: Mapping[str, sympy.Expr]) -> tuple[str, ...]:
    """How sizes that are arithmetic of others are computed."""
    sizes = {size for leaf in _arguments(model) for size in leaf.shape}
    sizes |= {size for node in model.outputs.values() for size in node.shape}
    sizes |= set(limits.values())
    rules = []
    for size in sorted(sizes, key=str):
        if size.free_symbols and not isinstance(size, sympy.Symbol):
            symbols = ", ".join(sorted(s.name for s in size.free_symbols))
            rules.append(f'"{size}": lambda {symbols}: {size_source(size)},')
    return tuple(rules)


def _arguments(model: Model) -> tuple[Named, ...]:
    return (*model.parameters, *model.states, *model.inputs, *model.draws)


def _check_sizes(model: Model, doors: Sequence[Door]) -> str:
    """Sizes for the module's own check: small, different, and what slices and means ask for."""
    asked = {e for door in doors for e in door.least if not e.free_symbols - set(model.dims)}
    everywhere = [s for leaf in _arguments(model) for s in leaf.shape]
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
