"""Recordings to try: artificial voices, made at the start, so that nobody's voice is needed."""

from pathlib import Path

import numpy as np
import soundfile

from crnn_hf.data.embedded import VOCODERS, draw_speaker, place_in_room, synthesize_utterance
from crnn_hf.data.embedded.corpus import set_scene
from crnn_hf.data.embedded.voice import SAMPLING_RATE

SECONDS = 6.0
VOCODER = "mel_griffin_lim"
LABELS = {
    "artificial-voice.wav": "Artificial voice, as it is (counts as real)",
    "artificial-voice-vocoded.wav": "The same through a vocoder (fake)",
    "artificial-voice-spliced.wav": "The same with only its middle through the vocoder",
}


def write_examples(folder: Path) -> list[str]:
    """Write the recordings of `LABELS` into a folder; their paths. They are nonsense syllables that nobody spoke."""
    rng = np.random.default_rng(7)
    voice = place_in_room(synthesize_utterance(draw_speaker(rng, "example", "F"), SECONDS, rng), rng)
    vocoded = VOCODERS[VOCODER](voice, SAMPLING_RATE, rng)
    spliced = voice.copy()
    middle = slice(len(voice) // 3, 2 * len(voice) // 3)
    spliced[middle] = vocoded[middle]
    for name, waveform in zip(LABELS, (voice, vocoded, spliced), strict=True):
        # One channel for all three, so that it does not tell them apart.
        soundfile.write(folder / name, set_scene(waveform, np.random.default_rng(3)), SAMPLING_RATE)
    return [str(folder / name) for name in LABELS]
