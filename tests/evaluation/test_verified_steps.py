"""Every step holds in numbers: of each node of the catalogue alone, and of whole models."""

from __future__ import annotations

import time

import numpy as np
import pytest
from catalogue import CASES, Case
from derivations import of_graph, of_model
from emitted_models import MODELS

import symgrad as sg
from symgrad import nn
from symgrad.derivation import BUILDERS
from symgrad.errors import DefinitionError
from symgrad.evaluation.interpreter import Evaluation
from symgrad.evaluation.journal_checks import journal_checks
from symgrad.evaluation.sizes import Sizes
from symgrad.evaluation.verify import leaves_of, roots_of, verify_derivation, watched
from symgrad.model.model import Model
from symgrad.passes.pipeline import BEFORE_DERIVATION

SMOOTH = [case for case in CASES if case.build(*case.leaves()).dtype == "float"]


def of_case(case: Case) -> list:
    leaves = case.leaves()
    derived = of_graph(case.build(*leaves), leaves)
    rng = np.random.default_rng(4)
    values = dict(zip(leaves, case.values(rng), strict=True))
    sizes = Sizes(case.sizes)
    for leaf in leaves_of(roots_of(derived)):
        if leaf not in values:
            values[leaf] = rng.standard_normal(sizes.shape(leaf.shape))
    return journal_checks(derived.journal, [Evaluation(values, sizes)], 0)


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_every_rule_of_the_catalogue_holds(case: Case) -> None:
    """Reverse and forward mode, each node alone; nearly to the last digit."""
    checks = of_case(case)
    assert [str(check) for check in checks if not check.ok] == []
    is_without_steps = case.label == "recurrent_empty"
    assert [str(c) for c in checks if not c.points and not (c.scan and is_without_steps)] == []
    assert max(check.error for check in checks) < 1e-8


def recurrent() -> Model:
    n = sg.dim("n")
    x, h0 = sg.input("x", (5, n, 3)), sg.input("h0", (n, 4))
    W, U = sg.parameter("W", (4, 4)), sg.parameter("U", (3, 4))
    step = lambda h, x: (sg.tanh(h @ W + x @ U),) * 2  # noqa: E731
    last, every = sg.scan(step, h0, x)
    return sg.Model("recurrent", loss=sg.mean(every**2) + sg.mean(last), outputs={"last": last})


def masked_attention() -> Model:
    """Minus infinity stands beside what is differentiated."""
    n = sg.dim("n")
    q, k, keep = sg.input("q", (n, 4)), sg.input("k", (n, 4)), sg.input("keep", (n, n), "bool")
    W = sg.parameter("W", (4, 4))
    kept = sg.logical_or(keep, sg.eye(n) > 0)
    scores = sg.where(kept, (q @ W) @ k.T, -np.inf)
    return sg.Model("masked", loss=sg.sum(sg.softmax(scores, axis=-1) @ k))


def convolutional() -> Model:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 1, 6, 6)), sg.input("y", (n,), "int")
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(8, 3),
    )  # fmt: skip
    return sg.Model("convolutional", loss=nn.functional.cross_entropy(net(x), y))


def held_and_useless() -> Model:
    """A weight whose slope is 0, one that nothing reads in the loss, and one held fixed."""
    w, v, u = (sg.parameter(name, (3,)) for name in "wvu")
    x = sg.input("x", (3,))
    loss = sg.sum(sg.stop_gradient(u) * w * x) + sg.sum(sg.floor(v) * x)
    return sg.Model("held", loss=loss, outputs={"y": w * x}, parameters=[w, v, u])


def layered_norm() -> Model:
    n = sg.dim("n")
    x, t = sg.input("x", (n, 4)), sg.input("t", (n, 4), sums_to_one=-1)
    h = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))(x)
    return sg.Model("layered_norm", loss=nn.functional.cross_entropy(h, t), outputs={"h": h})


WHOLE = MODELS | {
    f.__name__: f
    for f in (recurrent, masked_attention, convolutional, held_and_useless, layered_norm)
}


@pytest.mark.parametrize("function", BUILDERS)
@pytest.mark.parametrize("name", WHOLE)
def test_every_step_of_a_model_holds(name: str, function: str) -> None:
    model = WHOLE[name]()
    try:
        derived = of_model(model, function)
    except DefinitionError:
        pytest.skip("the model has no such function")
    given = (*model.parameters, *model.inputs, *model.states)
    forms = watched(model.values(), BEFORE_DERIVATION)
    checks = verify_derivation(derived, given, forms)
    assert [str(check) for check in checks if not (check.ok and check.points)] == []
    assert max(check.error for check in checks) < 1e-10
    assert {check.rule for check in checks if check.kind == "pass"} == {
        each.__name__ for each in BEFORE_DERIVATION
    }


def test_each_step_of_the_journal_has_its_check() -> None:
    model = recurrent()
    derived = of_model(model)
    checks = verify_derivation(derived, model.parameters)
    (inner,) = derived.journal.inner.values()
    told = [check.step for check in checks if check.step is not None]
    assert sorted(map(id, told)) == sorted(map(id, [*derived.journal.steps, *inner.steps]))
    assert {check.scan for check in checks if check.step in inner.steps} == {"the scan over h"}


def test_a_hundred_layers_take_a_moment() -> None:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 8)), sg.input("y", (n,), "int")
    layers = [layer for _ in range(100) for layer in (nn.Linear(8, 8), nn.Tanh())]
    logits = nn.Sequential(*layers, nn.Linear(8, 3))(x)
    model = sg.Model("deep", loss=nn.functional.cross_entropy(logits, y))
    derived = of_model(model)
    start = time.process_time()
    checks = verify_derivation(derived, (*model.parameters, *model.inputs))
    assert time.process_time() - start < 10
    assert len(checks) > 500 and all(check.ok and check.points for check in checks)


def test_both_modes_within_a_step_are_checked() -> None:
    """A Hessian product derives the step of a scan twice: backward, then along a direction."""
    derived = of_model(recurrent(), "hvp")
    checks = verify_derivation(derived)
    modes = {check.step.mode for check in checks if check.step is not None and check.scan}
    assert modes == {"reverse", "forward"}
    assert all(check.ok and check.points for check in checks)
