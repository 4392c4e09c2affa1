"""What happens to a waveform before training sees it, blind to its label."""

from crnn_hf.augmentation.crop import RandomCrop

__all__ = ["RandomCrop"]
