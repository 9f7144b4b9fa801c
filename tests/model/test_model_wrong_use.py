"""What is wrong with a definition is said in one message; each is compared whole."""

from __future__ import annotations

from typing import Any

import pytest
from messages import message_of

import symgrad as sg
from symgrad import nn

n = sg.dim("n")
x = sg.input("x", (n, 3))
y = sg.input("y", (n,))


def test_a_parameter_that_is_not_used() -> None:
    def define() -> sg.Model:
        w = sg.parameter("w", (3,))
        unused = sg.parameter("unused", (3,))  # noqa: F841
        return sg.Model("net", loss=sg.sum(x @ w))

    assert message_of(define) == (
        "DefinitionError: the model net does not read the parameter unused\n"
        "  at   HERE\n"
        "  fix  use it, remove it, or say which belong to the model: parameters=[...]"
    )


def test_a_parameter_that_is_disconnected() -> None:
    def define() -> sg.Model:
        w, v = sg.parameter("w", (3,)), sg.parameter("v", (3,))
        h = x @ v  # noqa: F841
        return sg.Model("net", loss=sg.sum(x @ w))

    assert message_of(define) == (
        "DefinitionError: the model net does not read the parameter v\n"
        "  at   HERE\n"
        "  fix  use it, remove it, or say which belong to the model: parameters=[...]"
    )


def test_a_parameter_that_only_outputs_read() -> None:
    def define() -> sg.Model:
        w, v = sg.parameter("w", (3,)), sg.parameter("v", (3,))
        return sg.Model("net", loss=sg.sum(x @ w), outputs={"other": x @ v})

    assert message_of(define) == (
        "DefinitionError: the loss of net does not depend on the parameter v, which only the "
        "outputs read\n"
        "  at   HERE\n"
        "  fix  let the loss read it, or put those outputs into a model of their own"
    )


def test_a_layer_of_a_network_that_is_not_used() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.first = nn.Linear(3, 3)
            self.second = nn.Linear(3, 3)

        def forward(self, x: Any) -> Any:
            return self.first(x)

    assert message_of(lambda: sg.Model("net", outputs={"h": Net()(x)})) == (
        "DefinitionError: the model net does not read the parameters second.weight, second.bias\n"
        "  at   HERE\n"
        "  fix  use them, remove them, or say which belong to the model: parameters=[...]"
    )


def test_listed_parameters_must_be_read() -> None:
    w, v = sg.parameter("w", (3,)), sg.parameter("v", (3,))
    assert sg.Model("net", loss=sg.sum(x @ w), parameters=[w]).parameters == (w,)
    assert message_of(lambda: sg.Model("net", loss=sg.sum(x @ w), parameters=[w, v])) == (
        "DefinitionError: the model net does not read the parameter v\n"
        "  at   HERE\n"
        "  fix  use it, remove it, or say which belong to the model: parameters=[...]"
    )
    assert message_of(lambda: sg.Model("net", loss=sg.sum(x @ w), parameters=[x])) == (
        "DefinitionError: parameters= of net lists what is not a parameter: <Input float [n, 3]>\n"
        "  at  HERE"
    )


def test_another_model_may_read_a_parameter() -> None:
    w, v = sg.parameter("w", (3,)), sg.parameter("v", (3,))
    both = sg.Model("both", loss=sg.sum(x @ w) + sg.sum(x @ v))
    assert [p.name for p in both.parameters] == ["w", "v"]
    assert [p.name for p in sg.Model("one", loss=sg.sum(x @ w)).parameters] == ["w"]


def test_a_loss_that_is_not_a_scalar() -> None:
    assert message_of(lambda: sg.Model("net", loss=x[:, 0] - y)) == (
        "ShapeError: the loss of net is not a scalar\n"
        "  at        HERE\n"
        "  expected  []\n"
        "  got       [n]\n"
        "  fix       reduce it: sg.mean(loss) or sg.sum(loss)"
    )


def test_a_loss_of_whole_numbers() -> None:
    count = sg.input("count", (n,), dtype="int")
    assert message_of(lambda: sg.Model("net", loss=sg.sum(count))) == (
        "DefinitionError: the loss of net is of type int, so it has no gradient\n"
        "  at   HERE\n"
        "  fix  let it depend on parameters or inputs of floats"
    )


def test_a_loss_that_is_no_tensor() -> None:
    assert message_of(lambda: sg.Model("net", loss=3)) == (
        "DefinitionError: the loss of net is not a tensor expression: 3\n  at  HERE"
    )


def test_neither_loss_nor_outputs() -> None:
    expected = (
        "DefinitionError: the model net has neither a loss nor outputs\n"
        "  at   HERE\n"
        '  fix  say loss=..., or outputs={"name": tensor}'
    )
    assert message_of(lambda: sg.Model("net")) == expected
    assert message_of(lambda: sg.Model("net", outputs={})) == expected


def test_outputs_that_are_none() -> None:
    assert message_of(lambda: sg.Model("net", outputs=x)) == (
        "DefinitionError: the outputs of net are not a dict of tensors by name\n"
        "  at   HERE\n"
        '  fix  write outputs={"probabilities": p}'
    )
    assert message_of(lambda: sg.Model("net", outputs={"a": 1.5})) == (
        "DefinitionError: the output 'a' of net is not a tensor expression: 1.5\n  at  HERE"
    )


def test_integer_parameters() -> None:
    def define() -> sg.Model:
        k = sg.parameter("k", (3,), dtype="int")
        return sg.Model("net", loss=sg.sum(x * k))

    assert message_of(define) == (
        "DefinitionError: the parameter k is of type int and cannot be trained\n"
        "  at   HERE\n"
        '  fix  leave dtype out, or declare it as sg.input(..., dtype="int")'
    )


def test_two_parameters_of_one_name() -> None:
    def define() -> sg.Model:
        first, second = sg.parameter("w", (3,)), sg.parameter("w", (3,))
        return sg.Model("net", loss=sg.sum(x @ first) + sg.sum(x @ second))

    assert message_of(define) == (
        "NamingError: 2 tensors are called 'w'\n"
        "  parameter 1  [3]  at HERE\n"
        "  parameter 2  [3]  at HERE\n"
        "  fix          give each its own name; a layer takes name=..."
    )


def test_an_input_and_a_parameter_of_one_name() -> None:
    def define() -> sg.Model:
        x = sg.input("x", (n, 3))
        w = sg.parameter("x", (3,))
        return sg.Model("net", loss=sg.sum(x @ w))

    assert message_of(define) == (
        "NamingError: 2 tensors are called 'x'\n"
        "  input 1      [n, 3]  at HERE\n"
        "  parameter 2  [3]  at HERE\n"
        "  fix          give each its own name; a layer takes name=..."
    )


def test_two_layers_of_one_name() -> None:
    def define() -> sg.Model:
        first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
        return sg.Model("net", outputs={"h": second(first(x))})

    assert message_of(define) == (
        "NamingError: 2 tensors are called 'weight'\n"
        "  parameter 1  [3, 3]  at HERE\n"
        "  parameter 2  [3, 3]  at HERE\n"
        "  fix          give each its own name; a layer takes name=..."
    )
    named = nn.Linear(3, 3, name="second")(nn.Linear(3, 3, name="first")(x))
    assert [p.name for p in sg.Model("net", outputs={"h": named}).parameters] == [
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
    ]


def test_a_dimension_and_an_input_of_one_name() -> None:
    assert message_of(lambda: sg.Model("net", outputs={"h": sg.input("n", (n,)) * 2})) == (
        "NamingError: 'n' names both a dimension and an input\n"
        "  at   HERE\n"
        "  fix  rename one of them"
    )


def test_a_size_that_no_input_has() -> None:
    m = sg.dim("m")
    assert message_of(lambda: sg.Model("net", outputs={"h": sg.broadcast_to(y, (m, n))})) == (
        "DefinitionError: the size m is not that of any input or parameter\n"
        "  at   HERE\n"
        "  fix  declare an input with m in its shape, or use a number"
    )


NAMES = {
    "for": ("it is a Python keyword", "'for_'"),
    "None": ("it is a Python keyword", "'None_'"),
    "sum": ("it is a Python builtin, which the emitted code would hide", "'sum_'"),
    "np": ("the emitted code uses this name itself", "'np_'"),
    "params": ("the emitted code uses this name itself", "'params_'"),
    "loss": ("the emitted code uses this name itself", "'loss_'"),
    "2x": ("it is not a Python identifier", "'t_2x'"),
    "a b": ("it is not a Python identifier", "'a_b'"),
    "a'b": ("it is not a Python identifier", "'a_b'"),
    'a"b': ("it is not a Python identifier", "'a_b'"),
    "a\nb": ("it is not a Python identifier", "'a_b'"),
    "{{ x }}": ("it is not a Python identifier", "'x'"),
    "{% x %}": ("it is not a Python identifier", "'x'"),
    "a.b": ("it is not a Python identifier", "'a_b'"),
    "_x": ("it begins with an underscore, as the emitted module's own names do", "'x'"),
    "ﬁt": ("Python would read its letters as others", "'fit'"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_inputs(name: str) -> None:
    reason, better = NAMES[name]
    assert message_of(lambda: sg.Model("net", outputs={"h": sg.input(name, (n,)) * 2})) == (
        f"NamingError: {name!r} cannot name an input: {reason}\n"
        "  at   HERE\n"
        f"  fix  choose another name, for example {better}"
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name != "a.b"])
def test_names_of_parameters_and_outputs(name: str) -> None:
    reason, better = NAMES[name]

    def define() -> sg.Model:
        return sg.Model("net", outputs={name: x @ sg.parameter(name, (3,))})

    assert message_of(define) == (
        f"NamingError: {name!r} cannot name an output: {reason}\n"
        "  at   HERE\n"
        f"  fix  choose another name, for example {better}"
    )
    assert message_of(lambda: sg.Model("net", outputs={"h": x @ sg.parameter(name, (3,))})) == (
        f"NamingError: {name!r} cannot name a parameter: {reason}\n"
        "  at   HERE\n"
        f"  fix  choose another name, for example {better}"
    )


def test_paths_of_parameters() -> None:
    assert sg.Model("net", outputs={"h": x @ sg.parameter("a.0.input", (3,))})
    for path, part, reason in (
        ("a.for", "for", "is a Python keyword"),
        ("a..b", "", "is not a Python identifier"),
        ("a.b'c", "b'c", "is not a Python identifier"),
    ):
        define = lambda path=path: sg.Model("net", outputs={"h": x @ sg.parameter(path, (3,))})  # noqa: E731
        assert message_of(define) == (
            f"NamingError: {path!r} cannot name a parameter: {part!r} in it {reason}\n"
            "  at   HERE\n"
            "  fix  join identifiers and whole numbers by dots"
        )


@pytest.mark.parametrize("name", ["np", "max", "params"])
def test_names_of_dimensions(name: str) -> None:
    size = sg.dim(name)
    reason, better = NAMES.get(name, (NAMES["sum"][0], f"'{name}_'"))
    assert message_of(lambda: sg.Model("net", outputs={"h": sg.input("z", (size,)) * 2})) == (
        f"NamingError: {name!r} cannot name a dimension: {reason}\n"
        "  at   HERE\n"
        f"  fix  choose another name, for example {better}"
    )


@pytest.mark.parametrize("name", ["numpy", "random", "math"])
def test_names_of_models_that_would_hide_a_module(name: str) -> None:
    assert message_of(lambda: sg.Model(name, outputs={"h": x})) == (
        f"NamingError: {name!r} cannot name a model: the generated file would hide the Python "
        f"module {name}\n"
        "  at   HERE\n"
        f"  fix  choose another name, for example '{name}_'"
    )


@pytest.mark.parametrize("name", ["class", "a/b", "../up", "a.py", "", "a b", "{{x}}"])
def test_names_of_models(name: str) -> None:
    text = message_of(lambda: sg.Model(name, outputs={"h": x}))
    reason = "a Python keyword" if name == "class" else "not a Python identifier"
    assert text.startswith(
        f"NamingError: {name!r} cannot name a model: it is {reason}\n  at   HERE"
    )


def test_independent_errors_are_shown_together() -> None:
    def define() -> sg.Model:
        k = sg.parameter("k", (3,), dtype="int")
        h = sg.input("for", (n, 3)) * k + sg.input("a b", (n, 3))
        return sg.Model("net", loss=sg.sum(h))

    assert message_of(define) == (
        "DefinitionError: the model net has 3 errors\n"
        "  1. the parameter k is of type int and cannot be trained\n"
        "    at   HERE\n"
        '    fix  leave dtype out, or declare it as sg.input(..., dtype="int")\n'
        "  2. 'for' cannot name an input: it is a Python keyword\n"
        "    at   HERE\n"
        "    fix  choose another name, for example 'for_'\n"
        "  3. 'a b' cannot name an input: it is not a Python identifier\n"
        "    at   HERE\n"
        "    fix  choose another name, for example 'a_b'\n"
        "  at  HERE"
    )


@pytest.mark.parametrize(("compare", "found"), [(x.__eq__, False), (x.__ne__, True)])
def test_comparing_expressions_for_equality(compare: Any, found: bool) -> None:
    """`x == 1` is one of Python's truths, and must not be taken for a mask."""
    assert message_of(lambda: sg.sum(x) * compare(1)) == (
        f"DefinitionError: {found} is not a tensor: == and != of tensor expressions tell whether "
        "they are the same expression\n"
        "  at   HERE\n"
        "  fix  compare elementwise with sg.equal(a, b) or sg.not_equal(a, b)"
    )
