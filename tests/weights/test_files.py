"""Weights in files: what is saved is what is loaded, in both formats, and nothing else is read."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import nn
from symgrad.errors import OutputError, UnsupportedError, WeightsError
from symgrad.weights import safetensors as safetensors_format

try:
    import safetensors.numpy as package
except ImportError:
    package = None

needs_package = pytest.mark.skipif(package is None, reason="needs the package safetensors")
FORMATS = ["npz", pytest.param("safetensors", marks=needs_package)]
rng = np.random.default_rng(5)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def model_of(net: nn.Module) -> sg.Model:
    x, y = sg.input("x", (sg.dim("n"), 3)), sg.input("y", (sg.dim("n"), 2))
    return sg.Model("small", loss=nn.functional.mse_loss(net(x), y), outputs={"p": net(x)})


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(actual) == list(expected)
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype, name
        np.testing.assert_array_equal(actual[name], array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("suffix", FORMATS)
def test_parameters_return(tmp_path: Path, suffix: str, dtype: Any) -> None:
    net = network()
    module = sg.compile(model_of(net)).load()
    params = module.init_params(seed=1, dtype=dtype)
    path = sg.save_weights(tmp_path / f"small.{suffix}", params)
    for target in (net, model_of(net), sg.compile(model_of(net))):
        loaded, state = sg.load_weights(path, target)
        assert_same(loaded, params)
        assert state == {}
    x, y = rng.normal(size=(5, 3)).astype(dtype), rng.normal(size=(5, 2)).astype(dtype)
    assert module.loss(loaded, x=x, y=y) == module.loss(params, x=x, y=y)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_generated_module_runs_on_an_npz_without_symgrad(tmp_path: Path) -> None:
    compiled = sg.compile(model_of(network()))
    compiled.save(tmp_path)
    params = compiled.load().init_params(seed=3)
    sg.save_weights(tmp_path / "weights.npz", params)
    script = (
        "import sys; sys.modules['symgrad'] = None\n"
        "import numpy as np, small\n"
        "params = dict(np.load('weights.npz'))\n"
        "print(repr(float(small.forward(params, x=np.ones((2, 3))).sum())))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) == compiled.load().forward(params, x=np.ones((2, 3))).sum()


class Counting(nn.Module):
    """A layer with a parameter, and buffers of two kinds."""

    def __init__(self) -> None:
        self.scale = nn.Parameter((3,), init="ones")
        self.total = nn.Buffer((3,))
        self.calls = nn.Buffer((), dtype="int")

    def forward(self, x: Any) -> Any:
        return self.update_state(
            x * self.scale,
            lambda old: {"total": old["total"] + sg.sum(x, axis=0), "calls": old["calls"] + 1},
        )


@pytest.mark.parametrize("suffix", FORMATS)
def test_state_travels_beside_the_parameters(tmp_path: Path, suffix: str) -> None:
    net = nn.Sequential(nn.Tanh(), Counting())
    model = sg.Model("counting", outputs={"y": net(sg.input("x", (sg.dim("n"), 3)))})
    module = sg.compile(model, ["forward"]).load()
    params, start = module.init_params(seed=0), module.init_state()
    y, state = module.forward(params, start, x=np.ones((4, 3)))
    path = sg.save_weights(tmp_path / f"w.{suffix}", params, state)
    for target in (net, model):
        loaded = sg.load_weights(path, target)
        assert_same(loaded.params, params)
        assert_same(loaded.state, state)
    assert list(loaded.state) == ["1.total", "1.calls"] and loaded.state["1.calls"] == 1
    assert sg.load_weights(path, net, np.float32).state["1.calls"].dtype == state["1.calls"].dtype
    again, _ = module.forward(*loaded, x=np.ones((4, 3)))
    np.testing.assert_array_equal(again, y)
    if suffix == "npz":
        arrays = np.load(path)
        assert {k: arrays[k] for k in module.PARAMETERS}.keys() == params.keys()
        assert {k: arrays[k] for k in module.STATE}.keys() == state.keys()
    sg.save_weights(path, params, state | {"1.calls": np.array(1.5)})
    with pytest.raises(WeightsError, match=r"1\.calls holds float64, expected int"):
        sg.load_weights(path, net)


AWKWARD: dict[str, Any] = {
    "fortran": np.asfortranarray(rng.normal(size=(3, 4))),
    "strided": rng.normal(size=(6, 8))[::2, ::-3],
    "big_endian": rng.normal(size=3).astype(">f8"),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 3)),
    "count": np.array(7),
    "mask": np.array([True, False]),
    "file": np.ones(2),  # `np.savez` takes these two as arguments of its own
    "allow_pickle": np.zeros(2),
    "0.deep.weight": np.array([np.nan, np.inf, -0.0, 5e-324]),
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_memory_order_and_names_do_not_matter(tmp_path: Path, suffix: str) -> None:
    path = sg.save_weights(tmp_path / f"w.{suffix}", AWKWARD)
    loaded, _ = sg.load_weights(path)
    assert set(loaded) == set(AWKWARD)
    for name, array in AWKWARD.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].shape == array.shape
        assert loaded[name].dtype == array.dtype.newbyteorder("=")
        assert loaded[name].flags.writeable
    if suffix == "npz":
        read = dict(np.load(path))
        assert set(read) == set(AWKWARD) and all(a.flags.c_contiguous for a in read.values())


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_numbers_make_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    a = sg.save_weights(tmp_path / f"a.{suffix}", AWKWARD).read_bytes()
    turned = {k: np.asfortranarray(v) if v.ndim else v for k, v in AWKWARD.items()}
    assert sg.save_weights(tmp_path / f"b.{suffix}", turned).read_bytes() == a


@pytest.mark.parametrize("suffix", FORMATS)
def test_half_precision_widens_exactly(tmp_path: Path, suffix: str) -> None:
    halves = rng.normal(size=(4, 3)).astype(np.float16)
    path = sg.save_weights(tmp_path / f"w.{suffix}", {"w": halves, "k": np.arange(3)})
    (params, _) = sg.load_weights(path)
    assert params["w"].dtype == np.float32 and params["k"].dtype == np.int64
    np.testing.assert_array_equal(params["w"], halves)
    assert sg.load_weights(path, dtype=np.float64).params["w"].dtype == np.float64


@needs_package
def test_bfloat16_widens_exactly(tmp_path: Path) -> None:
    exact = np.array([1.0, -2.5, 3.0e38, 1.0e-40, np.inf, 0.15625], np.float32)
    bits = (exact.view(np.uint32) >> 16).astype("<u2")
    kept = (bits.astype(np.uint32) << 16).view(np.float32)
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}}).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bits.tobytes())
    np.testing.assert_array_equal(sg.load_weights(path).params["w"], kept.reshape(2, 3))


@needs_package
def test_pytorchs_own_files_are_read_and_ours_by_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    params, _ = sg.load_weights(tmp_path / "theirs.safetensors", network())
    assert_same(params, {k: v.numpy() for k, v in theirs.state_dict().items()})
    sg.save_weights(tmp_path / "ours.safetensors", params)
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))


def test_one_error_lists_all_that_does_not_fit(tmp_path: Path) -> None:
    path = sg.save_weights(
        tmp_path / "w.npz",
        {"0.weight": np.zeros((3, 4)), "0.bias": np.zeros(4, int), "extra.weight": np.zeros(2)},
    )
    with pytest.raises(WeightsError) as caught:
        sg.load_weights(path, model_of(network()))
    assert str(caught.value) == (
        f"{path} does not fit the model small\n"
        "  missing     2.weight, 2.bias\n"
        "  unexpected  extra.weight\n"
        "  wrong       0.bias holds int64, expected float; 0.weight is [3, 4], expected [4, 3]\n"
        "  fix         load weights of the same definition, or rename its keys"
    )
    with pytest.raises(WeightsError, match="does not fit the module Sequential\n"):
        sg.load_weights(path, network())


def test_long_lists_are_cut(tmp_path: Path) -> None:
    path = sg.save_weights(tmp_path / "w.npz", {f"w{i:02}": np.zeros(1) for i in range(20)})
    with pytest.raises(WeightsError, match=r"w07, and 12 more\n"):
        sg.load_weights(path, nn.Linear(1, 1, bias=False))


def test_a_dimension_takes_the_size_that_comes(tmp_path: Path) -> None:
    d = sg.dim("d")
    w, v = sg.parameter("w", (d,)), sg.parameter("v", (d, d + 1))
    model = sg.Model("sized", loss=sg.sum(w**2) + sg.sum(v**2))
    good = sg.save_weights(tmp_path / "good.npz", {"w": np.ones(3), "v": np.ones((3, 4))})
    assert sg.load_weights(good, model).params["w"].shape == (3,)
    bad = sg.save_weights(tmp_path / "bad.npz", {"w": np.ones(3), "v": np.ones((3, 3))})
    with pytest.raises(WeightsError, match=r"v is \[3, 3\], expected \[3, 4\]"):
        sg.load_weights(bad, model)


def test_a_shared_layer_may_come_under_each_of_its_names(tmp_path: Path) -> None:
    shared = nn.Linear(3, 3)
    net = nn.Sequential(shared, nn.Tanh(), shared)
    once = {"0.weight": rng.normal(size=(3, 3)), "0.bias": np.zeros(3)}
    twice = once | {"2.weight": once["0.weight"], "2.bias": once["0.bias"]}
    path = sg.save_weights(tmp_path / "w.npz", twice)
    assert_same(sg.load_weights(path, net).params, once)
    only_last = {k: v for k, v in twice.items() if k.startswith("2.")}
    assert_same(sg.load_weights(sg.save_weights(path, only_last), net).params, once)
    twice["2.bias"] = np.ones(3)
    sg.save_weights(path, twice)
    with pytest.raises(WeightsError, match=r"2\.bias is the same tensor as 0\.bias, but holds other"):
        sg.load_weights(path, net)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="w holds object, which is no type of weights"):
        sg.save_weights(tmp_path / "w.npz", {"w": np.array([object()])})
    np.savez(tmp_path / "pickled.npz", w=np.array([{}], dtype=object))
    with pytest.raises(WeightsError, match=r"is not an \.npz file of plain arrays"):
        sg.load_weights(tmp_path / "pickled.npz")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"w\.pt: the suffix says the format, and \.pt is not known"):
        sg.load_weights(tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"cannot read .*: No such file"):
        sg.load_weights(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    np.save(tmp_path / "one.npy", np.ones(2))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    whole = sg.save_weights(tmp_path / "whole.npz", AWKWARD).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(tmp_path / "stray.npz", "w") as archive:
        archive.writestr("notes.txt", "hello")
    for name in ("text", "one", "empty", "cut", "stray"):
        with pytest.raises(WeightsError, match=r"is not an \.npz file of plain arrays"):
            sg.load_weights(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "complex.npz", w=np.ones(2) * 1j)
    with pytest.raises(WeightsError, match="w holds complex128"):
        sg.load_weights(tmp_path / "complex.npz")


@needs_package
def test_broken_safetensors_are_refused(tmp_path: Path) -> None:
    whole = sg.save_weights(tmp_path / "w.safetensors", AWKWARD).read_bytes()
    for content in (b"", b"hello", whole[:-8]):
        (tmp_path / "w.safetensors").write_bytes(content)
        with pytest.raises(WeightsError, match="is not a safetensors file"):
            sg.load_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_failed_save_leaves_what_was_there(tmp_path: Path, suffix: str) -> None:
    path = sg.save_weights(tmp_path / f"w.{suffix}", {"w": np.ones(2)})
    before = path.read_bytes()
    with pytest.raises(WeightsError):
        sg.save_weights(path, {"w": np.ones(2, complex)})
    with pytest.raises(OutputError, match="cannot write"):
        sg.save_weights(tmp_path / "nowhere" / path.name, {"w": np.ones(2)})
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_without_the_package_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert safetensors_format.TYPES
    for action in (
        lambda path: sg.save_weights(path, {"w": np.ones(2)}),
        lambda path: sg.load_weights(path),
    ):
        with pytest.raises(UnsupportedError, match=r"pip install 'symgrad\[safetensors\]'"):
            action(tmp_path / "w.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(tmp_path: Path) -> None:
    path = sg.save_weights(tmp_path / "w.npz", {"w": np.ones(2, np.float32), "v": np.ones(2)})
    with pytest.raises(WeightsError, match="mixes float32 and float64"):
        sg.load_weights(path)
    assert sg.load_weights(path, dtype="float32").params["v"].dtype == np.float32
    for dtype in (np.int64, np.float16, "nonsense"):
        with pytest.raises(WeightsError, match="weights cannot be loaded as"):
            sg.load_weights(path, dtype=dtype)
    with pytest.raises(UnsupportedError, match="with a model or a layer, not with str"):
        sg.load_weights(path, "small", np.float64)
    with pytest.raises(WeightsError, match="w is both among the parameters and in the state"):
        sg.save_weights(path, {"w": np.ones(2)}, {"w": np.ones(2)})
