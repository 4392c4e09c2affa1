"""The second opinion: its statistics are those that it says, and it says nothing before it is fitted."""

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, contrast_crnn
from crnn_hf.contrast_crnn import (
    DYNAMIC_RANGE,
    FREQUENCY,
    FURTHEST,
    NUM_STATISTICS,
    STEEPNESS,
    VIEWS,
    CRNNContrast,
    View,
    contrast_statistics,
    measured,
    power_of,
)

RATE = 16_000


@pytest.fixture
def waveform() -> torch.Tensor:
    """Noise of a second and a half that swells, with a tone in it."""
    torch.manual_seed(0)
    time = torch.arange(24_000) / RATE
    return 0.1 * (torch.randn(24_000) + torch.sin(2 * torch.pi * 1_000 * time)) * (0.2 + time)


def statistics_of(waveform: np.ndarray, view: View) -> np.ndarray:
    """The definition, frame by frame and bin by bin, in float64."""
    waveform = waveform - waveform.mean()
    window = np.hanning(view.n_fft + 1)[:-1]
    starts = range(0, len(waveform) - view.n_fft + 1, view.hop_length)
    frames = np.array([waveform[start : start + view.n_fft] * window for start in starts])
    power = np.abs(np.fft.rfft(frames))[:, 1:] ** 2
    if view.axis != FREQUENCY:
        power = power.reshape(len(power), view.bands, -1).sum(-1)
    log_power = np.log(np.maximum(power, 1e-10))
    log_power = np.maximum(log_power, log_power.max() - DYNAMIC_RANGE * np.log(10) / 10)
    loudness = log_power.mean(1)
    weights = 1 / (1 + np.exp(-STEEPNESS * (loudness - loudness.mean())))
    found, columns = [], log_power.T if view.axis != FREQUENCY else log_power
    around = columns
    for step in range(view.steps):
        reach = 3**step
        if view.axis == FREQUENCY:  # the edges repeat
            padded = np.pad(around, ((0, 0), (reach, reach)), mode="edge")
            around = np.mean([padded[:, shift : shift + columns.shape[1]] for shift in (0, reach, 2 * reach)], axis=0)
            contrast, shares = columns - around, weights
        else:
            length = around.shape[1] - 2 * reach
            around = np.mean([around[:, shift : shift + length] for shift in (0, reach, 2 * reach)], axis=0)
            margin = (3 ** (step + 1) - 1) // 2
            contrast, shares = (columns[:, margin:-margin] - around).T, weights[margin:-margin]
        shares = shares / shares.sum()
        apart = contrast - shares @ contrast
        for deviation in (shares @ np.abs(apart), np.sqrt(shares @ apart**2)):
            found.append(deviation.reshape(view.bands, -1).mean(1))
        if view.axis != FREQUENCY:
            correlation = np.cov(apart.T, aweights=shares)
            correlation /= np.sqrt(np.outer(np.diag(correlation), np.diag(correlation)))
            found.append(correlation[np.triu_indices(view.bands, 1)])
    return np.concatenate(found)


def test_the_statistics_are_their_definition(waveform: torch.Tensor) -> None:
    expected = np.concatenate([statistics_of(waveform.double().numpy(), view) for view in VIEWS])
    (found,) = contrast_statistics(waveform[None])
    assert found.shape == (NUM_STATISTICS,)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-3)


def test_the_mean_around_a_frame_is_of_as_many_as_it_says() -> None:
    torch.manual_seed(0)
    log_power = torch.randn(1, 200, 8)
    view = View(16, 4, contrast_crnn.TIME, 8, 3)
    for (contrast, margin), width in zip(contrast_crnn._contrasts(log_power, view), (3, 9, 27), strict=True):
        assert margin == width // 2
        expected = log_power[0, margin:-margin] - log_power[0].unfold(0, width, 1).mean(-1)
        torch.testing.assert_close(contrast[0], expected, atol=1e-5, rtol=0)


def test_neither_level_nor_offset_nor_colour_is_contrast(waveform: torch.Tensor) -> None:
    # The last is a filter of two samples, whose colour changes slowly from bin to bin.
    coloured = waveform + 0.5 * waveform.roll(1)
    plain, shifted, filtered = contrast_statistics(torch.stack([waveform, 0.1 * waveform + 0.3, coloured]))
    torch.testing.assert_close(shifted, plain, atol=2e-3, rtol=0)
    assert (filtered - plain).abs().mean() < 0.02


def test_it_is_what_varies() -> None:
    torch.manual_seed(1)
    time = torch.arange(24_000) / RATE
    steady = sum(torch.sin(2 * torch.pi * 150 * (n + 1) * time + n) for n in range(50))
    long = slice(0, 2 * 3 * 32 * 2)  # the views that tell the tones apart
    clear, noisy = contrast_statistics(torch.stack([steady + level * torch.randn(24_000) for level in (0.01, 1.0)]))
    assert noisy[long].mean() > 1.5 * clear[long].mean()


def test_padding_is_not_heard(waveform: torch.Tensor) -> None:
    batch = torch.stack([waveform - waveform.mean(), torch.randn(24_000)])
    batch[1, :9_000] = batch[0, :9_000] - batch[0, :9_000].mean()
    lengths = torch.tensor([24_000, 9_000])
    found = measured(lambda view: power_of(batch, view), lambda view: (lengths - view.n_fft) // view.hop_length + 1)
    torch.testing.assert_close(found[:1], contrast_statistics(waveform[None]), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[1:], contrast_statistics(waveform[None, :9_000]), atol=1e-4, rtol=0)


def test_a_long_clip_is_the_mean_of_its_parts(waveform: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = contrast_statistics(torch.stack(waveform.split(12_000)))
    monkeypatch.setattr(contrast_crnn, "MOST_SAMPLES", 12_000)
    torch.testing.assert_close(contrast_statistics(waveform[None])[0], halves.mean(0))


@pytest.mark.parametrize("samples", [512, 5_000])
def test_a_clip_of_silence_or_of_one_frame_has_an_opinion_within_bounds(samples: int) -> None:
    opinion = CRNNContrast(CRNNConfig())
    opinion.deviation.fill_(1e-3)
    opinion.weight.fill_(1.0)
    for waveform in (torch.zeros(samples), torch.full((samples,), 0.5), torch.randn(samples)):
        found = opinion(contrast_statistics(waveform[None]))
        assert found.isfinite().all()
        assert found.abs().max() <= FURTHEST * NUM_STATISTICS


def test_the_extractor_measures_each_clip_alone(waveform: torch.Tensor) -> None:
    extractor = CRNNFeatureExtractor(return_contrast=True)
    clips = [waveform, *waveform[:18_000].split(9_000), waveform[:600]]
    batch = extractor(clips, sampling_rate=RATE, return_tensors="pt")
    assert batch["contrast"].shape == (4, NUM_STATISTICS)
    for clip, found in zip(clips, batch["contrast"], strict=True):
        torch.testing.assert_close(found, contrast_statistics(clip[None])[0], atol=1e-5, rtol=0)
    assert "contrast" not in CRNNFeatureExtractor()(waveform, sampling_rate=RATE)
    # What is cut is not measured.
    cut = extractor(waveform, sampling_rate=RATE, max_length=30, truncation=True, return_tensors="pt")
    torch.testing.assert_close(cut["contrast"], contrast_statistics(waveform[None, : 512 + 29 * 160]))


def test_it_is_added_to_the_logits_but_not_to_what_is_trained() -> None:
    torch.manual_seed(0)
    config = CRNNConfig(num_mel_bins=12, conv_channels=[4], hidden_size=4, dropout=0.0, contrast=True)
    model = CRNNForAudioClassification(config).eval()
    model.crnn.encoder.blocks[0].norm.momentum = 0.0
    features, contrast, labels = torch.randn(3, 50, 12), torch.randn(3, NUM_STATISTICS), torch.tensor([0, 1, 1])
    before = model(features, contrast=contrast, labels=labels)
    trained = model.train()(features, labels=labels)
    model.contrast.weight.normal_()
    after = model.eval()(features, contrast=contrast, labels=labels)
    torch.testing.assert_close(after.logits - before.logits, model.contrast(contrast))
    assert after.loss != before.loss
    again = model.train()(features, contrast=contrast, labels=labels)
    assert again.loss == trained.loss
    assert torch.equal(again.logits, trained.logits)
    assert not any("contrast" in name for name, _ in model.named_parameters())


def test_statistics_that_do_not_fit_are_refused() -> None:
    model = CRNNForAudioClassification(CRNNConfig(contrast=True)).eval()
    features = torch.randn(2, 50, 80)
    wanted = r"contrast must have shape \(2, 1168\), as CRNNFeatureExtractor\(return_contrast=True\) gives it; found"
    for contrast, found in (
        (None, "None"),
        (torch.zeros(1, NUM_STATISTICS), r"\(1, 1168\)"),
        (torch.zeros(2, 7), r"\(2, 7\)"),
    ):
        with pytest.raises(ValueError, match=f"{wanted} {found}"):
            model(features, contrast=contrast)
    with pytest.raises(ValueError, match="this model has no second opinion"):
        CRNNForAudioClassification(CRNNConfig())(features, contrast=torch.zeros(2, NUM_STATISTICS))


@pytest.mark.parametrize("contrast", [None, 1, "yes", [3]])
def test_a_setting_that_cannot_be_is_refused(contrast: object) -> None:
    with pytest.raises(ValueError, match="contrast must be true or false; found"):
        CRNNConfig(contrast=contrast)


def test_without_it_there_is_none() -> None:
    assert CRNNForAudioClassification(CRNNConfig()).contrast is None
    assert CRNNForAudioClassification(CRNNConfig.reference()).contrast is None
