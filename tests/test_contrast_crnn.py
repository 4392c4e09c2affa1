"""The second opinion: its statistics are those that it says, and it says nothing before it is fitted."""

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, contrast_crnn
from crnn_hf.contrast_crnn import (
    AT_ONCE,
    DYNAMIC_RANGE,
    FREQUENCY_VIEWS,
    FURTHEST,
    HARMONICS,
    KIND_OF_STATISTIC,
    LATER,
    MOMENT_VIEWS,
    NUM_STATISTICS,
    PHASE,
    PHASE_VIEW,
    PULSES,
    STEEPNESS,
    CRNNContrast,
    View,
    contrast_statistics,
    cross_power_of,
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


def spectra_of(waveform: np.ndarray, view: View) -> np.ndarray:
    """(frames, bins), frame by frame."""
    window = np.hanning(view.n_fft + 1)[:-1]
    starts = range(0, len(waveform) - view.n_fft + 1, view.hop_length)
    return np.fft.rfft([waveform[start : start + view.n_fft] * window for start in starts])


def heard_in(power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log power and the weights of frames."""
    log_power = np.log(np.maximum(power, 1e-10))
    log_power = np.maximum(log_power, log_power.max() - DYNAMIC_RANGE * np.log(10) / 10)
    loudness = log_power.mean(1)
    return log_power, 1 / (1 + np.exp(-STEEPNESS * (loudness - loudness.mean())))


def deviations_of(contrast: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute deviation and standard deviation of each column."""
    apart = contrast - np.average(contrast, axis=0, weights=weights)
    return np.average(abs(apart), axis=0, weights=weights), np.average(apart**2, axis=0, weights=weights) ** 0.5


def of_frequencies(waveform: np.ndarray, view: View) -> list[np.ndarray]:
    """The definition, bin by bin."""
    log_power, weights = heard_in(np.abs(spectra_of(waveform, view)[:, 1:]) ** 2)
    triples = log_power.shape[1] // (3 * view.bands) * view.bands
    thirds = log_power[:, : 3 * triples].reshape(-1, triples, 3).mean(2)
    found, around = [], thirds
    for step in range(view.steps):
        if step > 0:  # the edges repeat
            reach = 3 ** (step - 1)
            padded = np.pad(around, ((0, 0), (reach, reach)), mode="edge")
            around = np.mean([padded[:, shift : shift + triples] for shift in (0, reach, 2 * reach)], axis=0)
        for deviation in deviations_of(log_power[:, 1 : 3 * triples : 3] - around, weights):
            found.append(deviation.reshape(view.bands, -1).mean(1))
    return found


def of_moments(waveform: np.ndarray, view: View) -> list[np.ndarray]:
    """The definition, frame by frame."""
    power = np.abs(spectra_of(waveform, view)[:, 1:]) ** 2
    log_power, weights = heard_in(power.reshape(len(power), view.bands, -1).sum(2))
    found = []
    for step in range(view.steps):
        margin = (3 ** (step + 1) - 1) // 2
        inner = range(margin, len(log_power) - margin)
        around = np.array([log_power[frame - margin : frame + margin + 1].mean(0) for frame in inner])
        contrast, shares = log_power[margin:-margin] - around, weights[margin:-margin]
        correlation = np.cov(contrast.T, aweights=shares)
        correlation /= np.sqrt(np.outer(np.diag(correlation), np.diag(correlation)))
        found += [*deviations_of(contrast, shares), correlation[np.triu_indices(view.bands, 1)]]
    return found


def of_phases(waveform: np.ndarray) -> list[np.ndarray]:
    """The definition, bin by bin."""
    later = spectra_of(waveform[LATER:], PHASE_VIEW)
    product = later * spectra_of(waveform, PHASE_VIEW)[: len(later)].conj()
    log_size, weights = heard_in(np.abs(product))
    turns = product / np.exp(log_size)
    bins = np.arange(1, turns.shape[1])
    of_tones = np.exp(2j * np.pi * bins * LATER / PHASE_VIEW.n_fft)
    means = [
        np.average(turns[:, 1:], axis=0, weights=weights) / of_tones,
        np.average(turns[:, 1:] * turns[:, :-1].conj(), axis=0, weights=weights),
    ]
    return [part.reshape(PHASE_VIEW.bands, -1).mean(1) for mean in means for part in (mean.real, mean.imag)]


def test_the_statistics_are_their_definition(waveform: torch.Tensor) -> None:
    exact = waveform.double().numpy()
    exact = exact - exact.mean()
    expected = [part for view in FREQUENCY_VIEWS for part in of_frequencies(exact, view)]
    expected += [part for view in MOMENT_VIEWS for part in of_moments(exact, view)]
    expected += of_phases(exact)
    (found,) = contrast_statistics(waveform[None])
    assert found.shape == (NUM_STATISTICS,)
    np.testing.assert_allclose(found.numpy(), np.concatenate(expected), atol=1e-3)


def test_each_statistic_is_of_the_kind_that_it_tells_of(waveform: torch.Tensor) -> None:
    exact = waveform.double().numpy()
    kinds = [HARMONICS for view in FREQUENCY_VIEWS for part in of_frequencies(exact, view) for _ in part]
    for view in MOMENT_VIEWS:
        for index, part in enumerate(of_moments(exact, view)):
            kinds += [AT_ONCE if index % 3 == 2 else PULSES] * len(part)
    kinds += [PHASE for part in of_phases(exact) for _ in part]
    assert tuple(kinds) == KIND_OF_STATISTIC


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
    long = slice(0, sum(2 * view.steps * view.bands for view in FREQUENCY_VIEWS))  # they tell the tones apart
    clear, noisy = contrast_statistics(torch.stack([steady + level * torch.randn(24_000) for level in (0.01, 1.0)]))
    assert noisy[long].mean() > 1.5 * clear[long].mean()


def test_the_phase_is_told_relative_to_tones_in_the_middle_of_bins() -> None:
    # Every bin turns as a tone in its middle, and a tenth of a radian further.
    turns = torch.polar(torch.rand(257) + 0.5, torch.arange(257) * torch.pi / 2 + 0.1).expand(1, 20, -1)
    found = contrast_crnn._of_phases(turns.real.clone(), turns.imag.clone(), None)
    expected = torch.tensor([np.cos(0.1), np.sin(0.1), 0.0, 1.0]).repeat_interleave(PHASE_VIEW.bands)
    torch.testing.assert_close(found[0], expected.float(), atol=1e-5, rtol=0)


def test_what_is_too_quiet_to_be_told_apart_has_no_phase() -> None:
    torch.manual_seed(2)
    # Above 4 kHz there is but noise that is 100 dB lower.
    spectrum = torch.fft.rfft(torch.randn(24_000))
    spectrum[6_000:] *= 1e-5
    waveform = torch.fft.irfft(spectrum)
    (heard,) = contrast_statistics(waveform[None])
    (other,) = contrast_statistics(waveform[None] + 1e-6 * torch.randn(24_000))
    high = heard[-4 * PHASE_VIEW.bands :].reshape(4, -1)[:, PHASE_VIEW.bands // 2 + 1 :]
    assert high.abs().max() < 2e-3
    torch.testing.assert_close(other[-4 * PHASE_VIEW.bands :], heard[-4 * PHASE_VIEW.bands :], atol=2e-3, rtol=0)


def test_padding_is_not_heard(waveform: torch.Tensor) -> None:
    batch = torch.stack([waveform - waveform.mean(), torch.randn(24_000)])
    batch[1, :9_000] = batch[0, :9_000] - batch[0, :9_000].mean()
    lengths = torch.tensor([24_000, 9_000])
    found = measured(lambda view: power_of(batch, view), cross_power_of(batch), lengths)
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


@pytest.mark.parametrize("most", [256_000, 30_000, 1])
def test_the_extractor_measures_each_clip_alone(
    waveform: torch.Tensor, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(contrast_crnn, "MOST_AT_ONCE", most)
    extractor = CRNNFeatureExtractor(return_contrast=True)
    clips = [waveform, *waveform[:18_000].split(9_000), waveform[:600]]
    batch = extractor(clips, sampling_rate=RATE, return_tensors="pt")
    assert batch["contrast"].shape == (4, NUM_STATISTICS)
    for clip, found in zip(clips, batch["contrast"], strict=True):
        torch.testing.assert_close(found, contrast_statistics(clip[None])[0], atol=1e-4, rtol=0)
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
    model.contrast.hidden_weight.normal_(std=0.03)
    model.contrast.weight.normal_(std=0.1)
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
    wanted = (
        rf"contrast must have shape \(2, {NUM_STATISTICS}\), as CRNNFeatureExtractor\(return_contrast=True\) gives it"
    )
    for contrast, found in (
        (None, "None"),
        (torch.zeros(1, NUM_STATISTICS), rf"\(1, {NUM_STATISTICS}\)"),
        (torch.zeros(2, 7), r"\(2, 7\)"),
    ):
        with pytest.raises(ValueError, match=f"{wanted}; found {found}"):
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


def test_a_model_made_without_memory_for_it_says_nothing_either() -> None:
    with torch.device("meta"):
        model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4], hidden_size=4, contrast=True))
    model = model.to_empty(device="cpu")
    for part in model.contrast.buffers():
        part.fill_(7.0)
    model.init_weights()
    fresh = CRNNContrast(model.config)
    for name, value in model.contrast.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name]), name
