"""`scale_grad_by_freq` and `max_norm`: what comparing with PyTorch's own layers cannot show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import nn

rng = np.random.default_rng(47)
n = sg.dim("n")
TABLE = rng.normal(size=(5, 3))
INDEX = np.array([[1, 1, 3], [4, 1, 3]])


def model_of(rows: sg.Node) -> sg.Model:
    """A loss that is not linear in the rows."""
    return sg.Model("m", loss=sg.sum(sg.sin(rows) * rows), outputs={"rows": rows})


def looked_up(**options: Any) -> sg.Node:
    index = sg.input("index", (sg.dim("m"), n), dtype="int")
    return nn.functional.embedding(index, sg.parameter("table", (5, 3)), **options)


def slopes(rows: sg.Node, table: Any = TABLE, **inputs: Any) -> Any:
    net = sg.compile(model_of(rows), ["value_and_grad"]).load()
    return net.value_and_grad({"table": table}, **inputs)[1]["table"]


def test_a_scaled_gradient_costs_nothing_forward() -> None:
    plain, scaled = (
        sg.compile(model_of(looked_up(scale_grad_by_freq=each)), ["forward"]).source
        for each in (False, True)
    )
    begin, end = "def forward(", "\ndef "
    assert scaled.split(begin)[1].split(end)[0] == plain.split(begin)[1].split(end)[0]


def test_the_largest_norm_is_kept_to_and_shorter_rows_stay() -> None:
    net = sg.compile(model_of(looked_up(max_norm=1.5)), ["forward"]).load()
    rows = net.forward({"table": TABLE}, index=INDEX)
    long = np.linalg.norm(TABLE[INDEX], axis=-1) > 1.5
    assert long.any() and not long.all()
    np.testing.assert_array_equal(rows[~long], TABLE[INDEX][~long])
    np.testing.assert_allclose(np.linalg.norm(rows[long], axis=-1), 1.5, rtol=1e-6)


def test_the_gradient_is_that_of_the_plain_lookup_where_neither_option_acts() -> None:
    """Each index once, no long row: then it is a derivative, so differences agree too."""
    options = {"scale_grad_by_freq": True, "max_norm": 10.0}
    once = np.array([[4, 0], [2, 1]])
    found = slopes(looked_up(**options), index=once)
    np.testing.assert_allclose(found, slopes(looked_up(), index=once), rtol=1e-14)
    loss = sg.compile(model_of(looked_up(**options)), ["loss"]).load().loss
    along, h = rng.normal(size=TABLE.shape), 1e-6
    up, down = (loss({"table": TABLE + s * along}, index=once) for s in (h, -h))
    assert np.sum(found * along) == pytest.approx((up - down) / (2 * h), rel=1e-8)


def test_gradients_and_hessian_are_jaxs_with_the_rest_held_fixed() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, held = jax.numpy, jax.lax.stop_gradient

    def loss(table: Any) -> Any:
        rows, counts = table[INDEX], jnp.bincount(INDEX.ravel(), length=5)
        moved = rows / counts[INDEX, None]
        norm = jnp.linalg.norm(rows, axis=-1, keepdims=True)
        value = rows * jnp.where(norm > 1.5, 1.5 / (norm + 1e-7), 1)
        rows = moved + held(value - moved)
        rows = jnp.where((INDEX == 3)[..., None], held(rows), rows)
        return jnp.sum(jnp.sin(rows) * rows)

    rows = looked_up(scale_grad_by_freq=True, max_norm=1.5, padding_idx=3)
    net = sg.compile(model_of(rows), ["value_and_grad", "hessian", "hvp"]).load()
    value, grads = net.value_and_grad({"table": TABLE}, index=INDEX)
    assert value == pytest.approx(float(loss(TABLE)), rel=1e-13)
    np.testing.assert_allclose(grads["table"], jax.grad(loss)(TABLE), rtol=1e-12, atol=1e-14)
    blocks, expected = net.hessian({"table": TABLE}, index=INDEX), jax.hessian(loss)(TABLE)
    np.testing.assert_allclose(blocks["table"]["table"], expected, rtol=1e-12, atol=1e-14)
    along = rng.normal(size=TABLE.shape)
    product = net.hvp({"table": TABLE}, {"table": along}, index=INDEX)["table"]
    np.testing.assert_allclose(product, np.tensordot(expected, along, 2), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_a_bag_divides_by_the_count_of_its_own_row(mode: str) -> None:
    """PyTorch's own bags do not on CPU (its issue 190063); its single lookups do."""
    torch = pytest.importorskip("torch")
    table = torch.tensor(TABLE, requires_grad=True)
    rows = torch.nn.functional.embedding(torch.tensor(INDEX), table, scale_grad_by_freq=True)
    bags = rows.sum(1) if mode == "sum" else rows.mean(1)
    (expected,) = torch.autograd.grad((torch.sin(bags) * bags).sum(), table)
    index, leaf = sg.input("index", (2, 3), dtype="int"), sg.parameter("table", (5, 3))
    options = {"mode": mode, "scale_grad_by_freq": True}
    ours = nn.functional.embedding_bag(index, leaf, **options)
    np.testing.assert_allclose(slopes(ours, index=INDEX), expected.numpy(), rtol=1e-12, atol=1e-14)
    flat = sg.input("index", (n,), dtype="int")
    ours = nn.functional.embedding_bag(flat, leaf, np.array([0, 3]), **options)
    found = slopes(ours, index=INDEX.ravel())
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-12, atol=1e-14)


def test_counting_is_linear_in_the_number_of_indices() -> None:
    """A table of all pairs of these would not fit into any memory."""
    many = rng.integers(0, 5, (1, 300_000))
    found = slopes(looked_up(scale_grad_by_freq=True), index=many)
    np.testing.assert_allclose(found, np.sin(TABLE) + TABLE * np.cos(TABLE), rtol=1e-9)


def test_an_index_from_the_end_counts_for_its_row() -> None:
    rows = looked_up(scale_grad_by_freq=True, max_norm=1.0)
    found = slopes(rows, index=np.array([[4, -1, 0]]))
    np.testing.assert_allclose(found, slopes(rows, index=np.array([[4, 4, 0]])), rtol=1e-14)


def test_a_frozen_table_is_renormed_and_has_no_gradient() -> None:
    table = sg.parameter("table", (5, 3))
    layer = nn.Embedding.from_pretrained(table, max_norm=1.0, scale_grad_by_freq=True)
    rows = layer(sg.input("index", (2, 3), dtype="int"))
    assert not np.any(slopes(rows, index=INDEX))
    net = sg.compile(model_of(rows), ["forward"]).load()
    norms = np.linalg.norm(net.forward({"table": TABLE}, index=INDEX), axis=-1)
    assert norms.max() < 1 + 1e-12


def test_no_rows_and_an_infinite_row() -> None:
    rows = looked_up(scale_grad_by_freq=True, max_norm=2.0)
    assert not np.any(slopes(rows, index=np.zeros((0, 3), np.int64)))
    plain = sg.compile(model_of(looked_up(scale_grad_by_freq=True)), ["forward"]).load()
    table = np.where(np.arange(5)[:, None] == 1, np.inf, TABLE)
    np.testing.assert_array_equal(plain.forward({"table": table}, index=INDEX), table[INDEX])
