"""Networks as vocoders: real code paths, tiny random weights."""

import pickle

import numpy as np
import pytest
import torch
import transformers
from transformers import SpeechT5FeatureExtractor

from crnn_hf.vocoding import NeuralVocoder
from crnn_hf.vocoding.mel_vocoders import log_mel
from crnn_hf.vocoding.neural import architecture_of, choice, load

KINDS = ("encodec", "stereo_encodec", "dac", "mimi", "speecht5_hifigan", "espnet_hifigan", "univnet")


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_says_it_again_with_the_length_and_level_of_the_original(kind, network, voice):
    vocoder = NeuralVocoder(network(kind))
    said = vocoder(voice, 16_000, np.random.default_rng(0))
    assert said.dtype == np.float32
    assert said.shape == voice.shape
    assert np.isfinite(said).all()
    assert np.std(said) == pytest.approx(np.std(voice), rel=0.05)
    assert abs(np.corrcoef(said, voice)[0, 1]) < 0.9
    np.testing.assert_array_equal(vocoder(voice, 16_000, np.random.default_rng(0)), said)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [1, 300, 5_000])
def test_short_recordings_are_no_trouble(kind, samples, network, voice):
    said = NeuralVocoder(network(kind))(voice[8_000 : 8_000 + samples], 16_000, np.random.default_rng(0))
    assert said.shape == (samples,)
    assert np.isfinite(said).all()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("encodec", {"bandwidth": {2.0, 4.0, 8.0}}),
        ("dac", {"n_quantizers": {1, 2, 3, 4}}),
        ("mimi", {"num_quantizers": {2, 3, 4}}),  # the first is semantic and says little of how it sounds
    ],
)
def test_how_finely_a_codec_codes_is_drawn(kind, expected, network):
    name = network(kind)
    model = getattr(transformers, architecture_of(name)).from_pretrained(name)
    rng = np.random.default_rng(0)
    drawn = [choice(model, rng) for _ in range(40)]
    assert {setting: {one[setting] for one in drawn} for setting in expected} == expected


def test_what_is_drawn_is_heard(network, voice):
    vocoder = NeuralVocoder(network("encodec"))
    said = [vocoder(voice[:8_000], 16_000, np.random.default_rng(seed)) for seed in range(12)]
    assert len({waveform.tobytes() for waveform in said}) == 3


def test_the_spectrogram_is_the_one_that_speecht5_was_trained_on(voice):
    extractor = SpeechT5FeatureExtractor()
    wanted = extractor(audio_target=voice, sampling_rate=16_000, return_tensors="pt")["input_values"]
    torch.testing.assert_close(log_mel(voice, 16_000, 80, 256), wanted, atol=1e-4, rtol=1e-4)


def test_a_network_is_loaded_late_and_once_and_the_vocoder_travels_to_workers(network, voice):
    load.cache_clear()
    vocoder = NeuralVocoder(network("encodec"))
    assert load.cache_info().currsize == 0
    said = vocoder(voice, 16_000, np.random.default_rng(0))
    moved = pickle.loads(pickle.dumps(vocoder))
    assert len(pickle.dumps(vocoder)) < 1_000  # no weights in it
    np.testing.assert_array_equal(moved(voice, 16_000, np.random.default_rng(0)), said)
    assert load.cache_info().misses == 1


def test_another_kind_of_model_is_refused_by_name(tiny_detector):
    with pytest.raises(ValueError, match=r"expected a codec, such as EncodecModel.*found CRNNForAudioClassification"):
        NeuralVocoder(str(tiny_detector))


def test_no_model_at_all_is_named(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        NeuralVocoder(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="found 3"):
        NeuralVocoder(3)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="names no architecture"):
        NeuralVocoder(str(tmp_path))


def test_a_waveform_of_another_shape_is_refused(network):
    with pytest.raises(ValueError, match="samples"):
        NeuralVocoder(network("encodec"))(np.zeros((1, 100), np.float32), 16_000, np.random.default_rng(0))
