"""What tensors of a derivation are called: after the definition, and what they derive from it."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.calculus.journal import FORWARD, REVERSE, Journal
from symgrad.emit.identifiers import identifier
from symgrad.expr.inner_names import names_of_arguments
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form

# What the results of a function are called in its code, where they are no gradients.
RESULT_MARKS = {"hessian": "h", "jacobian": "j", "hvp": "hv"}


def origins_of(
    raw: Mapping[str, Node], defined: Mapping[Node, str], journal: Journal
) -> dict[Node, Node]:
    """Each node as its own origin; first those that a name awaits, which stay where nodes meet."""

    def is_nameless(node: Node) -> bool:
        owners = [x for mode in (REVERSE, FORWARD) for x in journal.sharing.get((mode, node), ())]
        return not any(owner in defined or isinstance(owner, Named) for owner in owners)

    return {node: node for node in sorted(postorder(raw.values()), key=is_nameless)}


def with_copies(defined: Mapping[Node, str], journal: Journal) -> dict[Node, str]:
    """Names of the definition's tensors, and of what stands for them in the derivation."""
    return dict(defined) | {
        copy: defined[node]
        for copy, node in journal.copies.items()
        if node in defined and not isinstance(node, Named)
    }


def names_of_results(
    function: str, form: Form, defined: Mapping[Node, str], journal: Journal
) -> dict[Node, str]:
    """Names for the nodes of a simplified form: of the definition, of results, of derivatives."""
    names = dict(form.names)
    if function in RESULT_MARKS:
        for key, node in form.outputs.items():
            if not isinstance(node, Named):
                path = "_".join(identifier(part) for part in key.split(" "))
                names.setdefault(node, f"{RESULT_MARKS[function]}_{path}")
    for node, origin in form.origins.items():
        for mark, mode, owners in (
            ("d", REVERSE, journal.provenance),
            ("t", FORWARD, journal.motion),
        ):
            if origin not in owners or isinstance(node, Named):
                continue
            primals = [owners[origin], *journal.sharing.get((mode, origin), ())]
            primal = next((x for x in primals if _defined_name(x, defined)), primals[0])
            wish = _defined_name(primal, defined)
            if wish is None and primal in journal.provenance:  # the tangent of a cotangent
                inner = _defined_name(journal.provenance[primal], defined)
                wish = f"d_{identifier(inner)}" if inner else None
            if wish is not None:
                names.setdefault(node, f"{mark}_{identifier(wish)}")
    for key, node in form.outputs.items():
        if not isinstance(node, Named) and " " not in key:
            names.setdefault(node, key)
        elif not isinstance(node, Named) and key.startswith("tangent "):
            names.setdefault(node, f"t_{key.removeprefix('tangent ')}")
    return names


def _defined_name(node: Node, defined: Mapping[Node, str]) -> str | None:
    return defined.get(node) or (node.name if isinstance(node, Named) else None)


def with_inner_names(form: Form) -> dict[Node, str]:
    """The form's names, and `h_in` for what only the map `h` reads."""
    return names_of_arguments(form.outputs.values(), form.names) | form.names
