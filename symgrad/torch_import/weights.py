"""`sg.weights_from_torch`: the numbers of a PyTorch module, as an emitted module takes them."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from symgrad.model import layers as nn
from symgrad.torch_import.convert import from_torch, imported_torch
from symgrad.weights.arrays import Arrays, Weights, to_be_computed_with, to_be_stored
from symgrad.weights.fit import fitted


def weights_from_torch(module: Any, target: Any = None, dtype: Any = None) -> Weights:
    """Copies of the module's parameters and buffers as `(params, state)`, by `state_dict` name.

    `target`: the model or network that they are for, when it is not `sg.from_torch(module)`; its
    names and shapes must be the module's. `dtype`: as for `sg.load_weights`.

    Raises: WeightsError if they do not fit; UnsupportedError if the module cannot be converted and
    no target is given.
    """
    torch = imported_torch(module)
    chosen = from_torch(module) if target is None else target
    given = _of_constructors(module)
    arrays: Arrays = {
        name: _array(torch, tensor)
        for name, tensor in module.state_dict().items()
        if name not in given and isinstance(tensor, torch.Tensor)
    }
    source = f"the module {type(module).__name__} of PyTorch"
    return fitted(to_be_computed_with(to_be_stored(arrays), dtype, source), chosen, source)


def _array(torch: Any, tensor: Any) -> Any:
    plain = tensor.detach().cpu()
    return np.array((plain.float() if plain.dtype == torch.bfloat16 else plain).numpy())


def _of_constructors(module: Any) -> set[str]:
    """Buffers that are arguments of a layer, such as class weights of a loss: constants here."""
    return {
        f"{path}.{key}" if path else key
        for path, part in module.named_modules()
        if type(part).__module__.startswith("torch.nn.") and hasattr(nn, type(part).__name__)
        for key in part._buffers
        if key in inspect.signature(getattr(nn, type(part).__name__)).parameters
    }
