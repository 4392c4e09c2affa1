"""A report on scored clips: a page for people, the same as Markdown, the pictures, and the figures as JSON."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crnn_hf.metrics.report.measuring import measure
from crnn_hf.metrics.report.pages import html_page, markdown_page
from crnn_hf.metrics.report.pictures import group_pictures, main_pictures, matrix_picture
from crnn_hf.metrics.report.terminal import as_text, differences_as_text
from crnn_hf.metrics.trials import Trials

__all__ = ["as_text", "differences_as_text", "measure", "write_report"]


def write_report(folder: str | os.PathLike[str], trials: Trials, figures: Mapping[str, Any]) -> None:
    """Write `metrics.json`, `report.html`, `report.md` and the latter's pictures into a folder, which is made.

    The page needs none of the other files. The same clips and figures give the same bytes.

    Args:
        folder: files in it that have one of these names are overwritten.
        trials: the clips.
        figures: what `measure` found; more warnings may have been added to its `warnings`.

    Raises:
        TypeError: `figures` has something, as in `about`, that JSON cannot hold.
        ValueError: `figures` has a number that is not finite.
    """
    as_json = json.dumps(figures, indent=2, allow_nan=False) + "\n"
    main, by_group = main_pictures(trials, figures), group_pictures(figures)
    matrix = matrix_picture(figures) if figures["matrix"] else None
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for picture in (*main, *by_group.values(), *filter(None, [matrix])):
        (folder / f"{picture.name}.png").write_bytes(picture.png())
    _write(folder / "metrics.json", as_json)
    _write(folder / "report.md", markdown_page(figures, main, by_group, matrix))
    _write(folder / "report.html", html_page(figures, main, by_group, matrix))


def _write(path: Path, text: str) -> None:
    # Names that are no Unicode, as files may have, must not stop a report; nor may newlines depend on the system.
    path.write_bytes(text.encode("utf-8", "replace"))
