"""The door of an emitted function: its signature, and the cheap check of what it was given.

One chain of comparisons decides; only if it fails does `_refuse` look for the culprit and say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy

from symgrad.emit.identifiers import Names, identifier
from symgrad.emit.layout import filled
from symgrad.emit.literal import number_source, size_source, tuple_source
from symgrad.errors import DefinitionError
from symgrad.expr.leaf import Cotangent, Input, Named, Parameter, Random, State, Tangent
from symgrad.expr.node import BOOL, FLOAT, INT

ARGUMENTS = {
    Parameter: "params",
    State: "state",
    Tangent: "tangents",
    Cotangent: "cotangents",
}
LEAST_WIDTH = 88  # letters of a line of tests, less its indentation


@dataclass(frozen=True)
class Door:
    """The arguments of one function, grouped as the caller passes them.

    `all_parameters`: what `params` must hold; `all_states`: likewise, nothing where the function
    takes no state. `leaves`: what the function reads of its arguments. `dims`: the dimension
    symbols that its lines need. `unread`: what must be passed, though nothing reads it. `draws`:
    the random tensors, in the order in which they are drawn; `drawn`: those that are read.
    `least`: conditions `expression >= 0` on the dimensions. `out`: the shapes of the
    memory that the caller may pass for results, as source; None where none may be passed.
    """

    all_parameters: tuple[Named, ...]
    leaves: tuple[Named, ...]
    dims: tuple[sympy.Symbol, ...]
    local_names: dict[Named, str]
    unread: tuple[Named, ...] = ()
    least: tuple[sympy.Expr, ...] = ()
    out: str | None = None
    all_states: tuple[Named, ...] = ()
    draws: tuple[Random, ...] = ()
    drawn: frozenset[Named] = frozenset()

    @property
    def locals(self) -> tuple[str, ...]:
        own = tuple(d.name for d in self.dims)
        own += ("state",) if self.all_states else ()
        return tuple(self.local_names.values()) + own + (("rng",) if self.draws else ())

    def local(self, leaf: Named) -> str:
        return self.local_names[leaf]

    def group(self, kind: type[Named]) -> list[Named]:
        """The arguments of one kind, read or not."""
        return [leaf for leaf in (*self.leaves, *self.unread) if isinstance(leaf, kind)]

    def passed(self, kind: type[Named]) -> Sequence[Named]:
        """What the dictionary of one kind must hold."""
        whole = {Parameter: self.all_parameters, State: self.all_states}
        return whole[kind] if kind in whole else self.group(kind)

    def signature(self, name: str) -> str:
        """The `def` line's inside: dictionaries first, then inputs by keyword."""
        positional = [argument for kind, argument in ARGUMENTS.items() if self.passed(kind)]
        keyword = [self.local(leaf) for leaf in self.group(Input)]
        if self.draws:
            keyword.append("rng")
        if self.out is not None:
            keyword.append("out=None")
        return ", ".join(positional + (["*", *keyword] if keyword else []))

    def lines(self, name: str) -> tuple[str, ...]:
        """Unpacks and checks the arguments."""
        if not self.leaves and not self.unread:
            return ("dtype = np.dtype(np.float64)", *self._drawing(name))
        return (
            "try:",
            *(f"    {line}" for line in self._unpacking()),
            "    fits = (",
            *(f"        {line}" for line in filled(self._tests(), LEAST_WIDTH)),
            "    )",
            "except (AttributeError, IndexError, KeyError, OverflowError, TypeError):",
            "    fits = False",
            "if not fits:",
            *(f"    {line}" for line in self._refusal(name)),
            *self._least_sizes(name),
            *self._wide_indices(),
            *self._check_of_out(name),
            *self._drawing(name),
        )

    def _drawing(self, name: str) -> list[str]:
        """Draws all random tensors up to the last that is read, in the order of definition.

        So the same generator gives the same tensors in every function of the module.
        """
        if not self.draws:
            return []
        lines = [
            "if not isinstance(rng, np.random.Generator):",
            f'    _refuse_generator("{name}", rng)',
        ]
        for leaf in self.draws:
            method = "standard_normal" if leaf.kind == "normal" else "random"
            source = f"rng.{method}({tuple_source(leaf.shape)}, dtype=dtype)"
            if leaf not in self.drawn:
                lines.append(f"{source}  # {self.local(leaf)}: not read here")
                continue
            if leaf.kind == "bernoulli":
                source = f"({source} < {number_source(leaf.probability)}).astype(dtype)"
            lines.append(f"{self.local(leaf)} = {source}")
        return lines

    @property
    def _scalars(self) -> list[Named]:
        """Inputs without axes: they may be Python numbers."""
        return [leaf for leaf in self.leaves if isinstance(leaf, Input) and not leaf.shape]

    def _unpacking(self) -> list[str]:
        lines = []
        for kind, argument in ARGUMENTS.items():
            for leaf in self.leaves:
                if isinstance(leaf, kind):
                    lines.append(f"{self.local(leaf)} = {self._lookup(argument, leaf)}")
        scalars = [self.local(leaf) for leaf in self._scalars if leaf.dtype == FLOAT]
        if self._floats:
            lines.append(f"dtype = {self._source(self._floats[0])}.dtype")
        elif scalars:
            lines.append(f"dtype = _float_type({', '.join(scalars)})")
        else:
            lines.append("dtype = np.dtype(np.float64)")
        lines += [f"{scalar} = _scalar({scalar}, dtype)" for scalar in scalars]
        for leaf in self._scalars:
            if leaf.dtype != FLOAT:
                kind_of = "int" if leaf.dtype == INT else "bool"
                lines.append(f"{self.local(leaf)} = _{kind_of}_scalar({self.local(leaf)})")
        for symbol in self.dims:
            source, axis = self.source_of(symbol)
            lines.append(f"{symbol.name} = {self._source(source)}.shape[{axis}]")
        return lines

    def _lookup(self, argument: str, leaf: Named) -> str:
        if argument == "cotangents" and len(self.group(Cotangent)) == 1:
            return argument  # one output: its cotangent is passed bare
        return f'{argument}["{leaf.name}"]'

    def _source(self, leaf: Named) -> str:
        """How the door speaks of an argument: by its local name, or where nothing reads it, not."""
        if isinstance(leaf, Input) or leaf not in self._unread:
            return self.local(leaf)
        return self._lookup(ARGUMENTS[type(leaf)], leaf)

    @cached_property
    def _unread(self) -> frozenset[Named]:
        return frozenset(self.unread)

    @cached_property
    def _arrays(self) -> list[Named]:
        scalars = set(self._scalars)
        return [leaf for leaf in (*self.leaves, *self.unread) if leaf not in scalars]

    @property
    def _floats(self) -> list[Named]:
        return [leaf for leaf in self._arrays if leaf.dtype == FLOAT]

    def _tests(self) -> list[str]:
        arrays = self._arrays
        tests = []
        for kind, argument in ARGUMENTS.items():
            count = len(self.passed(kind))
            if count > (1 if kind is Cotangent else 0):
                tests.append(f"len({argument}) == {count}")
        tests += [f"{self._source(leaf)}.shape == {tuple_source(leaf.shape)}" for leaf in arrays]
        floats = [f"{self._source(leaf)}.dtype" for leaf in self._floats]
        if len(floats) > 1:
            tests.append(" == ".join(["dtype", *floats[1:]]))
        if floats or any(leaf.dtype == FLOAT for leaf in self._scalars):
            tests.append("dtype in _FLOATS")
        for dtype, kinds in ((INT, 'in "iu"'), (BOOL, '== "b"')):
            tests += [
                f"{self._source(leaf)}.dtype.kind {kinds}" for leaf in arrays if leaf.dtype == dtype
            ]
        classes = [f"{self._source(leaf)}.__class__" for leaf in arrays if leaf.shape]
        if classes:
            tests.append(" is ".join(["np.ndarray", *classes]))
        tests += [
            f"{self._source(leaf)}.__class__ in _SCALARS" for leaf in arrays if not leaf.shape
        ]
        return tests

    @property
    def takes_scalars(self) -> bool:
        """Whether an argument has no axes."""
        return any(not leaf.shape for leaf in (*self.leaves, *self.unread))

    def _refusal(self, name: str) -> list[str]:
        groups = [
            f'"{argument}": {argument}' for kind, argument in ARGUMENTS.items() if self.passed(kind)
        ]
        inputs = [f'"{leaf.name}": {self.local(leaf)}' for leaf in self.group(Input)]
        parts = [f'"{name}"', "{" + ", ".join(groups) + "}", "{" + ", ".join(inputs) + "}"]
        call = f"_refuse({', '.join(parts)})"
        if len(call) <= LEAST_WIDTH:
            return [call]
        return ["_refuse(", *(f"    {part}," for part in parts), ")"]

    def _least_sizes(self, name: str) -> list[str]:
        """What a slice or a mean asks of the sizes: a statement for each condition."""
        lines = []
        bounds: dict[sympy.Symbol, sympy.Expr] = {}
        others = []
        for asked in self.least:
            symbols = sorted(asked.free_symbols & set(self.dims), key=str)
            if not symbols or asked.free_symbols - set(symbols):
                continue
            slope = sympy.expand(asked).coeff(symbols[0])
            bound = symbols[0] - asked / slope if slope.is_positive else asked
            if len(symbols) == 1 and slope.is_Integer and sympy.expand(bound).is_number:
                bound = sympy.ceiling(sympy.expand(bound))
                bounds[symbols[0]] = max(bound, bounds.get(symbols[0], bound))
            else:
                others.append((symbols[0], asked))
        conditions = [
            (s, f"{s.name} < {b}", f"{s.name} >= {b}") for s, b in bounds.items() if b > 0
        ]
        conditions += [(s, f"{size_source(e)} < 0", f"{size_source(e)} >= 0") for s, e in others]
        for symbol, fails, wanted in conditions:
            source, _ = self.source_of(symbol)
            what = source.name
            if not isinstance(source, Input):
                what = f"{ARGUMENTS[type(source)]}['{source.name}']"
            lines += [
                f"if {fails}:",
                f'    _refuse_size("{name}", "{wanted}", "{what}", {self._source(source)})',
            ]
        return lines

    def _wide_indices(self) -> list[str]:
        """Whole numbers in NumPy's own index type: narrow ones would overflow in arithmetic."""
        return [
            f"{self.local(leaf)} = {self.local(leaf)}.astype(np.intp, copy=False)"
            for leaf in self.leaves
            if isinstance(leaf, Input) and leaf.dtype == INT and leaf.shape
        ]

    def _check_of_out(self, name: str) -> list[str]:
        if self.out is None:
            return []
        return ["if out is not None:", f'    _check_out("{name}", out, {self.out}, dtype)']

    def source_of(self, symbol: sympy.Symbol) -> tuple[Named, int]:
        """The argument, and its axis, from which a dimension is read."""
        known = (*self.leaves, *self.unread)
        for leaf in sorted(known, key=lambda leaf: not isinstance(leaf, Input)):
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
    own = {"state" for leaf in leaves if isinstance(leaf, State)}
    own |= {"rng" for leaf in leaves if isinstance(leaf, Random)}
    names = Names(frozenset(d.name for d in dims) | own)
    local: dict[Named, str] = {}
    for leaf in sorted(leaves, key=lambda leaf: not isinstance(leaf, Input)):
        prefix = {Tangent: "v_", Cotangent: "g_"}.get(type(leaf), "")
        if isinstance(leaf, Input):
            local[leaf] = names.keep(leaf.name)
        else:
            local[leaf] = names.unique(prefix + identifier(leaf.name))
    return {leaf: local[leaf] for leaf in leaves}
