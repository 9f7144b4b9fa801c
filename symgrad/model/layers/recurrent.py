"""Recurrent networks over whole sequences: RNN, LSTM, GRU, as in `torch.nn`.

Each layer and direction is one scan of the cell's step. Sequences are [t, n, input_size], or
[n, t, input_size] with `batch_first`, or [t, input_size] for one sequence without a batch. Of a
`PackedSequence` each runs through its own steps; beyond them its state stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.contraction import spread, transpose
from symgrad.expr.dimension import as_dimension, shape_text
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.model.layers.dropout import dropout
from symgrad.model.layers.linear import linear
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.packed_sequence import PackedSequence
from symgrad.model.layers.recurrent_cell import (
    checked_nonlinearity,
    checked_state,
    checked_width,
    drawn,
    gru_step,
    lstm_step,
    rnn_step,
)
from symgrad.model.operations.joining import concat, stack
from symgrad.model.operations.operation import refuse_of
from symgrad.model.operations.scan import scan

States = list[Node]
Sequences = Node | PackedSequence


class _Recurrent(Module):
    """What RNN, LSTM and GRU share: parameters, directions, layers, the layout of sequences."""

    gates = 1
    state_names: tuple[str, ...] = ("h",)

    def __init__(self, input_size: Any, hidden_size: Any, num_layers: int, bias: bool,
                 batch_first: bool, dropout: float, bidirectional: bool, proj_size: int,
                 device: Any, dtype: Any) -> None:  # fmt: skip
        refuse_of(type(self).__name__, device=device, dtype=dtype)
        self.input_size, self.hidden_size = as_dimension(input_size), as_dimension(hidden_size)
        self.num_layers = _at_least_one(num_layers)
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.proj_size = as_dimension(proj_size)
        self.dropout = _probability(dropout)
        rows, init = self.gates * self.hidden_size, drawn(self.hidden_size)
        for layer, suffix in self._places():
            width = self.input_size if layer == 0 else self._directions() * self._out_size()
            setattr(self, f"weight_ih_{suffix}", Parameter((rows, width), init))
            setattr(self, f"weight_hh_{suffix}", Parameter((rows, self._out_size()), init))
            if bias:
                setattr(self, f"bias_ih_{suffix}", Parameter((rows,), init))
                setattr(self, f"bias_hh_{suffix}", Parameter((rows,), init))
            if self.proj_size != 0:
                shape = self.proj_size, self.hidden_size
                setattr(self, f"weight_hr_{suffix}", Parameter(shape, init))

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _out_size(self) -> sympy.Expr:
        return self.hidden_size if self.proj_size == 0 else self.proj_size

    def _places(self) -> Iterator[tuple[int, str]]:
        for layer in range(self.num_layers):
            for suffix in ("", "_reverse")[: self._directions()]:
                yield layer, f"l{layer}{suffix}"

    def _part(self, kind: str, suffix: str) -> Any:
        return getattr(self, f"{kind}_{suffix}", None)

    def _step(self, given: Node, states: States, suffix: str) -> States:
        """The states that follow; the first is what the layer gives out."""
        raise NotImplementedError

    def _run(self, input: Any, first: Any) -> tuple[Sequences, States]:
        """The outputs of the last layer, and each state after the last step, of every layer."""
        if isinstance(input, PackedSequence):
            x = self._checked(input.padded, is_packed=True)
            x, last = self._layers(x, first, input.within)
            return input.followed_by(x), last
        x = self._checked(as_node(input))
        if not self.batch_first or x.ndim == 2:
            return self._layers(x, first)
        x, last = self._layers(transpose(x, [1, 0, 2]), first)
        return transpose(x, [1, 0, 2]), last

    def _checked(self, x: Node, is_packed: bool = False) -> Node:
        """`x`. Raises: ShapeError unless it holds one sequence, or a batch, of `input_size`."""
        checked_width(x, self.input_size, self._title())
        if is_packed and x.ndim != 3:
            raise ShapeError(
                f"{self._title()} takes a packed sequence of [t, n, in]",
                where=user_location(),
                facts={"padded": shape_text(x.shape)},
            )
        if x.ndim not in (2, 3):
            raise ShapeError(
                f"{self._title()} takes a sequence [t, in] or a batch of sequences "
                f"{'[n, t, in]' if self.batch_first else '[t, n, in]'}",
                where=user_location(),
                facts={name_of(x) or "input": shape_text(x.shape)},
            )
        return x

    def _layers(self, x: Node, first: Any, within: Node | None = None) -> tuple[Node, States]:
        """The outputs for x [t, n, in] or [t, in]; `within` [t, n] says which steps there are."""
        begun = self._first_states(first, x)
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = dropout(x, self.dropout)
            directions = []
            for place, (of_layer, suffix) in enumerate(self._places()):
                if of_layer == layer:
                    ys, states = self._direction(x, [s[place] for s in begun], suffix, within)
                    directions.append(ys)
                    last.append(states)
            x = concat(directions, axis=-1) if len(directions) > 1 else directions[0]
        return x, [stack([states[k] for states in last]) for k in range(len(self.state_names))]

    def _direction(
        self, x: Node, first: States, suffix: str, within: Node | None
    ) -> tuple[Node, States]:
        weight, bias = self._part("weight_ih", suffix), self._part("bias_ih", suffix)
        entries = {"given": linear(x, weight, bias)}
        if within is not None:
            # factors, not a selection: that would take the gates into its branches
            taken = elementwise(lambda w: 1.0 * w, within).named("taken")
            kept = elementwise(lambda m: 1 - m, taken).named("kept")
            entries["taken"] = spread(taken, {2: sympy.S.One})
            entries["kept"] = spread(kept, {2: sympy.S.One})

        def step(states: dict[str, Node], entry: dict[str, Node]) -> tuple[dict[str, Node], Node]:
            before = list(states.values())
            after = self._step(entry["given"], before, suffix)
            if within is not None:
                taken, kept = entry["taken"], entry["kept"]
                after = [taken * a + kept * b for a, b in zip(after, before, strict=True)]
            return dict(zip(self.state_names, after, strict=True)), after[0]

        begun = dict(zip(self.state_names, first, strict=True))
        last, every = scan(step, begun, entries, reverse=suffix.endswith("_reverse"))
        return every, list(last.values())

    def _first_states(self, first: Any, x: Node) -> list[Node]:
        """The states before the first step, each [layers * directions, n, size]."""
        given = (None,) * len(self.state_names) if first is None else first
        if len(self.state_names) == 1 and first is not None:
            given = (first,)
        elif isinstance(given, Node) or len(given) != len(self.state_names):
            got = "one tensor" if isinstance(given, Node) else f"{len(given)} parts"
            raise DefinitionError(
                f"{self._title()}: the first state has two parts, and is given as {got}",
                where=user_location(),
                fix="pass (h_0, c_0)",
            )
        count = self.num_layers * self._directions()
        sizes = (self._out_size(), self.hidden_size)
        names = ("h_0", "c_0")[: len(self.state_names)]
        return [
            checked_state(s, (count, *x.shape[1:-1], size), self._title(), name)
            for s, size, name in zip(given, sizes, names, strict=False)
        ]


def _at_least_one(count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise DefinitionError(
            f"num_layers must be a whole number above 0, not {count!r}", where=user_location()
        )
    return count


def _probability(p: Any) -> float:
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise DefinitionError(
            f"dropout must be a probability, a number from 0 to 1, not {p!r}",
            where=user_location(),
        )
    return p


class RNN(_Recurrent):
    """h[t] = tanh(x[t] @ weight_ih.T + bias_ih + h[t-1] @ weight_hh.T + bias_hh), layer by layer.

    input: [t, n, input_size]; hx: [num_layers * directions, n, hidden_size], zeros by default.
    Returns: (output [t, n, directions * hidden_size], h_n of the shape of hx).
    """

    def __init__(self, input_size: Any, hidden_size: Any, num_layers: int = 1,
                 nonlinearity: str = "tanh", bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        self.nonlinearity = checked_nonlinearity(nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, 0, device, dtype)  # fmt: skip

    def forward(self, input: Any, hx: Any = None) -> tuple[Sequences, Node]:
        output, (h_n,) = self._run(input, hx)
        return output, h_n

    def _step(self, given: Node, states: States, suffix: str) -> States:
        weight, bias = self._part("weight_hh", suffix), self._part("bias_hh", suffix)
        return [rnn_step(given, states[0], weight, bias, self.nonlinearity).named("h")]


class GRU(_Recurrent):
    """Gated recurrent units: `gru_step`, layer by layer.

    Shapes as RNN's. Returns: (output, h_n).
    """

    gates = 3

    def __init__(self, input_size: Any, hidden_size: Any, num_layers: int = 1,
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, 0, device, dtype)  # fmt: skip

    def forward(self, input: Any, hx: Any = None) -> tuple[Sequences, Node]:
        output, (h_n,) = self._run(input, hx)
        return output, h_n

    def _step(self, given: Node, states: States, suffix: str) -> States:
        weight, bias = self._part("weight_hh", suffix), self._part("bias_hh", suffix)
        return [gru_step(given, states[0], weight, bias)]


class LSTM(_Recurrent):
    """Long short-term memory: `lstm_step`, layer by layer.

    input: [t, n, input_size]; hx: the pair (h_0 [layers * directions, n, out], c_0 [..., hidden]),
    zeros by default, where out is proj_size, or hidden_size without a projection.
    Returns: (output [t, n, directions * out], (h_n, c_n)).
    """

    gates = 4
    state_names = ("h", "c")

    def __init__(self, input_size: Any, hidden_size: Any, num_layers: int = 1,
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, proj_size: int = 0, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        if isinstance(proj_size, int) and isinstance(hidden_size, int) and proj_size >= hidden_size:
            raise DefinitionError(
                "proj_size must be smaller than hidden_size",
                where=user_location(),
                facts={"proj_size": str(proj_size), "hidden_size": str(hidden_size)},
            )
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, proj_size, device, dtype)  # fmt: skip

    def forward(self, input: Any, hx: Any = None) -> tuple[Sequences, tuple[Node, Node]]:
        output, (h_n, c_n) = self._run(input, hx)
        return output, (h_n, c_n)

    def _step(self, given: Node, states: States, suffix: str) -> States:
        h, c = states
        weight, bias = self._part("weight_hh", suffix), self._part("bias_hh", suffix)
        return list(lstm_step(given, h, c, weight, bias, self._part("weight_hr", suffix)))
