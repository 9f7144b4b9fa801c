"""The numbers of M. Mazur, "A Step by Step Backpropagation Example" (2015), step by step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from derivations import of_model

from symgrad.evaluation.study import study
from symgrad.expr.walk import postorder
from symgrad.model.model_file import load_model

VALUES = {
    "inputs": [0.05, 0.10],
    "targets": [0.01, 0.99],
    "W1": [[0.15, 0.20], [0.25, 0.30]],
    "W2": [[0.40, 0.45], [0.50, 0.55]],
}
# As printed there: the quantity, and its digits.
FORWARD = {
    "net_h": ["0.3775", None],
    "out_h": ["0.593269992", "0.596884378"],
    "net_o": ["1.105905967", None],
    "out_o": ["0.75136507", "0.772928465"],
    "E_total": "0.298371109",
}
BACKWARD = {
    "dE/d out_o1": "0.74136507",
    "dE/d net_o1": "0.138498562",
    "dE/d w5": "0.082167041",
    "dE/d out_h1": "0.036350306",
    "dE/d w1": "0.000438568",
}
# After one step of gradient descent with a rate of 0.5.
UPDATED = {
    "W2": [["0.35891648", "0.408666186"], ["0.511301270", "0.561370121"]],
    "W1": [["0.149780716", "0.19956143"], ["0.24975114", "0.29950229"]],
}


def is_rounded(printed: str | None, value: float) -> bool:
    """Whether `value` is what was printed, to its last digit but one unit."""
    if printed is None:
        return True
    digits = len(printed.partition(".")[2])
    return abs(float(printed) - value) < 1.01 * 10.0**-digits


@pytest.fixture
def numbers(tmp_path: Path):
    path = tmp_path / "values.npz"
    np.savez(path, **{name: np.array(value) for name, value in VALUES.items()})
    model = load_model("examples/textbook_2_2_2.py")
    derived = of_model(model)
    return model, derived, study(derived, (*model.parameters, *model.inputs), at=path)


def test_the_forward_pass(numbers) -> None:
    model, _, values = numbers
    (hidden, output) = model.outputs["hidden"], model.outputs["output"]
    nodes = {
        "net_h": hidden.operands[0],
        "out_h": hidden,
        "net_o": output.operands[0],
        "out_o": output,
    }
    for name, node in nodes.items():
        found = values.value(node)
        assert all(map(is_rounded, FORWARD[name], found)), (name, found)
    assert is_rounded(FORWARD["E_total"], values.value(model.loss))
    assert values.value_of(model.loss) == "0.29837111"
    assert values.value_of(hidden) == "[0.59326999 0.59688438]"


def test_the_backward_pass_step_by_step(numbers) -> None:
    model, derived, values = numbers
    received = {
        (step.operand if step.operand is not None else step.node): values.value(step.result)
        for step in derived.journal.steps
    }
    hidden, output = model.outputs["hidden"], model.outputs["output"]
    W1, W2 = model.parameters
    started = postorder(derived.raw.values())
    assert hidden in started and output in started, "stabilising leaves this net as it is"
    found = {
        "dE/d out_o1": received[output][0],
        "dE/d net_o1": received[output.operands[0]][0],
        "dE/d w5": received[W2][0, 0],
        "dE/d out_h1": received[hidden][0],
        "dE/d w1": received[W1][0, 0],
    }
    for name, printed in BACKWARD.items():
        assert is_rounded(printed, found[name]), (name, printed, found[name])
    assert values.failures == () and len(values.checks) > len(derived.journal.steps)


def test_the_weights_after_one_step(numbers) -> None:
    _, derived, values = numbers
    for name, printed in UPDATED.items():
        updated = np.array(VALUES[name]) - 0.5 * values.value(derived.form.outputs[name])
        assert all(map(is_rounded, np.ravel(printed), np.ravel(updated))), (name, updated)


def test_values_on_paper_are_those_of_the_derivation(numbers) -> None:
    _, derived, values = numbers
    for key, node in derived.raw.items():
        np.testing.assert_allclose(
            values.value(derived.paper.outputs[key]), values.value(node), rtol=1e-14
        )
    assert values.shown(derived.paper.outputs["W2"]).latex == (
        r"\begin{bmatrix} 0.082167041 & 0.082667628 \\ -0.02260254 & -0.022740242 \end{bmatrix}"
    )
