"""The door of an emitted function: its signature, and the cheap check of what it was given.

One chain of comparisons decides; only if it fails does `_refuse` look for the culprit and say so.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symgrad.emit.identifiers import Names, identifier
from symgrad.emit.literal import size_source
from symgrad.errors import DefinitionError
from symgrad.expr.dimension import Shape
from symgrad.expr.leaf import Cotangent, Input, Named, Parameter, Tangent
from symgrad.expr.node import FLOAT

ARGUMENTS = {Parameter: "params", Tangent: "tangents", Cotangent: "cotangents"}


@dataclass(frozen=True)
class Door:
    """The arguments of one function, grouped as the caller passes them.

    `all_parameters`: how many entries `params` must have. `leaves`: what the function reads.
    `dims`: the dimension symbols that its lines need.
    """

    all_parameters: tuple[Named, ...]
    leaves: tuple[Named, ...]
    dims: tuple[sympy.Symbol, ...]
    local_names: dict[Named, str]
    accepts_out: bool = False

    @property
    def locals(self) -> tuple[str, ...]:
        return tuple(self.local_names.values()) + tuple(d.name for d in self.dims)

    def local(self, leaf: Named) -> str:
        return self.local_names[leaf]

    def group(self, kind: type[Named]) -> list[Named]:
        return [leaf for leaf in self.leaves if isinstance(leaf, kind)]

    def signature(self, name: str) -> str:
        """The `def` line's inside: dictionaries first, then inputs by keyword."""
        positional = ["params"] if self.all_parameters else []
        positional += [a for k, a in ARGUMENTS.items() if k is not Parameter and self.group(k)]
        keyword = [self.local(leaf) for leaf in self.group(Input)]
        if self.accepts_out:
            keyword.append("out=None")
        return ", ".join(positional + (["*", *keyword] if keyword else []))

    def lines(self, name: str) -> tuple[str, ...]:
        """Unpacks and checks the arguments."""
        if not self.leaves:
            return ("dtype = np.dtype(np.float64)",)
        tests = self._tests()
        joined = textwrap.wrap(" and ".join(tests), 80, break_long_words=False, break_on_hyphens=False)
        return (
            "try:",
            *(f"    {line}" for line in self._unpacking()),
            "    fits = (",
            *(f"        {line}" for line in joined),
            "    )",
            "except (AttributeError, IndexError, KeyError, TypeError):",
            "    fits = False",
            "if not fits:",
            f'    _refuse("{name}", {self._given()})',
        )

    @property
    def _scalars(self) -> list[Named]:
        """Inputs without axes: they may be Python numbers."""
        return [
            leaf for leaf in self.leaves
            if isinstance(leaf, Input) and leaf.dtype == FLOAT and not leaf.shape
        ]

    @property
    def _arrays(self) -> list[Named]:
        scalars = self._scalars
        return [leaf for leaf in self.leaves if leaf not in scalars]

    def _unpacking(self) -> list[str]:
        lines = []
        for kind, argument in ARGUMENTS.items():
            for leaf in self.group(kind):
                lines.append(f'{self.local(leaf)} = {self._lookup(argument, leaf)}')
        floats = [leaf for leaf in self._arrays if leaf.dtype == FLOAT]
        if floats:
            lines.append(f"dtype = {self.local(floats[0])}.dtype")
        elif self._scalars:
            lines.append(f"dtype = _float_type({', '.join(map(self.local, self._scalars))})")
        else:
            lines.append("dtype = np.dtype(np.float64)")
        for leaf in self._scalars:
            lines.append(f"{self.local(leaf)} = _scalar({self.local(leaf)}, dtype)")
        for symbol in self.dims:
            source, axis = self.source_of(symbol)
            lines.append(f"{symbol.name} = {self.local(source)}.shape[{axis}]")
        return lines

    def _lookup(self, argument: str, leaf: Named) -> str:
        if argument == "cotangents" and len(self.group(Cotangent)) == 1:
            return argument  # one output: its cotangent is passed bare
        return f'{argument}["{leaf.name}"]'

    def _tests(self) -> list[str]:
        tests = []
        if self.all_parameters:
            tests.append(f"len(params) == {len(self.all_parameters)}")
        if self.group(Tangent):
            tests.append(f"len(tangents) == {len(self.group(Tangent))}")
        if len(self.group(Cotangent)) > 1:
            tests.append(f"len(cotangents) == {len(self.group(Cotangent))}")
        arrays = self._arrays
        tests += [f"{self.local(leaf)}.shape == {_tuple_source(leaf.shape)}" for leaf in arrays]
        floats = [leaf for leaf in arrays if leaf.dtype == FLOAT]
        if len(floats) > 1:
            tests.append(" is ".join(["dtype", *(f"{self.local(leaf)}.dtype" for leaf in floats[1:])]))
        if floats or self._scalars:
            tests.append("dtype in _FLOATS")
        tests += [f'{self.local(leaf)}.dtype.kind in "iu"' for leaf in arrays if leaf.dtype == "int"]
        tests += [f'{self.local(leaf)}.dtype.kind == "b"' for leaf in arrays if leaf.dtype == "bool"]
        classes = [f"{self.local(leaf)}.__class__" for leaf in arrays if leaf.shape]
        if classes:
            tests.append(" is ".join(["np.ndarray", *classes]))
        return tests

    def _given(self) -> str:
        groups = [f'"{a}": {a}' for k, a in ARGUMENTS.items()
                  if (self.all_parameters if k is Parameter else self.group(k))]
        inputs = [f'"{leaf.name}": {self.local(leaf)}' for leaf in self.group(Input)]
        return "{" + ", ".join(groups) + "}, {" + ", ".join(inputs) + "}"

    def source_of(self, symbol: sympy.Symbol) -> tuple[Named, int]:
        """The argument, and its axis, from which a dimension is read."""
        for leaf in sorted(self.leaves, key=lambda leaf: not isinstance(leaf, Input)):
            for axis, size in enumerate(leaf.shape):
                if size == symbol:
                    return leaf, axis
        raise DefinitionError(
            f"the size {symbol.name} cannot be known when the module is called: "
            f"no argument has an axis of exactly that size",
            fix=f"give an input a shape with {symbol.name} itself in it",
        )


def local_names(leaves: Sequence[Named], dims: Sequence[sympy.Symbol]) -> dict[Named, str]:
    """Identifiers for leaves: an input keeps its name, a parameter's path is turned into one."""
    names = Names(frozenset(d.name for d in dims))
    local: dict[Named, str] = {}
    for leaf in sorted(leaves, key=lambda leaf: not isinstance(leaf, Input)):
        prefix = {Tangent: "v_", Cotangent: "g_"}.get(type(leaf), "")
        local[leaf] = names.unique(prefix + identifier(leaf.name))
    return {leaf: local[leaf] for leaf in leaves}


def _tuple_source(shape: Shape) -> str:
    sizes = [size_source(size) for size in shape]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"
