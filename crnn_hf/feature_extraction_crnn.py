"""From waveforms to log-mel spectrograms."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, SequenceFeatureExtractor
from transformers.audio_utils import hertz_to_mel, mel_to_hertz
from transformers.utils import PaddingStrategy, TensorType, logging

from .contrast_crnn import contrast_of_each
from .spectra_crnn import FLOOR, power

logger = logging.get_logger(__name__)

Waveform = np.ndarray | torch.Tensor | Sequence[float]

MEL_SCALES = ("htk", "slaney", "linear")
NORMALIZATIONS = ("band_mean", "running_band_mean", "clip_mean_std")

# No clip is as short as this, so that a second dimension no larger is one of channels.
MOST_CHANNELS = 8
# Frames that are transformed at once. More does not fit the processor's caches, and an hour would not fit the memory.
BLOCK_FRAMES = 512

# What the recipe of the literature is fed with, see `CRNNConfig.reference`.
REFERENCE = {
    "num_mel_bins": 128,
    "n_fft": 1024,
    "hop_length": 512,
    "f_min": 0.0,
    "mel_scale": "slaney",
    "remove_dc": False,
    "normalization": "clip_mean_std",
    "max_frames": 200,
}


class CRNNFeatureExtractor(SequenceFeatureExtractor):
    r"""Log-mel spectrograms of waveforms, with an attention mask.

    A clip of n samples gives `1 + (n - n_fft) // hop_length` frames: they lie wholly within the clip, which is padded
    on neither side, so a clip's features do not depend on what it is batched with. A band of a frame is the logarithm
    (natural) of the power that `torchaudio.transforms.MelSpectrogram(center=False)` gives of the frame without its
    mean, limited from below to `dynamic_range` decibels under the clip's loudest, and normalised over the clip.

    Args:
        num_mel_bins (`int`, defaults to 80): number of bands.
        sampling_rate (`int`, defaults to 16000): sampling rate of the waveforms in Hz.
        padding_value (`float`, defaults to 0.0): value of the frames that pad a clip.
        n_fft (`int`, defaults to 512): samples of a frame, all under a Hann window.
        hop_length (`int`, defaults to 160): samples from one frame to the next.
        f_min (`float`, defaults to 20.0): where the lowest band begins, in Hz.
        f_max (`float`, *optional*): where the highest band ends, in Hz. By default half the sampling rate.
        mel_scale (`str`, defaults to `"htk"`): how the bands, which are triangles, are spaced: evenly in mel, after
            HTK or after Slaney's Auditory Toolbox, or evenly in Hz (`"linear"`).
        remove_dc (`bool`, defaults to `True`): whether each frame's mean is taken from it, so that an offset of the
            recording's zero, which leaks into the lowest bands and counts as their loudness, changes nothing.
        dynamic_range (`float`, *optional*, defaults to 80.0): decibels below the clip's loudest band and frame under
            which nothing is told apart, so that the noise floor of quiet recordings does not depend on their level.
            None sets no limit.
        normalization (`str`, *optional*, defaults to `"band_mean"`): `"band_mean"` removes each band's mean over the
            clip, and with it level and colour of the recording channel; `"running_band_mean"` removes from each frame
            the mean of all until then, and counts `dynamic_range` from the loudest until then, so that no frame
            depends on later ones and a live recording can be followed exactly; `"clip_mean_std"` removes the mean over
            all bands and divides by the standard deviation; None leaves the logarithms as they are.
        max_frames (`int`, *optional*): fixed size. If set, every clip is cut or padded to this many frames, unless a
            call says otherwise. By default clips keep their length, and a batch is padded to its longest.
        feature_size (`int`, *optional*): what transformers calls `num_mel_bins`; the same number.
        return_waveform (`bool`, defaults to `False`): whether to return the waveforms too, for models whose config has
            a `backbone`.
        return_contrast (`bool`, defaults to `False`): whether to return statistics of each clip's fine structure too,
            for models whose config has `contrast`.

    Raises:
        ValueError: a number with which no spectrogram can be made; the message names the argument.

    Example:

    ```python
    >>> extractor = CRNNFeatureExtractor()
    >>> batch = extractor([np.zeros(16000), np.zeros(8000)], sampling_rate=16000, return_tensors="pt")
    >>> batch["input_features"].shape, batch["attention_mask"].sum(-1)
    (torch.Size([2, 97, 80]), tensor([97, 47]))
    ```
    """

    model_input_names = ["input_features", "attention_mask"]  # noqa: RUF012 - as transformers declares it

    def __init__(
        self,
        num_mel_bins: int | None = None,
        sampling_rate: int = 16_000,
        padding_value: float = 0.0,
        n_fft: int = 512,
        hop_length: int = 160,
        f_min: float = 20.0,
        f_max: float | None = None,
        mel_scale: str = "htk",
        remove_dc: bool = True,
        dynamic_range: float | None = 80.0,
        normalization: str | None = "band_mean",
        max_frames: int | None = None,
        feature_size: int | None = None,
        return_waveform: bool = False,
        return_contrast: bool = False,
        **kwargs: Any,
    ) -> None:
        bands = next(number for number in (num_mel_bins, feature_size, 80) if number is not None)
        super().__init__(bands if feature_size is None else feature_size, sampling_rate, padding_value, **kwargs)
        self.num_mel_bins = bands
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.f_min = f_min
        self.f_max = f_max
        self.mel_scale = mel_scale
        self.remove_dc = remove_dc
        self.dynamic_range = dynamic_range
        self.normalization = normalization
        self.max_frames = max_frames
        self.return_waveform = return_waveform
        self.return_contrast = return_contrast
        self._refuse_impossible_values()
        empty = torch.flatten(self._filters().sum(0) == 0).nonzero().flatten().tolist()
        if empty:
            logger.warning(
                f"n_fft={n_fft} is too short for {bands} bands: no FFT bin falls into {len(empty)} of them {empty}"
            )

    @classmethod
    def reference(cls, **overrides: Any) -> "CRNNFeatureExtractor":
        """What feeds `CRNNConfig.reference()`: 128 bands x 200 frames; `overrides` replace any argument."""
        return cls(**{**REFERENCE, **overrides})

    def __call__(
        self,
        raw_speech: Waveform | Sequence[Waveform],
        sampling_rate: int | None = None,
        padding: bool | str | PaddingStrategy | None = None,
        max_length: int | None = None,
        truncation: bool | None = None,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
        device: str | torch.device = "cpu",
    ) -> BatchFeature:
        """Compute the features of one waveform or of a batch.

        Args:
            raw_speech: one mono waveform of shape (samples,), or a list of such, of any lengths; an array or tensor
                of shape (clips, samples) is a batch too. Floats with a full scale of 1.0, or 16-bit integers.
            sampling_rate: of the waveforms, in Hz. State it: a wrong one then raises instead of spoiling the features.
            padding: True or "longest", "max_length", or False, as everywhere in transformers. Lengths are in frames.
                By default "max_length" where the extractor has `max_frames`, otherwise "longest".
            max_length: frames to pad or cut to. By default the extractor's `max_frames`.
            truncation: whether to cut clips of more than `max_length` frames, which drops their end. By default only
                where the extractor has `max_frames`.
            pad_to_multiple_of: round the padded length up to a multiple of this many frames.
            return_attention_mask: whether to return the mask. By default it is returned.
            return_tensors: "pt" or "np"; by default a list of arrays of shape (frames, mel).
            device: where to compute, such as "cuda". The result is on the CPU.

        Returns:
            `input_features`, (clips, frames, mel), float32, and `attention_mask`, (clips, frames), int32, 1 for frames
            of the clip and 0 for padding. With `return_waveform` also `input_values`, (clips, samples), float32: the
            samples under those frames, of mean 0 and variance 1, and 0 under padding. With `return_contrast` also
            `contrast`, (clips, statistics), float32: see `contrast_statistics`.

        Raises:
            ValueError: another sampling rate than the extractor's; or a clip that is empty, shorter than one frame,
                has more than one channel, another type of sample, or a value that is not finite. The message names the
                clip by its index in the batch.
        """
        self._check_sampling_rate(sampling_rate)
        if max_length is None:
            max_length = self.max_frames
        if truncation is None:
            truncation = self.max_frames is not None
        if padding is None:
            padding = "longest" if self.max_frames is None else "max_length"

        waveforms = [self._to_waveform(clip, index) for index, clip in enumerate(_to_clips(raw_speech))]
        if truncation and max_length is not None:
            # Before the normalisation, which shall see nothing of what is cut.
            waveforms = [waveform[: self.n_fft + (max_length - 1) * self.hop_length] for waveform in waveforms]
        features = self._log_mel([waveform.to(device) for waveform in waveforms])
        batch = self.pad(
            BatchFeature({self.model_input_names[0]: [clip.cpu().numpy() for clip in features]}),
            padding=padding,
            max_length=max_length,
            truncation=truncation,
            pad_to_multiple_of=pad_to_multiple_of,
            return_attention_mask=return_attention_mask,
            return_tensors=return_tensors,
        )
        if self.return_waveform:
            frames = [len(clip) for clip in batch[self.model_input_names[0]]]
            values = [self._input_values(*pair) for pair in zip(waveforms, frames, strict=True)]
            batch.update(BatchFeature({"input_values": values}, tensor_type=return_tensors))
        if self.return_contrast:
            statistics = contrast_of_each([waveform.to(device) for waveform in waveforms])
            batch.update(BatchFeature({"contrast": list(statistics.cpu().numpy())}, tensor_type=return_tensors))
        return batch

    def num_frames(self, num_samples: int) -> int:
        """How many frames a clip of `num_samples` samples gives; below 1 it is too short."""
        return 1 + (num_samples - self.n_fft) // self.hop_length

    def _input_values(self, waveform: torch.Tensor, frames: int) -> np.ndarray:
        """The samples under the first so many frames, standardised, and 0 where there are none; (samples,)."""
        samples = self.n_fft + (self.num_frames(len(waveform)) - 1) * self.hop_length
        padded = self.n_fft + (frames - 1) * self.hop_length
        waveform = waveform[: min(samples, padded)]
        # As `transformers.Wav2Vec2FeatureExtractor` does it.
        values = (waveform - waveform.mean()) / (waveform.var(correction=0) + 1e-7).sqrt()
        return torch.nn.functional.pad(values, (0, padded - len(values))).numpy()

    def log_mel(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The logarithm of the power in each band, not normalised: (clips, samples) to (clips, frames, mel)."""
        return self._mel_power(waveforms).clamp_(min=FLOOR).log_()

    def _log_mel(self, waveforms: list[torch.Tensor]) -> list[torch.Tensor]:
        """The normalised features of each waveform, (samples,) to (frames, mel)."""
        log_mel = self.log_mel(torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True))
        lengths = [self.num_frames(len(waveform)) for waveform in waveforms]
        return [self._normalize(clip[:length]) for clip, length in zip(log_mel, lengths, strict=True)]

    def _mel_power(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Power in each band, (clips, samples) to (clips, frames, mel)."""
        window = torch.hann_window(self.n_fft, device=waveforms.device)
        filters = self._filters().to(waveforms.device)
        # A constant under the window is in its bins 0 and 1 alone, which spares a copy of the frames.
        constant = torch.fft.rfft(window)[:2].real
        frames = waveforms.unfold(-1, self.n_fft, self.hop_length)
        blocks = []
        for block in frames.split(max(1, BLOCK_FRAMES // len(waveforms)), dim=1):
            spectra = torch.fft.rfft(block * window)
            if self.remove_dc:
                torch.view_as_real(spectra)[..., :2, 0] -= block.mean(-1, keepdim=True) * constant
            blocks.append(power(spectra) @ filters)
        return torch.cat(blocks, dim=1)

    def _normalize(self, log_mel: torch.Tensor) -> torch.Tensor:
        """Limit a clip's dynamic range and remove what the recording channel adds; (frames, mel), changed in place."""
        if self.normalization == "running_band_mean":
            return RunningBandMean(self.dynamic_range)(log_mel)
        if self.dynamic_range is not None:
            log_mel.clamp_(min=log_mel.max().item() - self.dynamic_range * math.log(10) / 10)
        if self.normalization == "band_mean":
            return log_mel.sub_(log_mel.mean(0))
        if self.normalization == "clip_mean_std":
            # A clip of digital silence has no deviation.
            return (log_mel - log_mel.mean()) / log_mel.std(correction=0).clamp(min=1e-5)
        return log_mel

    def _filters(self) -> torch.Tensor:
        f_max = self.sampling_rate / 2 if self.f_max is None else self.f_max
        return triangular_filters(
            self.num_mel_bins, self.n_fft // 2 + 1, self.sampling_rate, self.f_min, f_max, self.mel_scale
        )

    def _to_waveform(self, clip: Any, index: int) -> torch.Tensor:
        """One clip as float32 of shape (samples,), full scale 1.0. Raises ValueError for what cannot be one."""
        try:
            # PyTorch wants memory that it could write to; only what has none is copied.
            is_tensor = isinstance(clip, torch.Tensor)
            samples = clip.detach() if is_tensor else torch.from_numpy(np.require(clip, requirements=["C", "W"]))
        except (TypeError, ValueError) as error:
            raise ValueError(f"clip {index} is not a waveform: {error}") from error
        if samples.ndim == 2 and 1 in samples.shape:
            samples = samples.flatten()
        if samples.ndim != 1:
            raise ValueError(
                f"clip {index} has shape {tuple(samples.shape)}; expected one channel, of shape (samples,)"
            )
        if len(samples) == 0:
            raise ValueError(f"clip {index} is empty")
        if samples.dtype == torch.int16:
            samples = samples / 32768
        elif not samples.is_floating_point():
            raise ValueError(
                f"clip {index} has samples of type {samples.dtype}; expected floats in [-1, 1] or 16-bit integers"
            )
        samples = samples.float()
        if len(samples) < self.n_fft:
            raise ValueError(
                f"clip {index} has {len(samples)} samples, less than one frame; expected at least {self.n_fft} "
                f"({1000 * self.n_fft / self.sampling_rate:g} ms)"
            )
        # One value that is not finite makes the sum so, and the sum is had for a tenth of the time.
        if not math.isfinite(samples.sum().item()) and not (finite := samples.isfinite()).all():
            first = int((~finite).nonzero()[0])
            raise ValueError(
                f"clip {index} has {int((~finite).sum())} samples that are not finite numbers, "
                f"the first at {first}: {samples[first].item()}"
            )
        return samples

    def _check_sampling_rate(self, sampling_rate: int | None) -> None:
        if sampling_rate is None:
            logger.warning_once(
                "No sampling_rate was passed to the feature extractor. Pass it: features of waveforms at another rate "
                f"than {self.sampling_rate} Hz are wrong, and nothing else can tell."
            )
        elif sampling_rate != self.sampling_rate:
            raise ValueError(
                f"the waveforms have a sampling rate of {sampling_rate} Hz; expected {self.sampling_rate} Hz, "
                "which the model was trained on: resample them"
            )

    def _refuse_impossible_values(self) -> None:
        if self.feature_size != self.num_mel_bins:
            raise ValueError(
                f"feature_size is another name of num_mel_bins; found {self.feature_size} and {self.num_mel_bins}"
            )
        for name in ("num_mel_bins", "sampling_rate", "hop_length", "max_frames"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be an integer of at least 1; found {value!r}")
        if not isinstance(self.n_fft, int) or self.n_fft < 2:
            raise ValueError(f"n_fft must be an integer of at least 2; found {self.n_fft!r}")
        for name in ("remove_dc", "return_waveform", "return_contrast"):
            if not isinstance(value := getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false; found {value!r}")
        for name in ("f_min", "f_max", "dynamic_range", "padding_value"):
            value = getattr(self, name)
            if not isinstance(value, int | float) and not (value is None and name in ("f_max", "dynamic_range")):
                raise ValueError(f"{name} must be a number; found {value!r}")
        f_max = self.sampling_rate / 2 if self.f_max is None else self.f_max
        if not 0 <= self.f_min < f_max <= self.sampling_rate / 2:
            raise ValueError(
                f"f_min and f_max must be in order between 0 and {self.sampling_rate / 2:g} Hz, half the sampling "
                f"rate; found {self.f_min!r} and {self.f_max!r}"
            )
        if self.mel_scale not in MEL_SCALES:
            raise ValueError(f"mel_scale must be one of {MEL_SCALES}; found {self.mel_scale!r}")
        if self.normalization is not None and self.normalization not in NORMALIZATIONS:
            raise ValueError(f"normalization must be one of {NORMALIZATIONS}, or None; found {self.normalization!r}")
        if self.dynamic_range is not None and not self.dynamic_range > 0:
            raise ValueError(f"dynamic_range must be above 0, or None; found {self.dynamic_range!r}")
        if self.padding_side != "right":
            raise ValueError(f"padding_side must be 'right', as the model wants it; found {self.padding_side!r}")


class RunningBandMean:
    """Normalises frames by those before them: a clip at once, or a live recording piece by piece, with one result.

    Args:
        dynamic_range: decibels below the loudest band and frame so far under which nothing is told apart; or None.
    """

    def __init__(self, dynamic_range: float | None) -> None:
        self.dynamic_range = dynamic_range
        self._loudest = -math.inf
        self._total: torch.Tensor | float = 0.0
        self._count = 0

    def __call__(self, log_mel: torch.Tensor) -> torch.Tensor:
        """The next frames, (frames, mel), without the mean of all frames until each."""
        if len(log_mel) == 0:
            return log_mel
        if self.dynamic_range is not None:
            loudest = log_mel.amax(1, keepdim=True).cummax(0).values.clamp(min=self._loudest)
            self._loudest = loudest[-1].item()
            log_mel = log_mel.maximum(loudest - self.dynamic_range * math.log(10) / 10)
        # In float64, for sums over hours.
        totals = self._total + log_mel.double().cumsum(0)
        counts = self._count + torch.arange(1, len(log_mel) + 1, device=log_mel.device)[:, None]
        self._total, self._count = totals[-1], self._count + len(log_mel)
        return log_mel - (totals / counts).float()


@lru_cache
def triangular_filters(
    num_bands: int, num_bins: int, sampling_rate: int, f_min: float, f_max: float, scale: str
) -> torch.Tensor:
    """The weights with which the power of FFT bins is summed to bands.

    A band is a triangle from its lower neighbour's centre over its own, where it is 1, to its upper neighbour's; the
    centres are evenly spaced on the scale.

    Args:
        num_bands: number of bands.
        num_bins: number of FFT bins, from 0 Hz to half the sampling rate.
        sampling_rate: in Hz.
        f_min: where the lowest band begins, in Hz.
        f_max: where the highest band ends, in Hz.
        scale: "htk", "slaney" or "linear".

    Returns:
        (num_bins, num_bands), float32.
    """
    if scale == "linear":
        edges = np.linspace(f_min, f_max, num_bands + 2)
    else:
        low, high = hertz_to_mel(f_min, scale), hertz_to_mel(f_max, scale)
        edges = mel_to_hertz(np.linspace(low, high, num_bands + 2), scale)
    bins = np.linspace(0, sampling_rate / 2, num_bins)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    return torch.from_numpy(np.maximum(0, np.minimum(rising, falling)).astype(np.float32))


def _to_clips(raw_speech: Any) -> Sequence[Any]:
    """The clips of a batch; a single waveform becomes a batch of one."""
    if isinstance(raw_speech, np.ndarray | torch.Tensor):
        if raw_speech.ndim == 2 and raw_speech.shape[1] <= MOST_CHANNELS < raw_speech.shape[0]:
            raise ValueError(
                f"expected one channel of shape (samples,), or clips of shape (clips, samples); found shape "
                f"{tuple(raw_speech.shape)}, which looks like one clip of {raw_speech.shape[1]} channels: average them"
            )
        return [raw_speech] if raw_speech.ndim <= 1 else list(raw_speech)
    if not isinstance(raw_speech, Sequence) or isinstance(raw_speech, str | bytes):
        raise ValueError(f"expected a waveform or a list of waveforms; found {type(raw_speech).__name__}")
    if len(raw_speech) == 0:
        raise ValueError("expected a waveform or a list of waveforms; found an empty list")
    is_batch = isinstance(raw_speech[0], np.ndarray | torch.Tensor | Sequence) and np.ndim(raw_speech[0]) > 0
    return raw_speech if is_batch else [raw_speech]
