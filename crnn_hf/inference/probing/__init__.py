"""What a detector hears beside the voice: level, silence, length, band width and a constant offset, one at a time.

A score that follows any of them follows the recording chain, and where a corpus has its fakes from another chain than
its real clips, training learns just that.
"""

from crnn_hf.inference.probing.changes import CHANGES, Change
from crnn_hf.inference.probing.measuring import ErrorRatesAfter, Movement, Probe, probe
from crnn_hf.inference.probing.record import as_record
from crnn_hf.inference.probing.wording import as_text

__all__ = ["CHANGES", "Change", "ErrorRatesAfter", "Movement", "Probe", "as_record", "as_text", "probe"]
