"""Layers over features, positions and tables: what the catalogue cannot say about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from defined_catalogue import ADAPTIVE, ENTRIES, Several
from messages import message_of
from numpy_evaluator import evaluate
from registry import Run, runs

import symgrad as sg
from symgrad import nn
from symgrad.errors import DefinitionError, NamingError, SymgradError
from symgrad.expr.leaf import Parameter

torch = pytest.importorskip("torch")
F = torch.nn.functional
rng = np.random.default_rng(41)
n = sg.dim("n")


def leaves_of(arrays: Any) -> list[Any]:
    kinds = {"f": "float", "i": "int"}
    return [sg.input(f"x{i}", a.shape, kinds[a.dtype.kind]) for i, a in enumerate(arrays)]


FUNCTIONS = {
    "ChannelShuffle": "channel_shuffle", "CosineSimilarity": "cosine_similarity",
    "LocalResponseNorm": "local_response_norm", "PairwiseDistance": "pairwise_distance",
    "PixelShuffle": "pixel_shuffle", "PixelUnshuffle": "pixel_unshuffle", "Upsample": "interpolate",
}  # fmt: skip


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.name in FUNCTIONS], ids=lambda e: e.name)
def test_the_function_is_the_class(entry: Any) -> None:
    for run in runs(entry):
        leaves = leaves_of(run.arrays)
        made = getattr(nn, entry.name)(**run.construction)(*leaves)
        assert getattr(nn.functional, FUNCTIONS[entry.name])(*leaves, **run.construction) is made


ADAPTIVE_RUNS = [run for entry in ADAPTIVE for run in runs(entry)]


@pytest.mark.parametrize("run", ADAPTIVE_RUNS, ids=map(str, range(len(ADAPTIVE_RUNS))))
def test_several_results(run: Run) -> None:
    """Values and gradients in the input and the parameters, of a weighted sum of the results."""
    entry = run.entry
    assert isinstance(entry, Several)
    theirs = getattr(torch.nn, entry.name)(**run.construction).double()
    x, target = run.arrays
    layer = getattr(nn, entry.name)(**run.construction)
    leaf, labels = sg.parameter("x0", x.shape), sg.input("x1", target.shape, dtype="int")
    results = layer(leaf, labels)
    assert results._fields == entry.results
    loss = sg.sum(sg.sin(results.output)) + 2 * results.loss
    names = [name for name, _ in theirs.named_parameters()]
    assert [p.name for p in layer.parameters()] == names
    values = {k: v.numpy(force=True) for k, v in theirs.named_parameters()}
    net = sg.compile(sg.Model("m", loss=loss, outputs=dict(zip("ab", results, strict=True)))).load()
    given = torch.tensor(x, requires_grad=True)
    expected = theirs(given, torch.tensor(target))
    for ours, wanted in zip(net.forward({"x0": x, **values}, x1=target).values(), expected,
                            strict=True):  # fmt: skip
        np.testing.assert_allclose(ours, wanted.numpy(force=True), rtol=1e-12)
    total = expected.output.sin().sum() + 2 * expected.loss
    slopes = torch.autograd.grad(total, [given, *theirs.parameters()], allow_unused=True)
    _, grads = net.value_and_grad({"x0": x, **values}, x1=target)
    for name, slope in zip(["x0", *names], slopes, strict=True):
        wanted = 0 * grads[name] if slope is None else slope.numpy()
        np.testing.assert_allclose(grads[name], wanted, rtol=1e-10, atol=1e-14)


def test_adaptive_probabilities_and_predictions() -> None:
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 9, [3, 5], 2.0, True).double()
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 9, [3, 5], 2.0, True)
    x = rng.normal(size=(7, 8))
    leaf = sg.input("x", (n, 8))
    values = {"x": x} | {k: v.numpy(force=True) for k, v in theirs.named_parameters()}
    log_p, best = evaluate([layer.log_prob(leaf), layer.predict(leaf)], values)
    np.testing.assert_allclose(log_p, theirs.log_prob(torch.tensor(x)).numpy(force=True), rtol=1e-12)
    np.testing.assert_array_equal(best, theirs.predict(torch.tensor(x)).numpy())


def test_adaptive_refuses_what_is_no_class() -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 9, [3, 5], 2.0)
    target = sg.input("t", (n,), dtype="int")
    net = sg.compile(sg.Model("m", loss=layer(sg.input("x", (n, 8)), target).loss)).load()
    for stray in (-1, 9):
        with pytest.raises(IndexError, match="must hold whole numbers"):
            net.loss(net.init_params(), x=np.zeros((2, 8)), t=np.array([0, stray]))


def test_shapes_names_and_first_values_are_pytorchs() -> None:
    made = {
        "LayerNorm": ((2, 3),), "RMSNorm": (3,), "GroupNorm": (2, 4), "Bilinear": (4, 2, 3),
        "Embedding": (5, 3), "EmbeddingBag": (5, 3), "AdaptiveLogSoftmaxWithLoss": (8, 9, [3, 5], 2.0),
    }  # fmt: skip
    for name, arguments in made.items():
        ours, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
        expected = {k: tuple(p.shape) for k, p in theirs.named_parameters()}
        assert {p.name: tuple(map(int, p.shape)) for p in ours.parameters()} == expected
        for leaf, values in zip(ours.parameters(), theirs.parameters(), strict=True):
            kind, *numbers = leaf.initialiser
            if kind == "constant":
                assert (values == float(numbers[0])).all()
            elif kind == "uniform":
                assert values.abs().max() <= float(numbers[1])
            else:
                assert (kind, *map(float, numbers)) == ("normal", 0, 1) and "Embedding" in name


@pytest.mark.parametrize("name", ["Embedding", "EmbeddingBag"])
@pytest.mark.parametrize("row", [0, 2, 4, -1])
def test_the_row_for_padding_starts_as_zeros(name: str, row: int) -> None:
    layer = getattr(nn, name)(5, 3, padding_idx=row)
    rows = layer(sg.input("i", (n, 2), dtype="int"))
    net = sg.compile(sg.Model("m", outputs={"rows": rows})).load()
    table = net.init_params(0, np.float32)["weight"]
    assert table.shape == (5, 3) and table.dtype == np.float32
    assert [bool(np.any(values)) for values in table] == [i != row % 5 for i in range(5)]


def test_a_table_that_is_there() -> None:
    index = sg.input("i", (n,), dtype="int")
    table = sg.parameter("table", (4, 2))
    frozen = nn.Embedding.from_pretrained(table)
    moved = nn.Embedding.from_pretrained(table, freeze=False)
    for layer, slope in ((frozen, 0), (moved, 2)):
        assert layer.parameters() == ([] if layer is frozen else [table])
        loss = sg.sum(table) + 2 * sg.sum(layer(index))
        net = sg.compile(sg.Model("m", loss=loss)).load()
        _, grads = net.value_and_grad({"table": np.zeros((4, 2))}, i=np.array([1, 1, 3]))
        np.testing.assert_array_equal(grads["table"][:, 0], 1 + slope * np.array([0, 2, 0, 1]))
    literal = nn.EmbeddingBag.from_pretrained([[1.0, 2.0], [3.0, 5.0]], mode="sum")
    (value,) = evaluate([literal(sg.input("b", (1, 2), dtype="int"))], {"b": [[0, 1]]})
    np.testing.assert_array_equal(value, [[4, 7]])


def test_offsets_that_do_not_begin_at_0() -> None:
    index, starts = (sg.input(name, (m,), dtype="int") for name, m in (("i", n), ("o", sg.dim("b"))))
    bags = nn.EmbeddingBag(4, 2, mode="sum")(index, starts)
    net = sg.compile(sg.Model("m", outputs={"bags": bags})).load()
    with pytest.raises(IndexError, match="whole numbers"):
        net.forward(net.init_params(), i=np.array([0, 1, 2]), o=np.array([1, 2]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_module_for_both_types_and_any_batch(dtype: Any) -> None:
    """One net with a layer of each file, compiled, against the same layers of PyTorch."""

    def build(m: Any) -> Any:
        return {
            "table": m.Embedding(6, 8, padding_idx=1), "norm": m.LayerNorm(8),
            "groups": m.GroupNorm(2, 4), "near": m.LocalResponseNorm(3, 0.5), "root": m.RMSNorm(8),
            "up": m.Upsample(scale_factor=2, mode="bilinear"), "shuffle": m.PixelUnshuffle(2),
            "alike": m.CosineSimilarity(), "apart": m.PairwiseDistance(), "both": m.Bilinear(8, 8, 2),
        }  # fmt: skip

    def forward(m: Any, layers: Any, index: Any, sin: Any, reshape: Any) -> Any:
        rows = layers["norm"](layers["table"](index))  # [n, 4, 8]
        images = layers["near"](layers["groups"](reshape(rows, (-1, 4, 2, 4))))
        images = layers["shuffle"](layers["up"](images))  # [n, 16, 2, 4]
        features = layers["root"](reshape(images, (-1, 16, 8)))
        a, b = features[:, 2], features[:, 9]
        return (sin(layers["both"](a, b)).sum(1) if m is torch.nn else sg.sum(sin(layers["both"](a, b)), 1)
                ) + layers["alike"](a, b) + layers["apart"](a, b)  # fmt: skip

    theirs = torch.nn.ModuleDict(build(torch.nn)).to(
        torch.float32 if dtype is np.float32 else torch.float64
    )
    ours = nn.ModuleDict(build(nn))
    y = forward(nn, ours, sg.input("index", (n, 4), dtype="int"), sg.sin, sg.reshape)
    net = sg.compile(sg.Model("net", loss=sg.mean(y), outputs={"y": y})).load()
    params = {k: v.numpy(force=True) for k, v in theirs.named_parameters()}
    assert list(net.PARAMETERS) == list(params)
    for rows in (1, 5):
        index = rng.integers(2, 6, (rows, 4))  # of zeros, only the rounding would be compared
        expected = forward(torch.nn, theirs, torch.tensor(index), torch.sin, torch.reshape).mean()
        slopes = torch.autograd.grad(expected, list(theirs.parameters()))
        value, grads = net.value_and_grad(params, index=index)
        tolerance = {"rtol": 2e-3, "atol": 2e-5} if dtype is np.float32 else {"rtol": 1e-10, "atol": 1e-13}
        assert value.dtype == dtype
        np.testing.assert_allclose(value, expected.item(), **tolerance)
        for name, slope in zip(params, slopes, strict=True):
            assert grads[name].dtype == dtype
            np.testing.assert_allclose(grads[name], slope.numpy(), err_msg=name, **tolerance)
    assert net.check(0)


def value_of(node: Any, **values: Any) -> Any:
    return evaluate([node], values)[0]


def test_functions_without_a_class() -> None:
    x = rng.normal(size=(4, 3))
    leaf, index = sg.input("x", (4, 3)), sg.input("i", (2, 2), dtype="int")
    classes = np.array([[0, 4], [2, 2]])
    hot = F.one_hot(torch.tensor(classes), 5).numpy()
    net = sg.compile(sg.Model("m", outputs={"hot": nn.functional.one_hot(index, 5)})).load()
    np.testing.assert_array_equal(net.forward(i=classes), hot)
    assert net.forward(i=classes).dtype.kind == "i"
    with pytest.raises(IndexError):
        net.forward(i=classes + 1)
    for p in (2.0, 1.0, 0.5, float("inf")):
        for dim in (0, 1):
            ours = value_of(nn.functional.normalize(leaf, p, dim, 1.5), x=x)
            wanted = F.normalize(torch.tensor(x), p, dim, 1.5).numpy()
            np.testing.assert_allclose(ours, wanted, rtol=1e-12)
        ours = value_of(nn.functional.pdist(leaf, p), x=x)
        np.testing.assert_allclose(ours, F.pdist(torch.tensor(x), p).numpy(), rtol=1e-12)


def test_cubic_grids_of_the_same_size_move() -> None:
    """PyTorch's forward moves the entries; its backward copies, as if it had not."""
    x = rng.normal(size=(1, 1, 2, 3))
    ours = nn.functional.interpolate(sg.input("x", x.shape), scale_factor=1.3, mode="bicubic")
    wanted = F.interpolate(torch.tensor(x), scale_factor=1.3, mode="bicubic").numpy()
    np.testing.assert_allclose(value_of(ours, x=x), wanted, rtol=1e-12)
    assert np.abs(wanted - x).max() > 0.01


def test_sizes_that_are_symbols() -> None:
    x = rng.normal(size=(2, 3, 4, 6))
    h, w = sg.dim("h"), sg.dim("w")
    leaf = sg.input("x", (n, 3, h, w))
    for options in ({"scale_factor": 2}, {"size": (3, 9)}, {"scale_factor": 2, "mode": "bilinear"},
                    {"size": (3, 9), "mode": "bicubic"}, {"size": (3, 9), "mode": "area"}):  # fmt: skip
        ours = nn.functional.interpolate(leaf, **options)
        net = sg.compile(sg.Model("m", outputs={"y": ours})).load()
        wanted = F.interpolate(torch.tensor(x), **options).numpy()
        np.testing.assert_allclose(net.forward(x=x), wanted, rtol=1e-10)


def test_lists_and_dicts_of_parameters() -> None:
    def build(m: Any, parameter: Any) -> Any:
        class Net(m.Module):
            def __init__(self) -> None:
                super().__init__()
                self.scales = m.ParameterList([parameter(3), parameter(2, 3)])
                self.scales.append(parameter(1)).extend([parameter(4)])
                self.named = m.ParameterDict({"left": parameter(2), "right": parameter(5)})

        return Net()

    theirs = build(torch.nn, lambda *shape: torch.nn.Parameter(torch.zeros(shape)))
    ours = build(nn, lambda *shape: nn.Parameter(shape))
    expected = {name: tuple(p.shape) for name, p in theirs.state_dict().items()}
    assert [(p.name, tuple(map(int, p.shape))) for p in ours.parameters()] == list(expected.items())
    assert len(ours.scales) == 4 and ours.scales[-1] is list(ours.scales)[3]
    assert all(isinstance(p, Parameter) for p in ours.scales[1:3])
    assert list(ours.named) == ours.named.keys() == ["left", "right"] and "left" in ours.named
    assert dict(ours.named.items())["right"] is ours.named["right"] is ours.named.values()[1]
    ours.scales[0] = ours.named["left"]
    assert ours.scales[0] is ours.named["left"]
    with pytest.raises(DefinitionError, match="entry 0 of a ParameterList is 3, not a parameter"):
        nn.ParameterList([3])
    with pytest.raises(NamingError, match="'items' cannot name a parameter of a ParameterDict"):
        nn.ParameterDict({"items": nn.Parameter(3)})


def test_a_distance_of_ones_own() -> None:
    x = [rng.normal(size=(4, 3)) for _ in range(3)]
    layer = nn.TripletMarginWithDistanceLoss(
        distance_function=lambda a, b: sg.sum(abs(a - b) ** 1.5, axis=-1), swap=True
    )
    theirs = torch.nn.TripletMarginWithDistanceLoss(
        distance_function=lambda a, b: (abs(a - b) ** 1.5).sum(-1), swap=True
    )
    ours = evaluate([layer(*leaves_of(x))], {f"x{i}": a for i, a in enumerate(x)})[0]
    np.testing.assert_allclose(ours, theirs(*map(torch.tensor, x)).numpy(), rtol=1e-12)
    cosine = nn.TripletMarginWithDistanceLoss(distance_function=nn.CosineSimilarity())
    wanted = torch.nn.TripletMarginWithDistanceLoss(distance_function=torch.nn.CosineSimilarity())
    ours = evaluate([cosine(*leaves_of(x))], {f"x{i}": a for i, a in enumerate(x)})[0]
    np.testing.assert_allclose(ours, wanted(*map(torch.tensor, x)).numpy(), rtol=1e-12)


REFUSED: list[tuple[Any, str]] = [
    (lambda x, i: nn.LayerNorm(4)(x), "layer_norm: the last axes of the input must have the sizes [4]"),
    (lambda x, i: nn.LayerNorm(()), "normalized_shape is empty"),
    (lambda x, i: nn.LayerNorm(3, eps=-1)(x), "layer_norm: eps must not be negative, but is -1"),
    (lambda x, i: nn.functional.layer_norm(x, 3, [1.0]), "layer_norm: weight must have the shape [3], but has [1]"),
    (lambda x, i: nn.GroupNorm(2, 3), "GroupNorm: 3 channels cannot be divided into 2 groups"),
    (lambda x, i: nn.GroupNorm(0, 3), "num_groups must be at least 1, but is 0"),
    (lambda x, i: nn.GroupNorm(1, 4)(x), "group_norm: weight must have the shape [3], but has [4]"),
    (lambda x, i: nn.LocalResponseNorm(3)(x), "local_response_norm: the input must be [n, channels, ...], of three axes or more"),
    (lambda x, i: nn.Bilinear(3, 4, 2)(x, x), "bilinear: the last axes of the inputs must be those of the weight, [out, in1, in2]"),
    (lambda x, i: nn.Bilinear(3, 3, 2)(x, x[0]), "bilinear: the inputs must have the same axes before the last"),
    (lambda x, i: nn.Unflatten(1, (2, 2))(x), "unflatten: axis 1 of size 3 cannot be parted into [2, 2]"),
    (lambda x, i: nn.PixelShuffle(2)(sg.input("z", (n, 3, 2, 2))), "pixel_shuffle: 3 channels cannot be divided by upscale_factor squared, 4"),
    (lambda x, i: nn.PixelUnshuffle(2)(sg.input("z", (n, 3, 2, 3))), "pixel_unshuffle: the sizes 2 and 3 must be multiples of downscale_factor, 2"),
    (lambda x, i: nn.ChannelShuffle(2)(sg.input("z", (n, 3, 2))), "channel_shuffle: 3 channels cannot be divided into 2 groups"),
    (lambda x, i: nn.Upsample(2)(x), "interpolate: the input must be [n, channels, ...] with one to three axes of space"),
    (lambda x, i: nn.Upsample()(sg.input("z", (n, 3, 2))), "interpolate: give either size or scale_factor"),
    (lambda x, i: nn.Upsample(2, mode="linear")(sg.input("z", (n, 3, 2, 2))), "interpolate: mode 'linear' is for inputs of 3 axes, not of 4"),
    (lambda x, i: nn.Upsample(2, align_corners=True)(sg.input("z", (n, 3, 2))), "interpolate: align_corners has no meaning in mode 'nearest', which does not interpolate"),
    (lambda x, i: nn.Upsample(2, mode="cubic")(sg.input("z", (n, 3, 2))), "interpolate: mode='cubic' is not supported"),
    (lambda x, i: nn.Upsample(scale_factor=1.5)(sg.input("z", (n, 3, n))), "interpolate: the size n times 3/2 is not a whole number of entries for every n"),
    (lambda x, i: nn.Upsample((2, 2))(sg.input("z", (n, 3, 2))), "interpolate: 2 numbers are given for 1 axes of space"),
    (lambda x, i: nn.CosineSimilarity(dim=2)(x, x), "cosine_similarity: dim 2 does not exist: the tensor has 2 axes"),
    (lambda x, i: nn.PairwiseDistance(p=-1)(x, x), "pairwise_distance: p must not be negative, but is -1"),
    (lambda x, i: nn.Embedding(4, 3, max_norm=-1.0)(i), "embedding: max_norm must not be negative, but is -1.0"),
    (lambda x, i: nn.Embedding(4, 3, max_norm=1.0, norm_type=-2)(i), "embedding: norm_type must not be negative, but is -2"),
    (lambda x, i: nn.Embedding(4, 3, sparse=True)(i), "embedding: the argument sparse is not supported"),
    (lambda x, i: nn.Embedding(4, 3, padding_idx=4), "padding_idx 4 is not one of the 4 rows"),
    (lambda x, i: nn.Embedding(4, 3)(x), "embedding: rows are looked up by whole numbers, but the input is of floats"),
    (lambda x, i: nn.Embedding.from_pretrained([[1.0]], freeze=False), "Embedding.from_pretrained: an array that training changes cannot be a part of the code"),
    (lambda x, i: nn.EmbeddingBag(4, 3)(i), "embedding_bag: an input of one axis needs offsets: where each bag starts"),
    (lambda x, i: nn.EmbeddingBag(4, 3, scale_grad_by_freq=True, mode="max")(i, i), "embedding_bag: scale_grad_by_freq is for the modes 'sum' and 'mean', not 'max'"),
    (lambda x, i: nn.EmbeddingBag(4, 3, sparse=True)(i, i), "embedding_bag: the argument sparse is not supported"),
    (lambda x, i: nn.EmbeddingBag(4, 3, mode="min")(i, i), "embedding_bag: mode='min' is not supported"),
    (lambda x, i: nn.EmbeddingBag(4, 3)(i, i, x[0]), "embedding_bag: per_sample_weights are for mode 'sum', not 'mean'"),
    (lambda x, i: nn.functional.one_hot(i), "one_hot: without num_classes, the shape would depend on the data"),
    (lambda x, i: nn.AdaptiveLogSoftmaxWithLoss(8, 9, [5, 3]), "AdaptiveLogSoftmaxWithLoss: the cutoffs must be one or more ascending whole numbers from 1 to 8, not [5, 3]"),
]  # fmt: skip


@pytest.mark.parametrize("define, sentence", REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_is_refused(define: Any, sentence: str) -> None:
    x, i = sg.input("x", (4, 3)), sg.input("i", (4,), dtype="int")
    with pytest.raises(SymgradError) as caught:
        define(x, i)
    assert str(caught.value).split("\n")[0] == sentence


def test_whole_messages() -> None:
    x, i = sg.input("x", (n, 3)), sg.input("i", (n,), dtype="int")
    assert message_of(lambda: nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(4))(x)) == (
        "ShapeError: layer_norm: the last axes of the input must have the sizes [4]\n"
        "  at        HERE, layer layernorm_1\n"
        "  linear_0  [n, 5]\n"
        "  1.weight  [4]\n"
        "  1.bias    [4]"
    )
    assert message_of(lambda: nn.Embedding(4, 3, sparse=True)(i)) == (
        "UnsupportedError: embedding: the argument sparse is not supported\n"
        "  at      HERE, layer embedding\n"
        "  i       [n]\n"
        "  weight  [4, 3]\n"
        "  fix     the gradient is an array in the shape of the table"
    )
    assert message_of(lambda: nn.Embedding(4, 3, max_norm=-1.0)(i)) == (
        "DefinitionError: embedding: max_norm must not be negative, but is -1.0\n"
        "  at      HERE, layer embedding\n"
        "  i       [n]\n"
        "  weight  [4, 3]"
    )
