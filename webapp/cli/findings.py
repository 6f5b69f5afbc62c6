"""What `belepo doctor` finds, and how it is shown: to people as a table, to programs as JSON."""

import json
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

_COLOURS = {"wrong": "[red]WRONG[/]", "look": "[yellow]look[/]", "ok": "[green]ok[/]"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and what to do about it where it is not well."""

    subject: str
    state: str
    advice: str = ""
    is_bad: bool = False

    @property
    def verdict(self) -> str:
        """`wrong`, `look` where somebody should, or `ok`."""
        return "wrong" if self.is_bad else "look" if self.advice else "ok"


def show(findings: list[Finding]) -> None:
    """Print the findings; readable without colours."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        advice = f"  → {finding.advice}" if finding.advice else ""
        table.add_row(_COLOURS[finding.verdict], finding.subject, f"{finding.state}{advice}")
    Console().print(table)


def as_json(findings: list[Finding]) -> str:
    """Return the findings as a JSON list of `verdict`, `subject`, `state` and `advice`."""
    rows = [
        {"verdict": one.verdict, "subject": one.subject, "state": one.state, "advice": one.advice} for one in findings
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)
