"""What is printed of derivatives: by the user's names, and one equation for each of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import symgrad as sg
from symgrad.compiler import compile_model
from symgrad.derivation_pages import derivation_of
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import slot
from symgrad.passes.form import Form
from symgrad.report import closed_forms, textbook
from symgrad.report.notation import text
from symgrad.report.record.derivation import DerivationRecord

n, d, k = sg.dim("n"), sg.dim("d"), sg.dim("k")
FUNCTIONS = ("value_and_grad", "input_grad", "jvp", "vjp", "hvp", "hessian", "jacobian",
             "per_example_grad")  # fmt: skip


def told(model: sg.Model, function: str | None = None, **options: Any) -> DerivationRecord:
    return derivation_of(model, function, **options)[0]


def lines(groups: Any) -> list[str]:
    return [text(e.either) for group in groups for e in group.items if e.either is not None]


def closed(record: DerivationRecord) -> list[str]:
    return [text(each.equation.either or each.equation.name) for each in record.closed]


def softmax_regression(is_output: bool = True) -> sg.Model:
    X, Y = sg.input("X", (n, d)), sg.input("Y", (n, k), sums_to_one=1)
    W = sg.parameter("W", (d, k))
    Z = (X @ W).named("Z")
    P = sg.softmax(Z, axis=1).named("P")
    loss = -sg.sum(Y * sg.log(P)) / n
    return sg.Model("softmax", loss=loss, outputs={"P": P} if is_output else {"Z": Z})


def logistic_regression() -> sg.Model:
    X, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    z = (X @ w).named("z")
    p = sg.sigmoid(z).named("p")
    loss = sg.nn.functional.binary_cross_entropy_with_logits(z, y)
    return sg.Model("logistic", loss=loss, outputs={"p": p})


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_output", [True, False])
def test_what_stabilising_removed_is_read_by_its_name(is_output: bool) -> None:
    """An output, or a tensor in between that nothing computes any more."""
    record = told(softmax_regression(is_output))
    assert "∂L/∂Z = (P - Y)/n" in lines(record.derivatives)
    forward = [e for group in record.forward for e in group.items]
    (equation,) = [e for e in forward if e.name is not None and text(e.name) == "P"]
    assert text(equation.matrix) == "P = softmax(Z)"
    assert equation.number == ""  # the module does not compute it
    names = [text(e.name) for e in forward]
    assert names.index("Z") < names.index("P") < names.index("L")


def test_a_name_is_read_where_the_formula_holds_exactly_that() -> None:
    """Twice the softmax, and that of other scores, are not P."""
    X, Y = sg.input("X", (n, d)), sg.input("Y", (n, k), sums_to_one=1)
    W = sg.parameter("W", (d, k))
    Z = (X @ W).named("Z")
    P = sg.softmax(2 * Z, axis=1).named("P")
    loss = -sg.sum(Y * sg.log_softmax(Z, axis=1)) / n
    record = told(sg.Model("other", loss=loss, outputs={"P": P}))
    assert "∂L/∂Z = (softmax(Z) - Y)/n" in lines(record.derivatives)
    assert not any(line.startswith("P =") for line in lines(record.forward))


def test_the_naive_logarithms_of_a_sigmoid_leave_p_minus_y() -> None:
    """The module reads these logarithms, and keeps y*(exp(log p) - 1) apart from the other half."""
    X, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    p = sg.sigmoid((X @ w).named("z")).named("p")
    loss = -sg.mean(y * sg.log(p) + (1 - y) * sg.log(1 - p))
    record, numbers = derivation_of(sg.Model("naive", loss=loss, outputs={"p": p}), is_checked=True)
    assert lines(record.derivatives) == ["∂L/∂z = (p - y)/n", "∂L/∂w = Xᵀ (∂L/∂z)"]
    assert numbers is not None and not numbers.failures


def test_the_reason_is_that_the_name_is_known() -> None:
    (group,) = told(logistic_regression()).simplifications
    (rewriting,) = [r for r in group.items if text(r.after.name) == "∂L/∂z"]
    assert rewriting.reasons[-1].name == "read_instead"


def test_the_code_beside_it_says_what_it_computes() -> None:
    record = told(softmax_regression())
    blocks = [b for group in record.code for b in group.items if b.equation is not None]
    (block,) = [b for b in blocks if text(b.equation.name) == "∂L/∂Z"]
    assert block.rewritten and "P" not in text(block.equation.matrix)


# -- equations of their own ---------------------------------------------------------------------


def test_the_derivative_of_what_was_named_is_told() -> None:
    """S = Q Kᵀ/8 is two nodes: the derivative is that of S, not that of the product inside."""
    Q, K = sg.parameter("Q", (n, 64)), sg.parameter("K", (k, 64))
    S = (Q @ K.T / 8).named("S")
    A = sg.softmax(S, axis=1).named("A")
    G = sg.input("G", (n, k))
    record = told(sg.Model("scores", loss=sg.sum(G * A), outputs={"A": A}))
    found = lines(record.derivatives)
    assert any(line.startswith("∂L/∂S = A ⊙ (") for line in found)
    assert "∂L/∂Q = (∂L/∂S) K/8" in found and "∂L/∂K = (∂L/∂S)ᵀ Q/8" in found


def test_a_mere_multiple_has_no_equation_of_its_own() -> None:
    X, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    r = (X @ w - y).named("r")
    record = told(sg.Model("linear", loss=sg.sum(r**2) / (2 * n)))
    assert lines(record.derivatives) == ["∂L/∂w = Xᵀ r/n"]
    assert closed(record) == ["∂L/∂w = Xᵀ (X w - y)/n"]


def test_a_sum_that_was_named_is_told_before_what_reads_it() -> None:
    X, G = sg.parameter("X", (n, d)), sg.input("G", (n, d))
    D = (X - sg.mean(X, axis=0)).named("D")
    v = (sg.mean(D**2, axis=0) + 0.5).named("v")
    record = told(sg.Model("scaled", loss=sg.sum(G * D / sg.sqrt(v)), outputs={"D": D}))
    assert "v = (D ⊙ D)ᵀ 𝟏/n + 1/2" in lines(record.forward)
    found = lines(record.derivatives)
    (at,) = [i for i, line in enumerate(found) if line.startswith("∂L/∂v = ")]
    (reader,) = [i for i, line in enumerate(found) if line.startswith("∂L/∂D = ")]
    assert at < reader and "(D diag(∂L/∂v))/n" in found[reader]


# -- every direction at once --------------------------------------------------------------------


def test_the_parts_of_a_hessian_are_second_derivatives() -> None:
    record = told(logistic_regression(), "hessian")
    assert lines(record.derivatives)[-2:] == [
        "∂²L/∂z∂wᵀ = diag(p ⊙ (1 - p)) X/n",
        "∂²L/∂w∂wᵀ = Xᵀ (∂²L/∂z∂wᵀ)",
    ]
    index = [e.index for group in record.derivatives for e in group.items]
    assert text(index[-1]).startswith("∂²L/∂w[i]∂w[j] = Σ_k (∂²L/∂z[k]∂w[j]) X[k, i]")


def test_the_code_that_lays_it_out_the_other_way_says_so() -> None:
    record = told(logistic_regression(), "hessian")
    names = [text(b.equation.name) for g in record.code for b in g.items if b.equation is not None]
    assert "(∂²L/∂z∂wᵀ)ᵀ" in names


def test_the_parts_of_a_jacobian_are_derivatives_of_the_output() -> None:
    x, W, b = sg.input("x", (3,)), sg.parameter("W", (2, 3)), sg.parameter("b", (2,))
    h = sg.tanh(W @ x + b).named("h")
    record = told(sg.Model("small", outputs={"h": h}), "jacobian")
    every = [e for group in record.derivatives for e in group.items]
    (whole,) = [e for e in every if text(e.name) == "∂h/∂W"]
    assert text(whole.index).startswith("∂h[i]/∂W[j, k] = ")
    assert not any("∂L" in text(e.name) for e in every)


# -- the code and the numbers -------------------------------------------------------------------


def test_emitted_code_is_that_without_a_page() -> None:
    model = softmax_regression()
    before = compile_model(model).source
    told(model)
    assert compile_model(model).source == before and "softmax(" not in before


def test_a_wrong_name_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(form: Form, known: list[Node], kept: set[Node]) -> Form:
        became = {node: Map(slot(0) * 1.001, node) for node in form.outputs.values()}
        return form.rewritten(became)

    monkeypatch.setattr(textbook, "read_instead", wrong)
    record, numbers = derivation_of(softmax_regression(), is_checked=True)
    assert numbers is not None
    assert "as printed" in [check.rule for check in numbers.failures]
    assert "as printed FAILS" in record.verification


# -- in one formula -----------------------------------------------------------------------------


def test_closed_forms_are_verified() -> None:
    record, numbers = derivation_of(logistic_regression(), "hessian", is_checked=True)
    (form,) = record.closed
    assert text(form.equation.matrix) == "∂²L/∂w∂wᵀ = Xᵀ diag(p ⊙ (1 - p)) X/n"
    assert text(form.equation.index) == (
        "∂²L/∂w[i]∂w[j] = (1/n) Σ_k X[k, j] p[k] (1 - p[k]) X[k, i]"
    )
    assert form.verified is not None and form.verified.holds
    assert numbers is not None and not numbers.failures


def test_without_numbers_nothing_is_marked() -> None:
    assert [form.verified for form in told(logistic_regression()).closed] == [None]


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_a_wrong_closed_form_is_reported(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = closed_forms.in_one_formula
    monkeypatch.setattr(
        closed_forms, "in_one_formula", lambda *x: Map(slot(0) * 1.0001, right(*x))
    )
    found = sg.derive(logistic_regression())
    assert [check.rule for check in found.failures] == ["in one formula: w"]
    (closed,) = found.record.closed
    assert closed.verified is not None and not closed.verified.holds
    assert "the sides differ" in found.written(form).lower()


def test_what_stands_already_and_what_is_too_long_is_not_repeated() -> None:
    A, S = sg.parameter("A", (d, d)), sg.input("S", (d, d))
    record = told(sg.Model("normal", loss=sg.trace(S @ A) - sg.linalg.slogdet(A)[1]))
    assert lines(record.derivatives) == ["∂L/∂A = Sᵀ - A⁻ᵀ"] and not record.closed
    x, W = sg.input("x", (n, d)), sg.parameter("W", (d, d))
    h = x
    for _ in range(12):
        h = sg.tanh(h @ W)
    record = told(sg.Model("deep", loss=sg.mean(h**2)))
    assert not record.closed


def test_loops_have_no_closed_form() -> None:
    x, W = sg.input("x", (5, n, d)), sg.parameter("W", (d, d))
    last, _ = sg.scan(lambda h, x_t: (sg.tanh(x_t + h @ W), None), sg.zeros((n, d)), x)
    assert not told(sg.Model("recurrent", loss=sg.mean(last**2))).closed


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_all_formats_have_both_forms(form: str) -> None:
    page = sg.derive(softmax_regression()).written(form)
    assert "In one formula" in page
    start = page.index("In one formula")
    assert page[start:].count("verified, error") == 1


# -- any function -------------------------------------------------------------------------------


def labelled() -> sg.Model:
    """A network that reads whole numbers, with shapes of size 1 in it."""
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    W, b = sg.parameter("W", (3, 1)), sg.parameter("b", (4,))
    h = sg.tanh(x @ W + b).named("h")
    loss = sg.nn.functional.cross_entropy(h, y)
    return sg.Model("labelled", loss=loss, outputs={"p": sg.softmax(h, axis=1)})


@pytest.mark.parametrize("model", [labelled, softmax_regression])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_printed_has_the_values_of_the_module(
    function: str, model: Callable[[], sg.Model]
) -> None:
    record, numbers = derivation_of(model(), function, is_checked=True)
    assert numbers is not None and not numbers.failures
    assert all(form.verified is not None and form.verified.holds for form in record.closed)


def test_what_is_held_fixed_is_seen_to_be() -> None:
    """Else the page would claim that the slope of z tanh(z) is tanh(z)."""
    n = sg.dim("n")
    z = sg.input("x", (n, 3)) @ sg.parameter("w", (3,))
    loss = sg.sum(z * sg.stop_gradient(sg.tanh(z)))
    told = sg.derive(sg.Model("held", loss=loss)).text()
    assert "L = zᵀ stop(tanh(z))" in told and "gives    ∂L/∂z = stop(tanh(z))" in told
    assert "stop(x) is x, and is held fixed" in told
