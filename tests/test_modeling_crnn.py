"""Padding never reaches a result, blocks are invisible, and the model does what transformers expects of one."""

from typing import Any

import pytest
import torch

from crnn_hf import CRNNConfig, CRNNForAudioClassification, CRNNModel, modeling_crnn
from crnn_hf.norm_crnn import CRNNMaskedBatchNorm

SMALL: dict[str, Any] = {"num_mel_bins": 20, "conv_channels": [4, 8], "hidden_size": 8}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "reference": {"preset": CRNNConfig.reference},
    "small": SMALL,
    "one direction": {**SMALL, "bidirectional": False, "num_hidden_layers": 2},
    "max pooling, mean": {**SMALL, "downsampling": "max_pool", "pooling": "mean"},
    "wide kernels, no halving": {**SMALL, "conv_kernel_size": 5, "num_time_halvings": 0},
    "hidden head": {**SMALL, "classifier_proj_size": 6, "num_labels": 5},
}
LENGTHS = [97, 1, 8, 60, 33]


def make_model(variant: str, **overrides: Any) -> CRNNForAudioClassification:
    """A model in which every parameter and statistic counts, in evaluation mode."""
    fields = {**VARIANTS[variant], **overrides}
    torch.manual_seed(0)
    model = CRNNForAudioClassification(fields.pop("preset", CRNNConfig)(**fields)).eval()
    for module in model.modules():
        if isinstance(module, CRNNMaskedBatchNorm):
            for tensor in (module.weight.data, module.bias.data, module.running_mean):
                tensor.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return model


def make_batch(model: CRNNForAudioClassification) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """Clips of several lengths, and the same padded with what no layer must look at, with their mask."""
    torch.manual_seed(1)
    clips = [torch.randn(length, model.config.num_mel_bins) for length in LENGTHS]
    padded = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True, padding_value=100.0)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(length, dtype=torch.int32) for length in LENGTHS], True)
    return clips, padded, mask


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_alone_and_padded_in_any_batch_give_the_same_logits(variant: str) -> None:
    model = make_model(variant)
    clips, padded, mask = make_batch(model)
    alone = torch.cat([model(clip[None]).logits for clip in clips])
    assert alone.std(0).min() > 1e-3  # the clips do differ
    torch.testing.assert_close(model(padded, mask).logits, alone, atol=1e-5, rtol=0)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(model(padded[order], mask[order]).logits, alone[order], atol=1e-5, rtol=0)
    longer = torch.nn.functional.pad(padded, (0, 0, 0, 41), value=-7.0), torch.nn.functional.pad(mask, (0, 41))
    torch.testing.assert_close(model(*longer).logits, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_states_between_the_layers_do_not_see_padding_either(variant: str) -> None:
    model = make_model(variant)
    clips, padded, mask = make_batch(model)
    batch = model(padded, mask, output_hidden_states=True).hidden_states
    assert len(batch) == 1 + model.config.num_hidden_layers
    for index, clip in enumerate(clips):
        steps = -(-len(clip) // model.config.time_reduction)
        for state, alone in zip(batch, model(clip[None], output_hidden_states=True).hidden_states, strict=True):
            assert alone.shape[1] == steps
            torch.testing.assert_close(state[index, :steps], alone[0], atol=1e-5, rtol=1e-5)
            assert not state[index, steps:].any()


@pytest.mark.parametrize("variant", ["default", "max pooling, mean", "wide kernels, no halving"])
def test_gradients_do_not_see_padding(variant: str) -> None:
    """In training too, batch statistics included: what stands in the padding changes neither loss nor gradients."""
    gradients = []
    for value in (0.0, 100.0):
        model = make_model(variant, dropout=0.0).train()
        _, padded, mask = make_batch(model)
        padded = padded.masked_fill(mask[..., None] == 0, value)
        model(padded, mask, labels=torch.tensor([0, 1, 0, 1, 1])).loss.backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_long_clips_are_convolved_in_blocks_that_do_not_show(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(variant)
    torch.manual_seed(2)
    clips = torch.randn(2, 1_003, model.config.num_mel_bins)
    mask = torch.ones(2, 1_003)
    mask[1, 700:] = 0
    whole = model.crnn(clips, mask, output_hidden_states=True).hidden_states[0]
    monkeypatch.setattr(modeling_crnn, "BLOCK_FRAMES", 64)
    calls = []
    convolve = model.crnn.encoder._convolve
    monkeypatch.setattr(model.crnn.encoder, "_convolve", lambda *args: calls.append(args) or convolve(*args))
    blocks = model.crnn(clips, mask, output_hidden_states=True).hidden_states[0]
    assert len(calls) == 16
    torch.testing.assert_close(blocks, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pooling", ["mean", "attentive_statistics"])
@torch.no_grad()
def test_padding_that_is_no_number_does_no_harm(pooling: str) -> None:
    model = make_model("small", pooling=pooling)
    _, padded, mask = make_batch(model)
    expected = model(padded, mask).logits
    torch.testing.assert_close(model(padded.masked_fill(mask[..., None] == 0, torch.nan), mask).logits, expected)


def test_mean_pooling_counts_more_steps_than_half_precision_can() -> None:
    states, mask = torch.full((2, 70_000, 4), 0.5, dtype=torch.float16), torch.ones(2, 70_000, dtype=torch.bool)
    pooling = modeling_crnn.CRNNMeanPooling(CRNNConfig(), 4)
    torch.testing.assert_close(pooling(states, mask), torch.full((2, 4), 0.5, dtype=torch.float16))


@torch.no_grad()
def test_without_a_mask_every_frame_counts() -> None:
    model = make_model("small")
    clips = torch.randn(3, 50, 20)
    torch.testing.assert_close(model(clips).logits, model(clips, torch.ones(3, 50)).logits)


def test_the_recurrence_runs_over_time() -> None:
    """A clip played backwards gives the two directions of the LSTM, tied to the same weights, swapped outputs."""
    model = CRNNModel(CRNNConfig(**SMALL, pooling="mean")).eval()
    layer = model.layers[0]
    layer.backward_lstm.load_state_dict(layer.forward_lstm.state_dict())
    states = torch.randn(1, 9, model.encoder.output_size)
    forwards, backwards = layer(states, None), layer(states.flip(1), None).flip(1)
    torch.testing.assert_close(forwards[..., :8], backwards[..., 8:])
    assert not torch.allclose(forwards, backwards)


def test_sizes() -> None:
    assert sum(parameter.numel() for parameter in CRNNForAudioClassification(CRNNConfig()).parameters()) == 765_219
    reference = CRNNForAudioClassification(CRNNConfig.reference())
    assert sum(parameter.numel() for parameter in reference.parameters()) == 6_458_466
    assert make_model("hidden head")(torch.randn(1, 9, 20)).logits.shape == (1, 5)


def test_loss_is_cross_entropy_weighted_by_class() -> None:
    clips, labels = torch.randn(4, 30, 20), torch.tensor([0, 1, 1, 1])
    for weights in (None, [3.0, 0.5]):
        model = make_model("small", class_weights=weights)
        outputs = model(clips, labels=labels)
        weight = None if weights is None else torch.tensor(weights)
        torch.testing.assert_close(
            outputs.loss, torch.nn.functional.cross_entropy(outputs.logits, labels, weight=weight)
        )


def test_loss_is_that_of_the_problem() -> None:
    clips = torch.randn(4, 30, 20)
    one_number = make_model("small", num_labels=1)
    outputs = one_number(clips, labels=torch.tensor([0.0, 1.0, 2.0, 3.0]))
    expected = torch.nn.functional.mse_loss(outputs.logits[:, 0], torch.tensor([0.0, 1.0, 2.0, 3.0]))
    torch.testing.assert_close(outputs.loss, expected)
    several = make_model("small", num_labels=3, problem_type="multi_label_classification")
    labels = torch.tensor([[1.0, 0, 1]] * 4)
    outputs = several(clips, labels=labels)
    torch.testing.assert_close(
        outputs.loss, torch.nn.functional.binary_cross_entropy_with_logits(outputs.logits, labels)
    )


def test_values_changed_since_the_config_was_made_are_refused_too() -> None:
    config = CRNNConfig(**SMALL)
    config.pooling = "max"
    with pytest.raises(ValueError, match="pooling must be one of"):
        CRNNModel(config)


@torch.no_grad()
def test_a_tuple_if_asked_for() -> None:
    model, clips = make_model("small"), torch.randn(2, 30, 20)
    outputs = model(clips, labels=torch.tensor([0, 1]), output_hidden_states=True)
    loss, logits, states = model(clips, labels=torch.tensor([0, 1]), output_hidden_states=True, return_dict=False)
    torch.testing.assert_close((loss, logits, states), (outputs.loss, outputs.logits, outputs.hidden_states))
    last, pooled = model.crnn(clips, return_dict=False)
    assert (last.shape, pooled.shape) == ((2, 8, 16), (2, 32))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_half_precision(dtype: torch.dtype) -> None:
    model = make_model("small")
    _, padded, mask = make_batch(model)
    padded = padded.masked_fill(mask[..., None] == 0, 0.0)
    expected = model(padded, mask).logits
    half = model.to(dtype)(padded.to(dtype), mask).logits
    assert half.dtype == dtype
    torch.testing.assert_close(half.float(), expected, atol=0.05, rtol=0.05)


def test_a_batch_of_padding_alone_does_no_harm() -> None:
    model = make_model("small").train()
    loss = model(torch.randn(2, 30, 20), torch.zeros(2, 30), labels=torch.tensor([0, 1])).loss
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@torch.no_grad()
def test_compiled_gives_the_same() -> None:
    model = make_model("small")
    _, padded, mask = make_batch(model)
    compiled = torch.compile(model, backend="eager")
    torch.testing.assert_close(compiled(padded, mask).logits, model(padded, mask).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("shape", "mask_shape", "message"),
    [
        ((2, 30, 21), None, r"must have shape \(batch, frames, 20\); found \(2, 30, 21\)"),
        ((30, 20), None, r"found \(30, 20\)"),
        ((2, 0, 20), None, r"found \(2, 0, 20\)"),
        ((2, 30, 20), (2, 29), r"attention_mask .* \(2, 30\); found \(2, 29\)"),
    ],
)
def test_input_that_does_not_fit_is_refused(shape: tuple, mask_shape: tuple | None, message: str) -> None:
    mask = None if mask_shape is None else torch.ones(mask_shape)
    with pytest.raises(ValueError, match=message):
        make_model("small")(torch.zeros(shape), mask)


@pytest.mark.parametrize("labels", [("real", "fake"), ("fake", "real")])
def test_a_calibration_moves_the_difference_of_the_logits_and_nothing_else(labels: tuple[str, str]) -> None:
    torch.manual_seed(0)
    config = CRNNConfig(conv_channels=[4], hidden_size=4, id2label=dict(enumerate(labels)))
    model = CRNNForAudioClassification(config).eval()
    features, targets = torch.randn(3, 40, 80), torch.tensor([0, 1, 1])
    before = model(features, labels=targets)
    model.config.calibration = {"scale": 2.5, "offset": -0.75}
    after = model(features, labels=targets)
    real, fake = labels.index("real"), labels.index("fake")
    difference = before.logits[:, real] - before.logits[:, fake]
    torch.testing.assert_close(after.logits[:, real] - after.logits[:, fake], 2.5 * difference - 0.75)
    torch.testing.assert_close(after.logits.mean(1), before.logits.mean(1))
    torch.testing.assert_close(after.loss, before.loss)
