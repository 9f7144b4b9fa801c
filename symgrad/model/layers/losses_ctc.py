"""Connectionist temporal classification: labels without their places, by a scan in log space.

    alpha[t, s] = log_p[t, label s] + log(e^alpha[t-1, s] + e^alpha[t-1, s-1] + e^alpha[t-1, s-2])

alpha is the forward variable of the labels with a blank before, between and after them; the last
term counts only from one label to another that differs.  [Graves et al. 2006, equations 5 to 8]
The backward variable is not written anywhere: it is the derivative of this scan.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.dimension import Shape, same, same_shape, shape_text
from symgrad.expr.leaf import Arange, Constant, Table
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.expr.reduction import CumSum, LogSumExp
from symgrad.expr.reindex import Take, TakeAlong
from symgrad.model.layers.losses import REDUCTIONS, Loss
from symgrad.model.operations.joining import concat, stack
from symgrad.model.operations.operation import operation, whole_number
from symgrad.model.operations.scan import scan
from symgrad.model.operations.shaping import reshape, stretched

# The logarithm of what is impossible: finite, so that differences of two of them are no NaN, and
# far below the logarithm of anything possible in float32.
IMPOSSIBLE = sympy.Float(-1e30)


@operation
def ctc_loss(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any,
             blank: int = 0, reduction: str = "mean",
             zero_infinity: bool = False) -> Node:  # fmt: skip
    """Minus the log-probability of the labels `targets`, over all their alignments.

    log_probs: [t, n, classes] (logarithms of probabilities, from log_softmax) or [t, classes].
    targets: class indices, none of them `blank`: [n, s], padded with anything beyond
    target_lengths, or for a batch all labels one after the other along one axis, of which what is
    beyond the sum of target_lengths is not read; [s] for one sequence.
    input_lengths, target_lengths: [n] whole numbers, tensors or tuples. A mean is over n, of each
    loss divided by its target length. Labels that do not fit into the input have an infinite loss,
    or 0 with `zero_infinity`; their gradient is 0.
    """
    if reduction not in REDUCTIONS:
        raise UnsupportedError(
            f"reduction={reduction!r} is not supported", fix="use 'mean', 'sum' or 'none'"
        )
    scores = as_node(log_probs)
    is_batch = scores.ndim == 3
    if scores.ndim == 2:
        scores = spread(scores, {1: sympy.S.One})
    if scores.ndim != 3:
        raise ShapeError("log_probs must be [t, n, classes], or [t, classes] for one sequence")
    n, classes = scores.shape[1:]
    inputs = _lengths(input_lengths, n, "input_lengths")
    lengths = _lengths(target_lengths, n, "target_lengths")
    labels = _labels(targets, lengths, is_batch)
    blank = whole_number(blank, "blank")
    if classes.is_Integer and not 0 <= blank < classes:
        raise DefinitionError(f"blank must be one of the {classes} classes, not {blank}")
    losses = _losses(scores, labels, inputs, lengths, blank)
    is_impossible = elementwise(lambda x: f.less(-IMPOSSIBLE / 2, x), losses)
    instead = Constant(0 if zero_infinity else sympy.oo, (n,), FLOAT)
    losses = elementwise(f.where, is_impossible, instead, losses).named("losses")
    if reduction == "mean":
        counts = elementwise(lambda k: f.maximum(k, 1), lengths)
        return sum_over(losses / counts, (0,), 1 / n)
    if reduction == "sum":
        return sum_over(losses, (0,))
    return losses if is_batch else reshape(losses, ())


def _losses(scores: Node, labels: Node, input_lengths: Node, lengths: Node, blank: int) -> Node:
    """Minus the log-likelihood of each sequence: [n]."""
    steps, n, _ = scores.shape
    places = labels.shape[1]
    labels = elementwise(
        lambda is_in, label: f.where(is_in, label, blank), _inside(lengths, places), labels
    )
    padded, differs = _with_blanks(labels, blank)
    extent = padded.shape[1]
    start = elementwise(lambda s: f.where(f.less(0, s), IMPOSSIBLE, 0) * sympy.Float(1),
                        Arange(extent)).named("start")  # fmt: skip

    def step(alpha: Node, given: Any) -> tuple[Node, None]:
        log_p, t = given
        here = TakeAlong(log_p, padded, 1).named("log_p")
        before = _shifted(alpha, IMPOSSIBLE)
        two_before = _shifted(before, IMPOSSIBLE)
        jump = elementwise(lambda a, d: f.where(d, a, IMPOSSIBLE), two_before, differs)
        after = here + LogSumExp(stack([alpha, before, jump], axis=0), 0)
        goes_on = elementwise(f.less, t, spread(input_lengths, {1: n**0})).named("goes_on")
        return elementwise(f.where, goes_on, after, alpha).named("alpha"), None

    alpha, _ = scan(step, stretched(start, (n, extent)), (scores, Arange(steps)))
    # the last blank is indexed by the length itself, so an error about it names the user's tensor
    end = spread(lengths, {1: n**0})
    on_blank = TakeAlong(alpha[:, ::2], end, 1)
    on_label = TakeAlong(alpha, elementwise(lambda k: f.maximum(2 * k - 1, 0), end), 1)
    on_label = elementwise(lambda k, a: f.where(f.less(0, k), a, IMPOSSIBLE), end, on_label)
    whole = LogSumExp(concat([on_blank, on_label], axis=1).named("ends"), 1)
    return elementwise(lambda a: -a, whole)


def _with_blanks(labels: Node, blank: int) -> tuple[Node, Node]:
    """The labels between blanks, [n, 2s + 1], and where two places back is another label."""
    n, places = labels.shape
    blanks = Constant(blank, (n, places))
    pairs = reshape(stack([blanks, labels], axis=2), (n, 2 * places))
    last = Constant(blank, (n, sympy.S.One))
    padded = concat([pairs, last], axis=1).named("labels_and_blanks")
    back = _shifted(_shifted(padded, blank), blank)
    is_label = elementwise(
        lambda a, b: f.logical_and(f.not_equal(a, blank), f.not_equal(a, b)), padded, back
    )
    return padded, is_label.named("may_jump")


def _shifted(row: Node, entering: Any) -> Node:
    """`row`, [n, one or more], moved one place to the right, where `entering` comes in."""
    first = Constant(entering, (row.shape[0], sympy.S.One), row.dtype)
    return concat([first, row[:, : row.shape[1] - 1]], axis=1)


def _inside(lengths: Node, places: sympy.Expr) -> Node:
    """Which places of a row hold labels: [n, places]."""
    length = spread(lengths, {1: places**0})
    return elementwise(lambda s, k: f.less(s, k), Arange(places), length).named("inside")


def _labels(targets: Any, lengths: Node, is_batch: bool) -> Node:
    """The targets, one row of labels for each sequence: [n, s]."""
    labels, (n,) = as_node(targets), lengths.shape
    if labels.dtype != INT:
        raise DefinitionError(
            f"targets must be whole numbers, but {name_of(labels) or 'they'} is a tensor of "
            f"{labels.dtype}",
            fix='declare the target with dtype="int"',
        )
    if labels.ndim == 1:
        labels = _in_rows(labels, lengths) if is_batch else spread(labels, {0: sympy.S.One})
    if labels.ndim != 2 or not same(labels.shape[0], n):
        raise ShapeError(
            "targets must be [n, s], one padded row of labels for each sequence",
            facts={"expected": shape_text((n, sympy.Symbol("s"))), "got": shape_text(labels.shape)},
            fix="pad the rows to one length, or pass all labels one after the other along one axis",
        )
    if not isinstance(lengths, Table):
        return labels
    longest = max(lengths.values, default=sympy.S.Zero)
    if (longest - labels.shape[1]).is_positive:
        raise ShapeError(f"a target length is {longest}, but a row holds {labels.shape[1]} labels")
    return labels[:, :longest]


def _in_rows(labels: Node, lengths: Node) -> Node:
    """Labels one after the other, in padded rows: [total] gives [n, the largest length].

    Of lengths that are not known yet, the largest is at most the total.
    """
    (total,) = labels.shape
    places = total
    if isinstance(lengths, Table):
        places = max(lengths.values, default=sympy.S.Zero)
        asked = sympy.Add(*lengths.values)
        if (asked - total).is_nonzero and total.is_Integer:
            raise ShapeError(f"the target lengths add up to {asked}, but there are {total} labels")
        labels = labels[:asked]
    first = elementwise(lambda end, k: end - k, CumSum(lengths, 0), lengths)
    place = elementwise(
        lambda is_in, a, s: f.where(is_in, a + s, 0),
        _inside(lengths, places), spread(first, {1: places**0}), Arange(places),
    )  # fmt: skip
    return Take(labels, place.named("place"), 0)


def _lengths(value: Any, n: sympy.Expr, role: str) -> Node:
    """Lengths as whole numbers, [n]; one number is for a sequence without a batch."""
    node = _table(value) if isinstance(value, tuple | list) else as_node(value)
    if node.dtype != INT:
        raise DefinitionError(f"{role} must be whole numbers, not {node.dtype}")
    if isinstance(node, Table) and any(length < 0 for length in node.values):
        raise DefinitionError(f"{role} must not be negative, but one is {min(node.values)}")
    if not node.ndim:
        node = spread(node, {0: sympy.S.One})
    expected: Shape = (n,)
    if not same_shape(node.shape, expected):
        raise ShapeError(
            f"{role} must hold one length for each sequence",
            facts={"expected": shape_text(expected), "got": shape_text(node.shape)},
        )
    return node


def _table(values: Any) -> Node:
    return Table([whole_number(value, "a length") for value in values], (len(values),))


class CTCLoss(Loss):
    """`ctc_loss` as a module: called with (log_probs, targets, input_lengths, target_lengths)."""

    def __init__(self, blank: int = 0, reduction: str = "mean",
                 zero_infinity: bool = False) -> None:  # fmt: skip
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)

    def forward(
        self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any
    ) -> Node:
        return ctc_loss(log_probs, targets, input_lengths, target_lengths, **self.arguments)
