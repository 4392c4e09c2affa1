"""How figures per attack are told: as a table in the log and in TensorBoard, and not on the console's metric line."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from datasets import Dataset
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from transformers.integrations import TensorBoardCallback

from crnn_hf.training.evaluation_sets import MAIN
from crnn_hf.training.figures import attack_counts, attack_key, labels_of

Metrics = Mapping[str, float]

MOST_LINES = 40


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


class _WithoutAttacks(TrainerCallback):
    """Keeps the EER of each attack from the line of metrics, which the table tells better."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        shown = {name: value for name, value in logs.items() if "_attack_" not in name}
        super().on_log(args, state, control, logs=shown, **kwargs)


class Progress(_WithoutAttacks, ProgressCallback):
    """transformers' progress bars, without the EER of each attack."""


class Printer(_WithoutAttacks, PrinterCallback):
    """What transformers prints where there are no progress bars, without the EER of each attack."""


# transformers' callbacks, and what takes their place.
REPLACEMENTS = {ProgressCallback: Progress, PrinterCallback: Printer, TensorBoardCallback: TensorBoardTables}
