"""From the stages of a compiled model to the frozen record that the template lays out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import sympy

from symgrad.derivation import Derived
from symgrad.emit.door import Door
from symgrad.emit.function import Equations, FunctionView, write_function
from symgrad.emit.helpers import helper_sources
from symgrad.emit.initialisers import init_lines
from symgrad.emit.literal import size_source
from symgrad.emit.module import ModuleView
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Input, Named, Parameter
from symgrad.expr.node import Node
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


def view_of(
    model: Model, derived: Sequence[Derived], plans: Sequence[Schedule], equations: Equations
) -> ModuleView:
    """The record of the whole module."""
    functions = tuple(
        _function(model, d, plan, equations) for d, plan in zip(derived, plans, strict=True)
    )
    lines = [line for plan in plans for line in plan.program.instructions]
    calls = {str(line.options["name"]) for line in lines if line.op == "call"}
    calls |= {"add_along" for line in lines if line.op == "add_along"}
    parameter_dims = _dims_of(model.parameters)
    inputs = model.inputs
    sizes = sorted(
        {
            size
            for leaf in (*model.parameters, *inputs)
            for size in leaf.shape
            if size.free_symbols and not isinstance(size, sympy.Symbol)
        },
        key=str,
    )
    scalars = any(
        isinstance(leaf, Input) and not leaf.shape and leaf.dtype == "float"
        for d in derived
        for leaf in d.leaves
    )
    names = [f.name for f in functions]
    ravels = bool(model.parameters) and not parameter_dims
    public = [
        "PARAMETERS",
        "INPUTS",
        "init_params",
        *names,
        *(["ravel", "unravel"] if ravels else []),
        *(["ravel_hessian"] if ravels and "hessian" in names else []),
        "check",
    ]
    distributions = tuple(
        f'"{leaf.name}": {leaf.sums_to_one},'
        for leaf in inputs
        if isinstance(leaf, Input) and leaf.sums_to_one is not None
    )
    public += [
        *(["OUTPUTS"] if model.outputs else []),
        *(["DISTRIBUTIONS"] if distributions else []),
    ]
    return ModuleView(
        docstring=_docstring(model, names, plans),
        parameters=tuple(_spec(leaf) for leaf in model.parameters),
        inputs=tuple(_spec(leaf) for leaf in inputs),
        outputs=tuple(_spec_of(name, node) for name, node in model.outputs.items()),
        distributions=distributions,
        sizes=tuple(_size_rule(size) for size in sizes),
        init_signature=", ".join(
            [
                "seed=0",
                "dtype=np.float64",
                *(["*", *(d.name for d in parameter_dims)] if parameter_dims else []),
            ]
        ),
        init_lines=init_lines(model.parameters),
        ravels=ravels,
        has_hessian="hessian" in names,
        init_sizes="".join(f', {d.name}=sizes["{d.name}"]' for d in parameter_dims),
        functions=functions,
        helpers=helper_sources(calls),
        uses_log_max=any(
            isinstance(o, Literal) and o.number.has(LOG_MAX)
            for line in lines
            for o in line.operands
        ),
        uses_guard=any(line.op == "guard" for line in lines),
        uses_scalars=scalars,
        public=tuple(sorted(public, key=lambda name: (not name.isupper(), name))),
        check_sizes="{" + ", ".join(f'"{d.name}": {5 + k}' for k, d in enumerate(model.dims)) + "}",
        index_limits=_index_limits(lines),
        gradient_function="value_and_grad" if "value_and_grad" in names else "",
    )


def _function(model: Model, derived: Derived, plan: Schedule, equations: Equations) -> FunctionView:
    read = set(derived.leaves)
    leaves = [leaf for leaf in (*model.parameters, *model.inputs) if leaf in read]
    leaves += [leaf for leaf in derived.leaves if leaf not in leaves]
    lines = plan.program.instructions
    needed = {
        s
        for line in lines
        for o in line.operands
        if isinstance(o, Literal)
        for s in o.number.free_symbols
    }
    needed |= {s for line in lines for size in line.result.shape for s in size.free_symbols}
    needed |= {s for leaf in leaves for size in leaf.shape for s in size.free_symbols}
    dims = tuple(d for d in model.dims if d in needed)
    local = {leaf: name for leaf, name in equations.names.items() if isinstance(leaf, Named)}
    door = Door(model.parameters, tuple(leaves), dims, local)
    return write_function(
        derived.name, plan, equations, door, derived.returned, _function_doc(derived, leaves, door)
    )


def _function_doc(derived: Derived, leaves: Sequence[Named], door: Door) -> tuple[str, ...]:
    text = [PURPOSE[derived.name]]
    inputs = [leaf for leaf in leaves if isinstance(leaf, Input)]
    if inputs:
        text.append("")
        text += [f"{door.local(leaf)}: {shape_text(leaf.shape)} {leaf.dtype}" for leaf in inputs]
    unread = [leaf for leaf in derived.unread if not isinstance(leaf, Input)]
    if unread:
        text += [
            "",
            *textwrap.wrap(
                "Does not depend on " + ", ".join(leaf.name for leaf in unread) + ".", 88
            ),
        ]
    return tuple(text)


def _docstring(model: Model, names: Sequence[str], plans: Sequence[Schedule]) -> tuple[str, ...]:
    return (
        f"{model.name}: {', '.join(names)}.",
        "",
        f"Generated by symgrad {__version__} from the definition of {model.name}: "
        "change that, not this file.",
        "Numbers in brackets are those of the equations in the derivation (`symgrad derive`).",
    )


def _index_limits(lines: Sequence[Instruction]) -> tuple[str, ...]:
    """For each input used as an index, the size that its entries must stay below."""
    limits: dict[str, str] = {}
    for line in lines:
        if line.op == "guard" and line.values[0].argument is not None:
            size = line.options["size"]
            limits[line.values[0].argument] = size_source(size) if size.is_Integer else f'"{size}"'
    return tuple(f'"{name}": {limit},' for name, limit in limits.items())


def _spec(leaf: Named) -> str:
    return _spec_of(leaf.name, leaf)


def _spec_of(name: str, node: Node) -> str:
    sizes = [str(size) if not size.free_symbols else f'"{size}"' for size in node.shape]
    shape = "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"
    return f'"{name}": ({shape}, "{node.dtype}"),'


def _size_rule(size: sympy.Expr) -> str:
    symbols = ", ".join(sorted(s.name for s in size.free_symbols))
    return f'"{size}": lambda {symbols}: {size_source(size)},'


def _dims_of(leaves: Sequence[Named]) -> list[sympy.Symbol]:
    found = {
        s
        for leaf in leaves
        if isinstance(leaf, Parameter)
        for size in leaf.shape
        for s in size.free_symbols
    }
    return sorted(found, key=lambda s: s.name)
