"""CRNN: convolutions over the log-mel spectrogram, an LSTM over time, pooling, a head.

A second opinion is added to its logits, see `contrast_crnn.py`. A transformer may listen along, see
`backbone_crnn.py`; the losses and the head of those with a margin are in `loss_crnn.py`.
"""

from typing import Self

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from .backbone_crnn import CRNNBackbone
from .configuration_crnn import CRNNConfig
from .contrast_crnn import NUM_STATISTICS, CRNNContrast
from .loss_crnn import CRNNCosineClassifier, label_costs, weighted_mean
from .norm_crnn import CRNNMaskedBatchNorm

# Frames that the convolutions take at once outside of training; an hour at once would not fit the memory.
BLOCK_FRAMES = 8192


class CRNNConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; halves the mel axis, and the time axis if told to."""

    def __init__(self, config: CRNNConfig, in_channels: int, out_channels: int, halves_time: bool) -> None:
        super().__init__()
        self.reduction = (2 if halves_time else 1, 2)
        self.pools = config.downsampling == "max_pool"
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            config.conv_kernel_size,
            stride=1 if self.pools else self.reduction,
            padding=config.conv_kernel_size // 2,
            bias=False,
        )
        self.norm = CRNNMaskedBatchNorm(out_channels)

    def forward(
        self, hidden_states: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(batch, channels, steps, bands), (batch, steps) to the same with ceil(steps / reduction); padding is 0."""
        hidden_states = self.conv(hidden_states)
        if not self.pools:
            mask = self._reduce(mask)
        hidden_states = F.relu(self.norm(hidden_states, mask), inplace=True)
        if mask is not None and not self.training:
            # The next convolution must see at a clip's end the zeros that it would see there without a batch.
            hidden_states = hidden_states * mask[:, None, :, None].to(hidden_states.dtype)
        if self.pools:
            # After ReLU no value is below the padding's 0, so a window half over the end holds the clip's maximum.
            hidden_states = F.max_pool2d(hidden_states, self.reduction, ceil_mode=True)
            mask = self._reduce(mask)
        return hidden_states, mask

    def _reduce(self, mask: torch.Tensor | None) -> torch.Tensor | None:
        return None if mask is None else mask[:, :: self.reduction[0]]


class CRNNConvEncoder(nn.Module):
    """The stack of convolution blocks."""

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__()
        channels = [1, *config.conv_channels]
        self.blocks = nn.ModuleList(
            CRNNConvBlock(config, *channels[index : index + 2], halves_time=index < config.num_time_halvings)
            for index in range(len(config.conv_channels))
        )
        self.time_reduction = config.time_reduction
        self.context = _context_frames(config)
        self.output_size = config.conv_channels[-1] * -(-config.num_mel_bins // 2 ** len(config.conv_channels))

    def forward(
        self, input_features: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(batch, frames, mel), (batch, frames) to (batch, steps, output_size), (batch, steps)."""
        frames = input_features.shape[1]
        # A traced or compiled graph shall not depend on the length it was made with, and batch norm in training needs
        # the whole batch.
        if self.training or torch.jit.is_tracing() or torch.compiler.is_compiling() or frames <= BLOCK_FRAMES:
            return self._convolve(input_features, mask)
        starts = range(0, frames, BLOCK_FRAMES)
        blocks = [self._convolve_block(input_features, mask, start) for start in starts]
        hidden_states, masks = zip(*blocks, strict=True)
        return torch.cat(hidden_states, dim=1), None if mask is None else torch.cat(masks, dim=1)

    def _convolve(
        self, input_features: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        hidden_states = input_features[:, None]
        for block in self.blocks:
            hidden_states, mask = block(hidden_states, mask)
        return hidden_states.transpose(1, 2).flatten(2), mask

    def _convolve_block(
        self, input_features: torch.Tensor, mask: torch.Tensor | None, start: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The steps of `BLOCK_FRAMES` frames from `start` on, the same as if all frames were convolved at once."""
        around = slice(max(0, start - self.context), start + BLOCK_FRAMES + self.context)
        hidden_states, mask = self._convolve(input_features[:, around], None if mask is None else mask[:, around])
        first = (start - around.start) // self.time_reduction
        inner = slice(first, first + BLOCK_FRAMES // self.time_reduction)
        return hidden_states[:, inner], None if mask is None else mask[:, inner]


def _context_frames(config: CRNNConfig) -> int:
    """How many frames around a step the convolutions look at, at most, in whole steps."""
    reach, stride = 0, 1
    for index in range(len(config.conv_channels)):
        reach += (config.conv_kernel_size // 2 + 1) * stride  # one more for the pooling
        stride *= 2 if index < config.num_time_halvings else 1
    return -(-reach // config.time_reduction) * config.time_reduction


class CRNNRecurrentLayer(nn.Module):
    """An LSTM over time that reads only the clip, forwards and, if bidirectional, backwards from its last step."""

    def __init__(self, config: CRNNConfig, input_size: int) -> None:
        super().__init__()
        self.forward_lstm = nn.LSTM(input_size, config.hidden_size, batch_first=True)
        self.backward_lstm = (
            nn.LSTM(input_size, config.hidden_size, batch_first=True) if config.bidirectional else None
        )

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(batch, steps, input_size) to (batch, steps, hidden_size), twice that if bidirectional; padding is 0."""
        output = self.forward_lstm(hidden_states)[0]
        if self.backward_lstm is not None:
            backward = _reverse(self.backward_lstm(_reverse(hidden_states, mask))[0], mask)
            output = torch.cat([output, backward], dim=-1)
        return output if mask is None else output * mask[..., None].to(output.dtype)


def _reverse(hidden_states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Turn each clip's steps round and leave its padding, which follows them, where it is."""
    if mask is None:
        return hidden_states.flip(1)
    steps = torch.arange(hidden_states.shape[1], device=hidden_states.device)
    last = mask.sum(1, keepdim=True) - 1
    index = torch.where(steps <= last, last - steps, steps)
    return hidden_states.gather(1, index[..., None].expand_as(hidden_states))


class CRNNMeanPooling(nn.Module):
    """The mean over a clip's steps."""

    def __init__(self, config: CRNNConfig, size: int) -> None:
        super().__init__()
        self.output_size = size

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(batch, steps, size), padded with 0, to (batch, size)."""
        if mask is None:
            return hidden_states.mean(1)
        # In float32: half precision cannot count the steps of an hour.
        mean = hidden_states.sum(1, dtype=torch.float32) / mask.sum(1, keepdim=True).clamp(min=1)
        return mean.to(hidden_states.dtype)


class CRNNAttentiveStatisticsPooling(nn.Module):
    """Mean and standard deviation over a clip's steps, weighted by attention (Okabe et al. 2018, equations 1 to 6)."""

    def __init__(self, config: CRNNConfig, size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(size, config.attention_size)
        self.score = nn.Linear(config.attention_size, 1)
        self.output_size = 2 * size

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(batch, steps, size) to (batch, 2 * size)."""
        scores = self.score(torch.tanh(self.hidden(hidden_states))).float()
        if mask is not None:
            scores = scores.masked_fill(~mask[..., None], torch.finfo(scores.dtype).min)
        weights = scores.softmax(1).to(hidden_states.dtype)
        mean = (weights * hidden_states).sum(1, keepdim=True)
        variance = (weights * (hidden_states - mean).square()).sum(1)
        # The square root has no slope at 0, where a clip of one step lies.
        return torch.cat([mean[:, 0], variance.clamp(min=1e-6).sqrt()], dim=-1)


POOLINGS = {"mean": CRNNMeanPooling, "attentive_statistics": CRNNAttentiveStatisticsPooling}


class CRNNPreTrainedModel(PreTrainedModel):
    """Initial weights, and what loading and saving need to know."""

    config: CRNNConfig
    config_class = CRNNConfig
    base_model_prefix = "crnn"
    main_input_name = "input_features"
    input_modalities = ("audio",)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Conv2d):
            init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.Linear | CRNNCosineClassifier):
            init.xavier_uniform_(module.weight)
        elif isinstance(module, CRNNBackbone):
            module.init_weights()
        elif isinstance(module, CRNNContrast):
            for name, buffer in module.named_buffers():
                (init.ones_ if name == "deviation" else init.zeros_)(buffer)

    @classmethod
    def with_pretrained_backbone(cls, config: CRNNConfig) -> Self:
        """A new model, to be trained, whose transformer has the weights that its name in the config stands for.

        A model that was saved has them in its own file: `from_pretrained` loads that, and nothing else.

        Raises:
            ValueError: the config's backbone has no name, or that one lacks weights.
            OSError: there is no such folder or Hub name, or no way to reach the Hub.
        """
        if config.backbone is None or config.backbone["name"] is None:
            raise ValueError(f"expected a config whose backbone has a name; found {config.backbone}")
        model = cls(config)
        for module in model.modules():
            if isinstance(module, CRNNBackbone):
                module.load_pretrained()
        return model


class CRNNModel(CRNNPreTrainedModel):
    """The CRNN without a head: log-mel spectrograms in, one vector a clip out."""

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__(config)
        config.refuse_impossible_values()  # they may have been changed since the config was made
        self.encoder = CRNNConvEncoder(config)
        self.backbone = None if config.backbone is None else CRNNBackbone(config)
        input_size = self.encoder.output_size + (0 if self.backbone is None else self.backbone.output_size)
        output_size = config.hidden_size * (2 if config.bidirectional else 1)
        sizes = [input_size] + [output_size] * (config.num_hidden_layers - 1)
        self.layers = nn.ModuleList(CRNNRecurrentLayer(config, size) for size in sizes)
        self.dropout = nn.Dropout(config.dropout)
        self.pooling = POOLINGS[config.pooling](config, output_size)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        input_values: torch.Tensor | None = None,
        contrast: torch.Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """Encode a batch of clips.

        Args:
            input_features: log-mel spectrograms from [`CRNNFeatureExtractor`], (batch, frames, mel).
            attention_mask: 1 for frames of the clip and 0 for the padding that follows them, (batch, frames); without
                it, every frame counts. No layer lets padding reach the result.
            output_hidden_states: whether to return the states between the layers.
            input_values: the waveforms that a `backbone` listens to, (batch, samples), as long as the frames reach.
            contrast: of no use here, but among what the feature extractor of a model with a second opinion returns.
            return_dict: whether to return a `ModelOutput` (the default) or a tuple.

        Returns:
            `last_hidden_state`, (batch, steps, size), where steps is frames / 8 by default, rounded up, and size is
            `hidden_size`, twice that if bidirectional; 0 where a step is padding. `pooler_output`, (batch, size), or
            (batch, 2 * size) with attentive statistics. `hidden_states`, if asked for: what enters the LSTM, (batch,
            steps, conv size plus the backbone's), and each of its layers' output, (batch, steps, size).

        Raises:
            ValueError: the input is not of shape (batch, frames, num_mel_bins), or the mask or the waveforms do not
                fit it.
        """
        _check_input(input_features, attention_mask, self.config.num_mel_bins)
        _check_waveforms(input_values, input_features.shape, self.backbone)
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        mask = _padding_mask(attention_mask)
        if mask is not None:
            # Not a product, which would leave what is not finite as it is.
            input_features = input_features.masked_fill(~mask[..., None], 0)
        frame_mask = mask
        hidden_states, mask = self.encoder(input_features.to(self.dtype), mask)
        if self.backbone is not None:
            embedded = self.backbone(input_values, _count(frame_mask, input_features), hidden_states.shape[1])
            if mask is not None:
                embedded = embedded * mask[..., None].to(embedded.dtype)
            hidden_states = torch.cat([hidden_states, embedded], dim=-1)
        all_hidden_states = [hidden_states]
        for index, layer in enumerate(self.layers):
            if index > 0:
                hidden_states = self.dropout(hidden_states)
            hidden_states = layer(hidden_states, mask)
            all_hidden_states.append(hidden_states)
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden_states,
            pooler_output=self.pooling(hidden_states, mask),
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
        )


class CRNNForAudioClassification(CRNNPreTrainedModel):
    """The CRNN with a classification head: is this clip real or fake?"""

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.crnn = CRNNModel(config)
        self.dropout = nn.Dropout(config.dropout)
        size = self.crnn.pooling.output_size
        self.projector = None
        if config.classifier_proj_size is not None:
            self.projector = nn.Linear(size, config.classifier_proj_size)
            size = config.classifier_proj_size
        is_linear = config.loss == "cross_entropy"
        self.classifier = nn.Linear(size, config.num_labels) if is_linear else CRNNCosineClassifier(config, size)
        self.contrast = CRNNContrast(config) if config.contrast else None
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        input_values: torch.Tensor | None = None,
        contrast: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Classify a batch of clips.

        Args:
            input_features: log-mel spectrograms from [`CRNNFeatureExtractor`], (batch, frames, mel).
            attention_mask: 1 for frames of the clip and 0 for the padding that follows them, (batch, frames).
            labels: the clips' labels, (batch,), int64: 0 for real and 1 for fake, if labels are the default ones; or
                each label's probability, (batch, labels), floats. With them the result holds a loss: the config's
                `loss`, with its `class_weights` and `label_smoothing`; or the one that transformers takes for the
                config's `problem_type`, if that is not one label a clip.
            output_hidden_states: whether to return the states between the layers.
            input_values: the waveforms that a `backbone` listens to, (batch, samples), as long as the frames reach.
            contrast: statistics of each clip's fine structure, (batch, statistics), which a second opinion is formed
                of. In training there is none: each is for itself, or the CRNN would learn by heart what the other
                has wrong.
            return_dict: whether to return a `ModelOutput` (the default) or a tuple.

        Returns:
            `loss`, if there are labels; `logits`, (batch, labels), before the softmax; `hidden_states`, if asked for,
            as [`CRNNModel`] returns them. `logits[:, 0] - logits[:, 1]` is the score of the field, higher for real. If
            the config holds a calibration, it is a natural-log likelihood ratio, and the softmax is the probability of
            each label at even odds. The loss is that of the logits before the calibration.

        Raises:
            ValueError: as [`CRNNModel`]; or the statistics do not fit the model.
        """
        _check_contrast(contrast, input_features.shape[0], self)
        outputs = self.crnn(
            input_features,
            attention_mask,
            output_hidden_states=output_hidden_states,
            input_values=input_values,
            return_dict=True,
        )
        pooled = self.dropout(outputs.pooler_output)
        if self.projector is not None:
            pooled = self.dropout(F.relu(self.projector(pooled)))
        logits = self.classifier(pooled)
        if self.contrast is not None and not self.training:
            logits = logits + self.contrast(contrast).to(logits.dtype)
        loss = None if labels is None else self._loss(logits, labels)
        return SequenceClassifierOutput(
            loss=loss,
            logits=logits if self.config.calibration is None else self._calibrated(logits),
            hidden_states=outputs.hidden_states,
        )

    def _calibrated(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits with the same mean, and the calibrated difference."""
        real, fake = (self.config.label2id[label] for label in ("real", "fake"))
        calibration = self.config.calibration
        ratio = calibration["scale"] * (logits[:, real] - logits[:, fake]) + calibration["offset"]
        directions = torch.zeros_like(logits[:1])
        directions[:, real], directions[:, fake] = 0.5, -0.5
        return logits.mean(1, keepdim=True) + ratio[:, None] * directions

    def _loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        config = self.config
        has_one_label = config.problem_type in (None, "single_label_classification") and config.num_labels > 1
        is_plain = config.loss == "cross_entropy" and config.class_weights is None and config.label_smoothing == 0
        if not has_one_label or (is_plain and not labels.is_floating_point()):
            # transformers' own, which knows regression and several labels at once too.
            return self.loss_function(labels, logits.float(), config)
        return weighted_mean(label_costs(logits, config), labels, config.class_weights, config.label_smoothing)


def _padding_mask(attention_mask: torch.Tensor | None) -> torch.Tensor | None:
    """The mask as booleans; None where there is no padding, which spares the layers the work of honouring it."""
    if attention_mask is None:
        return None
    mask = attention_mask.bool()
    # A traced or compiled graph shall not depend on the values it was made with.
    is_graph = torch.jit.is_tracing() or torch.compiler.is_compiling() or mask.is_meta
    return None if not is_graph and mask.all() else mask


def _check_input(input_features: torch.Tensor, attention_mask: torch.Tensor | None, num_mel_bins: int) -> None:
    shape = tuple(input_features.shape)
    if len(shape) != 3 or shape[1] == 0 or shape[2] != num_mel_bins:
        raise ValueError(f"input_features must have shape (batch, frames, {num_mel_bins}); found {shape}")
    if attention_mask is not None and tuple(attention_mask.shape) != shape[:2]:
        raise ValueError(
            f"attention_mask must have the first two dimensions of input_features, {shape[:2]}; "
            f"found {tuple(attention_mask.shape)}"
        )


def _check_waveforms(
    input_values: torch.Tensor | None, features_shape: torch.Size, backbone: CRNNBackbone | None
) -> None:
    if backbone is None and input_values is not None:
        raise ValueError("this model has no backbone to hear input_values; expected input_features alone")
    if backbone is None:
        return
    wanted = (features_shape[0], backbone.num_samples(features_shape[1]))
    found = None if input_values is None else tuple(input_values.shape)
    if found != wanted:
        raise ValueError(
            f"this model has a backbone, which hears waveforms: input_values must have shape {wanted}, for "
            f"{features_shape[1]} frames of {backbone.frame_length} samples, {backbone.hop_length} apart, as "
            f"CRNNFeatureExtractor(return_waveform=True) gives them; found {found}"
        )


def _check_contrast(contrast: torch.Tensor | None, clips: int, model: CRNNForAudioClassification) -> None:
    if model.contrast is None and contrast is not None:
        raise ValueError("this model has no second opinion to form of contrast; expected no such statistics")
    found = None if contrast is None else tuple(contrast.shape)
    if model.contrast is not None and not model.training and found != (clips, NUM_STATISTICS):
        raise ValueError(
            f"this model has a second opinion: contrast must have shape {(clips, NUM_STATISTICS)}, as "
            f"CRNNFeatureExtractor(return_contrast=True) gives it; found {found}"
        )


def _count(mask: torch.Tensor | None, input_features: torch.Tensor) -> torch.Tensor:
    """How many frames are each clip's, (batch,)."""
    batch, frames = input_features.shape[:2]
    if mask is None:
        return torch.full((batch,), frames, device=input_features.device)
    return mask.sum(1)
