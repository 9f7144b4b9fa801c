"""The journal: every step of a derivation as data, recorded while it happens.

Reports and code comments are printed from it, so they cannot disagree with the code.

| kind        | before                      | result                                            |
| seed        | -                           | the cotangent or tangent a derivation starts from |
| rule        | the cotangent g of `node`   | what one operand (`position`) receives            |
| rule        | the operands' tangents      | the tangent of `node` (forward mode)              |
| unbroadcast | a contribution              | it, summed over the axes that were stretched      |
| broadcast   | a tangent                   | it, stretched to the shape of `node` (forward)    |
| accumulate  | the contributions to `node` | their sum, the cotangent of `node`                |
| zero        | -                           | 0: every path to `node` has slope 0               |
| independent | -                           | 0: there is no path to `node`                     |
| batch       | a derivative in one direction | it in every direction of a basis at once          |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from symgrad.expr.node import Node

REVERSE, FORWARD = "reverse", "forward"
KINDS = ("seed", "rule", "unbroadcast", "broadcast", "accumulate", "zero", "independent", "batch")


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    number: counted from 1. mode: "reverse" or "forward". rule, formula: the name and the docstring
    of the rule, empty for a step of the driver. node: the tensor of the model that it is about.
    position: the operand of `node` that receives a contribution, or None. before, result: the
    expressions that it starts from and gives. location: the line of the user that defined `node`.
    """

    number: int
    mode: str
    kind: str
    rule: str
    formula: str
    node: Node
    position: int | None
    before: tuple[Node, ...]
    result: Node
    location: str | None

    @property
    def operand(self) -> Node | None:
        """The operand of `node` that receives the result of a reverse step, or None."""
        return None if self.position is None else self.node.operands[self.position]


@dataclass
class Journal:
    """The steps of a derivation in order, and which derivative belongs to which tensor.

    provenance: cotangent -> the tensor whose sensitivity it is (named `d_<name>`).
    motion: tangent -> the tensor whose change it is (named `t_<name>`).
    sharing: mode, derivative -> all tensors whose derivative it is.
    copies: tensor that was rebuilt (resized, batched) -> the tensor of the model it stands for.
    inner: scan -> the journal of the derivation of its step.
    """

    steps: list[Step] = field(default_factory=list)
    provenance: dict[Node, Node] = field(default_factory=dict)
    motion: dict[Node, Node] = field(default_factory=dict)
    sharing: dict[tuple[str, Node], list[Node]] = field(default_factory=dict)
    copies: dict[Node, Node] = field(default_factory=dict)
    inner: dict[Node, Journal] = field(default_factory=dict)

    def record(
        self,
        mode: str,
        kind: str,
        node: Node,
        result: Node,
        before: tuple[Node, ...] = (),
        position: int | None = None,
        rule: Callable[..., object] | None = None,
    ) -> None:
        """Appends a step."""
        assert kind in KINDS, kind
        name, formula = (rule.__name__, formula_of(rule)) if rule is not None else ("", "")
        number = len(self.steps) + 1
        self.steps.append(
            Step(number, mode, kind, name, formula, node, position, before, result, node.location)
        )

    def copied(self, became: Mapping[Node, Node]) -> None:
        """Notes that tensors were rebuilt: what each became stands for the same tensor.

        Where several become one, one that bears a name goes first, then the first to come.
        """
        for old, new in became.items():
            node = self.copies.get(old, old)
            owner = self.copies.get(new)
            if new is not old and (owner is None or (not _has_name(owner) and _has_name(node))):
                self.copies[new] = node

    def carry_over(self, became: Mapping[Node, Node]) -> None:
        """Notes that derivatives were rebuilt (batched): they still belong to the same tensors."""
        for owners in (self.provenance, self.motion):
            for derivative, node in list(owners.items()):
                owners.setdefault(became.get(derivative, derivative), node)
        for (mode, derivative), nodes in list(self.sharing.items()):
            self.sharing.setdefault((mode, became.get(derivative, derivative)), nodes)

    def belongs(self, mode: str, derivative: Node, node: Node) -> None:
        """Notes that `derivative` is the cotangent or tangent of `node`.

        Where several tensors share one derivative (`a` and `b` in `a + b`), a tensor that bears a
        name goes before one that does not, then the first to come.
        """
        owners = self.provenance if mode == REVERSE else self.motion
        owner = owners.get(derivative)
        if owner is None or (not _has_name(owner) and _has_name(node)):
            owners[derivative] = node
        self.sharing.setdefault((mode, derivative), []).append(node)


_open: ContextVar[Journal | None] = ContextVar("journal", default=None)


@contextmanager
def writing(journal: Journal | None) -> Iterator[None]:
    """While a rule runs: what it derives itself is noted in `journal`."""
    before = _open.set(journal)
    try:
        yield
    finally:
        _open.reset(before)


def journal_within(scan: Node) -> Journal:
    """The journal for the step of `scan`, noted in the one that is being written, if one is.

    A scan that is derived in both modes has one for both.
    """
    around = _open.get()
    return Journal() if around is None else around.inner.setdefault(scan, Journal())


def formula_of(rule: Callable[..., object]) -> str:
    """The formula that a rule's docstring states, on one line."""
    return " ".join((rule.__doc__ or "").split())


def _has_name(node: Node) -> bool:
    return node.label is not None or hasattr(node, "name")
