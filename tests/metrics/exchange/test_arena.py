"""Submissions to the Arena, held against its schemas, and its EER."""

import hashlib
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import yaml

from crnn_hf.metrics import write_scores
from crnn_hf.metrics.exchange.arena import (
    EXAMPLE,
    Pinned,
    arena_eer,
    check_system,
    read_system,
    trials_of_report,
    write_arena_submission,
)
from crnn_hf.metrics.exchange.key_file import write_keys
from crnn_hf.metrics.trials import Trials

DATASET = "SpeechAntiSpoofingBenchmarks/ASVspoof5"
SCORES_URL = f"https://huggingface.co/owner/crnn/resolve/0123abc/.eval_results/{DATASET}/scores.txt"
REVISION = "9b2040e8c57749dcd9a4f16ad61b4f47626b89ec"


def _brute_force(scores: np.ndarray, is_fake: np.ndarray) -> float:
    """The Arena's EER in the plainest way: both rates at each distinct score, and where the lines between cross."""
    thresholds = sorted(set(scores.tolist()))
    far = [float(np.mean(scores[is_fake] >= threshold)) for threshold in thresholds]
    frr = [float(np.mean(scores[~is_fake] < threshold)) for threshold in thresholds]
    for place in range(1, len(thresholds)):
        before, after = far[place - 1] - frr[place - 1], far[place] - frr[place]
        if before > 0 >= after:
            share = before / (before - after)
            return 100 * (frr[place - 1] + share * (frr[place] - frr[place - 1]))
    return 50 * (far[-1] + frr[-1])


@pytest.mark.parametrize("seed", range(30))
def test_eer_of_the_arena(seed: int) -> None:
    rng = np.random.default_rng(seed)
    is_fake = np.append(rng.random(rng.integers(2, 40)) < 0.6, [True, False])
    scores = np.round(rng.normal(size=len(is_fake)) - is_fake * rng.uniform(-1, 3), rng.integers(0, 4))
    assert arena_eer(scores, is_fake) == pytest.approx(_brute_force(scores, is_fake), abs=1e-9)


def test_eer_of_the_arena_by_hand() -> None:
    assert arena_eer([2.0, 1.0, -1.0, -2.0], ["real", "real", "fake", "fake"]) == 0
    assert arena_eer([0.0, 0.0, 0.0], [0, 1, 1]) == 50
    # From 3 to 4 the FAR falls from 1/2 to 0 while the FRR stays at 1/3. The nearest thresholds are 5/12 and 1/6.
    assert arena_eer([2.0, 4.0, 5.0, 1.0, 3.0], [0, 0, 0, 1, 1]) == pytest.approx(100 / 3)


def test_submission_before_the_upload(tmp_path: Path, trials: Trials) -> None:
    description = yaml.safe_load(EXAMPLE)
    files = write_arena_submission(tmp_path / "new", trials, description, dataset_id=DATASET)
    assert [file.relative_to(tmp_path / "new").as_posix() for file in files] == [
        f".eval_results/{DATASET}/scores.txt",
        "meta.yaml",
    ]
    lines = files[0].read_text().splitlines()
    assert len(lines) == 400
    assert all(re.fullmatch(r"E_\d{10} -?[\d.e-]+", line) for line in lines)
    assert float(lines[7].split()[1]) == pytest.approx(trials.scores[7], abs=1e-8)
    assert yaml.safe_load(files[1].read_text(encoding="utf-8")) == description
    assert list(description) == ["system", "notes"]
    check_system(yaml.safe_load(files[1].read_text(encoding="utf-8")))


def test_submission_after_the_upload(tmp_path: Path, trials: Trials) -> None:
    description = yaml.safe_load(EXAMPLE)
    pinned = Pinned(SCORES_URL, REVISION, "owner", "me@example.com", submitted_at=date(2026, 2, 1))
    scores, _, file = write_arena_submission(
        tmp_path, trials, description, dataset_id=DATASET, skipped=3, pinned=pinned
    )
    assert file == tmp_path / "submissions" / "crnn.yaml"
    submission = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(submission) == {
        *("schema_version", "system", "dataset", "scores", "artifact"),
        *("reproduction", "submitter", "submitted_at", "notes"),
    }
    assert submission["schema_version"] == 4
    assert submission["system"] == description["system"]
    assert submission["dataset"] == {"id": DATASET, "revision": REVISION, "split": "test"}
    assert submission["reproduction"] == {}
    assert submission["submitter"] == {"hf_username": "owner", "contact": "me@example.com"}
    assert submission["submitted_at"] == "2026-02-01"
    assert submission["notes"] == description["notes"]

    artifact = submission["artifact"]
    assert set(artifact) == {"scores_url", "scores_sha256", "bench_version"}
    assert re.match(r"^https://huggingface\.co/[^/]+/[^/]+/resolve/[0-9a-f]{7,40}/", artifact["scores_url"])
    assert artifact["scores_sha256"] == hashlib.sha256(scores.read_bytes()).hexdigest()
    assert artifact["bench_version"] == f"crnn-hf=={version('crnn-hf')}"

    # As the Arena verifies it: from the lines of the uploaded file.
    uploaded = dict(line.split() for line in scores.read_text().splitlines())
    read = np.array([float(uploaded[name]) for name in trials.utterances])
    assert submission["scores"] == {
        "eer_percent": pytest.approx(_brute_force(read, trials.is_fake), abs=1e-6),
        "n_trials": len(uploaded) + 3,
        "n_skipped": 3,
    }
    assert [type(value) for value in submission["scores"].values()] == [float, int, int]


def test_submission_from_a_report(tmp_path: Path, trials: Trials) -> None:
    write_scores(tmp_path / "scores.tsv", trials.utterances, trials.scores)
    write_keys(tmp_path / "keys.tsv", trials.utterances, trials.is_fake)
    (tmp_path / "metrics.json").write_text('{"about": {"not scored": 2}}')
    read, skipped = trials_of_report(tmp_path)
    assert (read.utterances, read.is_fake.tolist(), skipped) == (trials.utterances, trials.is_fake.tolist(), 2)
    once, _ = write_arena_submission(tmp_path / "a", trials, yaml.safe_load(EXAMPLE), dataset_id=DATASET)
    again, _ = write_arena_submission(tmp_path / "b", read, yaml.safe_load(EXAMPLE), dataset_id=DATASET)
    assert once.read_bytes() == again.read_bytes()


def test_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "system.yaml"
    path.write_text(EXAMPLE)
    assert read_system(path)["system"]["paper"]["arxiv_id"] == "2110.01200"
    path.write_text(
        "system:\n  name: A\n  slug: a\n  description: b\n  code: http://c.org\n  checkpoint: http://d.org\n"
    )
    assert set(read_system(path)["system"]) == {"name", "slug", "description", "code", "checkpoint"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("slug: crnn", "slug: My_CRNN", r"system\.yaml: system\.slug: 'My_CRNN'; expected a-z, 0-9 and dashes"),
        ("slug: crnn", "slug: -crnn", r"system\.slug: '-crnn'"),
        ("  slug: crnn\n", "", r"system: slug missing"),
        ("system:", "System:", r"the file: system missing"),
        (EXAMPLE, "- a\n- b\n", r"the file: expected the fields system; found \['a', 'b'\]"),
        (EXAMPLE, "system: CRNN\n", r"system: expected the fields name, slug, .*; found 'CRNN'"),
        (EXAMPLE, "a: b: c\n", r"system\.yaml: mapping values are not allowed here"),
        ('arxiv_id: "2110.01200"', "arxiv_id: 2110.01200", r"system\.paper\.arxiv_id: 2110\.012; .* quotation marks"),
        ('    bibtex: "@article{...}"\n', "", r"system\.paper: bibtex missing"),
        ("code: https://", "code: ", r"system\.code: 'github\.com/owner/repository'; expected an address"),
        ("url: https://arxiv.org/abs/2110.01200", "url: arXiv", r"system\.paper\.url: 'arXiv'; expected an address"),
        ("name: CRNN", "name: ''", r"system\.name: ''; expected a text$"),
        ("params_millions: 0.8", "params_millions: 0.8M", r"system\.params_millions: '0\.8M'; expected the millions"),
        ("params_millions: 0.8", "parameters: 0.8", r"system: parameters unknown to the Arena; it knows name, slug, "),
        ("notes:", "note:", r"the file: note unknown to the Arena; it knows system, notes"),
    ],
)
def test_systems_that_the_arena_would_not_take(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "system.yaml"
    assert old in EXAMPLE
    path.write_text(EXAMPLE.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_system(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores_url": SCORES_URL.replace("0123abc", "main")}, "the address of the scores: .*/main/.*; expected"),
        ({"scores_url": SCORES_URL.replace("ASVspoof5", "ASVspoof6")}, "the address of the scores: "),
        ({"dataset_revision": "main"}, "the dataset's revision: 'main'; expected a commit"),
        ({"contact": ""}, "contact: ''; expected a text"),
    ],
)
def test_uploads_that_cannot_be_right(tmp_path: Path, trials: Trials, changed: dict[str, str], message: str) -> None:
    known = {"scores_url": SCORES_URL, "dataset_revision": REVISION, "hf_username": "owner", "contact": "me"}
    pinned = Pinned(**(known | changed))
    with pytest.raises(ValueError, match=message):
        write_arena_submission(tmp_path, trials, yaml.safe_load(EXAMPLE), dataset_id=DATASET, pinned=pinned)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_submitted(tmp_path: Path, trials: Trials) -> None:
    spaced = Trials(["my voice", "b"], np.array([1.0, 2.0]), np.array([True, False]))
    with pytest.raises(ValueError, match=r"the clip 'my voice': .* names with a space"):
        write_arena_submission(tmp_path, spaced, yaml.safe_load(EXAMPLE), dataset_id=DATASET)
    unfinished = Trials(["a", "b"], np.array([np.nan, 2.0]), np.array([True, False]))
    with pytest.raises(ValueError, match="not finite"):
        write_arena_submission(tmp_path, unfinished, yaml.safe_load(EXAMPLE), dataset_id=DATASET)
    for name in (" a", "a\n", ""):
        odd = Trials([name, "b"], np.array([1.0, 2.0]), np.array([True, False]))
        with pytest.raises(ValueError, match=r"the clip .*: .* names with a space"):
            write_arena_submission(tmp_path, odd, yaml.safe_load(EXAMPLE), dataset_id=DATASET)
    twice = Trials(["a", "a"], np.array([1.0, 2.0]), np.array([True, False]))
    with pytest.raises(ValueError, match="a clip is there twice"):
        write_arena_submission(tmp_path, twice, yaml.safe_load(EXAMPLE), dataset_id=DATASET)
    with pytest.raises(ValueError, match="-1 clips skipped; expected 0 or more"):
        write_arena_submission(tmp_path, trials, yaml.safe_load(EXAMPLE), dataset_id=DATASET, skipped=-1)
    with pytest.raises(ValueError, match=r"by owner and name; found '\.\./x'"):
        write_arena_submission(tmp_path, trials, yaml.safe_load(EXAMPLE), dataset_id="../x")
    assert not list(tmp_path.iterdir())
