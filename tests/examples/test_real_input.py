"""The examples on real input reach what the README says, from their modules and NumPy alone."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from examples import cart_pole, generate, text, train_reinforce, train_waveforms
from examples.adam import Adam, clip

SCRIPTS = ("train_reinforce", "train_waveforms", "train_digits_cnn", "train_char_lstm",
           "train_tiny_transformer")  # fmt: skip


def test_a_policy_learns_to_balance_the_pole() -> None:
    before, after = train_reinforce.main()
    assert before < 30
    assert after >= 195


def test_small_steps_along_the_input_gradient_fool_the_digits_network(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("sklearn")
    from examples import attack_digits

    reached = attack_digits.main()
    clean, _ = reached[0.0]
    under_attack, under_noise = zip(*(reached[epsilon] for epsilon in (0.1, 0.2)), strict=True)
    assert clean >= 0.96
    assert under_attack[0] < 0.6
    assert under_attack[1] < 0.1
    assert min(under_noise) > 0.9
    shown = capsys.readouterr().out.splitlines()[-8:]
    assert {len(line) for line in shown} == {16 + len("   |   ") + 16}


def test_the_convolutional_net_reads_99_percent_of_the_digits() -> None:
    pytest.importorskip("sklearn")
    from examples import train_digits_cnn

    assert train_digits_cnn.main() >= 0.989


def test_the_shapes_of_waves_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert train_waveforms.main() >= 0.98
    table = [line.split() for line in capsys.readouterr().out.splitlines()[-6:-1]]
    assert tuple(name for name, *_ in table) == train_waveforms.SHAPES
    assert sum(int(count) for _, *row in table for count in row) == 1000


@pytest.mark.slow
def test_the_recurrent_model_halves_the_entropy_of_a_text() -> None:
    from examples import train_char_lstm

    bits, entropy = train_char_lstm.main()
    assert bits < 0.5 * entropy


@pytest.mark.slow
def test_the_transformer_more_than_halves_the_entropy_of_a_text() -> None:
    from examples import train_tiny_transformer

    bits, entropy = train_tiny_transformer.main()
    assert bits < 0.45 * entropy


def test_the_scripts_need_no_symgrad() -> None:
    pytest.importorskip("sklearn")
    code = "import sys; sys.modules['symgrad'] = sys.modules['sympy'] = None; " + "; ".join(
        f"import examples.{name}" for name in (*SCRIPTS, "attack_digits")
    )
    root = generate.HERE.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_pole_falls_to_the_side_that_it_leans_to_and_a_push_moves_the_cart() -> None:
    states = np.array([[0, 0, 0.1, 0], [0, 0, -0.1, 0], [2.4, 1, 0, 0], [0, 0, 0.209, 2]], float)
    after, stands = cart_pole.push(states, np.array([0, 1, 1, 0]))
    assert after[0, 3] > 0 > after[1, 3]
    assert after[0, 1] < 0 < after[1, 1]
    assert stands.tolist() == [True, True, False, False]


def test_advantages_have_no_mean_at_any_step_and_are_nothing_after_the_end() -> None:
    standing = np.arange(6)[:, None] < np.array([2, 5, 6, 6])
    advantage = train_reinforce.advantages(standing)
    assert advantage.sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-12)
    assert not advantage[~standing].any()
    assert np.argsort(advantage[0]).tolist()[:2] == [0, 1]  # the shortest were the worst


def test_what_is_held_out_of_the_text_was_not_seen() -> None:
    train, held_out = (text.decoded(part) for part in text.help_texts())
    seen = set(train.split("\n\n"))
    assert len(train) > 200_000
    assert len(held_out) > 10_000
    assert not seen & set(held_out.split("\n\n")[1:])


def test_entropy_and_extracts_of_a_text() -> None:
    codes = text.encoded("abcd" * 50 + "\u00e9")
    assert text.decoded(codes) == "abcd" * 50
    assert text.unigram_entropy(codes) == pytest.approx(2)
    pieces = text.extracts(codes, 100, 5, np.random.default_rng(0))
    assert pieces.shape == (100, 5)
    assert {text.decoded(piece) for piece in pieces} == {"abcda", "bcdab", "cdabc", "dabcd"}
    assert text.extracts(codes, 1, 200, np.random.default_rng(0)).tolist() == [codes.tolist()]


def test_adam_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    params = {"a": rng.standard_normal(3), "b": rng.standard_normal((2, 2))}
    theirs = [torch.tensor(value.copy(), requires_grad=True) for value in params.values()]
    ours, reference = Adam(params, 0.01), torch.optim.Adam(theirs, 0.01)
    for _ in range(5):
        grads = {name: rng.standard_normal(value.shape) for name, value in params.items()}
        for tensor, gradient in zip(theirs, grads.values(), strict=True):
            tensor.grad = torch.tensor(gradient)
        ours.step(grads)
        reference.step()
    for value, tensor in zip(params.values(), theirs, strict=True):
        assert value == pytest.approx(tensor.detach().numpy(), rel=1e-12)


def test_clipping_keeps_the_direction() -> None:
    grads = {"a": np.array([3.0]), "b": np.array([0.0, 4.0])}
    assert clip(grads, 10) == pytest.approx(5)
    assert grads["b"].tolist() == [0, 4]
    assert clip(grads, 1) == pytest.approx(5)
    assert grads["a"] == pytest.approx([0.6])
    assert grads["b"] == pytest.approx([0, 0.8])
