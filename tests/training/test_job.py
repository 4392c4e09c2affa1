"""A training job, for real on a tiny corpus: it learns, goes on where it stopped, and saves a model that loads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, TrainerCallback

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, CRNNModel
from crnn_hf.data import ClipReader, Collator, load_asvspoof5, load_corpus
from crnn_hf.inference import save_calibration, score_clips
from crnn_hf.loading import load_detector
from crnn_hf.metrics import HEADLINE, breakdown, compute_cm_metrics
from crnn_hf.training import job, read_recipe, train
from crnn_hf.training.resuming import SETTINGS_FILE, last_checkpoint

SMALL = ["--architecture.conv_channels", "[4, 8]", "--architecture.hidden_size", "8"]


def run(corpus: Path, output: Path, *overrides: str) -> dict[str, float]:
    options = ["--data", str(corpus), "--output_dir", str(output), "--num_train_epochs", "2", *SMALL]
    options += ["--per_device_train_batch_size", "4", "--crop_seconds", "1", "--disable_tqdm", "true"]
    return train(*read_recipe("quickstart", [*options, *overrides]))


def test_a_run_ends_with_a_model_that_loads(tiny_corpus: Path, tmp_path: Path) -> None:
    metrics = run(tiny_corpus, tmp_path)
    assert {f"eval_{name}" for name in (*HEADLINE, "eer_macro", "attack_A09_eer")} <= set(metrics)
    assert 0 <= metrics["eval_eer"] <= 1
    model = AutoModelForAudioClassification.from_pretrained(tmp_path)
    assert model.config.conv_channels == [4, 8]
    assert model.config.class_weights is None  # they belong to the corpus
    assert type(AutoFeatureExtractor.from_pretrained(tmp_path)) is CRNNFeatureExtractor
    assert (tmp_path / "modeling_crnn.py").is_file()


def test_the_same_seed_gives_the_same_model(tiny_corpus: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run(tiny_corpus, tmp_path / name)
    one, other = (AutoModelForAudioClassification.from_pretrained(tmp_path / name) for name in ("one", "other"))
    torch.testing.assert_close(one.state_dict(), other.state_dict(), atol=0, rtol=0)


def test_training_lowers_the_loss(tiny_corpus: Path, tmp_path: Path) -> None:
    losses = []
    for epochs in ("1", "20"):
        output = tmp_path / epochs
        options = ["--num_train_epochs", epochs, "--learning_rate", "0.01", "--load_best_model_at_end", "false"]
        run(tiny_corpus, output, *options)
        losses.append(loss_on_training_clips(tiny_corpus, output))
    assert losses[1] < 0.8 * losses[0]


def loss_on_training_clips(corpus: Path, detector: Path) -> float:
    model = AutoModelForAudioClassification.from_pretrained(detector)
    clips = load_asvspoof5(corpus, "train").with_transform(ClipReader())
    batch = Collator(AutoFeatureExtractor.from_pretrained(detector), model.config.label2id)(
        [clips[index] for index in range(len(clips))]
    )
    with torch.no_grad():
        return float(model(**batch).loss)


class Interruption(TrainerCallback):
    """Pulls the plug in the middle of the second epoch."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 6:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = job.DetectorTrainer
    monkeypatch.setattr(job, "DetectorTrainer", lambda **options: trainer(**options, callbacks=[Interruption()]))
    with pytest.raises(KeyboardInterrupt):
        run(tiny_corpus, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.setattr(job, "DetectorTrainer", trainer)
    metrics = run(tiny_corpus, tmp_path)
    assert metrics["epoch"] == 2
    assert f"Going on from {tmp_path / 'checkpoint-4'}" in capsys.readouterr().out
    assert (tmp_path / "model.safetensors").exists()


def test_a_run_killed_while_it_saved_goes_on_from_the_checkpoint_before(tiny_corpus: Path, tmp_path: Path) -> None:
    run(tiny_corpus, tmp_path)
    (tmp_path / "checkpoint-8" / "trainer_state.json").unlink()
    (tmp_path / "checkpoint-12").mkdir()
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-4")
    assert run(tiny_corpus, tmp_path)["epoch"] == 2


@pytest.fixture(scope="module")
def finished(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run of one epoch."""
    output = tmp_path_factory.mktemp("finished")
    run(tiny_corpus, output, "--num_train_epochs", "1")
    return output


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("--architecture.hidden_size", "9", "architecture was .* and is now"),
        ("--features.hop_length", "200", "features was '{}' and is now"),
        ("--learning_rate", "0.5", r"learning_rate was 0\.001 and is now 0\.5"),
        ("--data", "elsewhere", "data was .* and is now 'elsewhere'"),
        ("--evaluation_sets.other", "elsewhere", r"evaluation_sets was '\{\}' and is now"),
        ("--metric_for_best_model", "auc", "metric_for_best_model was 'eer' and is now 'auc'"),
    ],
)
def test_another_run_does_not_go_on_in_the_same_directory(
    tiny_corpus: Path, finished: Path, setting: str, value: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"holds another run: {message}"):
        run(tiny_corpus, finished, setting, value)


def test_a_finished_run_says_so_and_goes_on_for_more_epochs(
    tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tiny_corpus, tmp_path, "--num_train_epochs", "1")
    calibration = {"scale": 2.0, "offset": 0.5}
    save_calibration(calibration, tmp_path)
    run(tiny_corpus, tmp_path, "--num_train_epochs", "1")
    assert "It was finished already" in capsys.readouterr().out
    # A calibration belongs to the weights that it was fitted to: it stays with them, and goes with them.
    assert CRNNConfig.from_pretrained(tmp_path).calibration == calibration
    assert run(tiny_corpus, tmp_path, "--num_train_epochs", "2")["epoch"] == 2
    assert CRNNConfig.from_pretrained(tmp_path).calibration is None


def test_training_hears_augmented_clips_and_evaluation_does_not(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: dict[bool, list[float]] = {True: [], False: []}
    forward = CRNNModel.forward

    def listen(self: CRNNModel, input_features: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        is_hidden = (input_features[0] == input_features[0, :1]).all(0)
        heard[self.training].append(float(is_hidden.float().mean()))
        return forward(self, input_features, *args, **kwargs)

    monkeypatch.setattr(CRNNModel, "forward", listen)
    hide = "{probability: 1, time_masks: 0, mel_masks: 1, mel_bands: 40}"
    augmented = ["--augmentation.gain", "{probability: 1, decibels: [6, 6]}", "--augmentation.spectrogram", hide]
    run(tiny_corpus, tmp_path, *augmented)
    assert max(heard[False]) == 0
    # Half of the bands at most, a quarter on average.
    assert np.mean(heard[True]) == pytest.approx(0.25, abs=0.2)
    with pytest.raises(ValueError, match=r"augmentation\.gain has no setting loudness"):
        run(tiny_corpus, tmp_path / "other", "--augmentation.gain.loudness", "3")


def test_a_run_of_an_earlier_version_goes_on(tiny_corpus: Path, tmp_path: Path) -> None:
    run(tiny_corpus, tmp_path, "--num_train_epochs", "1")
    settings = json.loads((tmp_path / SETTINGS_FILE).read_text())
    del settings["augmentation"]
    (tmp_path / SETTINGS_FILE).write_text(json.dumps(settings))
    assert run(tiny_corpus, tmp_path, "--num_train_epochs", "2")["epoch"] == 2
    with pytest.raises(ValueError, match=r"augmentation was '{}' and is now"):
        run(tiny_corpus, tmp_path, "--num_train_epochs", "3", "--augmentation.gain", "{}")


@pytest.fixture
def reversed_detector(tmp_path: Path) -> Path:
    """A detector whose labels are numbered the other way round, saved in half precision."""
    directory = tmp_path / "reversed"
    torch.manual_seed(0)
    config = CRNNConfig(conv_channels=[4, 8], hidden_size=8, id2label={0: "fake", 1: "real"}, class_weights=[1.0, 2.0])
    CRNNForAudioClassification(config).half().save_pretrained(directory)
    CRNNFeatureExtractor().save_pretrained(directory)
    return directory


def test_a_trained_model_keeps_its_labels_and_can_be_resumed(
    tiny_corpus: Path, tmp_path: Path, reversed_detector: Path
) -> None:
    def go_on(epochs: str) -> dict[str, float]:
        options = [
            "--data",
            str(tiny_corpus),
            "--output_dir",
            str(tmp_path / "tuned"),
            "--model",
            str(reversed_detector),
        ]
        options += ["--num_train_epochs", epochs, "--per_device_train_batch_size", "4", "--disable_tqdm", "true"]
        return train(*read_recipe("quickstart", [*options, "--learning_rate", "0.003"]))

    go_on("1")
    metrics = go_on("4")
    assert metrics["epoch"] == 4
    tuned = AutoModelForAudioClassification.from_pretrained(tmp_path / "tuned")
    assert tuned.config.id2label == {0: "fake", 1: "real"}
    assert tuned.dtype == torch.float32
    assert figures(tmp_path / "tuned", tiny_corpus).items() <= metrics.items()


def figures(detector: Path, corpus: Path, prefix: str = "eval") -> dict[str, float]:
    """What asking the model says of a corpus, which is what training must say of it."""
    trials = score_clips(*load_detector(detector), load_corpus(corpus, "validation")).trials
    metrics = compute_cm_metrics(trials.scores, trials.is_fake)
    known = ~trials.is_fake | (np.array(trials.columns["attack"]) != "-")
    attacks = np.where(trials.is_fake, trials.columns["attack"], "real")[known]
    groups = breakdown(trials.scores[known], trials.is_fake[known], attacks)
    return {
        **{f"{prefix}_{name}": metrics[name] for name in HEADLINE},
        **{f"{prefix}_attack_{group.name}_eer": group.metrics["eer"] for group in groups},
    }


@pytest.fixture
def other_corpus(tmp_path: Path) -> Path:
    """Recordings with a validation split of three real ones, three fakes by two systems and one by an unknown one."""
    folder = tmp_path / "other"
    names = ["real/a", "real/b", "real/c", "fake/one/d", "fake/two/e", "fake/two/f", "fake/g"]
    for seed, name in enumerate(names):
        path = folder / "validation" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 8_000), 16_000)
    return folder


def test_several_evaluation_sets(
    tiny_corpus: Path, other_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "model"
    metrics = run(
        tiny_corpus, output, "--evaluation_sets.other", str(other_corpus), "--metric_for_best_model", "other_min_dcf"
    )
    assert figures(output, tiny_corpus).items() <= metrics.items()
    assert figures(output, other_corpus, "eval_other").items() <= metrics.items()
    assert json.loads((output / "eval_results.json").read_text()) == metrics
    state = json.loads((output / "checkpoint-8" / "trainer_state.json").read_text())
    found = [line["eval_other_min_dcf"] for line in state["log_history"] if "eval_other_min_dcf" in line]
    assert (len(found), state["best_metric"]) == (2, min(found))
    assert sum("eval_attack_A09_eer" in line for line in state["log_history"]) == 2

    printed = capsys.readouterr().out
    assert "other, validation: 7 clips, 3 real and 4 fake, 2 known attacks" in printed
    assert "validation: EER by attack, each against all 4 real clips\n  attack    clips      EER\n  A" in printed
    assert "other: EER by attack, each against all 3 real clips\n  attack    clips      EER\n  " in printed
    assert "'eval_other_eer_macro'" in printed
    assert "_attack_" not in printed


def test_progress_bars_leave_attacks_to_the_table(
    tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tiny_corpus, tmp_path, "--disable_tqdm", "false", "--num_train_epochs", "1")
    printed = "".join(capsys.readouterr())
    assert "'eval_eer_macro'" in printed
    assert "  attack    clips      EER\n  A" in printed
    assert "_attack_" not in printed


def test_tensorboard_shows_each_attack(tiny_corpus: Path, other_corpus: Path, tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    output = tmp_path / "model"
    run(tiny_corpus, output, "--evaluation_sets.other", str(other_corpus), "--report_to", "tensorboard")
    # The last evaluation, of the best model, is in a file of its own.
    files = sorted((output / "runs").rglob("events.*"), key=lambda path: path.stat().st_size)
    read = events.EventAccumulator(str(files[-1])).Reload()
    assert {"eval/eer", "eval/attack_A09_eer", "eval/other_eer", "eval/other_attack_two_eer"} <= set(
        read.Tags()["scalars"]
    )
    assert [event.step for event in read.Scalars("eval/attack_A09_eer")] == [4, 8]
    for tag, attack in [("eval/attacks/text_summary", "A09"), ("eval/other_attacks/text_summary", "two")]:
        tables = [event.tensor_proto.string_val[0].decode() for event in read.Tensors(tag)]
        assert len(tables) == 2
        assert tables[0].startswith("| attack | clips | EER |\n|---|---:|---:|\n")
        assert f"| {attack} | " in tables[0]


def test_clips_can_be_read_by_workers(tiny_corpus: Path, other_corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    workers = ["--dataloader_num_workers", "2", "--dataloader_persistent_workers", "true", "--num_train_epochs", "1"]
    metrics = run(tiny_corpus, output, "--evaluation_sets.other", str(other_corpus), *workers)
    assert figures(output, tiny_corpus).items() <= metrics.items()
    assert figures(output, other_corpus, "eval_other").items() <= metrics.items()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["--crop_seconds", "0"], r"crop_seconds must be at least 0\.032.*found 0\.0"),
        (["--crop_seconds", "inf"], "found inf"),
        (["--label_smoothing_factor", "1"], r"label_smoothing_factor must be at least 0 and below 1; found 1\.0"),
        (["--mixup", "-1"], r"mixup must be a number of at least 0; found -1\.0"),
        (["--ema_decay", "1"], r"ema_decay must be above 0 and below 1, or null; found 1\.0"),
        (["--early_stopping_patience", "0"], "early_stopping_patience must be at least 1, or null; found 0"),
        (
            ["--early_stopping_patience", "2", "--eval_strategy", "no", "--load_best_model_at_end", "false"],
            "early_stopping_patience needs a metric",
        ),
        (["--dataloader_in_order", "false"], "dataloader_in_order must stay True"),
        (["--prediction_loss_only", "true"], "prediction_loss_only must stay False"),
        (
            ["--architecture.label_smoothing", "0.1"],
            "label_smoothing is what the setting label_smoothing_f",
        ),
        (["--architecture.class_weights", "[1, 2]"], "class_weights is what the setting balance_classes decides"),
        (["--architecture.calibration", "{scale: 2, offset: 0}"], "calibration is what the setting calibrate decides"),
        (["--evaluation_sets.validation", "elsewhere"], "'validation' is no name for a set"),
    ],
)
def test_settings_that_would_fail_later_are_refused_at_once(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run(tmp_path, tmp_path / "model", *overrides)


ALL_OPTIONS = {
    "mixup": "0.3",
    "ema_decay": "0.9",
    "label_smoothing_factor": "0.1",
    "augmentation__freq_mixstyle": "null",
    "augmentation__spectrogram": "null",
    "evaluation_sets__coded__augmentation__codec": "null",
    "metric_for_best_model": "mean_eer",
    "early_stopping_patience": "2",
    "calibrate": "true",
    "use_cpu": "true",
}


@pytest.mark.parametrize(
    "faster", ["bf16", pytest.param("torch_compile", marks=pytest.mark.slow)], ids=["bf16", "compiled"]
)
def test_all_options_go_together(run_training: Callable, tmp_path: Path, faster: str) -> None:
    metrics = run_training(tmp_path, **ALL_OPTIONS, **{faster: "true"})
    assert metrics["eval_mean_eer"] == pytest.approx((metrics["eval_eer"] + metrics["eval_coded_eer"]) / 2)
    model, _ = load_detector(tmp_path)
    # They are the run's, not the model's.
    assert (model.config.class_weights, model.config.label_smoothing) == (None, 0)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_classes_that_are_not_balanced_can_have_weights(run_training: Callable, tmp_path: Path) -> None:
    settings = {"learning_rate": "0", "num_train_epochs": "1", "balance_classes": "false"}
    plain = run_training(tmp_path / "plain", **settings)
    weighted = run_training(tmp_path / "weighted", **settings, architecture__class_weights="[1, 9]")
    assert weighted["eval_eer"] == plain["eval_eer"]
    assert weighted["eval_loss"] != plain["eval_loss"]


def test_labels_are_smoothed_in_the_models_own_loss(run_training: Callable, tmp_path: Path) -> None:
    settings = {"learning_rate": "0", "num_train_epochs": "1"}
    plain = run_training(tmp_path / "plain", **settings)
    smoothed = run_training(tmp_path / "smoothed", **settings, label_smoothing_factor="0.5")
    assert smoothed["eval_eer"] == plain["eval_eer"]
    assert smoothed["eval_loss"] != plain["eval_loss"]
