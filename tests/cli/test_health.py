"""`symgrad health`: the table, JSON, measuring, the plot, and wrong use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

NET = """
import symgrad as sg
from symgrad import nn

n = sg.dim("n")
x, y = sg.input("x", (n, 8)), sg.input("y", (n,), dtype="int")
net = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))
model = sg.Model("net", loss=nn.functional.cross_entropy(net(x), y))
"""


@pytest.fixture
def net(run: Any) -> str:
    Path("net.py").write_text(NET)
    return "net.py"


def test_the_table(run: Any, net: str) -> None:
    result = run("health", net)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("net: at initialisation") and "E[z²]" in lines[1]
    assert [line.split()[0] for line in lines[2:5]] == ["linear_0", "linear_2", "linear_4"]
    assert "sigmoid(z)" in lines[3] and "relu(z)" in lines[4] and "healthy" in lines[4]
    assert lines[-1].startswith("Healthy: the gradient at linear_0 is ")


def test_measured_beside_predicted(run: Any, net: str) -> None:
    result = run("health", net, "--measure", "--size", "n=16", "--seeds", "3")
    assert result.exit_code == 0
    assert (
        "measured" in result.stdout
        and "3 draws at n = 16; predictions are at most" in result.stdout
    )


def test_json(run: Any, net: str) -> None:
    told = json.loads(run("health", net, "--format", "json", "--measure", "--seeds", "1").stdout)
    layers = told["health"]["layers"]
    assert [layer["name"] for layer in layers] == ["linear_0", "linear_2", "linear_4"]
    assert layers[2]["moments"] == {
        "E[f(z)]": "sqrt(2)*sqrt(q)/(2*sqrt(pi))",
        "E[f(z)^2]": "q/2",
        "E[f'(z)^2]": "1/2",
    }
    assert layers[2]["gradient"] == 1
    assert told["measured"]["rows"][2]["measured_gradient"] == 1


def test_the_plot(run: Any, net: str) -> None:
    result = run("health", net, "--plot", "net.svg")
    assert result.exit_code == 0 and result.stdout.endswith("wrote net.svg\n")
    ElementTree.parse("net.svg")


def test_wrong_use(run: Any, net: str) -> None:
    assert run("health", net, "--size", "n").exit_code == 2
    unknown = run("health", net, "--size", "k=3")
    assert unknown.exit_code == 2 and "no dimension 'k'" in unknown.stderr
    assert run("health", net, "--plot", "no/such/folder.svg").exit_code == 2
    assert run("health").exit_code == 2
