"""How figures per attack are told: in tables on the console, in TensorBoard and in trackio, not in a line of all."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from datasets import Dataset
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from transformers.integrations import TensorBoardCallback, TrackioCallback
from transformers.integrations.integration_utils import rewrite_logs

from crnn_hf.training.figures import MAIN, attack_counts, attack_key, labels_of

Metrics = Mapping[str, float]

MOST_LINES = 40
HIDDEN = re.compile(r"_attack_|^eval_.*(runtime|per_second)$")


class Row(NamedTuple):
    """An attack, how many clips there are of it, and its EER in [0, 1]."""

    attack: str
    clips: int
    eer: float


def attack_rows(metrics: Metrics, dataset: Dataset) -> list[Row]:
    """The rows of the table of an evaluation, the worst attack first; empty where fewer than two are known.

    Args:
        metrics: what the evaluation gave, with the prefix of its set.
        dataset: what was evaluated.
    """
    prefix = prefix_of(metrics)
    named = ((f"{prefix}_{attack_key(attack)}", attack, clips) for attack, clips in attack_counts(dataset).items())
    rows = [Row(attack, clips, metrics[name]) for name, attack, clips in named if name in metrics]
    return sorted(rows, key=lambda row: (-row.eer, row.attack))


def prefix_of(metrics: Metrics) -> str:
    """What the names of an evaluation's figures begin with: "eval", or "eval_codec" for a set of that name."""
    return next(name for name in metrics if name.endswith("_loss")).removesuffix("_loss")


def as_text(rows: Sequence[Row], title: str) -> str:
    """The table in at most `MOST_LINES` lines; of more attacks, the worst are shown."""
    shown, hidden = rows, 0
    if len(rows) > MOST_LINES - 2:
        shown = rows[: MOST_LINES - 3]
        hidden = len(rows) - len(shown)
    width = max(len("attack"), *(len(row.attack) for row in shown))
    lines = [title, f"  {'attack':{width}} {'clips':>8} {'EER':>8}"]
    lines += [f"  {row.attack:{width}} {row.clips:8,} {row.eer:8.2%}" for row in shown]
    if hidden:
        lines.append(f"  and {hidden} more, none above {rows[len(shown)].eer:.2%}")
    return "\n".join(lines)


def as_markdown(rows: Sequence[Row]) -> str:
    """The whole table as TensorBoard draws it."""
    lines = [f"| {row.attack} | {row.clips:,} | {row.eer:.2%} |" for row in rows]
    return "\n".join(["| attack | clips | EER |", "|---|---:|---:|", *lines])


class AttackTables(TrainerCallback):
    """Prints the table after each evaluation, above the progress bars."""

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Metrics, eval_dataloader: DataLoader, **kwargs: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        dataset = eval_dataloader.dataset
        if rows := attack_rows(metrics, dataset):
            prefix = prefix_of(metrics)
            name = MAIN if prefix == "eval" else prefix.removeprefix("eval_")
            title = f"{name}: EER by attack, each against all {labels_of(dataset).count(0):,} real clips"
            tqdm.write(as_text(rows, title))


class TensorBoardTables(TensorBoardCallback):
    """transformers' callback, which writes the scalars and the table as a text beside them."""

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Metrics, eval_dataloader: DataLoader, **kwargs: Any
    ) -> None:
        if rows := attack_rows(metrics, eval_dataloader.dataset):
            # A string among the logs becomes a text.
            self.on_log(args, state, control, logs={f"{prefix_of(metrics)}_attacks": as_markdown(rows)})


class TrackioTables(TrackioCallback):
    """transformers' callback, which writes the scalars and the table beside them, as long as training lasts."""

    def on_log(self, *args: Any, **kwargs: Any) -> None:
        # Theirs would begin another run for the figures of the best model, which it has already.
        if self._initialized:
            super().on_log(*args, **kwargs)

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Metrics, eval_dataloader: DataLoader, **kwargs: Any
    ) -> None:
        rows = attack_rows(metrics, eval_dataloader.dataset)
        if rows and state.is_world_process_zero and self._initialized:
            table = self._trackio.Table(columns=list(Row._fields), data=[list(row) for row in rows])
            logs = rewrite_logs({f"{prefix_of(metrics)}_attacks": table})
            self._trackio.log({**logs, "train/global_step": state.global_step})


class _Brief(TrainerCallback):
    """Keeps the EER of each attack from the line of metrics, which the table tells better, and how fast it went."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        shown = {name: value for name, value in logs.items() if not HIDDEN.search(name)}
        super().on_log(args, state, control, logs=shown, **kwargs)


class Progress(_Brief, ProgressCallback):
    """transformers' progress bars, in fewer figures."""


class Printer(_Brief, PrinterCallback):
    """What transformers prints where there are no progress bars, in fewer figures."""


# transformers' callbacks, and what takes their place.
REPLACEMENTS = {
    ProgressCallback: Progress,
    PrinterCallback: Printer,
    TensorBoardCallback: TensorBoardTables,
    TrackioCallback: TrackioTables,
}
