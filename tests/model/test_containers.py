"""Modules that hold others: names of parameters as in PyTorch, and what cannot be held."""

from __future__ import annotations

from typing import Any

import pytest

import symgrad as sg
from symgrad import nn
from symgrad.errors import DefinitionError, NamingError


def build(m: Any) -> Any:
    class Net(m.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = m.ModuleList([m.Linear(3, 3), m.Linear(3, 3, bias=False)])
            self.layers.append(m.Linear(3, 2)).extend([m.Linear(2, 2), m.Tanh()])
            self.heads = m.ModuleDict({"left": m.Linear(2, 1), "right": m.Linear(2, 1)})

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return self.heads["left"](x) + self.heads["right"](x)

    return Net()


def test_names_are_those_of_a_state_dict() -> None:
    torch = pytest.importorskip("torch")
    theirs = {name: tuple(p.shape) for name, p in build(torch.nn).state_dict().items()}
    net = build(nn)
    assert {p.name: p.shape for p in net.parameters()} == theirs
    model = sg.Model("net", outputs={"y": net(sg.input("x", (4, 3)))})
    assert [p.name for p in model.parameters] == list(theirs)


def test_they_are_used_like_lists_and_dicts() -> None:
    net = build(nn)
    assert len(net.layers) == 5 and isinstance(net.layers[-1], nn.Tanh)
    assert net.layers[1:3] == list(net.layers)[1:3]
    assert list(net.heads) == list(net.heads.keys()) == ["left", "right"]
    assert dict(net.heads.items())["left"] is net.heads["left"] is next(iter(net.heads.values()))
    assert not net.eval().heads["right"].training and not net.layers[0].training


@pytest.mark.parametrize("hold", [lambda x: nn.ModuleList([x]), lambda x: nn.ModuleDict({"a": x})])
def test_only_modules_are_held(hold: Any) -> None:
    with pytest.raises(DefinitionError, match=r"of a Module(List|Dict) is .*, not a module"):
        hold(nn.ReLU)


@pytest.mark.parametrize("name", ["forward", "training", "_leaves", "items", 3])
def test_names_that_a_dict_uses_itself(name: Any) -> None:
    with pytest.raises(NamingError, match="cannot name a layer of a ModuleDict"):
        nn.ModuleDict({name: nn.Tanh()})


def test_a_list_is_not_called() -> None:
    with pytest.raises(NotImplementedError, match="ModuleList does not define forward"):
        nn.ModuleList([nn.Tanh()])(sg.input("x", (3,)))


def test_a_tied_parameter_is_one_parameter() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    net = nn.Sequential(first, nn.Tanh(), second)
    assert [p.name for p in net.parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    second.weight = first.weight
    assert [p.name for p in net.parameters()] == ["0.weight", "0.bias", "2.bias"]
    x = sg.input("x", (4, 3))
    model = sg.Model("net", loss=sg.sum(net(x)))
    assert [p.name for p in model.parameters] == ["0.weight", "0.bias", "2.bias"]
