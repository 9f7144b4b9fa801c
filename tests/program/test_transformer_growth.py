"""A stack of transformer blocks: each adds the same to the program, and nothing is made twice."""

from __future__ import annotations

import ast
from functools import cache

import pytest

import symgrad as sg
from symgrad import nn
from symgrad.compiler import Compiled
from symgrad.program.verify import verify


@cache
def compiled(blocks: int) -> Compiled:
    """Pre-norm causal blocks over an embedding, with a symbolic batch size and length."""
    n, t = sg.dim("n"), sg.dim("t")
    tokens, y = (sg.input(name, (n, t), dtype="int") for name in ("tokens", "y"))
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
    network = nn.TransformerEncoder(layer, blocks, nn.LayerNorm(8))
    mask = nn.Transformer.generate_square_subsequent_mask(t)
    table, head = nn.Embedding(5, 8), nn.Linear(8, 5)
    table.name, head.name = "table", "head"
    scores = head(network(table(tokens), mask, is_causal=True))
    loss = nn.functional.cross_entropy(sg.transpose(scores, (0, 2, 1)), y)
    return sg.compile(sg.Model("blocks", loss=loss), emit=["value_and_grad"])


def statements(model: Compiled) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(model.source)))


def test_blocks_add_the_same_anywhere() -> None:
    four, six, eight = (compiled(blocks) for blocks in (4, 6, 8))
    assert statements(eight) - statements(four) == 2 * (statements(six) - statements(four))
    lines = [len(each.source.splitlines()) for each in (four, six, eight)]
    # a name with a longer number may break a line more
    assert lines[2] - lines[0] == pytest.approx(2 * (lines[1] - lines[0]), abs=12)


def test_attention_is_products_of_views() -> None:
    verify(compiled(4).plans[0])
    source = compiled(4).source
    assert "einsum" not in source
    assert source.count("-np.inf") == 1  # one causal mask for all blocks
    lines = compiled(4).plans[0].program.instructions
    of_heads = [line for line in lines if line.op == "matmul" and len(line.result.shape) == 4]
    assert len(of_heads) == 4 * 6
    assert source.count("= _ndtr(") == 4  # its slope uses the value


def test_no_array_of_scores_beyond_what_the_backward_pass_reads() -> None:
    """Of each block the weights are kept; scores, shifted scores and exponentials are they."""
    plan = compiled(4).plans[0]
    n, t = (sg.dim(name) for name in "nt")
    owned = {
        plan.buffer[line.result]
        for line in plan.program.instructions
        if line.result.base is None and line.result.size == 2 * n * t**2
    }
    assert len(owned) == 4 + 1  # and one for the gradients of scores
