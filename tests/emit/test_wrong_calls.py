"""Wrong calls of an emitted module: each gets one sentence, and these are all of them, whole."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emitted_models import Arrays, call_of, module_of, reads

Change = Callable[[Arrays, Arrays], Any]


def put(group: str, name: str, value: Any) -> Change:
    """A change that sets one argument; a function of the old value, if it is callable."""

    def change(params: Arrays, inputs: Arrays) -> None:
        arrays = params if group == "params" else inputs
        arrays[name] = value(arrays[name]) if callable(value) else value

    return change


def refusal(
    model: str, function: str, change: Change, *, n: int = 5, dtype: Any = np.float64
) -> str:
    """The class and the message of what `function` raises."""
    net = module_of(model)
    params, inputs = call_of(model, n, dtype)
    replaced = change(params, inputs)
    target = getattr(net, function)
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        target(params if replaced is None else replaced, **reads(target, inputs))
    assert type(caught.value) in (ValueError, TypeError, IndexError)
    return f"{type(caught.value).__name__}: {caught.value}"


CALLS: dict[str, tuple[str, Change, str]] = {
    "too few axes": (
        "classifier", put("inputs", "x", lambda x: x[0]),
        "ValueError: loss: x must have shape [n, 3], got [3]",
    ),
    "too many axes": (
        "classifier", put("inputs", "x", lambda x: x[None]),
        "ValueError: loss: x must have shape [n, 3], got [1, 5, 3]",
    ),
    "wrong size": (
        "classifier", put("inputs", "x", lambda x: x[:, :2]),
        "ValueError: loss: x must have shape [n, 3], got [5, 2]",
    ),
    "batch sizes that differ": (
        "classifier", put("inputs", "y", lambda y: y[:-1]),
        "ValueError: loss: y must have shape [n] where n is 5 from x, got [4]",
    ),
    "a parameter of another shape": (
        "classifier", put("params", "0.weight", lambda w: w.T.copy()),
        "ValueError: loss: params['0.weight'] must have shape [4, 3], got [3, 4]",
    ),
    "whole numbers for floats": (
        "classifier", put("inputs", "x", lambda x: x.astype(int)),
        "TypeError: loss: x must be float32 or float64, got int64; "
        "convert it with .astype(np.float64)",
    ),
    "half precision": (
        "classifier", put("inputs", "x", lambda x: x.astype(np.float16)),
        "TypeError: loss: x must be float32 or float64, got float16; "
        "convert it with .astype(np.float64)",
    ),
    "complex numbers": (
        "classifier", put("inputs", "x", lambda x: x.astype(complex)),
        "TypeError: loss: x must be float32 or float64, got complex128; "
        "convert it with .astype(np.float64)",
    ),
    "objects": (
        "classifier", put("inputs", "x", lambda x: x.astype(object)),
        "TypeError: loss: x must be float32 or float64, got object; "
        "convert it with .astype(np.float64)",
    ),
    "another byte order": (
        "classifier", put("inputs", "x", lambda x: x.astype(">f8")),
        "TypeError: loss: x must be float32 or float64, got >f8; "
        "convert it with .astype(np.float64)",
    ),
    "single and double precision": (
        "classifier", put("inputs", "x", lambda x: x.astype(np.float32)),
        "TypeError: loss: x is float32 but params['0.weight'] is float64; convert one with .astype",
    ),
    "single and double precision among parameters": (
        "classifier", put("params", "2.bias", lambda b: b.astype(np.float32)),
        "TypeError: loss: params['2.bias'] is float32 but params['0.weight'] is float64; "
        "convert one with .astype",
    ),
    "whole parameters": (
        "classifier", put("params", "0.bias", lambda b: b.astype(np.int32)),
        "TypeError: loss: params['0.bias'] must be float32 or float64, got int32; "
        "convert it with .astype(np.float64)",
    ),
    "labels as floats": (
        "classifier", put("inputs", "y", lambda y: y.astype(float)),
        "TypeError: loss: y must hold whole numbers, got float64; "
        "convert it with .astype(np.int64)",
    ),
    "labels as truth values": (
        "classifier", put("inputs", "y", lambda y: y.astype(bool)),
        "TypeError: loss: y must hold whole numbers, got bool; convert it with .astype(np.int64)",
    ),
    "labels out of range": (
        "classifier", put("inputs", "y", np.array([0, 1, 2, 0, 1])),
        "IndexError: loss: y must hold whole numbers from 0 to 1, got 0 to 2",
    ),
    "negative labels": (
        "classifier", put("inputs", "y", np.array([0, 1, -1, 0, 1])),
        "IndexError: loss: y must hold whole numbers from 0 to 1, got -1 to 1",
    ),
    "labels beyond any index": (
        "classifier", put("inputs", "y", np.array([0, 1, 2**64 - 1, 0, 1], np.uint64)),
        "IndexError: loss: y must hold whole numbers from 0 to 1, got -1 to 1",
    ),
    "labels as columns": (
        "classifier", put("inputs", "y", lambda y: y[:, None]),
        "ValueError: loss: y must have shape [n], got [5, 1]",
    ),
    "a missing parameter": (
        "classifier", lambda params, inputs: params.__delitem__("2.bias"),
        "ValueError: loss: params lacks '2.bias'; its keys must be those of PARAMETERS",
    ),
    "an unknown parameter": (
        "classifier", put("params", "2.scale", np.ones(2)),
        "ValueError: loss: params has the unknown key '2.scale'; "
        "its keys must be those of PARAMETERS",
    ),
    "parameters as a list": (
        "classifier", lambda params, inputs: list(params.values()),
        "TypeError: loss: params must be a dict with the keys of PARAMETERS, got list",
    ),
    "no parameters": (
        "classifier", lambda params, inputs: {},
        "ValueError: loss: params lacks '0.weight'; its keys must be those of PARAMETERS",
    ),
    "an array for the parameters": (
        "classifier", lambda params, inputs: np.zeros(4),
        "TypeError: loss: params must be a dict with the keys of PARAMETERS, got ndarray",
    ),
    "a list": (
        "classifier", put("inputs", "x", lambda x: x.tolist()),
        "TypeError: loss: x must be a plain NumPy array of shape [n, 3], got list; "
        "convert it with np.asarray",
    ),
    "nothing": (
        "classifier", put("inputs", "x", None),
        "TypeError: loss: x must be a plain NumPy array of shape [n, 3], got NoneType; "
        "convert it with np.asarray",
    ),
    "a matrix": (
        "classifier", put("inputs", "x", lambda x: np.matrix(x)),
        "TypeError: loss: x must be a plain NumPy array of shape [n, 3], got matrix; "
        "convert it with np.asarray",
    ),
    "a masked array": (
        "classifier", put("inputs", "x", lambda x: np.ma.masked_less(x, 0)),
        "TypeError: loss: x must be a plain NumPy array of shape [n, 3], got MaskedArray; "
        "fill its gaps with .filled",
    ),
    "a masked parameter": (
        "ridge", put("params", "b", lambda b: np.ma.masked_array(b, True)),
        "TypeError: loss: params['b'] must be a plain NumPy array of shape [], got MaskedArray; "
        "fill its gaps with .filled",
    ),
    "a number for a parameter": (
        "ridge", put("params", "b", 1.0),
        "TypeError: loss: params['b'] must be a plain NumPy array of shape [], got float; "
        "convert it with np.asarray",
    ),
    "text for a number": (
        "ridge", put("inputs", "penalty", "3"),
        "TypeError: loss: penalty must be a plain NumPy array of shape [], got str; "
        "convert it with np.asarray",
    ),
    "a list for a number": (
        "ridge", put("inputs", "penalty", [3.0]),
        "TypeError: loss: penalty must be a plain NumPy array of shape [], got list; "
        "convert it with np.asarray",
    ),
    "nothing for a number": (
        "ridge", put("inputs", "penalty", None),
        "TypeError: loss: penalty must be a plain NumPy array of shape [], got NoneType; "
        "convert it with np.asarray",
    ),
    "a vector for a number": (
        "ridge", put("inputs", "penalty", np.ones(1)),
        "ValueError: loss: penalty must have shape [], got [1]",
    ),
    "a whole number of NumPy": (
        "ridge", put("inputs", "penalty", np.int64(3)),
        "TypeError: loss: penalty must be float32 or float64, got int64; "
        "convert it with .astype(np.float64)",
    ),
    "a scalar of another precision": (
        "ridge", put("inputs", "penalty", np.float32(3)),
        "TypeError: loss: penalty is float32 but params['w'] is float64; convert one with .astype",
    ),
    "a float for a whole number": (
        "counted", put("inputs", "power", 1.5),
        "TypeError: loss: power must be a plain NumPy array of shape [], got float; "
        "convert it with np.asarray",
    ),
    "a float of NumPy for a whole number": (
        "counted", put("inputs", "power", np.float64(1)),
        "TypeError: loss: power must hold whole numbers, got float64; "
        "convert it with .astype(np.int64)",
    ),
    "a number for a truth value": (
        "counted", put("inputs", "flag", 1),
        "TypeError: loss: flag must be a plain NumPy array of shape [], got int; "
        "convert it with np.asarray",
    ),
    "whole numbers for truth values": (
        "counted", put("inputs", "kept", np.ones(5, int)),
        "TypeError: loss: kept must hold True and False, got int64; convert it with .astype(bool)",
    ),
    "sizes that follow from others": (
        "symbolic", put("params", "w", lambda w: w[:, :-1]),
        "ValueError: loss: params['w'] must have shape [d, 2*d] where d is 3 from x, got [3, 5]",
    ),
    "an input whose size follows from another's": (
        "symbolic", put("inputs", "t", lambda t: t[:, :-1]),
        "ValueError: loss: t must have shape [n, 2*d] where n is 5 from x, got [5, 5]",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # np.matrix
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call(name: str) -> None:
    model, change, message = CALLS[name]
    assert refusal(model, "loss", change) == message


def test_the_function_is_named() -> None:
    message = refusal("classifier", "value_and_grad", put("inputs", "x", lambda x: x[0]))
    assert message == "ValueError: value_and_grad: x must have shape [n, 3], got [3]"
    message = refusal("classifier", "forward", put("inputs", "x", lambda x: x[0]))
    assert message == "ValueError: forward: x must have shape [n, 3], got [3]"


def test_an_array_that_only_looks_like_ones_of_numpy() -> None:
    torch = pytest.importorskip("torch")
    message = refusal("classifier", "loss", put("inputs", "x", torch.from_numpy))
    assert message == (
        "TypeError: loss: x must be a plain NumPy array of shape [n, 3], got Tensor; "
        "convert it with np.asarray"
    )
    message = refusal("ridge", "loss", put("inputs", "penalty", torch.tensor(1.0)))
    assert message == (
        "TypeError: loss: penalty must be a plain NumPy array of shape [], got Tensor; "
        "convert it with np.asarray"
    )


def test_an_array_of_jax() -> None:
    jnp = pytest.importorskip("jax.numpy")
    for group, name, shape in (("inputs", "x", "[n, 2]"), ("params", "b", "[]")):
        message = refusal("ridge", "loss", put(group, name, jnp.asarray), dtype=np.float32)
        shown = name if group == "inputs" else f"params['{name}']"
        assert message == (
            f"TypeError: loss: {shown} must be a plain NumPy array of shape {shape}, "
            "got ArrayImpl; convert it with np.asarray"
        )


@pytest.mark.parametrize("model", ["classifier", "ridge", "counted"])
def test_arrays_that_were_pickled(model: str) -> None:
    params, inputs = call_of(model)
    again = pickle.loads(pickle.dumps((params, inputs)))
    assert again[0]["0.weight" if model == "classifier" else "w"].dtype is not np.dtype(np.float64)
    expected = module_of(model).value_and_grad(params, **inputs)
    loss, grads = module_of(model).value_and_grad(again[0], **again[1])
    assert loss == expected[0] and all((grads[k] == g).all() for k, g in expected[1].items())


@pytest.mark.parametrize("function", ["loss", "value_and_grad"])
def test_a_mean_over_no_examples(function: str) -> None:
    message = refusal("classifier", function, lambda params, inputs: None, n=0)
    assert (
        message
        == f"ValueError: {function}: expected n >= 1, got x of shape [0, 3]; pass a larger x"
    )


def test_no_examples_where_that_has_a_meaning() -> None:
    params, inputs = call_of("classifier", n=0)
    probabilities = module_of("classifier").forward(params, x=inputs["x"])
    assert probabilities.shape == (0, 2) and probabilities.dtype == np.float64
    params, inputs = call_of("symbolic", n=0)
    loss, grads = module_of("symbolic").value_and_grad(params, **inputs)
    assert loss == 0 and not grads["w"].any() and grads["w"].shape == (3, 6)


def test_a_size_that_a_slice_needs() -> None:
    import symgrad as sg

    n = sg.dim("n")
    x, w = sg.input("x", (n,)), sg.parameter("w", ())
    net = sg.compile(sg.Model("sliced", loss=sg.sum((x[3:] * w) ** 2))).load()
    assert net.check()
    with pytest.raises(ValueError) as caught:
        net.loss({"w": np.asarray(1.0)}, x=np.ones(2))
    assert str(caught.value) == "loss: expected n >= 3, got x of shape [2]; pass a larger x"
    assert net.loss({"w": np.asarray(1.0)}, x=np.ones(3)) == 0


def test_an_extremum_of_nothing() -> None:
    import symgrad as sg

    n = sg.dim("n")
    x, w = sg.input("x", (n,)), sg.parameter("w", ())
    net = sg.compile(sg.Model("highest", loss=sg.max(x * w))).load()
    with pytest.raises(ValueError) as caught:
        net.value_and_grad({"w": np.asarray(1.0)}, x=np.ones(0))
    assert (
        str(caught.value) == "value_and_grad: expected n >= 1, got x of shape [0]; pass a larger x"
    )


def test_python_says_which_keyword_is_missing() -> None:
    params, inputs = call_of("classifier")
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'y'"):
        module_of("classifier").loss(params, x=inputs["x"])
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        module_of("classifier").loss(params, **inputs, z=1)


DIRECTIONS: dict[str, tuple[str, str, Change, str]] = {
    "tangents that lack one": (
        "jvp", "classifier", lambda t, _: t.__delitem__("0.bias"),
        "ValueError: jvp: tangents lacks '0.bias'; its keys must be those of PARAMETERS",
    ),
    "tangents of another shape": (
        "hvp", "classifier", put("params", "0.bias", np.zeros(3)),
        "ValueError: hvp: tangents['0.bias'] must have shape [4], got [3]",
    ),
    "tangents of another precision": (
        "hvp", "ridge", put("params", "w", np.zeros(2, np.float32)),
        "TypeError: hvp: tangents['w'] is float32 but params['w'] is float64; "
        "convert one with .astype",
    ),
    "tangents that nothing reads are checked too": (
        "hvp", "linear_part", put("params", "shift", np.zeros(7)),
        "ValueError: hvp: tangents['shift'] must have shape [2], got [7]",
    ),
    "tangents as a list": (
        "jvp", "classifier", lambda t, _: [],
        "TypeError: jvp: tangents must be a dict with the keys of PARAMETERS, got list",
    ),
    "a cotangent of another shape": (
        "vjp", "classifier", lambda t, _: np.zeros((5, 3)),
        "ValueError: vjp: cotangents must have shape [n, 2] where n is 5 from x, got [5, 3]",
    ),
    "a dict for the one cotangent": (
        "vjp", "classifier", lambda t, _: {"probabilities": np.zeros((5, 2))},
        "TypeError: vjp: cotangents must be a plain NumPy array of shape [n, 2], got dict; "
        "convert it with np.asarray",
    ),
    "a bare array for two cotangents": (
        "vjp", "two_outputs", lambda t, _: np.zeros((5, 2)),
        "TypeError: vjp: cotangents must be a dict with the keys of OUTPUTS, got ndarray",
    ),
    "a missing cotangent": (
        "vjp", "two_outputs", lambda t, _: {"h": np.zeros((5, 2))},
        "ValueError: vjp: cotangents lacks 'total'; its keys must be those of OUTPUTS",
    ),
    "a cotangent for whole numbers": (
        "vjp", "two_outputs",
        lambda t, _: {"h": np.zeros((5, 2)), "total": np.zeros(5), "best": np.zeros(5)},
        "ValueError: vjp: cotangents has the unknown key 'best'; its keys must be those of OUTPUTS",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_wrong_direction(name: str) -> None:
    function, model, change, message = DIRECTIONS[name]
    net = module_of(model, function)
    params, inputs = call_of(model)
    directions: Any = {k: np.ones_like(p) for k, p in params.items()}
    replaced = change(directions, {})
    target = getattr(net, function)
    with pytest.raises((ValueError, TypeError)) as caught:
        target(params, directions if replaced is None else replaced, **reads(target, inputs))
    assert f"{type(caught.value).__name__}: {caught.value}" == message


@pytest.mark.parametrize("value", [2, 2.0, np.float64(2), np.array(2.0), np.array([2.0])[0]])
def test_a_number_for_an_input_without_axes(value: Any) -> None:
    params, inputs = call_of("ridge")
    inputs["penalty"] = np.asarray(2.0)
    expected = module_of("ridge").loss(params, **inputs)
    assert module_of("ridge").loss(params, **{**inputs, "penalty": value}) == expected


def test_a_python_number_keeps_single_precision() -> None:
    params, inputs = call_of("ridge", dtype=np.float32)
    loss, grads = module_of("ridge").value_and_grad(params, **{**inputs, "penalty": 0.1})
    assert loss.dtype == np.float32 and {g.dtype for g in grads.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, ">i8", int])
def test_whole_numbers_of_any_width(kind: Any) -> None:
    params, inputs = call_of("counted")
    expected = module_of("counted").value_and_grad(params, **inputs)
    narrow = {k: inputs[k].astype(kind) for k in ("counts", "power")}
    loss, grads = module_of("counted").value_and_grad(params, **{**inputs, **narrow})
    assert loss == expected[0] and (grads["w"] == expected[1]["w"]).all()


def test_python_values_for_whole_numbers_and_truth_values() -> None:
    params, inputs = call_of("counted")
    plain = {**inputs, "power": int(inputs["power"]), "flag": bool(inputs["flag"])}
    net = module_of("counted")
    assert net.loss(params, **plain) == net.loss(params, **inputs)


def test_a_wrong_type_of_fresh_parameters() -> None:
    for dtype, shown in ((int, "int64"), (np.float16, "float16")):
        with pytest.raises(TypeError) as caught:
            module_of("ridge").init_params(dtype=dtype)
        assert str(caught.value) == f"init_params: dtype must be float32 or float64, got {shown}"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_and_infinity_follow_ieee() -> None:
    params, inputs = call_of("ridge")
    inputs["x"][0, 0] = np.nan
    loss, grads = module_of("ridge").value_and_grad(params, **inputs)
    assert np.isnan(loss) and np.isnan(grads["w"]).any()
    params, inputs = call_of("ridge")
    inputs["x"][0, 0] = np.inf
    assert module_of("ridge").loss(params, **inputs) == np.inf
