"""What tensors are called: by the user's variables first, then by layers; each name once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import symgrad as sg
from symgrad import nn
from symgrad.expr.node import Node

n = sg.dim("n")
x = sg.input("x", (n, 3))


def names_of(model: sg.Model) -> list[str]:
    return list(model.names.values())


def test_a_network() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    logits = net(x)
    model = sg.Model("net", loss=sg.sum(logits**2), outputs={"p": sg.softmax(logits)})
    assert [leaf.name for leaf in model.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert [leaf.name for leaf in model.inputs] == ["x"]
    assert model.dims == (n,)
    hidden = [name for node, name in model.names.items() if node not in model.parameters]
    assert sorted(hidden) == ["linear_0", "logits", "loss", "p", "relu_1", "x"]
    assert model.names[logits] == "logits"
    assert model.locations[logits].rpartition(":")[0].endswith("test_model_names.py")


def test_variables_win_over_layers_and_named_over_variables() -> None:
    hidden = nn.Tanh()(x)
    assert sg.Model("net", outputs={"h": hidden}).names[hidden] == "hidden"
    hidden.named("state")
    assert sg.Model("net", outputs={"h": hidden}).names[hidden] == "state"
    hidden.label = None


def test_a_variable_never_takes_the_name_of_a_leaf() -> None:
    def define(x: Node) -> sg.Model:
        x = sg.tanh(x)
        return sg.Model("net", outputs={"h": x})

    model = define(x)
    assert model.names == {model.inputs[0]: "x", model.outputs["h"]: "h"}


def test_paths_in_nested_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.blocks = [nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3, bias=False), nn.SiLU())]
            self.scale = nn.Parameter((3,), init=sg.ones)

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return x * self.scale

    net = Net()
    model = sg.Model("net", outputs={"h": net(x)})
    assert [leaf.name for leaf in model.parameters] == [
        "scale",
        "blocks.0.weight",
        "blocks.0.bias",
        "blocks.1.0.weight",
    ]
    assert {"blocks_linear_0", "blocks_linear_1_0", "blocks_silu_1_1"} <= set(names_of(model))
    assert net.scale.initialiser == ("constant", 1)


def test_a_layer_alone_and_a_named_layer() -> None:
    alone = nn.Linear(3, 3)(x)
    model = sg.Model("net", outputs={"h": nn.Linear(3, 2, name="head")(alone)})
    assert [leaf.name for leaf in model.parameters] == [
        "weight",
        "bias",
        "head.weight",
        "head.bias",
    ]
    inner = nn.Sequential(nn.Linear(3, 3, name="encoder"), nn.Linear(3, 3), name="net")
    assert [p.name for p in inner.parameters()] == [
        "net.encoder.weight",
        "net.encoder.bias",
        "net.1.weight",
        "net.1.bias",
    ]
    named = nn.Sequential(OrderedDict(enc=nn.Linear(3, 3, bias=False), act=nn.ReLU()))
    assert [p.name for p in named.parameters()] == ["enc.weight"]


def test_asking_a_layer_of_a_network_first_gives_the_whole_path() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    penalty = sg.sum(net[1].weight ** 2)
    model = sg.Model("net", loss=sg.sum(net(x)) + penalty)
    assert [leaf.name for leaf in model.parameters] == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_a_layer_used_twice_has_one_set_of_parameters() -> None:
    layer = nn.Linear(3, 3)
    model = sg.Model("net", outputs={"h": layer(layer(x))})
    assert [leaf.name for leaf in model.parameters] == ["weight", "bias"]
    tied = nn.Sequential(layer := nn.Linear(3, 3), nn.ReLU(), layer)
    assert [p.name for p in tied.parameters()] == ["0.weight", "0.bias"]


def test_the_same_definition_twice_is_two_sets_of_parameters() -> None:
    def define() -> sg.Model:
        return sg.Model("net", outputs={"h": nn.Linear(3, 3)(x)})

    first, second = define(), define()
    assert first.parameters != second.parameters
    assert names_of(first) == names_of(second)


def test_parameters_are_in_the_order_of_their_declaration() -> None:
    late, early = sg.parameter("late", (3,)), sg.parameter("early", (3,))
    model = sg.Model("net", loss=sg.sum(x @ early) + sg.sum(x @ late))
    assert [leaf.name for leaf in model.parameters] == ["late", "early"]
    model = sg.Model("net", loss=sg.sum(x @ early) + sg.sum(x @ late), parameters=[early, late])
    assert [leaf.name for leaf in model.parameters] == ["early", "late"]


def test_what_slices_ask_of_symbolic_sizes() -> None:
    rows = x[3:] * x[:-3]
    model = sg.Model("net", outputs={"h": rows, "first": x[0]})
    assert sorted(str(size) for size, _ in model.requirements) == ["n - 1", "n - 3"]
    assert all("test_model_names.py" in str(line) for _, line in model.requirements)
    assert sg.Model("net", outputs={"h": x[::-1, :2]}).requirements == ()


def test_a_model_is_frozen() -> None:
    model = sg.Model("net", outputs={"h": x * 2})
    try:
        model.name = "other"  # type: ignore[misc]
    except AttributeError:
        return
    raise AssertionError("a model can be changed")
