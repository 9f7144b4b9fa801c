"""Findings of a check as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from symgrad.check.finding import Finding
from symgrad.cli.console import table


def findings_table(title: str, findings: Sequence[Finding]) -> Table:
    """A row per finding; those that disagree say so at the end."""
    made = table(title, "function", "compared", "claimed", "measured", "error", "",
                 numbers=("claimed", "measured", "error"))  # fmt: skip
    for finding in findings:
        verdict = Text("ok" if finding.agrees else "MISMATCH",
                       style="green" if finding.agrees else "bold red")  # fmt: skip
        if finding.note:
            verdict.append(f"  {finding.note}", style="default")
        error = "" if finding.error is None else f"{finding.error:.1e}"
        made.add_row(
            Text(finding.function), Text(finding.subject), finding.claimed, finding.found, error,
            verdict,
        )  # fmt: skip
    return made


def conclusion(findings: Sequence[Finding]) -> str:
    """One sentence."""
    wrong = sum(not finding.agrees for finding in findings)
    if wrong:
        return f"{wrong} of {len(findings)} comparisons DISAGREE"
    return f"all {len(findings)} comparisons agree"
