"""Attention against PyTorch: values, first and second derivatives, masks, layouts; and errors."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from attention_catalogue import ATTENTIONS, BIAS, CAUSAL, PADDED
from messages import message_of
from registry import runs

import symgrad as sg
from symgrad import nn
from symgrad.model.layers.copies import copied

torch = pytest.importorskip("torch")
rng = np.random.default_rng(41)
KINDS = {"f": "float", "i": "int", "b": "bool"}
OPEN = ~CAUSAL
CLOSED_ROW = np.array([[True, False, True], [False] * 3, [True, True, False]])
HOLES = np.where(CLOSED_ROW, 0.5, -np.inf)


def normal(*shape: int) -> Any:
    return rng.normal(size=shape)


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


@pytest.fixture(autouse=True)
def attention_in_steps() -> Iterator[None]:
    """PyTorch's fused attention has no second derivatives; what it is written out as has."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        yield


def compare(define: Callable[..., Any], theirs: Callable[..., Any], trained: dict[str, Any],
            given: dict[str, Any], owned: dict[str, Any] | None = None) -> None:  # fmt: skip
    """The results of both, of the loss sum(c * result) the gradients, and a Hessian product.

    `define` and `theirs` take the tensors of `trained`, then those of `given`; `owned`: numbers
    of the parameters that `define` makes itself, with PyTorch's tensors for them.
    """
    leaves = [sg.parameter(k, a.shape) for k, a in trained.items()]
    leaves += [sg.input(k, a.shape, dtype=KINDS[a.dtype.kind]) for k, a in given.items()]
    result = define(*leaves)
    c = rng.uniform(0.5, 1.5, tuple(map(int, result.shape)))
    loss = sg.sum(sg.input("c", c.shape) * result)
    model = sg.Model("attention", loss=loss, outputs={"result": result})
    net = sg.compile(model, ["forward", "value_and_grad", "hvp"]).load()
    theirs_owned = owned or {}
    numbers = trained | {k: t.detach().numpy() for k, t in theirs_owned.items()}
    params = {k: numbers[k] for k in net.PARAMETERS}
    inputs = {k: a for k, a in given.items() if k in net.INPUTS}
    tensors = {k: torch.tensor(a, requires_grad=True) for k, a in trained.items()}
    expected = theirs(*tensors.values(), *map(torch.tensor, given.values()))
    close(net.forward(params, **inputs), expected.detach().numpy())
    varied = tensors | theirs_owned
    slopes = torch.autograd.grad((expected * torch.tensor(c)).sum(), [varied[k] for k in params],
                                 create_graph=True)  # fmt: skip
    _, grads = net.value_and_grad(params, **inputs, c=c)
    along = {k: rng.normal(size=a.shape) for k, a in params.items()}
    asked = inspect.signature(net.hvp).parameters
    products = net.hvp(params, along, **{k: v for k, v in (inputs | {"c": c}).items() if k in asked})
    total = sum((g * torch.tensor(along[k])).sum() for k, g in zip(params, slopes, strict=True))
    second = torch.autograd.grad(total, [varied[k] for k in params], allow_unused=True)
    for name, slope, product in zip(params, slopes, second, strict=True):
        close(grads[name], slope.detach().numpy())
        close(products[name], 0 if product is None else product.numpy())


Q, K, V = (normal(2, 2, 3, 4) for _ in range(3))
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [
    ("plain", (Q, K, V), {}, {}),
    ("two axes", (Q[0, 0], K[0, 0], V[0, 0]), {}, {}),
    ("one query", (Q[:, :, :1], K, V), {}, {}),
    ("one key", (Q, K[:, :, :1], V[:, :, :1]), {}, {}),
    ("causal", (Q, K, V), {}, {"is_causal": True}),
    ("causal, fewer queries", (Q[:, :, :2], K, V), {}, {"is_causal": True, "scale": 0.3}),
    ("causal, more queries", (Q, K[:, :, :2], V[:, :, :2]), {}, {"is_causal": True}),
    ("booleans", (Q, K, V), {"attn_mask": OPEN}, {}),
    ("a query that looks nowhere", (Q, K, V), {"attn_mask": CLOSED_ROW}, {}),
    ("floats with -inf", (Q, K, V), {"attn_mask": HOLES}, {"scale": 2.0}),
    ("floats of each head", (Q, K, V), {"attn_mask": normal(2, 2, 3, 3)}, {}),
    ("other values", (Q, K, normal(2, 2, 3, 5)), {}, {}),
    ("grouped heads", (normal(2, 4, 3, 4), K, V), {}, {"enable_gqa": True}),
    ("grouped heads, masked", (normal(2, 4, 3, 4), K, V), {"attn_mask": normal(2, 4, 3, 3)},
     {"enable_gqa": True}),
]  # fmt: skip


@pytest.mark.parametrize("arrays, masks, options", [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_scaled_dot_product_attention(arrays: Any, masks: Any, options: dict[str, Any]) -> None:
    def call(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda q, k, v, *m: function(q, k, v, *m, **options)

    compare(call(nn.functional.scaled_dot_product_attention),
            call(torch.nn.functional.scaled_dot_product_attention),
            dict(zip("qkv", arrays, strict=True)), masks)  # fmt: skip


def test_a_mask_and_is_causal_hold_together() -> None:
    """PyTorch's documentation forbids it; its fused form on a CPU does the same."""
    attend, theirs = (m.functional.scaled_dot_product_attention for m in (nn, torch.nn))
    causal = torch.tensor(np.where(CAUSAL, -np.inf, 0.0))
    compare(lambda q, k, v, m: attend(q, k, v, m, is_causal=True),
            lambda q, k, v, m: theirs(q, k, v, m + causal),
            dict(zip("qkv", (Q, K, V), strict=True)), {"attn_mask": BIAS})  # fmt: skip


def pair(construction: dict[str, Any]) -> tuple[Any, Any]:
    """Our layer and PyTorch's, in use, with parameters that are not all alike."""
    theirs = torch.nn.MultiheadAttention(**construction).double().eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.tensor(rng.uniform(-0.5, 0.5, tuple(parameter.shape))))
    ours = nn.MultiheadAttention(**construction).eval()
    assert [(p.name, tuple(map(int, p.shape))) for p in ours.parameters()] == [
        (k, tuple(p.shape)) for k, p in theirs.named_parameters()
    ]
    return ours, theirs


RUNS = [(run.construction, run.arrays) for entry in ATTENTIONS for run in runs(entry)]


@pytest.mark.parametrize("part", [0, 1], ids=["output", "weights"])
@pytest.mark.parametrize("construction, arrays", RUNS, ids=lambda value: None)
def test_multihead_attention(construction: Any, arrays: Any, part: int) -> None:
    ours, theirs = pair(construction)
    owned = dict(theirs.named_parameters())
    if part == 1:  # the output's own parameters do not matter to the weights: one run is enough
        if construction is not RUNS[0][0]:
            return
        owned = {k: t for k, t in owned.items() if k.startswith("in_proj")}
        ours.out_proj = nn.Identity()
    compare(lambda *x: ours(*x)[part], lambda *x: theirs(*x)[part],
            dict(zip("qkv", arrays, strict=True)), {}, owned)  # fmt: skip


SELF = normal(2, 3, 4)
MASKED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("causal by name", {"attn_mask": CAUSAL}, {"need_weights": False, "is_causal": True}),
    ("of booleans", {"attn_mask": CAUSAL}, {}),
    ("of floats", {"attn_mask": BIAS}, {"need_weights": False}),
    ("of every head", {"attn_mask": normal(4, 3, 3)}, {"average_attn_weights": False}),
    ("padding", {"key_padding_mask": PADDED}, {"need_weights": False}),
    ("all padding", {"key_padding_mask": PADDED | [[False], [True]]}, {"need_weights": False}),
    ("both", {"key_padding_mask": PADDED, "attn_mask": CAUSAL}, {"is_causal": True}),
]  # fmt: skip


@pytest.mark.parametrize("more", [{}, {"add_bias_kv": True, "add_zero_attn": True}], ids=str)
@pytest.mark.parametrize("masks, options", [m[1:] for m in MASKED], ids=[m[0] for m in MASKED])
def test_masks_of_multihead_attention(masks: Any, options: Any, more: Any) -> None:
    ours, theirs = pair({"embed_dim": 4, "num_heads": 2, "batch_first": True} | more)
    names = list(masks)
    if more and options.get("is_causal") and not options.get("need_weights", True):
        options = options | {"is_causal": False}  # PyTorch then gives its own mask the wrong size

    def call(layer: Any) -> Callable[..., Any]:
        return lambda x, *m: layer(x, x, x, **dict(zip(names, m, strict=True)), **options)[0]

    compare(call(ours), call(theirs), {"x": SELF}, masks, dict(theirs.named_parameters()))


def test_a_row_that_is_masked_wholly_is_nan_with_weights_as_in_pytorch() -> None:
    ours, theirs = pair({"embed_dim": 4, "num_heads": 2, "batch_first": True})
    x, m = sg.input("x", SELF.shape), sg.input("m", (3, 3), dtype="bool")
    output, weights = ours(x, x, x, attn_mask=m)
    net = sg.compile(sg.Model("m", outputs={"output": output, "weights": weights})).load()
    params = {k: p.detach().numpy() for k, p in theirs.named_parameters()}
    with np.errstate(invalid="ignore"):
        found = net.forward(params, x=SELF, m=~CLOSED_ROW)
    tensor = torch.tensor(SELF)
    expected = theirs(tensor, tensor, tensor, attn_mask=torch.tensor(~CLOSED_ROW))
    assert np.isnan(found["output"][:, 1]).all()
    close(found["output"], expected[0].detach().numpy())
    close(found["weights"], expected[1].detach().numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_symbolic_sizes_and_dropout_agree_with_finite_differences(dtype: Any) -> None:
    n, t = sg.dim("n"), sg.dim("t")
    x, y = sg.input("x", (n, t, 4)), sg.input("y", (n, t, 4))
    layer = nn.TransformerDecoderLayer(4, 2, 6, dropout=0.25, batch_first=True, norm_first=True,
                                       activation="gelu")  # fmt: skip
    causal = nn.Transformer.generate_square_subsequent_mask(t)
    out = layer(x, y, tgt_mask=causal, tgt_is_causal=True)
    net: types.ModuleType = sg.compile(sg.Model("m", loss=sg.mean(out * out))).load()
    assert net.check()
    params = net.init_params(seed=0, dtype=dtype)
    arrays = {k: rng.normal(size=(3, 5, 4)).astype(dtype) for k in "xy"}
    values = [net.value_and_grad(params, **arrays, rng=np.random.default_rng(s)) for s in (0, 0, 1)]
    assert values[0][0] == values[1][0] != values[2][0]
    assert {g.dtype for g in values[0][1].values()} == {np.dtype(dtype)}


def test_layers_of_a_stack_have_numbers_of_their_own_and_are_drawn_as_said() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16)
    stack = nn.TransformerEncoder(layer, 2)
    names = [p.name for p in stack.parameters()]
    assert len(names) == 24 and names[:2] == ["layers.0.self_attn.in_proj_weight",
                                              "layers.0.self_attn.in_proj_bias"]  # fmt: skip
    assert not set(layer.parameters()) & set(stack.parameters())
    inits = {p.name: p.initialiser for p in stack.parameters()}
    assert inits["layers.1.self_attn.in_proj_weight"][0] == "uniform"
    assert float(inits["layers.1.self_attn.in_proj_weight"][2]) == pytest.approx((6 / 32) ** 0.5)
    assert float(inits["layers.1.linear1.weight"][2]) == pytest.approx(8**-0.5)
    whole = nn.Transformer(8, 2, 1, 1, 16)
    drawn = {p.name: p.initialiser for p in whole.parameters()}
    assert float(drawn["encoder.layers.0.linear1.weight"][2]) == pytest.approx((6 / 24) ** 0.5)
    assert float(drawn["encoder.layers.0.linear1.bias"][2]) == pytest.approx(8**-0.5)
    assert drawn["decoder.norm.weight"] == ("constant", 1)


def test_a_copy_keeps_what_is_tied() -> None:
    tied = sg.parameter("tied", (3, 4))
    layer = nn.Linear(4, 3)
    layer.weight = tied
    made = copied(nn.Sequential(layer, nn.Tanh()))
    assert [p.name for p in made.parameters()] == ["tied", "0.bias"] or [
        p.name for p in made.parameters()
    ] == ["0.bias", "tied"]
    assert made[0].weight is tied
    assert made[0].bias is not layer.bias


def test_the_causal_mask_is_made_once_for_all_blocks() -> None:
    x = sg.input("x", (sg.dim("n"), sg.dim("t"), 4))
    mask = nn.Transformer.generate_square_subsequent_mask(sg.dim("t"))
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True), 3)
    net = sg.compile(sg.Model("m", outputs={"y": stack(x, mask, is_causal=True)}))
    assert net.source.count("-np.inf") == 1


X = sg.input("x", (sg.dim("n"), 3, 4))
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: nn.MultiheadAttention(6, 4),
     "DefinitionError: MultiheadAttention: embed_dim 6 cannot be divided into 4 heads\n"
     "  at   HERE"),
    (lambda: nn.MultiheadAttention(4, 0),
     "DefinitionError: MultiheadAttention: embed_dim and num_heads must be greater than 0, "
     "but are 4 and 0\n  at   HERE"),
    (lambda: nn.MultiheadAttention(4, 2)(X, X, X, is_causal=True),
     "DefinitionError: multiheadattention: is_causal says that attn_mask is causal, but there is "
     "none\n  at   HERE, layer multiheadattention\n"
     "  fix  pass attn_mask=nn.Transformer.generate_square_subsequent_mask(t)"),
    (lambda: nn.MultiheadAttention(4, 2)(X, X, sg.input("v", (3, 3, 4))),
     "ShapeError: multiheadattention: key and value must have the same axes before the last\n"
     "  at     HERE, layer multiheadattention\n"
     "  query  [n, 3, 4]\n  key    [n, 3, 4]\n  value  [3, 3, 4]"),
    (lambda: nn.MultiheadAttention(4, 2, batch_first=True)(
        X, X, X, attn_mask=sg.input("m", (2, 3), dtype="bool")),
     "ShapeError: multiheadattention: attn_mask must have the shape [3, 3]\n"
     "  at  HERE, layer multiheadattention\n  m   [2, 3]"),
    (lambda: nn.functional.scaled_dot_product_attention(X, sg.input("k", (3, 5)), X),
     "ShapeError: scaled_dot_product_attention: query and key must have the same number of "
     "features, the last axis\n  at  HERE\n  x   [n, 3, 4]\n  k   [3, 5]\n  value  [n, 3, 4]"),
    (lambda: nn.functional.scaled_dot_product_attention(X, X, X, sg.input("m", (3, 3), dtype="int")),
     "DefinitionError: scaled_dot_product_attention: attn_mask must be of booleans or of floats, "
     "but is of int\n  at   HERE"),
    (lambda: nn.TransformerEncoderLayer(4, 2, activation="selu"),
     "DefinitionError: TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function, "
     "not 'selu'\n  at   HERE"),
    (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer, 2),
     "DefinitionError: TransformerEncoder: the layer to repeat is "),
]  # fmt: skip


@pytest.mark.parametrize("define, message", REFUSED, ids=[m[17:70] for _, m in REFUSED])
def test_what_is_refused(define: Callable[[], Any], message: str) -> None:
    assert " ".join(message_of(define).split()).startswith(" ".join(message.split()))
