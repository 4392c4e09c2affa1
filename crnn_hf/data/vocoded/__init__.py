"""Real recordings, of whatever form, and the fakes that vocoders make of them: a corpus to train on."""

from crnn_hf.data.vocoded.plans import Original
from crnn_hf.data.vocoded.real_speech import load_real_speech
from crnn_hf.data.vocoded.writing import Outcome, write_fakes

__all__ = ["Original", "Outcome", "load_real_speech", "write_fakes"]
