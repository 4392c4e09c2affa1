"""The files that a finished run leaves: scores, and the clips that have none."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from crnn_hf.inference.bulk.parts import FinishedBatch
from crnn_hf.metrics import write_scores
from crnn_hf.metrics.exchange.text_lines import write_lines

ERRORS_HEADER = "filename\treason"


def errors_beside(output: Path) -> Path:
    """The file that names the clips without a score: `scores.errors.tsv` beside `scores.tsv`."""
    return output.with_name(f"{output.stem}.errors.tsv")


def merge(
    batches: Iterable[FinishedBatch], utterances: Sequence[str], output: Path, scratch: Path
) -> list[tuple[str, str]]:
    """Write the score file and the file of errors, in the order of the corpus; without errors there is no such file.

    Args:
        batches: all of them, in any order.
        utterances: each row's name.
        output: the score file, which is there whole or not at all.
        scratch: a folder on the same disk for files half written.

    Returns:
        The clips that have no score, in order: each one's name, and why.

    Raises:
        ValueError: some row is in no batch.
    """
    scores: dict[int, float] = {}
    faults: dict[int, str] = {}
    for batch in batches:
        scores |= batch.scores
        faults |= batch.faults
    if missing := len(utterances) - len(scores.keys() | faults.keys()):
        raise ValueError(f"{scratch}: {missing} of {len(utterances)} clips are in none of its files")
    errors = [(utterances[row], _reason(faults[row], utterances[row])) for row in sorted(faults)]
    if errors:
        write_lines(scratch / "errors", [ERRORS_HEADER, *("\t".join(error) for error in errors)])
        (scratch / "errors").replace(errors_beside(output))
    else:
        errors_beside(output).unlink(missing_ok=True)
    rows = sorted(scores)
    write_scores(scratch / "scores", [utterances[row] for row in rows], [scores[row] for row in rows])
    (scratch / "scores").replace(output)
    return errors


def _reason(fault: str, utterance: str) -> str:
    """What is wrong, in one field of one line, without the name where it would be there twice."""
    return " ".join(fault.removeprefix(f"{utterance}: ").split())
