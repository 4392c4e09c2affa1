"""Submissions to the Speech Anti-Spoofing Arena, which ranks detectors on one dataset after another.

The Arena takes no audio and no model: it takes a file of scores that lies in the model's repository on the Hub, and a
YAML file in the dataset's repository that points to it, of which it computes the figures anew. The form is that of
https://github.com/lab260ru/speech_spoof_bench, submission schema 4.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike

from crnn_hf.metrics.exchange.hub_results import check_dataset_id
from crnn_hf.metrics.exchange.key_file import read_keys
from crnn_hf.metrics.exchange.matching import match
from crnn_hf.metrics.exchange.score_file import read_scores
from crnn_hf.metrics.trials import Trials, checked

TASK_ID = "antispoofing_eval"  # in the eval.yaml of each of the Arena's datasets
SCHEMA_VERSION = 4
TEXTS = ("name", "slug", "description", "code", "checkpoint")
TEXTS_OF_PAPER = ("arxiv_id", "url", "bibtex")
SLUG = "[a-z0-9][a-z0-9-]*"
COMMIT = "[0-9a-f]{7,40}"
EXAMPLE = """\
system:
  name: CRNN
  slug: crnn
  description: Log-mel spectrogram, convolutions, LSTM.
  code: https://github.com/owner/repository
  checkpoint: https://huggingface.co/owner/model
  paper:                      # optional; without one a system is not ranked
    arxiv_id: "2110.01200"    # in quotation marks: it is no number
    url: https://arxiv.org/abs/2110.01200
    bibtex: "@article{...}"
  params_millions: 0.8        # optional
notes: Trained on ASVspoof 5's train split.   # optional
"""


@dataclass(frozen=True)
class Pinned:
    """What is known once the scores have been uploaded, and who submits them.

    Attributes:
        scores_url: where scores.txt lies, with the commit in it:
            `https://huggingface.co/<owner>/<model>/resolve/<commit>/.eval_results/<dataset>/scores.txt`.
        dataset_revision: commit of the dataset whose clips were scored.
        hf_username: who submits, on the Hub.
        contact: how to reach them, such as an e-mail address.
        split: of the dataset.
        submitted_at: by default today.
        bench_version: what computed the figures; by default this package and its version.
    """

    scores_url: str
    dataset_revision: str
    hf_username: str
    contact: str
    split: str = "test"
    submitted_at: date | None = None
    bench_version: str | None = None


def read_system(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what people write about their system: a YAML file with `system` and perhaps `notes`, as in `EXAMPLE`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no YAML, something that the Arena asks for is missing or cannot be right, or something that it does
            not know; the message names file and field.
    """
    try:
        description = yaml.safe_load(Path(path).read_text(encoding="utf-8-sig"))
        check_system(description)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return description


def check_system(description: Any) -> None:
    """Raise ValueError for a description of a system that the Arena would not take; see `EXAMPLE`."""
    _check_fields(description, "the file", required=("system",), optional=("notes",))
    system = description["system"]
    _check_fields(system, "system", required=TEXTS, optional=("paper", "params_millions"))
    for name in TEXTS:
        _check_text(system[name], f"system.{name}")
    if not re.fullmatch(SLUG, system["slug"]):
        raise ValueError(f"system.slug: {system['slug']!r}; expected a-z, 0-9 and dashes, with no dash in front")
    addresses = {f"system.{name}": system[name] for name in ("code", "checkpoint")}
    if "paper" in system:
        _check_fields(system["paper"], "system.paper", required=TEXTS_OF_PAPER)
        for name in TEXTS_OF_PAPER:
            _check_text(system["paper"][name], f"system.paper.{name}")
        addresses["system.paper.url"] = system["paper"]["url"]
    for name, address in addresses.items():
        if not re.fullmatch(r"https?://\S+", address):
            raise ValueError(f"{name}: {address!r}; expected an address that begins with https://")
    size = system.get("params_millions", 0)
    if not isinstance(size, Real) or isinstance(size, bool) or not 0 <= size < float("inf"):
        raise ValueError(f"system.params_millions: {size!r}; expected the millions of parameters, a number")
    if "notes" in description:
        _check_text(description["notes"], "notes")


def arena_eer(scores: ArrayLike, labels: ArrayLike) -> float:
    """EER in percent as the Arena computes it, which recomputes it and accepts a difference of 1e-6 at most.

    It is not quite ASVspoof 5's, which `crnn_hf.metrics.equal_error_rate` gives. Here a clip passes for real if its
    score is the threshold or above, each distinct score is a threshold, and both error rates are interpolated linearly
    to where they are equal.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.

    Source: https://github.com/lab260ru/speech_spoof_bench, metrics/eer.py.
    """
    scores, is_fake = checked(scores, labels)
    real, fake = np.sort(scores[~is_fake]), np.sort(scores[is_fake])
    thresholds = np.unique(scores)
    frr = np.searchsorted(real, thresholds) / len(real)
    far = (len(fake) - np.searchsorted(fake, thresholds)) / len(fake)
    difference = far - frr
    # At the lowest score everything passes: the difference begins at 1, and falls.
    after = int(np.argmax(difference <= 0))
    if difference[after] > 0:
        # They never meet: so much of the fakes have the highest score, above which there is no threshold.
        return float((far[-1] + frr[-1]) / 2 * 100)
    before = after - 1
    share = difference[before] / (difference[before] - difference[after])
    rates = (far + frr) / 2
    return float((rates[before] + share * (rates[after] - rates[before])) * 100)


def trials_of_report(folder: str | os.PathLike[str]) -> tuple[Trials, int]:
    """The clips of a report, of scores.tsv and keys.tsv, and how many could not be scored, of metrics.json.

    Raises:
        FileNotFoundError: one of these files is missing.
        ValueError: as `read_scores`, `read_keys` and `match`.
    """
    folder = Path(folder)
    trials = match(*read_scores(folder / "scores.tsv"), read_keys(folder / "keys.tsv"))
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return trials, int(figures["about"].get("not scored", 0))


def write_arena_submission(
    folder: str | os.PathLike[str],
    trials: Trials,
    description: Mapping[str, Any],
    *,
    dataset_id: str,
    skipped: int = 0,
    pinned: Pinned | None = None,
) -> list[Path]:
    """Write what is uploaded for a submission.

    First, without `pinned`: `.eval_results/<dataset_id>/scores.txt`, which is to be uploaded to the model's repository
    under this very path, and `meta.yaml`, which the Arena's own program takes. Then, with the commit of that upload:
    `submissions/<slug>.yaml`, which is proposed to the dataset's repository.

    Args:
        folder: is made; files of these names in it are overwritten.
        trials: the scored clips, named as the dataset names them.
        description: of the system, from `read_system`.
        dataset_id: the dataset on the Hub, such as "SpeechAntiSpoofingBenchmarks/ASVspoof5".
        skipped: how many clips of the dataset could not be scored.
        pinned: where the uploaded scores are, and who submits them.

    Returns:
        The files written.

    Raises:
        ValueError: the description lacks something, a clip's name has a space in it or is there twice, scores are not
            finite, one class is missing, fewer than no clips were skipped, or what is pinned cannot be right. Nothing
            is written then.
    """
    check_system(description)
    check_dataset_id(dataset_id)
    scores, is_fake = checked(trials.scores, trials.is_fake)
    texts = [f"{score:.9g}" for score in scores.tolist()]
    # Spaces and line ends at the ends of a name count too: the Arena takes a line for its two words.
    spaced = next((name for name in trials.utterances if name.split() != [name]), None)
    if spaced is not None:
        raise ValueError(f"the clip {spaced!r}: the Arena's score files cannot hold names with a space in them")
    if len(set(trials.utterances)) < len(trials):
        raise ValueError("a clip is there twice; the Arena takes one score a clip")
    if skipped < 0:
        raise ValueError(f"{skipped} clips skipped; expected 0 or more")
    lines = "".join(f"{name} {text}\n" for name, text in zip(trials.utterances, texts, strict=True))
    path_in_repository = f".eval_results/{dataset_id}/scores.txt"
    contents = {path_in_repository: lines.encode(), "meta.yaml": _as_yaml(dict(description))}
    if pinned is not None:
        _check_pinned(pinned, path_in_repository)
        submission = {
            "schema_version": SCHEMA_VERSION,
            "system": description["system"],
            "dataset": {"id": dataset_id, "revision": pinned.dataset_revision, "split": pinned.split},
            "scores": {
                # Of the scores as they are written, and this figure alone: others the Arena cannot recompute.
                "eer_percent": arena_eer([float(text) for text in texts], is_fake),
                "n_trials": len(trials) + skipped,
                "n_skipped": skipped,
            },
            "artifact": {
                "scores_url": pinned.scores_url,
                "scores_sha256": hashlib.sha256(contents[path_in_repository]).hexdigest(),
                "bench_version": pinned.bench_version or f"crnn-hf=={version('crnn-hf')}",
            },
            "reproduction": {},  # for the Arena's maintainers to fill
            "submitter": {"hf_username": pinned.hf_username, "contact": pinned.contact},
            "submitted_at": (pinned.submitted_at or date.today()).isoformat(),
            **({"notes": description["notes"]} if "notes" in description else {}),
        }
        contents[f"submissions/{description['system']['slug']}.yaml"] = _as_yaml(submission)
    return [_write(Path(folder) / path, content) for path, content in contents.items()]


def _check_pinned(pinned: Pinned, path_in_repository: str) -> None:
    address = rf"https://huggingface\.co/[^/]+/[^/]+/resolve/{COMMIT}/{re.escape(path_in_repository)}"
    if not re.fullmatch(address, pinned.scores_url):
        raise ValueError(
            f"the address of the scores: {pinned.scores_url!r}; expected "
            f"https://huggingface.co/<owner>/<model>/resolve/<commit>/{path_in_repository}, of the upload's commit"
        )
    if not re.fullmatch(COMMIT, pinned.dataset_revision):
        raise ValueError(f"the dataset's revision: {pinned.dataset_revision!r}; expected a commit, 7 to 40 hex digits")
    for name in ("hf_username", "contact", "split"):
        _check_text(getattr(pinned, name), name)


def _check_fields(found: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(found, Mapping):
        raise ValueError(f"{where}: expected the fields {', '.join(required)}; found {found!r}")
    missing = [name for name in required if name not in found]
    if missing:
        raise ValueError(f"{where}: {', '.join(missing)} missing")
    unknown = [str(name) for name in found if name not in required + optional]
    if unknown:
        raise ValueError(
            f"{where}: {', '.join(unknown)} unknown to the Arena; it knows {', '.join(required + optional)}"
        )


def _check_text(found: Any, where: str) -> None:
    if isinstance(found, str) and found.strip():
        return
    hint = "; put it in quotation marks" if isinstance(found, Real | date) else ""
    raise ValueError(f"{where}: {found!r}; expected a text{hint}")


def _as_yaml(content: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
