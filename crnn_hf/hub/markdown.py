"""Tables and pictures in the Hub's Markdown."""

import re
from collections.abc import Sequence
from pathlib import Path

from crnn_hf.metrics.report.pages import escaped_for_markdown

PICTURE = re.compile(r"^!\[(?P<says>.*)\]\((?P<name>[\w.-]+)\.png\)$", re.MULTILINE)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, all columns but the first aligned to the right; whatever stands in a cell is shown as it is."""
    lines = ["|".join(("---", *["---:"] * (len(header) - 1)))]
    lines[:0] = ["|".join(map(escaped_for_markdown, header))]
    lines += ["|".join(map(escaped_for_markdown, row)) for row in rows]
    return "\n".join(f"|{line}|" for line in lines)


def pictures_of(report: Path, shown_as: str) -> dict[str, str]:
    """The pictures of a report by name, each as Markdown that shows it, with what it says to those who do not see it.

    Args:
        report: folder of the report, whose report.md describes them.
        shown_as: the folder as it is seen from where the Markdown will be.
    """
    page = report / "report.md"
    if not page.is_file():
        return {}
    return {
        found["name"]: f"![{found['says']}]({shown_as}/{found['name']}.png)"
        for found in PICTURE.finditer(page.read_text(encoding="utf-8"))
        if (report / f"{found['name']}.png").is_file()
    }
