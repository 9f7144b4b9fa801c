"""Modules: callables that own parameters and buffers, as in `torch.nn`.

    class Net(nn.Module):
        def __init__(self):
            self.hidden = nn.Linear(64, 128)
            self.scale = nn.Parameter((128,), init="ones")

        def forward(self, x):
            return sg.tanh(self.hidden(x)) * self.scale

Parameters are named by their path from the outermost module, as in a `state_dict`:
`hidden.weight`, `hidden.bias`, `scale`; within a Sequential `0.weight`, `2.weight`. The names
are given when a module is first called or asked for a parameter, and stay. Buffers (running
statistics) are named likewise; `update_state` says what they become. Every module takes a keyword
`name`, its part of the path: nn.LSTM(3, 4, name="encoder") has `encoder.weight_ih_l0`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary, ref

from symgrad.errors import NamingError, SymgradError
from symgrad.expr.leaf import Filled, Leaf, State
from symgrad.expr.leaf import Parameter as ParameterLeaf
from symgrad.expr.node import Node, user_location
from symgrad.model.declarations import parameter, state
from symgrad.model.layers.packed_sequence import PackedSequence
from symgrad.model.updates import Becomes, note_update


@dataclass(frozen=True)
class Parameter:
    """A parameter of a module that has no name yet; `init` as for `sg.parameter`."""

    shape: Any
    init: Any = "normal"


@dataclass(frozen=True)
class Buffer:
    """A state of a module that has no name yet; `init` and `dtype` as for `sg.state`."""

    shape: Any
    init: Any = "zeros"
    dtype: Any = "float"


# Which modules gave a tensor out, and the name that the last of them gave it.
_calls: WeakKeyDictionary[Node, list[Module]] = WeakKeyDictionary()
_labels: WeakKeyDictionary[Node, str] = WeakKeyDictionary()


class Module:
    """Base of layers and networks: subclass it, define `forward`, call the object.

    `name`: its part of the path of its parameters, and the name of its output. `training`: whether
    a call builds what trains (dropout, batch statistics) or what is used afterwards.
    """

    name: str | None = None
    training: bool = True

    def __init__(self, *, name: str | None = None) -> None:
        """A subclass need not call it."""
        if name is not None:
            self.name = checked_name(name)

    def __init_subclass__(cls, **arguments: Any) -> None:
        """A constructor that does not ask for `name` takes it all the same."""
        super().__init_subclass__(**arguments)
        made = vars(cls).get("__init__")
        if made is not None:
            cls.__init__ = _taking_name(made)  # type: ignore[method-assign]

    def forward(self, *inputs: Any, **arguments: Any) -> Any:
        """What calling the module returns."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *inputs: Any, **arguments: Any) -> Any:
        try:
            result = self.forward(*inputs, **arguments)
        except SymgradError as error:
            raise self._located(error) from None
        given = (*inputs, *arguments.values())
        for node in _tensors(result):
            if not isinstance(node, Leaf) and not any(node is value for value in given):
                if self._named_leaves():
                    _calls.setdefault(node, []).append(self)
                self._label(node)
        return result

    # Attributes: modules become children, declarations become parameters.

    def __setattr__(self, key: str, value: Any) -> None:
        if isinstance(value, Parameter | Buffer):
            self._declarations()[key] = value
            self.__dict__.pop(key, None)  # so that reading it comes to __getattr__
            return
        if isinstance(value, Filled):  # tied: another module's tensor in the place of its own
            self._declarations().pop(key, None)
            self.__dict__.get("_leaves", {}).pop(key, None)
        for part, child in _modules_in(key, value):
            child.__dict__.setdefault("_place", (ref(self), part))
        object.__setattr__(self, key, value)

    def __getattr__(self, key: str) -> Any:
        if key in self.__dict__.get("_declared", {}):
            if key not in self.__dict__.get("_leaves", {}):
                self._root()._name_leaves("")
            return self.__dict__["_leaves"][key]
        raise AttributeError(f"{type(self).__name__} has no attribute {key!r}")

    def _declarations(self) -> dict[str, Parameter | Buffer]:
        return self.__dict__.setdefault("_declared", {})

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules among its attributes, with their part of the path."""
        for key, value in list(vars(self).items()):
            for part, child in _modules_in(key, value):
                yield child.name or part, child

    def parameters(self) -> list[ParameterLeaf]:
        """All parameters of the module and of those within it, in the order of declaration."""
        return [leaf for leaf in self._named_leaves() if isinstance(leaf, ParameterLeaf)]

    def buffers(self) -> list[State]:
        """All buffers of the module and of those within it, in the order of declaration."""
        return [leaf for leaf in self._named_leaves() if isinstance(leaf, State)]

    def _named_leaves(self) -> list[Filled]:
        if not self._is_named():
            self._root()._name_leaves("")
        return list(dict.fromkeys(self._all_leaves()))

    def own_leaves(self) -> dict[str, Filled]:
        """The named parameters and buffers of the module itself, by attribute."""
        tied = {key: value for key, value in vars(self).items() if isinstance(value, Filled)}
        return {**self.__dict__.get("_leaves", {}), **tied}

    def _all_leaves(self) -> Iterator[Filled]:
        yield from self.own_leaves().values()
        for _, child in self.named_children():
            yield from child._all_leaves()

    # Training and use

    def train(self, mode: bool = True) -> Module:
        """From now on calls of this module and of those within it build what trains."""
        self.training = bool(mode)
        for _, child in self.named_children():
            child.train(mode)
        return self

    def eval(self) -> Module:
        """From now on calls of this module and of those within it build what is used."""
        return self.train(False)

    def update_state(self, output: Node, becomes: Becomes) -> Node:
        """A model that computes `output` changes buffers of this module. Returns `output`.

        `becomes`: from the old values of its buffers, by attribute, to the new ones.
        """
        declared = self._declarations()
        buffers = [key for key, each in declared.items() if isinstance(each, Buffer)]
        note_update(output, {key: getattr(self, key) for key in buffers}, becomes)
        return output

    # Names

    def _root(self) -> Module:
        module, seen = self, {id(self)}
        while (parent := module._parent()) is not None and id(parent) not in seen:
            seen.add(id(parent))
            module = parent
        return module

    def _parent(self) -> Module | None:
        place = self.__dict__.get("_place")
        return None if place is None else place[0]()

    def _path(self) -> tuple[str, ...]:
        """The parts of the module's name, from the outermost module on."""
        parent = self._parent()
        own = self.name or ("" if parent is None else self.__dict__["_place"][1])
        before = () if parent is None else parent._path()
        return (*before, *([own] if own else []))

    def _is_named(self) -> bool:
        named = self.__dict__.get("_leaves", {})
        return all(key in named for key in self.__dict__.get("_declared", {})) and all(
            child._is_named() for _, child in self.named_children()
        )

    def _name_leaves(self, prefix: str) -> None:
        """Makes the parameters and buffers of this module and of those within it, once."""
        if not prefix and self.name:
            prefix = f"{self.name}."
        known = self.__dict__.setdefault("_leaves", {})
        for key, declared in self._declarations().items():
            if key not in known:
                declare = parameter if isinstance(declared, Parameter) else state
                known[key] = declare(
                    f"{prefix}{key}",
                    declared.shape,
                    declared.init,
                    **({"dtype": declared.dtype} if isinstance(declared, Buffer) else {}),
                )
        for part, child in self.named_children():
            child._name_leaves(f"{prefix}{part}.")

    def _title(self) -> str:
        """`linear_0`, `encoder_relu_1`: what the output is called. A name of the user's wins."""
        path = ".".join(self._path()).split(".") if self._path() else []
        kind = type(self).__name__.lower()
        named = [part for part in path if not part.isdigit()]
        numbers = [part for part in path if part.isdigit()]
        if path and not path[-1].isdigit():
            return "_".join(path)
        return "_".join([*named, kind, *numbers])

    def _label(self, node: Node) -> None:
        if any(True for _ in self.named_children()):
            return  # its last layer has named the result
        if node.label is None or node.label == _labels.get(node):
            _labels[node] = self._title()
            node.named(_labels[node])

    def _located(self, error: SymgradError) -> SymgradError:
        where = error.where or user_location()
        if where is None or ", layer " in where:
            return error
        return type(error)(
            error.what, where=f"{where}, layer {self._title()}", facts=error.facts, fix=error.fix
        )


def modules_called(node: Node) -> list[Module]:
    """The modules that gave `node` out."""
    return _calls.get(node, [])


def layer_label(node: Node) -> str | None:
    """The label that a layer, not the user, gave `node`."""
    return _labels.get(node)


def _taking_name(made: Callable[..., None]) -> Callable[..., None]:
    """The constructor `made` with a keyword `name`, unless it has that, or any keyword, itself."""
    signature = inspect.signature(made)
    kind = inspect.Parameter.KEYWORD_ONLY
    last = inspect.Parameter("name", kind, default=None, annotation="str | None")
    parameters = list(signature.parameters.values())
    if "name" in signature.parameters or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return made

    @wraps(made)
    def init(self: Module, *arguments: Any, name: str | None = None, **options: Any) -> None:
        if name is not None:  # before, for what `made` calls; a base's constructor leaves it alone
            self.name = checked_name(name)
        made(self, *arguments, **options)

    init.__signature__ = signature.replace(parameters=[*parameters, last])  # type: ignore[attr-defined]
    return init


def checked_name(name: Any) -> str | None:
    """A module's name. Raises: NamingError if it cannot be a part of a parameter's path."""
    if name is not None and (not isinstance(name, str) or not name.isidentifier()):
        raise NamingError(
            f"a module cannot be named {name!r}", where=user_location(), fix="use an identifier"
        )
    return name


def _modules_in(key: str, value: Any) -> Iterator[tuple[str, Module]]:
    if isinstance(value, Module):
        yield key, value
    elif isinstance(value, list | tuple):
        for i, entry in enumerate(value):
            yield from _modules_in(f"{key}.{i}", entry)
    elif isinstance(value, dict):
        for part, entry in value.items():
            yield from _modules_in(f"{key}.{part}", entry)


def _tensors(result: Any) -> Iterator[Node]:
    if isinstance(result, Node):
        yield result
    elif isinstance(result, PackedSequence):
        yield result.padded
    elif isinstance(result, list | tuple):
        for entry in result:
            yield from _tensors(entry)
    elif isinstance(result, dict):
        for entry in result.values():
            yield from _tensors(entry)
