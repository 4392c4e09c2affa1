"""Each loss has the value of its formula, and class weights, label smoothing and soft labels mean the same in all."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from crnn_hf import CRNNConfig, CRNNForAudioClassification
from crnn_hf.loss_crnn import CRNNCosineClassifier, am_softmax, label_costs, oc_softmax, weighted_mean

LOSSES = ["cross_entropy", "am_softmax", "oc_softmax"]


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def make_model(**fields: Any) -> CRNNForAudioClassification:
    torch.manual_seed(0)
    return CRNNForAudioClassification(
        CRNNConfig(num_mel_bins=20, conv_channels=[4, 8], hidden_size=8, **fields)
    ).eval()


def test_am_softmax_by_hand() -> None:
    # The label's cosine, 0.6, counts for 0.6 - 0.35; scale 10.
    costs = am_softmax(torch.tensor([[6.0, -1.0, 2.0]]), 3.5)
    denominator = math.exp(2.5) + math.exp(-1.0) + math.exp(2.0)
    assert float(costs[0, 0]) == pytest.approx(-math.log(math.exp(2.5) / denominator))
    denominator = math.exp(6.0) + math.exp(-4.5) + math.exp(2.0)
    assert float(costs[0, 1]) == pytest.approx(-math.log(math.exp(-4.5) / denominator))


@pytest.mark.parametrize("labels", [("real", "fake"), ("fake", "real")])
@torch.no_grad()
def test_oc_softmax_by_hand(labels: tuple[str, str]) -> None:
    config = CRNNConfig(loss="oc_softmax", id2label=dict(enumerate(labels)))
    head = CRNNCosineClassifier(config, 2)
    head.weight.data = torch.tensor([[3.0, 0.0]])
    # Cosines of 0.8 and -0.6 to the direction of real speech.
    embeddings = torch.tensor([[0.8, 0.6], [-6.0, 8.0]])
    logits = head(embeddings)
    costs = label_costs(logits, config)
    real, fake = labels.index("real"), labels.index("fake")
    for row, cosine in enumerate((0.8, -0.6)):
        assert float(logits[row, real] - logits[row, fake]) == pytest.approx(20 * (cosine - 0.55), rel=1e-5)
        assert float(costs[row, real]) == pytest.approx(softplus(20 * (0.9 - cosine)), rel=1e-5)
        assert float(costs[row, fake]) == pytest.approx(softplus(20 * (cosine - 0.2)), rel=1e-4)


def test_without_a_margin_they_are_cross_entropy() -> None:
    logits = torch.randn(5, 2)
    plain = label_costs(logits, CRNNConfig())
    torch.testing.assert_close(am_softmax(logits, 0.0), plain)
    torch.testing.assert_close(oc_softmax(logits, 0.0), plain)
    for loss, margin in (("am_softmax", 0.0), ("oc_softmax", [0.0, 0.0])):
        config = CRNNConfig(loss=loss, margin=margin, cosine_scale=1.0)
        torch.testing.assert_close(label_costs(logits, config), plain)


@torch.no_grad()
def test_logits_are_cosines_without_the_margin() -> None:
    config = CRNNConfig(loss="am_softmax", cosine_scale=7.0, num_labels=3)
    head = CRNNCosineClassifier(config, 6)
    torch.nn.init.normal_(head.weight)
    embeddings = torch.randn(4, 6)
    expected = 7 * F.normalize(embeddings) @ F.normalize(head.weight).T
    torch.testing.assert_close(head(embeddings), expected)
    torch.testing.assert_close(head(3 * embeddings), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, [3.0, 0.5, 1.0]])
def test_weighted_mean_is_that_of_pytorch(weights: list[float] | None, smoothing: float) -> None:
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 1])
    ours = weighted_mean(-logits.log_softmax(1), labels, weights, smoothing)
    weight = None if weights is None else torch.tensor(weights)
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels, weight, label_smoothing=smoothing))


@pytest.mark.parametrize("loss", LOSSES)
def test_soft_labels_mix_the_losses_of_hard_ones(loss: str) -> None:
    """With a clip of two labels the loss is that of both, in proportion, and weighted."""
    model = make_model(loss=loss, class_weights=[3.0, 0.5])
    clip, real, fake = torch.randn(1, 30, 20), torch.tensor([0]), torch.tensor([1])
    of_real, of_fake = (float(model(clip, labels=label).loss) for label in (real, fake))
    mixed = float(model(clip, labels=torch.tensor([[0.3, 0.7]])).loss)
    assert mixed == pytest.approx((0.3 * 3 * of_real + 0.7 * 0.5 * of_fake) / (0.3 * 3 + 0.7 * 0.5), rel=1e-5)
    hard = float(model(clip, labels=torch.tensor([[0.0, 1.0]])).loss)
    assert hard == pytest.approx(of_fake, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_label_smoothing_is_a_soft_label(loss: str) -> None:
    clips, labels = torch.randn(3, 30, 20), torch.tensor([0, 1, 1])
    smoothed = make_model(loss=loss, label_smoothing=0.2)(clips, labels=labels).loss
    soft = make_model(loss=loss)(clips, labels=0.8 * F.one_hot(labels, 2).float() + 0.1).loss
    torch.testing.assert_close(smoothed, soft)


@pytest.mark.parametrize("loss", LOSSES)
def test_soft_labels_do_not_make_it_a_problem_of_several_labels(loss: str) -> None:
    model = make_model(loss=loss)
    model(torch.randn(2, 30, 20), labels=torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    assert model.config.problem_type in (None, "single_label_classification")


@pytest.mark.parametrize("loss", LOSSES)
def test_training_lowers_it_and_parts_the_scores(loss: str) -> None:
    model = make_model(loss=loss, class_weights=[2.0, 1.0], dropout=0.0).train()
    clips = torch.randn(8, 30, 20)
    clips[4:, :, :10] += 1
    labels = torch.tensor([0] * 4 + [1] * 4)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    for _ in range(30):
        outputs = model(clips, labels=labels)
        outputs.loss.backward()
        assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(outputs.loss))
    assert losses[-1] < 0.5 * losses[0]
    scores = outputs.logits[:, 0] - outputs.logits[:, 1]
    assert scores[:4].min() > scores[4:].max()


@pytest.mark.parametrize("loss", ["am_softmax", "oc_softmax"])
def test_an_embedding_of_zeros_has_finite_gradients(loss: str) -> None:
    head = CRNNCosineClassifier(config := CRNNConfig(loss=loss), 4)
    torch.nn.init.normal_(head.weight)
    embeddings = torch.zeros(2, 4, requires_grad=True)
    weighted_mean(label_costs(head(embeddings), config), torch.tensor([0, 1]), None, 0.0).backward()
    assert embeddings.grad.isfinite().all()
    assert head.weight.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("loss", ["am_softmax", "oc_softmax"])
@torch.no_grad()
def test_half_precision(loss: str, dtype: torch.dtype) -> None:
    model, clips, labels = make_model(loss=loss), torch.randn(3, 30, 20), torch.tensor([0, 1, 1])
    expected = model(clips, labels=labels)
    half = model.to(dtype)(clips.to(dtype), labels=labels)
    assert half.logits.dtype == dtype
    assert half.loss.dtype == torch.float32
    torch.testing.assert_close(half.logits.float(), expected.logits, atol=0.2, rtol=0.05)
    torch.testing.assert_close(half.loss, expected.loss, atol=0.2, rtol=0.05)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_saved_model_comes_back(loss: str, tmp_path: Any) -> None:
    model = make_model(loss=loss, label_smoothing=0.1)
    model.save_pretrained(tmp_path)
    again = CRNNForAudioClassification.from_pretrained(tmp_path)
    clips, labels = torch.randn(2, 30, 20), torch.tensor([0, 1])
    one, other = model(clips, labels=labels), again(clips, labels=labels)
    torch.testing.assert_close((one.loss, one.logits), (other.loss, other.logits), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"loss": "focal"}, "loss must be one of"),
        ({"margin": 0.3}, "margin must be none with the loss cross_entropy"),
        ({"cosine_scale": 20.0}, "cosine_scale must be none with the loss cross_entropy"),
        ({"loss": "am_softmax", "margin": [0.9, 0.2]}, "margin must be a number"),
        ({"loss": "am_softmax", "cosine_scale": 0}, "cosine_scale must be a number above 0"),
        ({"loss": "oc_softmax", "margin": 0.9}, "margin must be two numbers"),
        ({"loss": "oc_softmax", "margin": [0.2, 0.9]}, "margin must be two numbers"),
        ({"loss": "oc_softmax", "num_labels": 3}, "loss oc_softmax needs the labels .* and no others"),
        ({"loss": "am_softmax", "num_labels": 1}, "loss must be cross_entropy, unless"),
        ({"loss": "am_softmax", "problem_type": "multi_label_classification"}, "loss must be cross_entropy, unless"),
        ({"label_smoothing": 1.0}, r"label_smoothing must be a number in \[0, 1\)"),
    ],
)
def test_settings_that_no_loss_can_have(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        CRNNConfig(**fields)
