"""The equations of one step, with the step as a subscript, forwards and backwards."""

from __future__ import annotations

import symgrad as sg
from symgrad.expr.node import Node
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.report.notation import equations_of, step_equations, steps_remark, symbol, text
from symgrad.report.notation.formula import Symbol


def _scan(node: Node) -> Scan:
    while not isinstance(node, Scan):
        node = node.operands[0]
    return node


def _recurrent(reverse: bool) -> tuple[Node, Node, dict[Node, Symbol]]:
    T, d = sg.dim("T"), 3
    h0, x = sg.input("h0", (d,)), sg.input("x", (T, 2))
    w, u = sg.parameter("W", (d, 2)), sg.parameter("U", (d, d))
    last, states = sg.scan(lambda h, x: (sg.tanh(w @ x + u @ h),) * 2, h0, x, reverse=reverse)
    names = {leaf: symbol(leaf.name) for leaf in (h0, x, w, u)}
    return last, states, names


def test_forwards() -> None:
    last, states, names = _recurrent(reverse=False)
    (step,) = step_equations(_scan(last), names.get)
    assert text(step.matrix) == "h[t] = tanh(W x[t] + U h[t - 1])"
    assert text(step.indices) == ("h[t, i] = tanh(Σ_j W[i, j] x[t, j] + Σ_k U[i, k] h[t - 1, k])")
    assert text(steps_remark(_scan(last))) == "t = 0, …, T - 1"
    assert isinstance(last, Final) and isinstance(states, Stacked)
    whole = equations_of(last, {**names, last: symbol("z")}.get)
    assert text(whole.matrix) == "z = h[T - 1]"
    stacked = equations_of(states, {**names, states: symbol("H")}.get)
    assert text(stacked.indices) == "H[i, j] = h[i, j]"


def test_backwards() -> None:
    last, _, names = _recurrent(reverse=True)
    (step,) = step_equations(_scan(last), names.get)
    assert text(step.matrix) == "h[t] = tanh(W x[t] + U h[t + 1])"
    assert text(steps_remark(_scan(last))) == "t = T - 1, …, 0"
    assert text(equations_of(last, {**names, last: symbol("z")}.get).matrix) == "z = h[0]"


def test_a_state_that_is_handed_on() -> None:
    a, b, x = sg.input("a", (2,)), sg.input("b", (2,)), sg.input("x", (4, 2))
    last = sg.scan(lambda state, x: ((state[1], state[0] + x), x), (a, b), x)[0]
    scan = _scan(last[0])
    names = {leaf: symbol(leaf.name) for leaf in (a, b, x)}
    names |= {state: Symbol(letter) for state, letter in zip(scan.step.carried, "pq", strict=True)}
    lines = [text(e.matrix) for e in step_equations(scan, names.get)]
    assert lines == ["p[t] = q[t - 1]", "q[t] = p[t - 1] + x[t]"]
