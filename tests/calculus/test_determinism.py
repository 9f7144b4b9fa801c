"""The same derivation, line by line, whatever order Python's hashes take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SCRIPT = """
from random_programs import LEAVES, as_python, program
from symgrad.calculus.derivatives import hessian
from symgrad.calculus.journal import Journal
from symgrad.calculus.reverse import gradients
from symgrad.expr.contraction import sum_over
from symgrad.expr.reindex import Concat, Reshape

for seed in range(6):
    loss = sum_over(program(seed, 8), [0])
    journal = Journal()
    slopes = gradients(loss, LEAVES, journal=journal)
    blocks = [block for row in hessian(loss, list(LEAVES)) for block in row]
    print(as_python(Concat(0, *(Reshape(y, (y.size,)) for y in [*slopes, *blocks]))))
    for step in journal.steps:
        print(step.number, step.kind, step.rule, step.node, step.position, step.result)
"""


def derived_text(seed: str) -> str:
    paths = [str(TESTS / "calculus"), str(TESTS), str(TESTS.parent)]
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_the_hash_seed_does_not_matter():
    first, second = derived_text("0"), derived_text("4242")
    assert first.count("\n") > 500
    assert first == second
