"""The record that templates lay out: every field is used, and nothing else is."""

from __future__ import annotations

from dataclasses import fields

import jinja2
import pytest
from jinja2 import meta, nodes

from symgrad.emit.function import FunctionView
from symgrad.emit.module import ModuleView, environment, templates_folder

TEMPLATES = ("module.py.j2", "self_check.py.j2")


def parsed() -> list[nodes.Template]:
    return [environment().parse((templates_folder() / name).read_text()) for name in TEMPLATES]


def test_the_fields_of_the_record_are_the_names_of_the_templates() -> None:
    used = set().union(*(meta.find_undeclared_variables(tree) for tree in parsed()))
    assert used == {field.name for field in fields(ModuleView)}


def test_the_same_for_functions() -> None:
    used = {
        attribute.attr
        for tree in parsed()
        for attribute in tree.find_all(nodes.Getattr)
        if isinstance(attribute.node, nodes.Name) and attribute.node.name == "function"
    }
    assert used == {field.name for field in fields(FunctionView)}


def test_templates_do_not_compute() -> None:
    for tree in parsed():
        for kind in (nodes.Call, nodes.Assign, nodes.Macro, nodes.Filter, nodes.Add, nodes.Mul):
            assert list(tree.find_all(kind)) == [], kind.__name__


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ no_such_name }}").render()
