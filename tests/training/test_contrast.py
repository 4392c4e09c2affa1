"""The second opinion knows what the clips differ in, and the network beside it is trained as if it were alone."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor
from crnn_hf.contrast_crnn import NUM_STATISTICS, CRNNContrast
from crnn_hf.data import Collator, load_asvspoof5
from crnn_hf.loading import load_detector
from crnn_hf.training.clips import TrainingClips
from crnn_hf.training.contrast import fit_contrast, set_opinion
from crnn_hf.training.trainer import DetectorTrainer
from crnn_hf.vocoding import Vocoding

LABELS = {"real": 0, "fake": 1}
SIZE = NUM_STATISTICS
SEED = 0


@pytest.fixture
def clips() -> tuple[np.ndarray, np.ndarray]:
    """Statistics of 600 clips, of which the first few tell fakes, and which are fake."""
    rng = np.random.default_rng(0)
    is_fake = rng.random(600) < 0.3
    statistics = rng.standard_normal((600, SIZE), dtype=np.float32)
    statistics[:, :5] += 3 * is_fake[:, None]
    return statistics, is_fake


@pytest.fixture
def opinion() -> CRNNContrast:
    return CRNNContrast(CRNNConfig())


def scores(opinion: CRNNContrast, statistics: np.ndarray) -> np.ndarray:
    logits = opinion(torch.from_numpy(statistics))
    return (logits[:, LABELS["real"]] - logits[:, LABELS["fake"]]).numpy()


def test_other_clips_are_told_apart(clips: tuple[np.ndarray, np.ndarray], opinion: CRNNContrast) -> None:
    statistics, is_fake = clips
    set_opinion(opinion, statistics[:400], is_fake[:400], LABELS, SEED)
    found = scores(opinion, statistics[400:])
    wrong = (found > 0) == is_fake[400:]
    assert wrong.mean() < 0.25


def test_the_scale_of_the_statistics_does_not_matter(
    clips: tuple[np.ndarray, np.ndarray], opinion: CRNNContrast
) -> None:
    statistics, is_fake = clips
    set_opinion(opinion, statistics, is_fake, LABELS, SEED)
    found = scores(opinion, statistics)
    other = CRNNContrast(CRNNConfig())
    set_opinion(other, 7 * statistics + 3, is_fake, LABELS, SEED)
    np.testing.assert_allclose(scores(other, 7 * statistics + 3), found, atol=0.05)


def test_a_statistic_without_any_spread_is_no_trouble(
    clips: tuple[np.ndarray, np.ndarray], opinion: CRNNContrast
) -> None:
    statistics, is_fake = clips
    statistics[:, 7] = 1.5
    set_opinion(opinion, statistics, is_fake, LABELS, SEED)
    assert np.isfinite(scores(opinion, statistics)).all()


def test_what_no_line_parts_is_told_apart_too(opinion: CRNNContrast) -> None:
    rng = np.random.default_rng(0)
    statistics = rng.standard_normal((2_000, SIZE)) / 10
    # Fake is what differs from the usual, to whichever side.
    is_fake = rng.random(2_000) < 0.5
    statistics[:, :20] += np.where(is_fake, rng.choice([-2, 2], 2_000), 0)[:, None]
    set_opinion(opinion, statistics[:1_500], is_fake[:1_500], LABELS, SEED)
    wrong = (scores(opinion, statistics[1_500:]) > 0) == is_fake[1_500:]
    assert wrong.mean() < 0.2


def test_it_repeats_and_draws_nothing_from_the_others(
    clips: tuple[np.ndarray, np.ndarray], opinion: CRNNContrast
) -> None:
    other = CRNNContrast(CRNNConfig())
    torch.manual_seed(1)
    state = torch.get_rng_state()
    set_opinion(opinion, *clips, LABELS, SEED)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    set_opinion(other, *clips, LABELS, SEED)
    for name, value in opinion.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    set_opinion(other, *clips, LABELS, SEED + 1)
    assert not torch.equal(opinion.weight, other.weight)


def test_an_opinion_that_is_there_is_kept_where_the_new_clips_say_nothing(
    clips: tuple[np.ndarray, np.ndarray], opinion: CRNNContrast
) -> None:
    statistics, is_fake = clips
    set_opinion(opinion, statistics[:400], is_fake[:400], LABELS, SEED)
    before = scores(opinion, statistics[400:])
    # Ten clips that differ in something else alone.
    fresh = np.random.default_rng(2).standard_normal((10, SIZE)) * 0.01 + opinion.mean.numpy()
    fresh_is_fake = np.arange(10) < 5
    fresh[:, 100] += 2.0 * fresh_is_fake
    set_opinion(opinion, fresh, fresh_is_fake, LABELS, SEED)
    assert np.array_equal(scores(opinion, fresh) < 0, fresh_is_fake)
    assert np.corrcoef(scores(opinion, statistics[400:]), before)[0, 1] > 0.9


def test_an_opinion_that_is_there_is_gone_on_from(clips: tuple[np.ndarray, np.ndarray], opinion: CRNNContrast) -> None:
    statistics, is_fake = clips
    set_opinion(opinion, statistics, is_fake, LABELS, SEED)
    mean = opinion.mean.clone()
    # Clips that differ in something else alone.
    rng = np.random.default_rng(2)
    fresh, fresh_is_fake = rng.standard_normal((400, SIZE)), np.arange(400) % 2 == 0
    fresh[:, 100:105] += 3 * fresh_is_fake[:, None]
    before = scores(opinion, fresh)
    set_opinion(opinion, fresh, fresh_is_fake, LABELS, SEED)
    assert torch.equal(opinion.mean, mean)
    after = scores(opinion, fresh)
    assert ((after > 0) == fresh_is_fake).mean() < 0.05 < ((before > 0) == fresh_is_fake).mean()
    # What it knew of the old ones it still knows.
    assert ((scores(opinion, statistics) > 0) == is_fake).mean() < 0.2


def test_labels_may_be_numbered_otherwise(clips: tuple[np.ndarray, np.ndarray]) -> None:
    statistics, is_fake = clips
    ours, theirs = CRNNContrast(CRNNConfig()), CRNNContrast(CRNNConfig())
    set_opinion(ours, statistics, is_fake, LABELS, SEED)
    set_opinion(theirs, statistics, is_fake, {"real": 1, "fake": 0}, SEED)
    assert torch.equal(ours.weight, theirs.weight.flip(0))
    assert torch.equal(ours.bias, theirs.bias.flip(0))


def test_the_clips_of_a_corpus_are_heard_without_vocoding(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    collate = Collator(CRNNFeatureExtractor(return_contrast=True), LABELS)

    def fit(vocoding: Vocoding | None, seed: int = 0) -> CRNNContrast:
        found = CRNNContrast(CRNNConfig())
        clips = TrainingClips(rows, vocoding=vocoding)
        fit_contrast(found, clips, collate, seed=seed, seconds=(1.0, 1.0), quiet=True)
        return found

    plain = fit(None)
    assert plain.weight.any()
    # Fakes that vocoders make are left out, so that nothing of them shows.
    assert torch.equal(fit(Vocoding(1.0, vocoders=["linear_griffin_lim"])).weight, plain.weight)
    assert not torch.equal(fit(None, seed=1).weight, plain.weight)


def test_vocoded_fakes_are_heard_where_there_are_no_others(tiny_corpus: Path, opinion: CRNNContrast) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    real = rows.select([row for row, label in enumerate(rows["label"]) if label == 0])
    collate = Collator(CRNNFeatureExtractor(return_contrast=True), LABELS)
    clips = TrainingClips(real, vocoding=Vocoding(0.5, vocoders=["linear_griffin_lim"]))
    fit_contrast(opinion, clips, collate, seed=0, quiet=True)
    assert opinion.weight.any()
    silent = CRNNContrast(CRNNConfig())
    fit_contrast(silent, TrainingClips(real), collate, seed=0, quiet=True)
    assert not silent.weight.any()


def test_it_is_fitted_where_a_recipe_asks_for_it(run_training: Callable, tmp_path: Path) -> None:
    run_training(tmp_path / "with", num_train_epochs="1", architecture__contrast="true")
    model, extractor = load_detector(tmp_path / "with", "cpu")
    assert extractor.return_contrast
    assert model.contrast.weight.any()
    run_training(tmp_path / "without", num_train_epochs="1")
    model, extractor = load_detector(tmp_path / "without", "cpu")
    assert not extractor.return_contrast
    assert model.contrast is None


def test_what_the_rest_is_trained_and_chosen_without_is_not_measured(
    run_training: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = {True: set(), False: set()}

    def spied(name: str) -> Callable:
        step = getattr(DetectorTrainer, name)

        def spy(
            self: DetectorTrainer, model: torch.nn.Module, inputs: dict, *args: object, **kwargs: object
        ) -> object:
            heard[self.is_in_train].add((name, "contrast" in inputs))
            return step(self, model, inputs, *args, **kwargs)

        return spy

    for name in ("training_step", "prediction_step"):
        monkeypatch.setattr(DetectorTrainer, name, spied(name))
    run_training(tmp_path, num_train_epochs="1", architecture__contrast="true")
    assert heard == {True: {("training_step", False), ("prediction_step", False)}, False: {("prediction_step", True)}}


@pytest.mark.parametrize("workers", ["0", "1"])
def test_the_network_is_chosen_by_what_it_says_alone(run_training: Callable, tmp_path: Path, workers: str) -> None:
    own = {"dataloader_num_workers": workers, "dataloader_persistent_workers": str(workers != "0")}
    for contrast in ("true", "false"):
        run_training(tmp_path / contrast, num_train_epochs="2", architecture__contrast=contrast, **own)
    figures = {}
    for contrast in ("true", "false"):
        history = json.loads((tmp_path / contrast / "trainer_state.json").read_text())["log_history"]
        figures[contrast] = [line["eval_loss"] for line in history if "eval_loss" in line]
    *while_training, in_the_end = figures["true"]
    assert while_training == figures["false"][:-1]
    assert in_the_end != figures["false"][-1]
