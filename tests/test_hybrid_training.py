"""The hybrid's recipe, for real on a tiny corpus and with a tiny WavLM in a folder."""

from pathlib import Path

import pytest
import torch
from transformers import WavLMConfig, WavLMModel

from crnn_hf.data import load_corpus
from crnn_hf.inference import score_clips
from crnn_hf.loading import load_detector
from crnn_hf.training import read_recipe, train
from crnn_hf.training.arguments import ModelArguments
from crnn_hf.training.models import build_model


@pytest.fixture(scope="module")
def wavlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny WavLM of random weights."""
    torch.manual_seed(0)
    config = WavLMConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, conv_dim=[8] * 7
    )
    folder = tmp_path_factory.mktemp("wavlm")
    WavLMModel(config).save_pretrained(folder)
    return folder


def test_the_recipe_trains_adapters_and_a_detector_that_scores(tiny_corpus: Path, wavlm: Path, tmp_path: Path) -> None:
    settings = {
        "data": tiny_corpus,
        "output_dir": tmp_path,
        "num_train_epochs": 1,
        "per_device_train_batch_size": 4,
        "crop_seconds": 1,
        "dataloader_num_workers": 0,
        "disable_tqdm": "true",
        "augmentation": "null",
        "augmentation.spectrogram.probability": 1,
        "vocoding.learned_steps": 4,
        "architecture.backbone.name": wavlm,
        "architecture.conv_channels": [4, 8],
        "architecture.hidden_size": 8,
        "architecture.loss": "oc_softmax",
        "label_smoothing_factor": 0.1,
        "mixup": 0.3,
    }
    options = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    metrics = train(*read_recipe("hybrid-wavlm", options))
    assert 0 <= metrics["eval_eer"] <= 1

    model, feature_extractor = load_detector(tmp_path)
    encoder = model.crnn.backbone.encoder.model
    assert model.config.backbone["lora"]["r"] == 8
    ours, theirs = encoder.state_dict(), WavLMModel.from_pretrained(wavlm).state_dict()
    adapters = {name for name in ours if ".lora_" in name}
    assert all(ours[name].any() for name in adapters)
    for name in ours.keys() - adapters:
        torch.testing.assert_close(ours[name], theirs[name.replace(".base_layer", "")], atol=0, rtol=0)
    assert model.crnn.backbone.layer_weights.any()
    # Scores, in batches and alone.
    clips = load_corpus(str(tiny_corpus), "validation")
    batched, alone = (score_clips(model, feature_extractor, clips, size).trials.scores for size in (8, 1))
    assert batched == pytest.approx(alone, abs=1e-4)
    assert len(batched) == 8


def test_the_backbone_hears_what_the_features_see(wavlm: Path) -> None:
    architecture = f'{{"backbone": {{"name": "{wavlm}"}}}}'
    arguments = ModelArguments(architecture=architecture, features='{"hop_length": 200, "n_fft": 400}')
    model, feature_extractor = build_model(arguments)
    assert (model.crnn.backbone.frame_length, model.crnn.backbone.hop_length) == (400, 200)
    assert feature_extractor.return_waveform
    with pytest.raises(ValueError, match="a backbone hears 16000 Hz; found a sampling_rate of 8000 Hz"):
        build_model(ModelArguments(architecture=architecture, features='{"sampling_rate": 8000}'))
    with pytest.raises(OSError, match="nowhere"):
        build_model(ModelArguments(architecture='{"backbone": {"name": "./nowhere"}}'))
