"""`sg.from_torch`: a network made of `torch.nn`'s parts, as one made of symgrad's.

    net = sg.from_torch(torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU()))
    params, state = sg.weights_from_torch(module)

The result is a definition: names, sizes and train/eval mode are the module's; its numbers are
taken separately, since a definition holds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgrad.errors import SymgradError, UnsupportedError
from symgrad.expr.dimension import as_shape, same_shape, shape_text
from symgrad.model import layers as nn
from symgrad.model.layers.module import Module
from symgrad.torch_import.arguments import arguments_of
from symgrad.torch_import.recognise import class_name, refusal

CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


def from_torch(module: Any) -> Module:
    """The network with the parts of a `torch.nn` module, under the same names and in its mode.

    Parts that are shared stay shared, and so do tied parameters.

    Raises: UnsupportedError naming the first part that symgrad cannot take over, and why.
    """
    torch = imported_torch(module)
    conversion = _Conversion(torch)
    network = conversion.part(module, "")
    conversion.tie(module, network)
    return network


def imported_torch(module: Any) -> Any:
    """PyTorch. Raises: UnsupportedError if it is not there, or `module` is none of its modules."""
    try:
        import torch
    except ImportError:
        raise UnsupportedError(
            "this needs PyTorch, which is not installed", fix="pip install torch"
        ) from None
    if not isinstance(module, torch.nn.Module):
        raise UnsupportedError(
            f"{_shown(module)} is not a torch.nn.Module",
            fix="pass the module itself, not its class or its state_dict",
        )
    return torch


class _Conversion:
    """One conversion: which module has become which."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.made: dict[int, Module] = {}

    def part(self, module: Any, path: str) -> Module:
        """The layer for `module`, which is found under `path`."""
        if id(module) not in self.made:
            self.made[id(module)] = self._build(module, path)
        return self.made[id(module)]

    def _build(self, module: Any, path: str) -> Module:
        name = class_name(self.torch, module, path)
        children = {
            key: self.part(child, _join(path, key))
            for key, child in module._modules.items()
            if child is not None
        }
        ours = getattr(nn, name)
        if name in CONTAINERS:
            made = ours(list(children.values()) if name == "ModuleList" else children)
            made.training = module.training
            return made
        try:
            given = arguments_of(module, name, ours)
        except (AttributeError, IndexError) as error:
            raise refusal(module, path, f"it has been changed: {error}") from None
        arguments = {key: self._argument(value, module, path, key) for key, value in given.items()}
        try:
            made = ours(**arguments)
        except SymgradError as error:
            raise refusal(module, path, error.what, error.fix) from None
        made.train(module.training)
        misfit = _misfit_of_tensors(module, made, arguments)
        misfit = misfit or _misfit_of_parts(set(children), made, arguments)
        if misfit is not None:
            raise refusal(module, path, misfit, "pass it as its constructor makes it")
        for key, child in children.items():
            if key not in arguments:
                setattr(made, key, child)
        return made

    def _argument(self, value: Any, module: Any, path: str, key: str) -> Any:
        """The argument `key` of the layer for `module`: PyTorch's objects replaced by ours."""
        if isinstance(value, self.torch.nn.Module):
            return self.part(value, _join(path, key))
        if isinstance(value, self.torch.Tensor):
            return value.detach().cpu().double().numpy()
        if isinstance(value, tuple | list):
            return tuple(self._argument(each, module, path, key) for each in value)
        if callable(value):
            name = getattr(value, "__name__", "")
            homes = (self.torch.nn.functional, self.torch)
            if name in nn.functional.__all__ and value in [getattr(h, name, None) for h in homes]:
                return getattr(nn.functional, name)
            raise refusal(module, path, f"its {key}, {_shown(value)}, is Python code")
        return value

    def tie(self, module: Any, network: Module) -> None:
        """Lets tensors that PyTorch's parts share be shared by ours; they take the first's name."""
        first: dict[int, tuple[Any, str]] = {}
        for part in module.modules():
            ours = self.made[id(part)]
            for key, tensor in (*part._parameters.items(), *part._buffers.items()):
                if tensor is None or key not in ours._declarations():
                    continue
                owner, name = first.setdefault(id(tensor), (ours, key))
                if (owner, name) != (ours, key):
                    network.parameters()  # gives all their names
                    setattr(ours, key, getattr(owner, name))


def _misfit_of_parts(parts: set[str], made: Module, arguments: Mapping[str, Any]) -> str | None:
    """A part that `made` has not, or that it has and the module has not."""
    own = {key for key, value in vars(made).items() if isinstance(value, Module)}
    if more := sorted(parts - own - set(arguments)):
        return f"it has a part {more[0]} that is not {type(made).__name__}'s"
    return f"it has no part {min(own - parts)}" if own - parts else None


def _misfit_of_tensors(module: Any, made: Module, arguments: Mapping[str, Any]) -> str | None:
    """What the module's own tensors have that those of `made` have not, or the other way round.

    The declarations are read, since asking for the tensors themselves would give them names.
    """
    declared = {key: as_shape(each.shape) for key, each in made._declarations().items()}
    tensors = {**module._parameters, **module._buffers}
    temporary = {*module._non_persistent_buffers_set, *arguments}
    shapes = {
        key: as_shape(tuple(tensor.shape))
        for key, tensor in tensors.items()
        if tensor is not None and (key in declared or key not in temporary)
    }
    for key in (*shapes, *declared):
        if key not in declared:
            return f"it has a tensor {key} that is not {type(module).__name__}'s"
        if key not in shapes:
            return f"it has no {key}"
        if not same_shape(shapes[key], declared[key]):
            expected = shape_text(declared[key])
            return f"its {key} is {shape_text(shapes[key])}, expected {expected}"
    return None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
