"""What explains the notation is said once on a page; what is said of one equation, each time."""

import pytest

import symgrad as sg
from symgrad.report.aligned import aligned_html, aligned_latex
from symgrad.report.conventions import below_each_other, on_a_page
from symgrad.report.notation import symbol
from symgrad.report.notation.remarks import SPAN, STRIDE, Convention
from symgrad.report.record.equation import Equation
from symgrad.report.record.steps import Arrival
from symgrad.report.render import FORMATS


def _model() -> sg.Model:
    x, w = sg.input("x", (sg.dim("n"), 6)), sg.parameter("w", (3,))
    left, right = (x[:, :3] + w).named("left"), (x[:, 3:] * w + w).named("right")
    return sg.Model("halves", loss=sg.sum(sg.tanh(left) * sg.tanh(right)))


def _joined() -> sg.Model:
    a, b = sg.parameter("a", (2,)), sg.parameter("b", (3,))
    joined = sg.concatenate([a, b]).named("joined")
    return sg.Model("joined", loss=sg.sum(sg.tanh(joined)))


def _equation(name: str, *remarks: str, steps: tuple[Equation, ...] = ()) -> Equation:
    return Equation(symbol(name), symbol(name), None, "", remarks=remarks, steps=steps)


def test_a_model_with_several_slices_needs_it_several_times() -> None:
    record = sg.derive(_model(), verify=False).record
    told = [r for group in record.forward for e in group.items for r in e.remarks]
    assert told.count(SPAN) > 1
    assert told.count("w stands in every row") > 1


@pytest.mark.parametrize("level", ["steps", "every"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_page_says_it_once(form: str, level: str) -> None:
    page = sg.derive(_model(), level=level, verify=False).written(form)
    assert page.count("stands for the entries from a to b") == 1
    assert page.count("a colon alone stands for all entries") == 1
    assert page.count("stands in every row") > 1


@pytest.mark.parametrize("form", FORMATS)
def test_it_stands_where_a_slice_comes_first(form: str) -> None:
    """Also where that is a derivative, after a forward pass without any."""
    page = sg.derive(_joined(), verify=False).written(form)
    assert page.count("stands for the entries from a to b") == 1


def test_later_equations_and_their_steps_keep_what_is_their_own() -> None:
    own = "b stands in every row"
    inner = _equation("h", SPAN, own)
    found = below_each_other(
        [_equation("x", own, SPAN), _equation("y", STRIDE, SPAN, own, steps=(inner,))]
    )
    assert [e.remarks for e in found] == [(own, SPAN), (STRIDE, own)]
    assert found[1].steps[0].remarks == (own,)


def test_an_equation_quoted_above_a_step_tells_nothing() -> None:
    """Not every format says remarks there: the first place is one that does."""
    record = sg.derive(_model(), level="every", verify=False).record
    steps = [step for group in on_a_page(record).chapters for step in group.items]
    quoted = [step.equation.remarks for step in steps if step.equation is not None]
    assert any(quoted)
    assert not any(isinstance(remark, Convention) for told in quoted for remark in told)


def test_what_an_arrival_needs_comes_before_it() -> None:
    fields = list(Arrival.__dataclass_fields__)
    assert fields.index("needed") < fields.index("equation")


def test_equations_in_a_notebook_say_it_once() -> None:
    equations = [_equation("x", SPAN), _equation("y", SPAN)]
    assert aligned_html(equations, 2).count(SPAN) == 1
    assert aligned_latex(equations, 2).count("stands for the entries") == 1
    assert aligned_html(equations, 1, folds=True).count(SPAN) == 2, "one table is folded away"
