"""A node as one line of mathematics in terms of named tensors: `d_z @ W2.T`, `sum(e, axis=1)`.

Code comments, errors and derivations print their formulas here, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.detached import Detached
from symgrad.expr.formula import text as formula_text
from symgrad.expr.leaf import Arange, Constant, Identity, Named, Table
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import Reduction
from symgrad.expr.reindex import Concat, Embed, Indexed, Reshape, ScatterAdd, ScatterAlong, Slice
from symgrad.expr.scan import Bound, Final, Scan, Stacked
from symgrad.expr.slots import fold, slot, slot_index
from symgrad.expr.step_index import last_index
from symgrad.expr.window import Windowed

NameOf = Callable[[Node], str | None]

INDEX_LETTERS = "ijklmnpqrstuvwxyz"
REDUCTION_NAMES = {
    "Max": "max", "Min": "min", "ArgMax": "argmax", "ArgMin": "argmin", "Prod": "prod",
    "LogSumExp": "logsumexp", "CumSum": "cumsum", "ProdOthers": "prod_of_others",
}  # fmt: skip


def equation(node: Node, name_of: NameOf) -> str:
    """`name = formula` for a node that `name_of` knows."""
    return f"{name_of(node)} = {right_side(node, name_of)}"


def right_side(node: Node, name_of: NameOf) -> str:
    """What `node` is computed as, its operands by name where they have one."""
    if isinstance(node, Map):
        bracketed = _bracketed(node.formula)
        # where one operand has all axes, it is plain how the others meet it
        is_plain = any(o.shape == node.shape and not _is_silent(o, name_of) for o in node.operands)
        written = reference if is_plain else _with_new_axes
        names = [written(o, name_of, i not in bracketed) for i, o in enumerate(node.operands)]
        if len(set(names)) < len(names):  # they differ in how they are stretched, so that is told
            names = [
                _with_new_axes(o, name_of, i not in bracketed) for i, o in enumerate(node.operands)
            ]
        return str(formula_text(_with_complements(node), names))
    if isinstance(node, Contraction):
        return _contraction(node, name_of)
    if isinstance(node, Named):
        return node.name
    if isinstance(node, Constant):
        return number_text(node.value)
    if isinstance(node, Arange):
        return f"arange({node.shape[0]})"
    if isinstance(node, Identity):
        return f"eye({node.shape[0]})"
    if isinstance(node, Table):
        shown = ", ".join(number_text(v) for v in node.values[:6])
        return f"[{shown}{', ...' if len(node.values) > 6 else ''}]"
    if isinstance(node, Bound):
        return node.name
    if isinstance(node, Scan | Final | Stacked):
        return _of_scan(node, name_of)
    names = [reference(operand, name_of) for operand in node.operands]
    if isinstance(node, LinearAlgebra):
        return node.written(names)
    if isinstance(node, Reduction):
        return f"{REDUCTION_NAMES[type(node).__name__]}({names[0]}, axis={node.axis})"
    if isinstance(node, Detached):
        return f"stop_gradient({names[0]})"
    if isinstance(node, Reshape):
        return _reshape(node, names[0])
    if isinstance(node, Slice):
        return f"{names[0]}[{_box(node)}]"
    if isinstance(node, Embed):
        return f"zeros with [{_box(node)}] = {names[0]}"
    if isinstance(node, Windowed):
        return _windowed(node, names[0])
    if isinstance(node, Concat):
        return f"concat({', '.join(names)}, axis={node.axis})"
    if isinstance(node, ScatterAdd | ScatterAlong):
        if isinstance(node.source, Constant) and node.source.value == 1:
            return f"onehot({_unwrapped(names[1])})"
        return f"scatter({names[0]}, {_unwrapped(names[1])}, axis={node.axis})"
    if isinstance(node, Indexed):
        function = "take" if type(node).__name__ == "Take" else "take_along_axis"
        return f"{function}({names[0]}, {_unwrapped(names[1])}, axis={node.axis})"
    return f"{type(node).__name__}({', '.join(names)})"


@lru_cache(maxsize=4096)
def _bracketed(formula: sympy.Expr) -> frozenset[int]:
    """The slots that occur in `formula` where a product would need brackets."""
    found: set[int] = set()

    def note(part: Any, below: tuple[None, ...]) -> None:
        is_root = part.is_Pow and part.exp == sympy.S.Half  # printed as sqrt(...)
        if not is_root and not isinstance(part, sympy.Add | sympy.Function):
            found.update(i for i in map(slot_index, part.args) if i is not None)

    fold(formula, note)
    return frozenset(found)


def _with_complements(node: Map) -> sympy.Expr:
    """The formula with `1 - y` for s(-x) where y = s(x) is an operand: as it is read on paper."""
    position = {x: i for i, x in enumerate(node.operands)}
    complements = {
        f.sigmoid(-slot(position[y.operands[0]])): 1 - slot(j)
        for j, y in enumerate(node.operands)
        if isinstance(y, Map) and y.formula == f.sigmoid(slot(0)) and y.operands[0] in position
    }
    return node.formula.xreplace(complements) if complements else node.formula


def reference(node: Node, name_of: NameOf, is_term: bool = False) -> str:
    """`node` as an operand: its name, or its formula in brackets if it needs them.

    `is_term`: it stands as a term of a sum, where a product needs no brackets.
    """
    name = name_of(node)
    if name is not None:
        return name
    if _is_silent(node, name_of):
        return reference(node.operands[0], name_of, is_term)  # broadcasting needs no ink
    inner = right_side(node, name_of)
    if is_term and _is_atomic(inner.replace(" @ ", "").replace(" * ", "")):
        return inner
    return inner if _is_atomic(inner) else f"({inner})"


def _is_silent(node: Node, name_of: NameOf) -> bool:
    """Whether `node` only stretches its operand along new axes, and is written as that."""
    if name_of(node) is not None or not isinstance(node, Contraction):
        return False
    return node.is_view and _is_spread(node)


def _with_new_axes(node: Node, name_of: NameOf, is_term: bool) -> str:
    """The operand of a broadcast as NumPy reads it: `a[:, None]`; new axes in front are silent."""
    if not _is_silent(node, name_of):
        return reference(node, name_of, is_term)
    assert isinstance(node, Contraction)
    inner, own = node.operands[0], node.indices[0]
    marks = [":" if i in own else "None" for i in node.output]
    while marks and marks[0] == "None":
        del marks[0]
    while "None" in marks and marks[-1] == ":":
        del marks[-1]
    if "None" not in marks or not set(own) <= set(node.output):
        return reference(inner, name_of, is_term)
    return f"{reference(inner, name_of)}[{', '.join(marks)}]"


def number_text(number: sympy.Expr) -> str:
    """A number or arithmetic of dimensions, as short as it can be read back."""
    if isinstance(number, sympy.Float):
        return repr(float(number))
    return str(number)


def _is_atomic(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in " +-*/<>=":
            return False
    return True


def _unwrapped(text: str) -> str:
    return text.removesuffix("[:, None]")


def _is_spread(node: Contraction) -> bool:
    kept = [i for i in node.output if i in node.indices[0]]
    return kept == [i for i in node.indices[0] if i in node.output]


def _reshape(node: Reshape, name: str) -> str:
    old, new = node.operands[0].shape, node.shape
    if len(new) == len(old) + 1 and new[:-1] == old and new[-1] == 1:
        return f"{name}[{', '.join([':'] * len(old))}, None]"
    if len(new) < len(old) and tuple(s for s in old if s != 1) == tuple(s for s in new if s != 1):
        return f"squeeze({name})"
    return f"reshape({name}, [{', '.join(map(str, new))}])"


def _of_scan(node: Scan | Final | Stacked, name_of: NameOf) -> str:
    """`h[T-1]` for the last state, the name of a tensor of a step for all of them."""
    if isinstance(node, Stacked):
        return reference(node.inner, name_of)
    scan = node if isinstance(node, Scan) else node.scan
    states = [name_of(state) or right_side(state, name_of) for state in scan.step.carried]
    if isinstance(node, Final):
        return f"{states[node.index]}[{last_index(scan, node.state)}]"
    return f"scan({', '.join(states)})"


def _windowed(node: Windowed, name: str) -> str:
    kind = type(node).__name__.lower()
    extent = "length" if kind == "overlap" else "size"
    given = {"stride": node.stride, "dilation": node.dilation}
    steps = [f"{key}={value}" for key, value in given.items() if value != 1]
    return f"{kind}({', '.join([name, f'axis={node.axis}', f'{extent}={node.args[2]}', *steps])})"


def _box(node: Slice | Embed) -> str:
    sizes = node.operands[0].shape if isinstance(node, Embed) else node.shape
    parts: list[str] = []
    for (start, extent, step), size in zip(node.box, sizes, strict=True):
        whole = node.operands[0].shape[len(parts)] if isinstance(node, Slice) else extent
        if start == 0 and step == 1 and size == whole:
            parts.append(":")
        elif step == 1:
            parts.append(f"{start}:{start + size}")
        elif step < 0:
            parts.append(f"{start}::{step}")
        else:
            parts.append(f"{start}::{step}")
    return ", ".join(parts)


def _contraction(node: Contraction, name_of: NameOf) -> str:
    names = [reference(operand, name_of) for operand in node.operands]
    body = _matrix_form(node, names) or _index_form(node, names)
    return _scaled(node.scale, body)


def _scaled(scale: sympy.Expr, body: str) -> str:
    if scale == 1:
        return body
    bracketed = (
        body if _is_atomic(body) or (" + " not in body and " - " not in body) else f"({body})"
    )
    if scale == -1:
        return f"-{bracketed}"
    numerator, denominator = sympy.fraction(scale)
    if numerator in (1, -1):
        below = str(denominator)
        below = below if _is_atomic(below) else f"({below})"
        return f"{'-' if numerator == -1 else ''}{bracketed} / {below}"
    factor = number_text(scale)
    return f"{factor if _is_atomic(factor) or denominator != 1 else f'({factor})'} * {bracketed}"


def _matrix_form(node: Contraction, names: list[str]) -> str | None:
    """The contraction as sums, transposes and `@`, if it is one of these."""
    output = list(node.output)
    if not node.operands:
        return "1"
    if len(node.operands) == 1:
        (indices,) = node.indices
        gone = [a for a, i in enumerate(indices) if i not in output]
        kept = [i for i in indices if i in output]
        if len(set(indices)) < len(indices):
            if len(indices) == 2 and not output:
                return f"trace({names[0]})"
            if len(indices) == 2 and output == [indices[0]]:
                return f"diag({names[0]})"
            return None
        body = names[0]
        if gone and not kept:
            body = f"sum({_bare(body)})"
        elif gone:
            axes = str(gone[0]) if len(gone) == 1 else str(tuple(gone))
            body = f"sum({_bare(body)}, axis={axes})"
        shared = [i for i in output if i in kept]
        if shared != kept:
            if len(kept) == 2:
                body = f"{body}.T"
            else:
                body = f"transpose({_bare(body)}, {tuple(kept.index(i) for i in shared)})"
        return body
    scalars = [name for name, indices in zip(names, node.indices, strict=True) if not indices]
    if scalars:
        rest = [k for k, indices in enumerate(node.indices) if indices]
        if not rest:
            return " * ".join(names)
        inner = contract(node.output, [node.terms[k] for k in rest], sizes=node.sizes)
        assert isinstance(inner, Contraction)
        form = _matrix_form(inner, [names[k] for k in rest])
        if form is None:
            return None
        bracketed = form if _is_atomic(form.replace(" @ ", "")) else f"({form})"
        return " * ".join([*scalars, bracketed])
    if len(node.operands) > 2:
        return None
    left, right = (list(indices) for indices in node.indices)
    a, b = names
    if not all(len(set(i)) == len(i) for i in (left, right)):
        return None
    shared = [i for i in left if i in right]
    contracted = [i for i in shared if i not in output]
    if not contracted and set(output) == set(left) | set(right):
        if not shared and output == left + right and len(left) == len(right) == 1:
            return f"outer({_bare(a)}, {_bare(b)})"
        if output == left == right:
            return f"{a} * {b}"
        return None
    if len(contracted) == 1 and len(shared) == 1 and max(len(left), len(right)) <= 2:
        (k,) = contracted
        rows = [i for i in left if i != k]
        columns = [i for i in right if i != k]
        if set(rows + columns) != set(output):
            return None
        if rows + columns != output:
            a, b, left, right, rows, columns = b, a, right, left, columns, rows
        a = a if len(left) == 1 or left[-1] == k else _transposed(a)
        b = b if len(right) == 1 or right[0] == k else _transposed(b)
        return f"{a} @ {b}"
    if contracted == shared and left == right and not output:
        return f"sum({a} * {b})"
    return None


def _transposed(text: str) -> str:
    return text.removesuffix(".T") if text.endswith(".T") else f"{text}.T"


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") and text.endswith(")") and _is_atomic(text) else text


def _index_form(node: Contraction, names: list[str]) -> str:
    """Einstein notation with explicit indices: `sum_jk a[i,j,k] b[k,j]`."""
    letter = {index: INDEX_LETTERS[k % len(INDEX_LETTERS)] for k, index in enumerate(node.sizes)}
    product = " ".join(
        f"{name}[{','.join(letter[i] for i in indices)}]" if indices else name
        for name, indices in zip(names, node.indices, strict=True)
    )
    summed = "".join(letter[i] for i in node.summed)
    result = ",".join(letter[i] for i in node.output)
    return f"[{result}] sum_{summed} {product}" if summed else f"[{result}] {product}"
