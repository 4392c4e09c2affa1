"""A training job, for real on a tiny corpus: it learns, goes on where it stopped, and saves a model that loads."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, TrainerCallback

from crnn_hf import CRNNConfig, CRNNFeatureExtractor
from crnn_hf.training import job, read_recipe, train
from crnn_hf.training.arguments import ModelArguments
from crnn_hf.training.job import balanced_weights, build_model

SMALL = ["--architecture.conv_channels", "[4, 8]", "--architecture.hidden_size", "8"]


def run(corpus: Path, output: Path, *overrides: str) -> dict[str, float]:
    options = ["--data", str(corpus), "--output_dir", str(output), "--num_train_epochs", "2", *SMALL]
    options += ["--per_device_train_batch_size", "4", "--crop_seconds", "1", "--disable_tqdm", "true"]
    return train(*read_recipe("quickstart", [*options, *overrides]))


def test_a_run_ends_with_a_model_that_loads(tiny_corpus: Path, tmp_path: Path) -> None:
    metrics = run(tiny_corpus, tmp_path)
    assert {"eval_eer", "eval_min_dcf", "eval_accuracy", "eval_precision", "eval_recall", "eval_f1"} <= set(metrics)
    assert 0 <= metrics["eval_eer"] <= 1
    model = AutoModelForAudioClassification.from_pretrained(tmp_path)
    assert model.config.conv_channels == [4, 8]
    assert model.config.class_weights == [1.0, 1.0]
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
    from crnn_hf.data import ClipReader, Collator, load_asvspoof5

    model = AutoModelForAudioClassification.from_pretrained(detector)
    clips = load_asvspoof5(corpus, "train").with_transform(ClipReader())
    batch = Collator(AutoFeatureExtractor.from_pretrained(detector))([clips[index] for index in range(len(clips))])
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
    trainer = job.Trainer
    monkeypatch.setattr(job, "Trainer", lambda **options: trainer(**options, callbacks=[Interruption()]))
    with pytest.raises(KeyboardInterrupt):
        run(tiny_corpus, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.setattr(job, "Trainer", trainer)
    metrics = run(tiny_corpus, tmp_path)
    assert metrics["epoch"] == 2
    assert f"Going on from {tmp_path / 'checkpoint-4'}" in capsys.readouterr().out
    assert (tmp_path / "model.safetensors").exists()


def test_another_model_does_not_go_on_in_the_same_directory(tiny_corpus: Path, tmp_path: Path) -> None:
    run(tiny_corpus, tmp_path, "--num_train_epochs", "1")
    with pytest.raises(ValueError, match="another model: hidden_size was 8 and is now 9"):
        run(tiny_corpus, tmp_path, "--architecture.hidden_size", "9")
    with pytest.raises(ValueError, match="another model: hop_length was 160 and is now 200"):
        run(tiny_corpus, tmp_path, "--features.hop_length", "200")


def test_presets_and_their_changes() -> None:
    model, extractor = build_model(ModelArguments())
    assert model.config.to_dict() | {"dtype": None} == CRNNConfig().to_dict() | {"dtype": None}
    assert extractor.to_dict() == CRNNFeatureExtractor().to_dict()
    model, extractor = build_model(ModelArguments(preset="reference", features='{"num_mel_bins": 64}'))
    assert (model.config.num_mel_bins, extractor.num_mel_bins, extractor.max_frames) == (64, 64, 200)
    assert model.config.num_hidden_layers == 2


def test_going_on_from_a_trained_model(tiny_detector: Path) -> None:
    model, extractor = build_model(ModelArguments(model=str(tiny_detector)))
    assert model.config.hidden_size == 8
    assert extractor.num_mel_bins == 80
    with pytest.raises(ValueError, match="cannot be changed"):
        build_model(ModelArguments(model=str(tiny_detector), architecture='{"hidden_size": 4}'))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"architecture": '{"hiden_size": 4}'}, "CRNNConfig has no field hiden_size"),
        ({"features": '{"window": 4}'}, "CRNNFeatureExtractor has no field window"),
        ({"architecture": '{"hidden_size": 0}'}, "hidden_size must be an integer of at least 1"),
        ({"architecture": '{"num_mel_bins": 64}'}, "num_mel_bins is 64 in the architecture and 80 in the features"),
    ],
)
def test_models_that_cannot_be_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_model(ModelArguments(**arguments))


def test_balanced_weights() -> None:
    weights = balanced_weights([0, 1, 1, 1], 2)
    assert weights == pytest.approx([2, 2 / 3])
    with pytest.raises(ValueError, match="label 0 has no clip"):
        balanced_weights([1, 1], 2)
