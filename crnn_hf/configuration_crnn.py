"""Every number of the model."""

import math
from typing import Any

from transformers import PreTrainedConfig

from .backbone_configuration_crnn import complete_backbone, is_count

LABELS = ("real", "fake")
POOLINGS = ("attentive_statistics", "mean")
DOWNSAMPLINGS = ("stride", "max_pool")
LOSSES = ("cross_entropy", "am_softmax", "oc_softmax")

# Of Y. Zhang, F. Jiang and Z. Duan, "One-class learning towards synthetic voice spoofing detection", 2021, for both.
MARGINS = {"am_softmax": 0.9, "oc_softmax": (0.9, 0.2)}
COSINE_SCALE = 20.0

AUTO_MAP = {
    "AutoConfig": "configuration_crnn.CRNNConfig",
    "AutoModel": "modeling_crnn.CRNNModel",
    "AutoModelForAudioClassification": "modeling_crnn.CRNNForAudioClassification",
}

# The recipe of the literature: 128 mel bands x 200 frames, three convolutions with batch norm and 2 x 2 max pooling, a
# two-layer BiLSTM of 256 and a head 512-128-2. As usually published, its recurrence runs over the frequency axis and
# only the last step is read; here it runs over time, and all steps are averaged.
REFERENCE = {
    "num_mel_bins": 128,
    "conv_channels": [32, 64, 128],
    "downsampling": "max_pool",
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "dropout": 0.3,
    "pooling": "mean",
    "classifier_proj_size": 128,
}


class CRNNConfig(PreTrainedConfig):
    r"""Configuration of a [`CRNNModel`]: log-mel spectrogram -> convolutions -> LSTM over time -> pooling -> linear.

    There are two presets: the default, `CRNNConfig()`, small and fast (0.8 M parameters); and the recipe of the
    literature, `CRNNConfig.reference()` (6.5 M parameters), to be fed by `CRNNFeatureExtractor.reference()`.

    Args:
        num_mel_bins (`int`, defaults to 80):
            Number of mel bands of the input. Must be the feature extractor's.
        conv_channels (`list[int]`, defaults to `[32, 64, 96, 128]`):
            Output channels of each convolution block. Every block halves the mel axis.
        conv_kernel_size (`int`, defaults to 3):
            Height and width of the convolutions' kernels; odd.
        num_time_halvings (`int`, defaults to 3):
            How many of the blocks, counted from the first, halve the time axis too. 3 turn frames 10 ms apart into
            steps 80 ms apart. With fewer blocks than that, all of them do.
        downsampling (`str`, defaults to `"stride"`):
            How a block halves: `"stride"` computes only every second output of the convolution, `"max_pool"` computes
            all of them and takes the larger of two.
        hidden_size (`int`, defaults to 96):
            Units of the LSTM, per direction.
        num_hidden_layers (`int`, defaults to 1):
            Layers of the LSTM.
        bidirectional (`bool`, defaults to `True`):
            Whether the LSTM reads the clip backwards too. Doubles the size of its output.
        dropout (`float`, defaults to 0.3):
            Probability in [0, 1) of dropping an activation, before every layer of the LSTM but the first, before the
            head and within it.
        pooling (`str`, defaults to `"attentive_statistics"`):
            How the steps become one vector: `"attentive_statistics"` concatenates their mean and standard deviation,
            weighted by an attention over time (K. Okabe, T. Koshinaka and K. Shinoda, "Attentive statistics pooling
            for deep speaker embedding", Interspeech 2018); `"mean"` averages them.
        attention_size (`int`, defaults to 64):
            Units of that attention's hidden layer.
        classifier_proj_size (`int`, *optional*):
            Units of a hidden layer in the head. By default the head is one linear layer.
        contrast (`bool`, defaults to `False`):
            Whether a second opinion is added to the logits: a small network's, of statistics of a clip's fine
            structure, which `CRNNFeatureExtractor(return_contrast=True)` measures. `crnn_hf.training` fits it before
            it trains the rest; until then it says nothing.
        class_weights (`list[float]`, *optional*):
            Weight of each label in the loss. By default all count the same.
        label_smoothing (`float`, defaults to 0.0):
            Share in [0, 1) of each clip's label that the loss spreads evenly over all labels.
        loss (`str`, defaults to `"cross_entropy"`):
            What is trained. `"am_softmax"` (F. Wang et al., "Additive margin softmax for face verification", 2018) and
            `"oc_softmax"` (Y. Zhang, F. Jiang and Z. Duan, "One-class learning towards synthetic voice spoofing
            detection", 2021) compare directions: the logits are cosines times `cosine_scale`, and the loss, but
            nothing else, asks for a margin between them. OC-Softmax has one direction, that of real speech.
        margin (`float` or `list[float]`, *optional*):
            For `"am_softmax"`, by how much the label's cosine must be the larger one, 0.9 by default. For
            `"oc_softmax"`, the cosine above which real clips should lie and the one below which fakes should,
            `[0.9, 0.2]` by default.
        cosine_scale (`float`, *optional*):
            What the cosines are multiplied by, 20.0 by default.
        backbone (`dict`, *optional*):
            A pretrained transformer that listens along, to a clip's waveform: wav2vec2, HuBERT, WavLM, or the encoder
            of Whisper. Its layers, summed by learned weights and projected, join the convolutions' output before the
            LSTM. `CRNNFeatureExtractor(return_waveform=True)` feeds it, and
            [`CRNNForAudioClassification.with_pretrained_backbone`] gives it its weights. It takes:

            - `name` (`str`): Hub name or folder of the transformer; or `config`, its config, for random weights.
            - `frozen_layers` (`int`): train its layers from this one on, counted from 0. By default none of it.
            - `lora` (`dict`): train low-rank adapters instead, with the package peft: `r`, 8 by default; `alpha`, 16;
              `dropout`, 0.0; and `targets`, the names of the linear layers that are adapted.
            - `projection_size` (`int`): what its embeddings are projected to, 128 by default.
            - `window_seconds` (`float`): how much of a clip it hears at a time, 20 s by default; Whisper always 30 s.
              Of that, a twentieth at each end is context that neighbouring windows share.
            - `frame_length`, `hop_length` (`int`): the feature extractor's `n_fft` and `hop_length`, 512 and 160 by
              default, by which the two are aligned in time.

        calibration (`dict`, *optional*):
            What turns the difference of the two logits into a natural-log likelihood ratio of real to fake:
            `scale * difference + offset`, fitted after training to clips that it has not heard, with all that
            `crnn-hf calibrate` notes beside it (thresholds and what they cost, and between which scores to abstain).
            The model then gives calibrated logits. By default there is none.

    Labels default to `{0: "real", 1: "fake"}`.

    Raises:
        ValueError: a field has a value that no model can have; the message names the field.

    Example:

    ```python
    >>> from crnn_hf import CRNNConfig, CRNNForAudioClassification

    >>> model = CRNNForAudioClassification(CRNNConfig(hidden_size=64))
    >>> model.config.id2label
    {0: 'real', 1: 'fake'}
    ```
    """

    model_type = "crnn"

    num_mel_bins: int = 80
    conv_channels: list[int] | tuple[int, ...] = (32, 64, 96, 128)
    conv_kernel_size: int = 3
    num_time_halvings: int = 3
    downsampling: str = "stride"
    hidden_size: int = 96
    num_hidden_layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.3
    pooling: str = "attentive_statistics"
    attention_size: int = 64
    classifier_proj_size: int | None = None
    contrast: bool = False
    class_weights: list[float] | None = None
    label_smoothing: float = 0.0
    loss: str = "cross_entropy"
    margin: float | list[float] | None = None
    cosine_scale: float | None = None
    backbone: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        if self.id2label is None and self.label2id is not None:
            self.id2label = {int(index): label for label, index in self.label2id.items()}
        # None is "as many as there are labels by default", as everywhere in transformers.
        elif self.id2label is None and kwargs.get("num_labels") in (None, len(LABELS)):
            self.id2label = dict(enumerate(LABELS))
        super().__post_init__(**kwargs)
        named = {label: index for index, label in self.id2label.items()}
        if self.label2id is None or {label: int(index) for label, index in self.label2id.items()} != named:
            self.label2id = named
        # What loads each class where this package is not installed. Saving alone would note only the class it saves.
        self.auto_map = getattr(self, "auto_map", None) or dict(AUTO_MAP)
        if self.loss in MARGINS:
            self.margin = MARGINS[self.loss] if self.margin is None else self.margin
            self.cosine_scale = COSINE_SCALE if self.cosine_scale is None else self.cosine_scale
        if self.backbone is not None:
            self.backbone = complete_backbone(self.backbone)
        self.refuse_impossible_values()
        self.conv_channels = list(self.conv_channels)  # as JSON gives it back
        self.margin = list(self.margin) if isinstance(self.margin, tuple) else self.margin

    @classmethod
    def reference(cls, **overrides: Any) -> "CRNNConfig":
        """The recipe of the literature, with recurrence over time; `overrides` replace any of its fields."""
        return cls(**{**REFERENCE, **overrides})

    @property
    def time_reduction(self) -> int:
        """How many frames become one step of the LSTM."""
        return 2 ** min(self.num_time_halvings, len(self.conv_channels))

    def refuse_impossible_values(self) -> None:
        """Raise ValueError for a field that has a value which no model can have."""
        for name in ("num_mel_bins", "conv_kernel_size", "hidden_size", "num_hidden_layers", "attention_size"):
            _require(self, name, is_count(getattr(self, name)), "an integer of at least 1")
        _require(self, "conv_kernel_size", self.conv_kernel_size % 2 == 1, "odd")
        channels = self.conv_channels
        is_list = isinstance(channels, list | tuple) and len(channels) > 0
        _require(self, "conv_channels", is_list and all(map(is_count, channels)), "a list of integers of at least 1")
        _require(self, "num_time_halvings", is_count(self.num_time_halvings, 0), "an integer of at least 0")
        _require(self, "bidirectional", isinstance(self.bidirectional, bool), "true or false")
        _require(self, "dropout", _is_number(self.dropout) and 0 <= self.dropout < 1, "a number in [0, 1)")
        _require(self, "downsampling", self.downsampling in DOWNSAMPLINGS, f"one of {DOWNSAMPLINGS}")
        _require(self, "pooling", self.pooling in POOLINGS, f"one of {POOLINGS}")
        if self.classifier_proj_size is not None:
            is_size = is_count(self.classifier_proj_size)
            _require(self, "classifier_proj_size", is_size, "an integer of at least 1, or none")
        _require(self, "contrast", isinstance(self.contrast, bool), "true or false")
        if self.class_weights is not None:
            weights = self.class_weights
            fits = isinstance(weights, list | tuple) and len(weights) == self.num_labels
            fits = fits and all(_is_number(weight) and 0 <= weight < float("inf") for weight in weights)
            wanted = f"a list of {self.num_labels} numbers of at least 0, one for each label, or none"
            _require(self, "class_weights", fits and any(weights), wanted)
        smoothing = self.label_smoothing
        _require(self, "label_smoothing", _is_number(smoothing) and 0 <= smoothing < 1, "a number in [0, 1)")
        self._refuse_impossible_loss()
        if self.backbone is not None:
            complete_backbone(self.backbone)
        if self.calibration is not None:
            self._refuse_impossible_calibration(self.calibration)

    def _refuse_impossible_loss(self) -> None:
        _require(self, "loss", self.loss in LOSSES, f"one of {LOSSES}")
        margin = self.margin
        if self.loss == "cross_entropy":
            for name in ("margin", "cosine_scale"):
                _require(self, name, getattr(self, name) is None, "none with the loss cross_entropy, which has none")
            return
        scale = self.cosine_scale
        _require(self, "cosine_scale", _is_number(scale) and 0 < scale < float("inf"), "a number above 0")
        if self.loss == "am_softmax":
            _require(self, "margin", _is_number(margin) and 0 <= margin <= 2, "a number in [0, 2] with am_softmax")
        else:
            is_pair = isinstance(margin, list | tuple) and len(margin) == 2 and all(map(_is_number, margin))
            fits = is_pair and 1 >= margin[0] >= margin[1] >= -1
            _require(self, "margin", fits, "two numbers in [-1, 1], of real and of fake, with oc_softmax")
        one_label_a_clip = self.num_labels > 1 and self.problem_type in (None, "single_label_classification")
        _require(self, "loss", one_label_a_clip, "cross_entropy, unless every clip has one of several labels")
        if self.loss == "oc_softmax" and sorted(self.label2id) != sorted(LABELS):
            raise ValueError(
                f"loss oc_softmax needs the labels 'real' and 'fake' and no others; found {sorted(self.label2id)}"
            )

    def _refuse_impossible_calibration(self, calibration: dict[str, Any]) -> None:
        numbers = [calibration.get(name) for name in ("scale", "offset")] if isinstance(calibration, dict) else [None]
        fits = all(_is_number(number) and math.isfinite(number) for number in numbers) and numbers[0] > 0
        _require(self, "calibration", fits, "none, or have a finite scale above 0 and a finite offset")
        labels = sorted(map(str, self.label2id))
        if labels != sorted(LABELS):
            raise ValueError(
                f"calibration needs the labels 'real' and 'fake' and no others; found {labels}. "
                "Without it: calibration=None"
            )


def _require(config: CRNNConfig, name: str, holds: bool, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {wanted}; found {getattr(config, name)!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
