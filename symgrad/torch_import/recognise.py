"""Which of `torch.nn`'s classes a module is an instance of, and whether it computes what they do.

A class derived from one of them is taken for it where it overrides nothing that computes, as
those classes do that only have a constructor of their own.
"""

from __future__ import annotations

from typing import Any

from symgrad.errors import UnsupportedError
from symgrad.model import layers as nn
from symgrad.model.layers.module import Module
from symgrad.torch_import.reasons import ADVICE, CLASSES, NOT_YET

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# Holding tensors or modules, they have no forward that could be taken over.
HOLDERS = frozenset({"Module", "ParameterList", "ParameterDict"})
# What a derived class may define without computing anything else.
HARMLESS = frozenset({"__init__", "extra_repr", "__repr__", "reset_parameters"})


def class_name(torch: Any, module: Any, path: str) -> str:
    """The name of the class of `torch.nn` and of `symgrad.nn` that `module` is like.

    Raises: UnsupportedError if there is none.
    """
    if getattr(module, "parametrizations", None) is not None:
        raise refusal(
            module, path, "its parameters are computed by parametrizations",
            "fold them in first: torch.nn.utils.parametrize.remove_parametrizations",
        )  # fmt: skip
    kind = next(
        (each for each in type(module).__mro__ if getattr(torch.nn, each.__name__, None) is each),
        torch.nn.Module,
    )
    name = kind.__name__
    if name == "Module" or _computes_otherwise(type(module), kind):
        raise _foreign(module, path)
    if name in HOLDERS:
        raise refusal(module, path, "it holds parameters and computes nothing")
    if not issubclass(getattr(nn, name, object), Module):
        raise refusal(module, path, CLASSES.get(name, NOT_YET), ADVICE.get(name))
    if "forward" in vars(module):
        raise refusal(module, path, "its forward has been replaced on the object")
    hooks = next((hook for hook in HOOKS if getattr(module, hook)), None)
    if hooks is not None:
        raise refusal(
            module, path,
            f"it has {hooks.strip('_').replace('_', ' ')}, which may change what it computes",
            "remove them first (torch.nn.utils.remove_weight_norm and the like fold theirs in)",
        )  # fmt: skip
    return name


def _computes_otherwise(derived: type, base: type) -> bool:
    """Whether a class between the two defines again what `base` has."""
    between = derived.__mro__[: derived.__mro__.index(base)]
    own = {key for each in between for key in vars(each)} - HARMLESS
    return any(callable(getattr(base, key, None)) and key != "__class__" for key in own)


def _foreign(module: Any, path: str) -> UnsupportedError:
    name = type(module).__name__
    if name in ADVICE:
        return refusal(module, path, "it wraps another module", ADVICE[name])
    return refusal(
        module, path, "its forward is Python code, which cannot be read as a definition",
        "write its forward in symgrad, as a subclass of nn.Module with the same attribute names "
        "(from_torch converts the parts); then take the numbers by name: "
        "sg.weights_from_torch(module, network)",
    )  # fmt: skip


def refusal(module: Any, path: str, reason: str, fix: str | None = None) -> UnsupportedError:
    """The error about the part `module`, found under `path`."""
    home = type(module).__module__
    home = "torch.nn" if home.startswith("torch.nn.modules.") else home
    return UnsupportedError(
        f"from_torch cannot convert {path or 'the module itself'}: {reason}",
        facts={"class": f"{home}.{type(module).__qualname__}"},
        fix=fix or "write this part with symgrad's operations, and convert the others",
    )
