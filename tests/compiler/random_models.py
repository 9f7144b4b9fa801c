"""Random models from the public API, as text that runs with symgrad, with NumPy and with JAX.

    v0 = np.concatenate((x, w), axis=0)
    v1 = np.cumsum(v0[::-2], axis=1)

One seed gives one text; a text of fewer lines is the beginning of the same model. A drawn line
stays only if NumPy runs it, if its values are moderate, and if it stands on no kink where JAX
decides otherwise.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

import symgrad as sg

Names = dict[str, Any]
LARGEST = 12.0
PLAIN = SimpleNamespace(
    **{name: getattr(np, name) for name in dir(np) if not name.startswith("_")},
    norm=np.linalg.norm,
    logsumexp=lambda a, axis=None, keepdims=False: np.log(
        np.sum(np.exp(a), axis=axis, keepdims=keepdims)
    ),
    softmax=lambda a, axis: np.exp(a) / np.exp(a).sum(axis, keepdims=True),
    log_softmax=lambda a, axis: a - np.log(np.exp(a).sum(axis, keepdims=True)),
    sigmoid=lambda a: 1 / (1 + np.exp(-a)),
    softplus=lambda a: np.logaddexp(a, 0),
    relu=lambda a: np.maximum(a, 0),
)


@dataclass
class RandomModel:
    """`lines` define the values `shapes` (leaves) lead to; `loss` and `outputs` are texts."""

    sizes: dict[str, int]
    parameters: dict[str, tuple[Any, ...]]
    inputs: dict[str, tuple[tuple[Any, ...], str]]
    values: Names
    lines: list[str] = field(default_factory=list)
    loss: str = ""
    outputs: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The whole model, to paste."""
        head = [f"# sizes {self.sizes}"]
        head += [
            f"{name} = np.parameter({name!r}, {shape})" for name, shape in self.parameters.items()
        ]
        head += [
            f"{name} = np.input({name!r}, {shape}, {dtype!r})"
            for name, (shape, dtype) in self.inputs.items()
        ]
        return "\n".join([*head, *self.lines, f"loss = {self.loss}", f"outputs = {self.outputs}"])

    def run(self, np_like: Any, leaves: Names, sizes: Names | None = None) -> tuple[Any, Names]:
        """The loss and the outputs, computed with `np_like` from `leaves`."""
        names = {"np": np_like, **(sizes or self.sizes), **leaves}
        for line in self.lines:
            exec(line, names)
        return eval(self.loss, names), {name: names[name] for name in self.outputs}

    def model(self) -> Any:
        """As symgrad's model."""
        loss, outputs = self.run(sg, self.leaves(), self.dims())
        return sg.Model("random_model", loss=loss, outputs=outputs,
                        parameters=list(self._declared.values()))  # fmt: skip

    def resized(self, sizes: dict[str, int]) -> RandomModel:
        """The same model at other sizes, with other values."""
        noise = np.random.default_rng(sum(sizes.values()))
        types = dict.fromkeys(self.parameters, "float") | {
            i: d for i, (_, d) in self.inputs.items()
        }
        shapes = self.parameters | {i: shape for i, (shape, _) in self.inputs.items()}
        values = {
            name: drawn(noise, tuple(sizes.get(s, s) for s in shape), types[name])
            for name, shape in shapes.items()
        }
        return replace(self, sizes=sizes, values=values)

    def dims(self) -> Names:
        return {name: sg.dim(name) for name in self.sizes}

    def leaves(self) -> Names:
        dims = self.dims()
        size = lambda shape: tuple(dims.get(s, s) for s in shape)  # noqa: E731
        self._declared = {p: sg.parameter(p, size(shape)) for p, shape in self.parameters.items()}
        given = {i: sg.input(i, size(shape), dtype) for i, (shape, dtype) in self.inputs.items()}
        return self._declared | given


def drawn(noise: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Values of a leaf: floats in +-1.5, indices 0 and 1, masks."""
    if dtype == "float":
        return np.asarray(noise.uniform(-1.5, 1.5, shape))
    whole = np.asarray(noise.integers(0, 2, shape))
    return whole if dtype == "int" else whole.astype(bool)


class Draw:
    """One random choice after another, over the values that exist."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        rng = self.rng
        sizes = {"n": rng.choice([0, 1, 2, 3, 3, 4, 5]), "m": rng.choice([1, 2, 3])}
        noise = np.random.default_rng(seed)
        any_size = lambda: rng.choice(["n", "n", "m", 1, 2, 3, 3])  # noqa: E731
        fixed = lambda: rng.choice(["m", 1, 2, 3, 3])  # noqa: E731
        parameters = {p: tuple(fixed() for _ in range(rng.choice([0, 1, 1, 2, 2, 3])))
                      for p in "abc"[: rng.choice([1, 2, 3])]}  # fmt: skip
        inputs: dict[str, Any] = {
            i: (tuple(any_size() for _ in range(rng.choice([0, 1, 2, 2, 3]))), "float")
            for i in "xyz"[: rng.choice([1, 2, 3])]
        }
        inputs["x"] = (("n", "m", 3)[: rng.choice([2, 2, 3])], "float")
        if rng.random() < 0.4:
            inputs["k"] = (tuple(any_size() for _ in range(rng.choice([0, 1, 2]))), "int")
        if rng.random() < 0.3:
            inputs["q"] = (tuple(any_size() for _ in range(rng.choice([0, 1, 2]))), "bool")
        types = dict.fromkeys(parameters, "float") | {i: d for i, (_, d) in inputs.items()}
        shapes = parameters | {i: shape for i, (shape, _) in inputs.items()}
        values: Names = {
            name: drawn(noise, tuple(sizes.get(s, s) for s in shape), types[name])
            for name, shape in shapes.items()
        }
        self.model = RandomModel(sizes, parameters, inputs, dict(values))
        self.plain: Names = {"np": PLAIN, **sizes, **values}
        self.symbolic: Names = {"np": sg, **self.model.dims(), **self.model.leaves()}
        self.pool = list(values)
        self.refused: list[tuple[str, str]] = []

    # -- choosing ----------------------------------------------------------------------------

    def one(self, *choices: Any) -> Any:
        return self.rng.choice(choices)

    def value(self, accept: Callable[[Any], bool] = lambda v: True) -> str:
        """The name of a value; most often a late one."""
        fitting = [name for name in self.pool if accept(self.plain[name])]
        if not fitting:
            raise Unfit
        return self.rng.choice(
            [fitting[-1], self.rng.choice(fitting[-4:]), self.rng.choice(fitting)]
        )

    def number(self) -> str:
        return self.one("0.5", "2", "-1", "3", "1.5", "0", "1", "-0.3", "n", "m")

    def floating(self, rank: int = 0) -> str:
        return self.value(lambda v: v.dtype.kind == "f" and v.ndim >= rank)

    def axis(self, name: str) -> int:
        rank = self.plain[name].ndim
        if not rank:
            raise Unfit
        return self.rng.randrange(-rank, rank)

    def axes(self, name: str) -> Any:
        rank = self.plain[name].ndim
        if self.rng.random() < 0.25 or not rank:
            return None
        if self.rng.random() < 0.6:
            return self.axis(name)
        some = self.rng.sample(range(rank), self.rng.randint(1, rank))
        return tuple(a - rank if self.rng.random() < 0.3 else a for a in some)

    # -- growing -----------------------------------------------------------------------------

    def grow(self, steps: int) -> RandomModel:
        attempts = 0
        while len(self.model.lines) < steps and attempts < 40 * steps:
            attempts += 1
            try:
                self._try(self.rng.choice(OPERATIONS)(self))
            except Unfit:
                continue
        self._finish()
        return self.model

    def _try(self, text: str) -> None:
        masks = [v for v in self.pool if self.plain[v].dtype.kind == "b" and _mentions(text, v)]
        if len(masks) > 1 or sum(text.count(v) for v in masks) > 1:
            raise Unfit  # masks are numbers here: their sums and products count
        name = f"v{len(self.model.lines)}"
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = np.asarray(eval(text, self.plain))
        except (ValueError, IndexError, TypeError):
            raise Unfit from None
        if result.dtype.kind == "u" or result.size > 60 or result.ndim > 4:
            raise Unfit
        if not np.all(np.isfinite(result)) or np.any(np.abs(result.astype(float)) > LARGEST):
            raise Unfit
        try:
            node = eval(text, self.symbolic)
        except sg.SymgradError as error:
            self.refused.append((text, str(error)))
            raise Unfit from None
        if self._shape(node) != result.shape:  # a size that is 1 by chance was squeezed
            raise Unfit
        self.symbolic[name] = node
        self.plain[name] = result
        self.pool.append(name)
        self.model.lines.append(f"{name} = {text}")

    def _shape(self, node: Any) -> tuple[int, ...]:
        sizes = {self.model.dims()[name]: size for name, size in self.model.sizes.items()}
        return tuple(int(size.subs(sizes)) for size in node.shape)

    def _finish(self) -> None:
        model = self.model
        used = set()
        for line in model.lines:
            _, _, right = line.partition(" = ")
            used |= {word for word in self.pool if _mentions(right, word)}
        ends = [name for name in self.pool if name.startswith("v") and name not in used]
        floats = [
            name
            for name in self.pool
            if name.startswith("v") and self.plain[name].dtype.kind == "f"
        ]
        terms = [
            self.one(
                f"np.sum(np.sin({e}))", f"np.sum({e} ** 2)", f"np.sum({e} * {self.one(1, 0.5)})"
            )
            for e in ends
            if self.plain[e].dtype.kind == "f"
        ]
        terms.append("0.1 * np.sum(x)")  # every size is one of x
        terms += [self.one(f"np.sum(np.tanh({p}))", f"np.sum({p} ** 2)") for p in model.parameters]
        model.loss = " + ".join(terms)
        if floats:
            model.outputs = sorted({floats[-1], *self.rng.sample(floats, min(2, len(floats)))})


class Unfit(Exception):
    """The drawn operation does not fit the drawn values."""


def _mentions(text: str, word: str) -> bool:
    return word in "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


# -- operations --------------------------------------------------------------------------------

SMOOTH = ["sin", "cos", "tanh", "exp", "arctan", "sigmoid", "softplus", "square", "negative", "sinh", "expm1", "cbrt", "arcsinh", "exp2", "relu", "abs", "sign", "floor", "rint", "reciprocal"]  # fmt: skip
PAIRS = ["+", "-", "*", "+", "-", "*", "/"]
FUNCTIONS = ["maximum", "minimum", "arctan2", "hypot", "logaddexp", "logaddexp2", "subtract", "fmax", "fmin", "multiply", "mod", "floor_divide", "fmod", "divide", "heaviside"]  # fmt: skip
COMPARISONS = ["<", "<=", ">", ">="]


def tied(d: Draw, a: str, b: str) -> bool:
    with np.errstate(all="ignore"):
        try:
            gap = np.abs(np.asarray(eval(f"({a}) * 1.0 - ({b})", d.plain)))
        except (ValueError, TypeError):
            raise Unfit from None
    return bool(np.any(gap < 1e-3))


def unary(d: Draw) -> str:
    name, v = d.one(*SMOOTH), d.floating()
    if name in ("relu", "abs", "sign", "floor", "rint", "cbrt", "reciprocal"):
        if np.any(np.abs(d.plain[v] - np.rint(2 * d.plain[v]) / 2) < 1e-2):
            raise Unfit
    return f"np.{name}({v})"


def guarded(d: Draw) -> str:
    v = d.floating()
    if tied(d, v, "0"):
        raise Unfit
    return d.one(
        f"np.where({v} > 0, np.sqrt(np.where({v} > 0, {v}, 1)), 0)",
        f"np.where({v} > 0, np.log(np.where({v} > 0, {v}, 1.0)), {v})",
        f"np.log(1 + np.exp({v}))",
        f"np.log(np.abs({v}) + 1)",
        f"1 / (1 + np.exp(-{v}))",
        f"np.log1p({v} ** 2)",
        f"np.sqrt({v} ** 2 + 1)",
        f"np.power(np.abs({v}) + 0.5, {v})",
        f"{v} / (1 + np.abs({v}))",
    )


def pair(d: Draw) -> str:
    left = d.one(d.value(), d.value(), d.number())
    right = (
        d.one(d.value(), d.value(), d.number())
        if left in d.plain and left not in "nm"
        else d.value()
    )
    sign = d.one(*PAIRS)
    if sign == "/" and tied(d, right, "0"):
        raise Unfit
    if (
        "bool"
        in (
            str(getattr(d.plain.get(left), "dtype", "")),
            str(getattr(d.plain.get(right), "dtype", "")),
        )
        and sign == "-"
    ):
        raise Unfit
    return f"{left} {sign} {right}"


def function(d: Draw) -> str:
    name, a, b = d.one(*FUNCTIONS), d.value(), d.one(d.value(), d.number())
    if tied(d, a, b) or tied(d, b, "0"):
        raise Unfit
    if name in ("mod", "floor_divide", "fmod", "heaviside", "arctan2", "hypot") and (
        tied(d, f"{a} / ({b})", f"np.rint({a} / ({b}))") or tied(d, a, "0")
    ):
        raise Unfit
    return f"np.{name}({a}, {b})"


def compare(d: Draw) -> str:
    a, b = d.value(), d.one(d.value(), d.number())
    return d.one(
        f"{a} {d.one(*COMPARISONS)} {b}",
        f"np.logical_not({a})",
        f"np.logical_or({a}, {b})",
        f"np.equal({a}, {b})",
        f"np.logical_and({a}, {b})",
    )


def select(d: Draw) -> str:
    """A float decides only where it is a leaf: the sign of a rounding is nobody's."""
    leaf = lambda name: name in d.model.values  # noqa: E731
    fit = [v for v in d.pool if d.plain[v].dtype.kind != "f" or leaf(v)]
    condition = d.rng.choice(fit)
    return f"np.where({condition}, {d.one(d.value(), d.number())}, {d.one(d.value(), d.number())})"


def clip(d: Draw) -> str:
    v = d.floating()
    lo, hi = d.one(("-0.7", "0.9"), ("-0.7", "None"), ("None", "0.31"), (d.value(), "None"))
    for bound in (lo, hi):
        if bound != "None" and tied(d, v, bound):
            raise Unfit
    return f"np.clip({v}, {lo}, {hi})"


def power(d: Draw) -> str:
    v, exponent = d.value(), d.one("2", "3", "2.0", "1", "0", "-1", "0.5")
    if exponent in ("-1", "0.5") and (np.any(d.plain[v] <= 1e-2) or d.plain[v].dtype.kind != "f"):
        raise Unfit
    if d.plain[v].dtype.kind == "b":
        raise Unfit
    return f"{v} ** {exponent}"


def reduced(d: Draw) -> str:
    v = d.value()
    keep = d.one("", ", keepdims=True")
    name = d.one(
        *["sum", "sum", "sum", "mean", "var", "std", "max", "min", "prod", "logsumexp", "any"]
    )
    axis = d.axes(v)
    array = d.plain[v]
    if name in ("std", "var", "logsumexp", "any"):
        if array.dtype.kind != "f" or name == "any":
            raise Unfit
    if name == "std" and (array.size == 0 or np.any(np.std(array, axis) < 1e-2)):
        raise Unfit
    if (
        name in ("max", "min")
        and array.dtype.kind == "f"
        and (array.size == 0 or _ties(array, axis))
    ):
        raise Unfit
    if name in ("max", "min") and array.dtype.kind == "b":
        raise Unfit
    more = d.one("", ", ddof=1") if name in ("var", "std") else ""
    return f"np.{name}({v}, axis={axis}{keep}{more})"


def _ties(array: Any, axis: Any) -> bool:
    axes = range(array.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    axes = [a % array.ndim for a in axes]
    kept = [a for a in range(array.ndim) if a not in axes]
    lanes = array.transpose([*kept, *axes]).reshape([*(array.shape[a] for a in kept), -1])
    return bool(np.any(np.abs(np.diff(np.sort(lanes, -1), axis=-1)) < 1e-3))


def along(d: Draw) -> str:
    v = d.floating(1)
    axis = d.axis(v)
    name = d.one("cumsum", "softmax", "log_softmax", "flip", "cumsum")
    return f"np.{name}({v}, axis={axis})"


def position(d: Draw) -> str:
    v = d.floating(1)
    axis = d.axis(v)
    if d.plain[v].size == 0 or _ties(d.plain[v], axis):
        raise Unfit
    return f"np.{d.one('argmax', 'argmin')}({v}, axis={axis})"


def matmul(d: Draw) -> str:
    a, b = d.value(lambda v: v.ndim >= 1), d.value(lambda v: v.ndim >= 1)
    t = lambda s: s if d.plain[s].ndim < 2 or d.rng.random() < 0.5 else f"np.swapaxes({s}, -1, -2)"  # noqa: E731
    return d.one(
        f"{t(a)} @ {t(b)}",
        f"{t(a)} @ {t(a)}",
        f"np.dot({t(a)}, {t(b)})",
        f"np.tensordot({t(a)}, {t(b)}, {d.one(0, 1, 1, 2)})",
        f"np.outer({a}, {b})",
        f"{a} @ np.swapaxes({a}, -1, -2)" if d.plain[a].ndim > 1 else f"{a} @ {a}",
    )


def tensordot(d: Draw) -> str:
    a, b = d.value(lambda v: v.ndim >= 1), d.value(lambda v: v.ndim >= 1)
    pairs = [
        (i, j)
        for i in range(d.plain[a].ndim)
        for j in range(d.plain[b].ndim)
        if d.plain[a].shape[i] == d.plain[b].shape[j]
    ]
    if not pairs:
        raise Unfit
    i, j = d.rng.choice(pairs)
    return f"np.tensordot({a}, {b}, axes=([{i}], [{j}]))"


def einsum(d: Draw) -> str:
    count = d.one(1, 1, 2, 2, 2, 3)
    names = [d.value(lambda v: v.ndim >= 1 and v.dtype.kind == "f") for _ in range(count)]
    sizes: dict[str, int] = {}
    groups = []
    for name in names:
        group = ""
        for size in d.plain[name].shape:
            known = [x for x, s in sizes.items() if s == size]
            letter = (
                d.rng.choice(known)
                if known and d.rng.random() < 0.65
                else "ijklpqrstuvw"[len(sizes)]
            )
            sizes[letter] = size
            group += letter
        groups.append(group)
    letters = sorted(sizes)
    out = "".join(d.rng.sample(letters, d.rng.randint(0, min(3, len(letters)))))
    return f"np.einsum('{','.join(groups)}->{out}', {', '.join(names)})"


def shaped(d: Draw) -> str:
    v = d.value(lambda v: v.ndim >= 1)
    array, rng = d.plain[v], d.rng
    rank = array.ndim
    order = rng.sample(range(rank), rank)
    place = rng.randrange(-rank - 1, rank + 1)
    return d.one(
        f"np.transpose({v}, {tuple(order)})",
        f"{v}.T",
        f"np.ravel({v})",
        f"np.reshape({v}, (-1, {v}.shape[{rng.randrange(rank)}]))",
        f"np.reshape({v}, (1, -1))",
        f"np.expand_dims({v}, {place})",
        f"np.squeeze({v})",
        f"np.moveaxis({v}, {d.axis(v)}, {d.axis(v)})",
        f"np.broadcast_to({v}, ({d.one('2', '1', 'n', 'm')}, *{v}.shape))",
    )


def sliced(d: Draw) -> str:
    v = d.value(lambda v: v.ndim >= 1)
    keys = []
    for size in d.plain[v].shape[: d.one(1, 2, 3)]:
        options = [":", "::-1", "::2", "::-2", "None, :"]
        if size > 1:
            options += [
                "1:",
                ":-1",
                "-1:",
                "-2::-1",
                "0",
                "-1",
                "1::2",
                ":2",
                "[1, 0, 1]",
                "1",
                "-1::-2",
                ":1",
            ]
        keys.append(d.rng.choice(options))
    if sum("[" in k for k in keys) > 1:
        raise Unfit
    keys = [f"np.asarray({k})" if "[" in k else k for k in keys]
    text = ", ".join(keys) + d.one("", "", ", ...")
    if "asarray" in text:
        if len(keys) > 1:
            raise Unfit
        return f"np.take({v}, {d.one('[1, 0, 1]', '[-1, 0]', '[[0, 1], [1, 1]]', '[1, 1, 1]')}, axis=0)"
    return f"{v}[{text}]"


def joined(d: Draw) -> str:
    v = d.value(lambda v: v.ndim >= 1 and v.dtype.kind != "b")
    axis = d.axis(v)
    rank = d.plain[v].ndim
    w = d.value(lambda o: o.ndim == rank and o.dtype.kind == "f")
    s = d.value(lambda o: o.shape == d.plain[v].shape and o.dtype.kind == "f")
    return d.one(
        f"np.concatenate(({v}, {w}), axis={axis})",
        f"np.concatenate(({w}, {v}, {w}), axis={axis})",
        f"np.stack(({v}, {s}), axis={d.rng.randrange(-rank - 1, rank + 1)})",
        f"np.stack(({s}, {s}, {v}), axis=0)",
    )


def moved(d: Draw) -> str:
    v = d.value(lambda v: v.ndim >= 1 and v.dtype.kind != "b")
    rank = d.plain[v].ndim
    widths = tuple((d.one(0, 1, 2), d.one(0, 1)) for _ in range(rank))
    axis = d.axis(v)
    mode = d.one("constant", "edge", "reflect", "wrap", "symmetric")
    return d.one(
        f"np.pad({v}, {widths})",
        f"np.pad({v}, {widths}, constant_values=2)",
        f"np.pad({v}, {widths}, mode='{mode}')",
        f"np.roll({v}, {d.one(1, -1, 2, 5)}, axis={axis})",
        f"np.roll({v}, {d.one(1, -1)})",
        f"np.tile({v}, {d.one(2, 1, (2, 1), (1, 2))})",
        f"np.repeat({v}, 2, axis={axis})",
        f"np.flip({v})",
        f"np.flip({v}, axis={axis})",
    )


def indexed(d: Draw) -> str:
    v = d.floating(1)
    axis = d.axis(v)
    size = d.plain[v].shape[axis]
    valid = lambda o: o.dtype.kind == "i" and o.size and o.min() >= 0 and o.max() < size  # noqa: E731
    k = d.value(valid)
    rank = d.plain[v].ndim
    if d.plain[k].ndim == rank:
        return d.one(
            f"np.take_along_axis({v}, {k}, axis={axis})", f"np.take({v}, {k}, axis={axis})"
        )
    return d.one(
        f"np.take({v}, {k}, axis={axis})",
        f"np.take({v}, {d.one('[0, 0, 0]', '0', '[-1, 0]')}, axis={axis})",
        f"{v}[{k}]",
    )


def square(d: Draw) -> str:
    v = d.floating(1)
    rank = d.plain[v].ndim
    offset = d.one(0, 0, 1, -1)
    if rank == 1:
        return f"np.diag({v}, {offset})"
    return d.one(f"np.trace({v})", f"np.diagonal({v}, {offset})", f"np.tril({v}, {offset})", f"np.triu({v}, {offset})",
                 f"np.diag({v})", f"np.trace({v}, {offset})")  # fmt: skip


def norm(d: Draw) -> str:
    v = d.floating(1)
    axis = d.axis(v)
    if d.plain[v].size == 0 or np.any(np.linalg.norm(d.plain[v], axis=axis) < 1e-2):
        raise Unfit
    order = d.one("", ", ord=2", ", ord=1")
    if order and (tied(d, v, "0") or _ties(np.abs(d.plain[v]), axis)):
        raise Unfit
    return f"np.norm({v}{order}, axis={axis}{d.one('', ', keepdims=True')})"


OPERATIONS: list[Callable[[Draw], str]] = [
    unary, unary, guarded, pair, pair, pair, function, compare, select, clip, power, reduced,
    reduced, reduced, along, position, matmul, matmul, tensordot, einsum, einsum, shaped, shaped,
    sliced, sliced, joined, moved, moved, indexed, indexed, square, norm,
]  # fmt: skip


def random_model(seed: int, steps: int) -> RandomModel:
    """The model of a seed."""
    return Draw(seed).grow(steps)
