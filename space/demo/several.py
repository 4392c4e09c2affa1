"""The tab for several recordings: a table, and the same as CSV."""

import base64
import csv
import io
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from crnn_hf.cli.verdicts import COLUMNS, stretches
from demo import costs
from demo.listening import MOST_MEGABYTES, MOST_MINUTES, judge, read
from demo.models import Served
from demo.words import LABELS, clock, percent

MOST_FILES = 30


def several_tab(served: Served) -> None:
    """Put the tab's parts in place, within a `gr.Tab`."""

    def listen(paths: list[str] | None, choice: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008
        if not paths:
            raise gr.Error("Choose some recordings first.", print_exception=False)
        if len(paths) > MOST_FILES:
            raise gr.Error(f"{len(paths)} files; at most {MOST_FILES} at a time.", print_exception=False)
        found = []
        for path in progress.tqdm(paths, desc="Listening", unit="recording"):
            found.append((Path(path).name, _judged(served, path, choice)))
        return _table(found) + _link(found)

    files = gr.File(
        file_count="multiple",
        label=f"Up to {MOST_FILES} files, {MOST_MINUTES} min, {MOST_MEGABYTES} MB each",
        elem_id="recordings",
        height=160,
    )
    choice = gr.Dropdown(
        costs.choices(served.calibration), value=costs.ABSTAIN, label="Threshold", interactive=True, filterable=False
    )
    button = gr.Button("Judge these recordings", variant="primary", elem_id="judge-several")
    table = gr.HTML(elem_id="table", elem_classes="announced")
    button.click(listen, [files, choice], table, api_visibility="private", concurrency_id="model")


def _judged(served: Served, path: str, choice: str) -> dict[str, Any]:
    """The result, or what is wrong with a file, so that the others are judged."""
    try:
        scores = judge(served, read(path, served.feature_extractor.sampling_rate), Path(path).name)
    except gr.Error as error:
        return {"error": error.message.removeprefix(f"{Path(path).name}: ")}
    return scores.result(served, costs.threshold_of(choice))


def _table(found: list[tuple[str, dict[str, Any]]]) -> str:
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("File", "Verdict", "Likely fake", "Score", "Length", "Fake stretches")
    )
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th>{_cells(result)}</tr>' for name, result in found)
    table = f'<table class="several"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Verdicts">{table}</div>'


def _cells(result: dict[str, Any]) -> str:
    if "error" in result:
        return f'<td colspan="5">Not judged: {escape(result["error"])}</td>'
    chance = "-" if result["probability"] is None else percent(result["probability"])
    fakes = [segment for segment in result["segments"] if segment["label"] == "fake"]
    where = ", ".join(f"{clock(segment['start'])} to {clock(segment['end'])}" for segment in fakes) or "-"
    return (
        f'<td class="{result["label"]}">{LABELS[result["label"]]}</td><td>{chance}</td><td>{result["score"]:+.2f}</td>'
        f"<td>{clock(result['duration'])}</td><td>{where}</td>"
    )


def _link(found: list[tuple[str, dict[str, Any]]]) -> str:
    """The table as CSV, in the columns of `crnn-hf detect --csv`, within the page: no file of it is left behind."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, result in found:
        values = [result.get(key) for key in ("label", "probability", "score", "duration", "sounding")]
        writer.writerow([_harmless(name), *values, stretches(result, "{:g}-{:g}"), result.get("error")])
    content = base64.b64encode(file.getvalue().encode()).decode()
    return f'<a class="download" download="verdicts.csv" href="data:text/csv;base64,{content}">Download as CSV</a>'


def _harmless(name: str) -> str:
    """A file's name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
