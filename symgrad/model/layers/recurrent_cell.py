"""One step of the recurrent networks, on its own: RNNCell, LSTMCell, GRUCell.

The step of each is a function of what the input contributes (`inputs @ weight_ih.T + bias_ih`,
which needs no state) and of the state; the layers of `recurrent.py` repeat the same functions.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.dimension import Shape, as_dimension, same, same_shape, shape_text
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node, user_location
from symgrad.expr.operand import as_node, name_of
from symgrad.expr.scan import wishes
from symgrad.model.initialisers import uniform
from symgrad.model.layers.activations import relu, sigmoid, tanh
from symgrad.model.layers.linear import linear
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.operations.operation import refuse_of

NONLINEARITIES = {"tanh": tanh, "relu": relu}


def rnn_step(given: Node, h: Node, weight: Any, bias: Any, nonlinearity: str) -> Node:
    """h' = tanh(given + h @ weight.T + bias).  [Elman 1990]"""
    return NONLINEARITIES[nonlinearity](given + linear(h, weight, bias))


def lstm_step(
    given: Node, h: Node, c: Node, weight: Any, bias: Any, projection: Any = None
) -> tuple[Node, Node]:
    """The gates i, f, g, o; c' = f*c + i*g; h' = o*tanh(c').  [Hochreiter, Schmidhuber 1997]

    With a projection, h' = (o*tanh(c')) @ projection.T.  [Sak, Senior, Beaufays 2014]
    """
    z = (given + linear(h, weight, bias)).named("z")
    z_i, z_f, z_g, z_o = _parts(z, ("z_i", "z_f", "z_g", "z_o"))
    i, f, o = sigmoid(z_i).named("i"), sigmoid(z_f).named("f"), sigmoid(z_o).named("o")
    c = (f * c + i * tanh(z_g).named("g")).named("c")
    h = o * tanh(c).named("tanh_c")
    return (h if projection is None else linear(h, projection)).named("h"), c


def gru_step(given: Node, h: Node, weight: Any, bias: Any) -> Node:
    """The gates r, z and the candidate n; h' = (1 - z)*n + z*h.  [Cho et al. 2014]

    r scales what the state contributes to n after its product, as in PyTorch.
    """
    recurrent = linear(h, weight, bias).named("recurrent")
    r_x, z_x, n_x = _parts(given, ("r_x", "z_x", "n_x"))
    r_h, z_h, n_h = _parts(recurrent, ("r_h", "z_h", "n_h"))
    r = sigmoid(r_x + r_h).named("r")
    z = sigmoid(z_x + z_h).named("z")
    n = tanh(n_x + r * n_h).named("n")
    return (n + z * (h - n)).named("h")


def _parts(whole: Node, names: tuple[str, ...]) -> list[Node]:
    """The last axis in as many parts as there are names."""
    size = whole.shape[-1] / len(names)
    parts = [whole[..., k * size : (k + 1) * size] for k in range(len(names))]
    for part, name in zip(parts, names, strict=True):
        wishes.setdefault(part, name)
    return parts


def drawn(hidden_size: sympy.Expr) -> Any:
    """How PyTorch draws every parameter of a recurrent layer: evenly within 1/sqrt(hidden_size)."""
    bound = 1 / sympy.sqrt(hidden_size) if hidden_size != 0 else sympy.S.Zero
    return uniform(-bound, bound)


def checked_width(x: Node, width: sympy.Expr, title: str, role: str = "input") -> Node:
    """`x`. Raises: ShapeError unless `width` is its last size."""
    if not x.ndim or not same(x.shape[-1], width):
        raise ShapeError(
            f"{title} expects {width} features on the last axis of its {role}, "
            f"which has {x.shape[-1] if x.ndim else 'no axis'}",
            where=user_location(),
            facts={name_of(x) or role: shape_text(x.shape)},
            fix="change the layer's size, or what comes before",
        )
    return x


def checked_state(state: Any, shape: Shape, title: str, role: str) -> Node:
    """A first state, zeros where none is given. Raises: ShapeError if it has another shape."""
    if state is None:
        return Constant(0, shape, FLOAT)
    node = as_node(state)
    if not same_shape(node.shape, shape):
        raise ShapeError(
            f"{title}: the state {role} does not fit the input",
            where=user_location(),
            facts={"expected": shape_text(shape), "got": shape_text(node.shape)},
        )
    return node


class _Cell(Module):
    """What the cells share: their parameters, `gates` rows for each entry of the state."""

    weight_ih: Any
    weight_hh: Any
    bias_ih: Any
    bias_hh: Any
    gates = 1

    def __init__(self, input_size: Any, hidden_size: Any, bias: bool, device: Any,
                 dtype: Any) -> None:  # fmt: skip
        refuse_of(type(self).__name__, device=device, dtype=dtype)
        self.input_size, self.hidden_size = as_dimension(input_size), as_dimension(hidden_size)
        rows = self.gates * self.hidden_size
        init = drawn(self.hidden_size)
        self.weight_ih = Parameter((rows, self.input_size), init)
        self.weight_hh = Parameter((rows, self.hidden_size), init)
        self.bias_ih = Parameter((rows,), init) if bias else None
        self.bias_hh = Parameter((rows,), init) if bias else None

    def _given(self, input: Any) -> Node:
        x = checked_width(as_node(input), self.input_size, self._title())
        if x.ndim not in (1, 2):
            raise ShapeError(
                f"{self._title()} takes one entry [in] or a batch [n, in]",
                where=user_location(),
                facts={name_of(x) or "input": shape_text(x.shape)},
            )
        return linear(x, self.weight_ih, self.bias_ih)

    def _state(self, given: Node, state: Any, role: str = "hx") -> Node:
        shape = (*given.shape[:-1], self.hidden_size)
        return checked_state(state, shape, self._title(), role)


class RNNCell(_Cell):
    """h' = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh): one step of an RNN.

    input: [n, input_size] or [input_size]; hx: [n, hidden_size], zeros by default.
    """

    def __init__(self, input_size: Any, hidden_size: Any, bias: bool = True,
                 nonlinearity: str = "tanh", device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = checked_nonlinearity(nonlinearity)

    def forward(self, input: Any, hx: Any = None) -> Node:
        given = self._given(input)
        h = self._state(given, hx)
        return rnn_step(given, h, self.weight_hh, self.bias_hh, self.nonlinearity)


class LSTMCell(_Cell):
    """One step of an LSTM: gates i, f, g, o in the rows of the weights.

    input: [n, input_size] or [input_size]; hx: the pair (h, c), each [n, hidden_size], zeros by
    default. Returns: (h', c').
    """

    gates = 4

    def __init__(self, input_size: Any, hidden_size: Any, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Node, Node]:
        given = self._given(input)
        first = (None, None) if hx is None else hx
        h, c = (self._state(given, s, role) for s, role in zip(first, ("h", "c"), strict=True))
        return lstm_step(given, h, c, self.weight_hh, self.bias_hh)


class GRUCell(_Cell):
    """One step of a GRU: gates r, z and the candidate n in the rows of the weights.

    input: [n, input_size] or [input_size]; hx: [n, hidden_size], zeros by default.
    """

    gates = 3

    def __init__(self, input_size: Any, hidden_size: Any, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Node:
        given = self._given(input)
        return gru_step(given, self._state(given, hx), self.weight_hh, self.bias_hh)


def checked_nonlinearity(nonlinearity: Any) -> str:
    if nonlinearity not in NONLINEARITIES:
        raise DefinitionError(
            f"nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}", where=user_location()
        )
    return str(nonlinearity)
