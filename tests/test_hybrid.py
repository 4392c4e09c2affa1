"""A transformer of any kind listens along: padding does not show, what is frozen stays so, and all of it is saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    HubertConfig,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    WavLMConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    pipeline,
)

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.backbone_crnn import average_over_steps
from crnn_hf.encoders_crnn import make_encoder, whisper_log_mel

WAVE: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
WHISPER: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 20,
    "max_source_positions": 100,  # windows of two seconds
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 20,
    "vocab_size": 30,
    "pad_token_id": 0,
}
KINDS = {
    "wav2vec2": Wav2Vec2Config(**WAVE),
    "wav2vec2 with layer norm": Wav2Vec2Config(
        **WAVE, feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True
    ),
    "hubert": HubertConfig(**WAVE),
    "wavlm": WavLMConfig(**WAVE),
    "whisper": WhisperConfig(**WHISPER),
}
SMALL: dict[str, Any] = {"conv_channels": [4, 8], "num_time_halvings": 2, "hidden_size": 8}
LENGTHS = [16_000, 89_000, 512, 40_123]  # in windows of two seconds: one, three, a part of one, two


def make_model(kind: str, **backbone: Any) -> CRNNForAudioClassification:
    torch.manual_seed(0)
    if kind != "whisper":
        backbone = {"window_seconds": 2, **backbone}
    config = CRNNConfig(**SMALL, dropout=0.0, contrast=True, backbone={"config": KINDS[kind], **backbone})
    model = CRNNForAudioClassification(config).eval()
    # A tiny transformer with its usual weights tells clips apart by less than this one.
    for parameter in model.crnn.backbone.encoder.parameters():
        parameter.data *= 2 if parameter.ndim > 1 else 1
    model.contrast.hidden_weight.normal_(std=0.03)
    model.contrast.weight.normal_(std=0.05)
    return model


def make_clips(lengths: list[int] = LENGTHS) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * np.cumsum(rng.normal(0, 0.1, length)) % 1 - 0.5).astype(np.float32) for length in lengths]


def extract(clips: list[np.ndarray] | np.ndarray, **options: Any) -> dict[str, torch.Tensor]:
    extractor = CRNNFeatureExtractor(return_waveform=True, return_contrast=True)
    return extractor(clips, sampling_rate=16_000, return_tensors="pt", **options)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_alone_and_padded_in_a_batch_give_the_same(kind: str) -> None:
    model = make_model(kind)
    clips = make_clips()
    alone = [model(**extract(clip), output_hidden_states=True) for clip in clips]
    for options in ({}, {"pad_to_multiple_of": 100}):
        batch = model(**extract(clips, **options), output_hidden_states=True)
        for index, one in enumerate(alone):
            torch.testing.assert_close(batch.logits[index], one.logits[0], atol=1e-5, rtol=0)
            embedded, expected = batch.hidden_states[0][index, :, -128:], one.hidden_states[0][0, :, -128:]
            torch.testing.assert_close(embedded[: len(expected)], expected, atol=1e-4, rtol=0)
            assert len(expected) == 1 or expected.std(0).mean() > 0.05  # it does hear something
            assert not embedded[len(expected) :].any()


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_what_stands_in_the_padding_does_not_matter(kind: str) -> None:
    model = make_model(kind)
    batch = extract(make_clips())
    expected = model(**batch).logits
    for row, length in enumerate(LENGTHS):
        frames = int(batch["attention_mask"][row].sum())
        batch["input_values"][row, 512 + (frames - 1) * 160 :] = 5.0
        assert 512 + (frames - 1) * 160 <= length
    torch.testing.assert_close(model(**batch).logits, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
@torch.no_grad()
def test_without_padding_it_hears_what_the_transformer_itself_does(kind: str) -> None:
    model = make_model(kind)
    encoder = model.crnn.backbone.encoder
    clip = extract(make_clips([20_000])[0])["input_values"]
    ours = encoder(clip, torch.tensor([clip.shape[1]]))
    plain = type(encoder.model)(encoder.model.config).eval()
    plain.load_state_dict(encoder.model.state_dict())
    theirs = plain(clip, output_hidden_states=True).hidden_states
    assert len(ours) == KINDS[kind].num_hidden_layers + 1
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_the_waveforms_are_those_of_wav2vec2() -> None:
    clip = make_clips([20_000])[0]
    ours = extract(clip)["input_values"]
    theirs = Wav2Vec2FeatureExtractor()(clip[: ours.shape[1]], sampling_rate=16_000, return_tensors="pt")
    torch.testing.assert_close(ours, theirs["input_values"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("num_mel_bins", [80, 128])
def test_the_spectrogram_is_that_of_whisper(num_mel_bins: int) -> None:
    clip = make_clips([32_000])[0]
    theirs = WhisperFeatureExtractor(feature_size=num_mel_bins, chunk_length=2)(clip, sampling_rate=16_000)
    ours = whisper_log_mel(torch.from_numpy(clip)[None], num_mel_bins)
    torch.testing.assert_close(ours[0], torch.from_numpy(theirs["input_features"][0]), atol=1e-3, rtol=0)


@torch.no_grad()
def test_long_clips_are_heard_in_windows_that_hardly_show() -> None:
    """Convolutions with layer norm see no further than the context; a transformer of no layers shows no seams."""
    clips = extract(make_clips([100_000]))
    states = []
    for seconds in (2, 20):
        model = make_model("wav2vec2 with layer norm", window_seconds=seconds)
        model.crnn.backbone.layer_weights.data[1:] = -torch.inf  # what enters the first layer, and no other
        states.append(model(**clips, output_hidden_states=True).hidden_states[0][..., -128:])
    torch.testing.assert_close(*states, atol=1e-4, rtol=0)


def test_average_over_steps() -> None:
    states = torch.tensor([[[1.0], [3.0], [5.0], [100.0]]])
    mask = torch.tensor([[True, True, True, False]])
    averages = average_over_steps(states, mask, frame_shift=320, step_length=640, num_steps=3)
    assert averages.flatten().tolist() == [2.0, 5.0, 0.0]
    shorter = average_over_steps(states, mask, frame_shift=320, step_length=160, num_steps=7)
    assert shorter.flatten().tolist() == [1.0, 1.0, 3.0, 3.0, 5.0, 5.0, 0.0]
    uneven = average_over_steps(states, mask, frame_shift=320, step_length=480, num_steps=2)
    torch.testing.assert_close(uneven.flatten(), torch.tensor([(1 * 320 + 3 * 160) / 480, (3 * 160 + 5 * 320) / 480]))


TRAINED = {
    "frozen": ({}, lambda name: False),
    "partly frozen": ({"frozen_layers": 2}, lambda name: ".layers.2." in name),
    "lora": ({"lora": {"r": 2, "dropout": 0.1}}, lambda name: ".lora_" in name),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", TRAINED)
def test_only_what_shall_be_trained_is(kind: str, how: str, tmp_path: Path) -> None:
    backbone, is_trained = TRAINED[how]
    made = make_model(kind, **backbone)
    made.save_pretrained(tmp_path)
    batch = extract(make_clips([16_000, 9_000]))
    # From a file as well, where every weight would be trained unless told otherwise.
    for model in (made, CRNNForAudioClassification.from_pretrained(tmp_path)):
        model.train()
        encoder = model.crnn.backbone.encoder
        before = {name: parameter.clone() for name, parameter in model.named_parameters()}
        # Its steps are of one size, however small the gradient.
        optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=0.01, eps=1e-30)
        for _ in range(2):  # an adapter's first half has a gradient once its second is no longer 0
            optimizer.zero_grad()
            model(**batch, labels=torch.tensor([0, 1])).loss.backward()
            optimizer.step()
        changed = {name for name, parameter in model.named_parameters() if not parameter.equal(before[name])}
        of_encoder = {name for name in before if ".encoder.model." in name}
        # The bias of a key moves all of a query's scores alike.
        expected = {name for name in of_encoder if is_trained(name) and not name.endswith("k_proj.bias")}
        assert {name for name in changed & of_encoder if not name.endswith("k_proj.bias")} == expected
        assert "crnn.backbone.layer_weights" in changed
        assert "crnn.backbone.projection.weight" in changed
        training = {name for name, module in encoder.named_modules() if module.training}
        assert all(is_trained(f".{name}.") or ".lora_" in name for name in training)
        assert bool(training) == (how != "frozen")


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_adapters_change_nothing_at_first(kind: str) -> None:
    plain, adapted = make_model(kind), make_model(kind, lora={})
    weights = {name.replace(".base_layer", ""): weight for name, weight in adapted.state_dict().items()}
    plain.load_state_dict({name: weight for name, weight in weights.items() if ".lora_" not in name})
    batch = extract(make_clips())
    torch.testing.assert_close(adapted(**batch).logits, plain(**batch).logits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", TRAINED)
@torch.no_grad()
def test_a_saved_one_comes_back_whole(kind: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = make_model(kind, **TRAINED[how][0])
    for parameter in model.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path)
    CRNNFeatureExtractor(return_waveform=True, return_contrast=True).save_pretrained(tmp_path)
    again = AutoModelForAudioClassification.from_pretrained(tmp_path)
    assert again.config.to_dict()["backbone"] == model.config.backbone
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path)
    batch = extractor(make_clips([16_000, 9_000]), sampling_rate=16_000, return_tensors="pt")
    torch.testing.assert_close(again(**batch).logits, model(**batch).logits, atol=0, rtol=0)


@pytest.mark.parametrize("kind", ["wavlm", "whisper"])
@pytest.mark.parametrize("how", ["frozen", "lora"])
def test_pretrained_weights_come_from_a_name_once(kind: str, how: str, tmp_path: Path) -> None:
    """A new model takes them from the name; a saved one has them, and does not look for the name."""
    from transformers import AutoModel

    torch.manual_seed(1)
    transformer = AutoModel.from_config(KINDS[kind])
    transformer.save_pretrained(tmp_path / "transformer")
    backbone = {"name": str(tmp_path / "transformer"), **TRAINED[how][0]}
    model = CRNNForAudioClassification.with_pretrained_backbone(CRNNConfig(**SMALL, backbone=backbone)).eval()
    theirs = (transformer.encoder if kind == "whisper" else transformer).state_dict()
    ours = {
        name.replace(".base_layer", ""): weight
        for name, weight in model.crnn.backbone.encoder.model.state_dict().items()
        if ".lora_" not in name
    }
    torch.testing.assert_close(ours, {name: theirs[name] for name in ours}, atol=0, rtol=0)
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "transformer").rename(tmp_path / "elsewhere")
    again = AutoModelForAudioClassification.from_pretrained(tmp_path / "model")
    torch.testing.assert_close(again.state_dict(), model.state_dict(), atol=0, rtol=0)
    with pytest.raises(OSError, match="transformer"):
        CRNNConfig(backbone=backbone)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stock_pipeline_runs_it(kind: str, tmp_path: Path) -> None:
    make_model(kind).save_pretrained(tmp_path)
    CRNNFeatureExtractor(return_waveform=True, return_contrast=True).save_pretrained(tmp_path)
    classifier = pipeline("audio-classification", model=str(tmp_path))
    clips = make_clips()
    alone = [{label["label"]: label["score"] for label in classifier(clip.copy())} for clip in clips]
    batched = classifier([clip.copy() for clip in clips], batch_size=3)
    for one, other in zip(alone, batched, strict=True):
        assert {label["label"]: label["score"] for label in other} == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_half_precision(kind: str) -> None:
    dtype = torch.bfloat16
    model, batch = make_model(kind), extract(make_clips())
    expected = model(**batch).logits
    # On processors with AMX, oneDNN's convolutions of a few channels are off by a hundred times bfloat16's rounding.
    with torch.backends.mkldnn.flags(enabled=False):
        half = model.to(dtype)(**batch.to(dtype)).logits
    assert half.dtype == dtype
    torch.testing.assert_close(half.float(), expected, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@torch.no_grad()
def test_a_traced_graph_takes_clips_of_other_lengths(kind: str) -> None:
    model = make_model(kind, **({} if kind == "whisper" else {"window_seconds": 20})).requires_grad_(False)
    names = ("input_features", "attention_mask", "input_values", "contrast")

    def logits(*inputs: torch.Tensor) -> torch.Tensor:
        return model(**dict(zip(names, inputs, strict=True))).logits

    traced, others = (extract(make_clips(lengths)) for lengths in ([16_000, 20_000], [25_000, 18_000, 16_000]))
    graph = torch.jit.trace(logits, tuple(traced[name] for name in names), check_trace=False)
    torch.testing.assert_close(graph(*(others[name] for name in names)), model(**others).logits)


@torch.no_grad()
def test_features_of_fixed_size_come_with_waveforms_of_their_length() -> None:
    extractor = CRNNFeatureExtractor.reference(return_waveform=True)
    batch = extractor(make_clips([20_000, 200_000]), sampling_rate=16_000, return_tensors="pt")
    backbone = {"config": KINDS["wavlm"], "frame_length": 1024, "hop_length": 512}
    model = CRNNForAudioClassification(CRNNConfig(num_mel_bins=128, **SMALL, backbone=backbone)).eval()
    assert batch["input_values"].shape == (2, 1024 + 199 * 512)
    alone = extractor(make_clips([20_000])[0], sampling_rate=16_000, padding=False, return_tensors="pt")
    torch.testing.assert_close(model(**batch).logits[:1], model(**alone).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_padding_alone_does_no_harm(kind: str) -> None:
    model = make_model(kind, frozen_layers=0).train()
    batch = extract(make_clips([16_000, 20_000]))
    batch["attention_mask"][:] = 0
    model(**batch, labels=torch.tensor([0, 1])).loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_frames_are_counted_as_the_transformer_counts_them() -> None:
    encoder = make_encoder(KINDS["hubert"])
    for samples in (400, 719, 720, 16_000):
        assert encoder.num_frames(samples) == encoder.model._get_feat_extract_output_lengths(samples)
    assert encoder.num_frames(399) == 1


def test_waveforms_and_backbone_belong_together() -> None:
    batch = extract(make_clips([16_000]))
    plain = CRNNForAudioClassification(CRNNConfig(**SMALL, contrast=True)).eval()
    with pytest.raises(ValueError, match="no backbone to hear input_values"):
        plain(**batch)
    model = make_model("wavlm")
    with pytest.raises(
        ValueError, match=r"input_values must have shape \(1, 15872\).*return_waveform=True.*found None"
    ):
        model(batch["input_features"], contrast=batch["contrast"])
    with pytest.raises(ValueError, match=r"found \(1, 15000\)"):
        model(**{**batch, "input_values": batch["input_values"][:, :15_000]})
    with pytest.raises(ValueError, match="expected a config whose backbone has a name"):
        CRNNForAudioClassification.with_pretrained_backbone(model.config)


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("wavlm", "backbone must be none, or a mapping"),
        ({}, "backbone must be given a name or a config"),
        ({"config": KINDS["wavlm"], "frozen": True}, "backbone has no setting frozen; it has name, config, frozen_"),
        (
            {"config": {"model_type": "bert"}},
            r"backbone\.config must be the config of one of hubert, wav2vec2, .*'bert'",
        ),
        ({"config": KINDS["wavlm"], "frozen_layers": 4}, r"backbone\.frozen_layers must be an integer from 0 to 3"),
        ({"config": KINDS["wavlm"], "frozen_layers": True}, r"backbone\.frozen_layers must be an integer from 0 to 3"),
        (
            {"config": KINDS["wavlm"], "frozen_layers": 1, "lora": {}},
            r"backbone\.frozen_layers must be none with lora",
        ),
        ({"config": KINDS["wavlm"], "lora": {"rank": 4}}, r"backbone\.lora has no setting rank"),
        ({"config": KINDS["wavlm"], "lora": {"r": 0}}, r"backbone\.lora\.r must be"),
        (
            {"config": KINDS["wavlm"], "lora": {"targets": ["q_proj"]}},
            r"lora\.targets must be among intermediate_dense",
        ),
        ({"config": KINDS["wavlm"], "projection_size": 0}, r"backbone\.projection_size must be"),
        ({"config": KINDS["wavlm"], "window_seconds": 0.5}, r"backbone\.window_seconds must be"),
        ({"config": KINDS["whisper"], "window_seconds": 20}, r"window_seconds must be 2 or none for this whisper"),
    ],
)
def test_settings_that_no_backbone_can_have(backbone: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CRNNConfig(backbone=backbone)
