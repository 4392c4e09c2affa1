"""Fakes made while training goes on: settings, draws, workers."""

import pickle

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from crnn_hf.vocoding import VOCODERS, Vocoding, on_the_fly

RATE = 16_000


def test_every_vocoder_is_drawn(voice, network):
    vocoding = Vocoding(vocoders=["upsampled", "phase_vocoder"], neural=[network("encodec")])
    said = [vocoding(voice[:8_000], RATE, np.random.default_rng(seed)) for seed in range(12)]
    assert all(waveform.shape == (8_000,) and waveform.dtype == np.float32 for waveform in said)
    alone = [VOCODERS[name](voice[:8_000], RATE, np.random.default_rng(0)) for name in ("upsampled", "phase_vocoder")]
    assert len({waveform.tobytes() for waveform in [*said, *alone]}) > 4


def test_a_vocoding_repeats_for_a_generator(voice):
    first, again = (Vocoding()(voice, RATE, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert Vocoding().probability == 0.3


def test_vocoders_are_chosen_once_and_not_for_every_clip(voice, monkeypatch):
    vocoding = Vocoding(vocoders=["upsampled", "phase_vocoder"])
    first = vocoding(voice[:8_000], RATE, np.random.default_rng(0))
    monkeypatch.delattr(on_the_fly, "choose")
    np.testing.assert_array_equal(vocoding(voice[:8_000], RATE, np.random.default_rng(0)), first)


class Fakes(Dataset):
    def __init__(self, vocoding, voice):
        self.vocoding, self.voice = vocoding, voice

    def __len__(self):
        return 4

    def __getitem__(self, item):
        return self.vocoding(self.voice[:8_000], RATE, np.random.default_rng(item))


def test_workers_make_the_same_fakes(voice, network):
    fakes = Fakes(Vocoding(vocoders=["lpc_vocoder"], neural=[network("encodec")]), voice)
    by_workers = list(DataLoader(fakes, batch_size=None, num_workers=2))
    for fake, (item, of_worker) in zip((fakes[item] for item in range(4)), enumerate(by_workers), strict=True):
        np.testing.assert_allclose(of_worker, fake, atol=1e-4, err_msg=str(item))
    assert pickle.loads(pickle.dumps(fakes.vocoding)) == fakes.vocoding


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": 1.5}, r"probability must be a number in \[0, 1\]; found 1.5"),
        ({"probability": "often"}, "found 'often'"),
        ({"vocoders": "world_style"}, "vocoders must be a list of names.*found 'world_style'"),
        ({"vocoders": ["word"]}, "there is no vocoder word; expected one of mel_griffin_lim,"),
        ({"vocoders": []}, "both empty"),
        ({"vocoders": ["upsampled", "upsampled"]}, "two vocoders are called upsampled"),
        ({"neural": "facebook/encodec_24khz"}, "neural must be a list of models"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Vocoding(**settings)


def test_a_model_that_is_no_vocoder_is_refused_before_training_begins(tiny_detector):
    with pytest.raises(ValueError, match="found CRNNForAudioClassification"):
        Vocoding(neural=[str(tiny_detector)])


def test_a_vocoder_may_have_to_learn_first(network):
    model = network("encodec")
    assert Vocoding(0.2, vocoders=[], learned_steps=5).with_learned(model) == Vocoding(0.2, [], [model])
    other = network("dac")
    assert Vocoding(neural=[model], learned_steps=5).with_learned(other).neural == [model, other]


@pytest.mark.parametrize("steps", [-1, 1.5, True, "5"])
def test_steps_that_cannot_be(steps):
    with pytest.raises(ValueError, match="learned_steps must be a whole number of at least 0; found"):
        Vocoding(learned_steps=steps)
