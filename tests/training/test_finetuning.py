"""Going on from a model: what is taken over, what stays as it is, and how fast each layer learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import TrainerCallback, Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.data import load_asvspoof5, load_corpus
from crnn_hf.data.embedded import write_embedded_corpus
from crnn_hf.inference import score_clips
from crnn_hf.loading import load_detector
from crnn_hf.metrics import cllr
from crnn_hf.training import job, read_recipe, train
from crnn_hf.training.finetuning import continued, depths_of, freeze, hold_frozen, parts_in, spread_rates

TINY = {"conv_channels": [4, 8], "hidden_size": 8}


@pytest.fixture
def stranger(tmp_path: Path) -> str:
    """A model of the same kind for three labels of another task."""
    folder = tmp_path / "stranger"
    torch.manual_seed(1)
    CRNNForAudioClassification(CRNNConfig(**TINY, id2label=dict(enumerate("abc")))).save_pretrained(folder)
    CRNNFeatureExtractor().save_pretrained(folder)
    return str(folder)


def body(model: CRNNForAudioClassification) -> dict[str, torch.Tensor]:
    return model.crnn.state_dict()


def test_a_model_is_taken_over_whole(tiny_detector: Path) -> None:
    for changes in ({}, {"dropout": 0.5}, {"hidden_size": 8}):
        model, _ = continued(str(tiny_detector), changes, new_head=False)
        torch.testing.assert_close(model.state_dict(), load_detector(tiny_detector)[0].state_dict(), atol=0, rtol=0)
        assert model.crnn.dropout.p == model.dropout.p == changes.get("dropout", 0.3)


def test_a_new_head_on_any_body(stranger: str, tmp_path: Path) -> None:
    before = CRNNForAudioClassification.from_pretrained(stranger)
    model, extractor = continued(stranger, {"classifier_proj_size": 5, "loss": "am_softmax"}, new_head=True)
    assert model.config.label2id == {"real": 0, "fake": 1}
    assert (model.config.num_labels, model.config.margin, model.projector.out_features) == (2, 0.9, 5)
    torch.testing.assert_close(body(model), body(before), atol=0, rtol=0)

    before.crnn.save_pretrained(tmp_path / "body")  # without any head
    extractor.save_pretrained(tmp_path / "body")
    model, _ = continued(str(tmp_path / "body"), {}, new_head=True)
    torch.testing.assert_close(body(model), body(before), atol=0, rtol=0)
    before.config.id2label = {0: "real", 1: "fake"}
    CRNNForAudioClassification(before.config).crnn.save_pretrained(tmp_path / "body")
    with pytest.raises(ValueError, match="lacks the weights"):
        continued(str(tmp_path / "body"), {}, new_head=False)


def test_a_new_head_is_another_one(tiny_detector: Path) -> None:
    model, _ = continued(str(tiny_detector), {}, new_head=True)
    assert not torch.equal(model.classifier.weight, load_detector(tiny_detector)[0].classifier.weight.cpu())


def test_a_new_head_on_another_kind_of_model(tmp_path: Path) -> None:
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    small |= {"conv_dim": [8], "conv_kernel": [10], "conv_stride": [5], "num_conv_pos_embeddings": 2}
    before = Wav2Vec2ForSequenceClassification(
        Wav2Vec2Config(**small, num_conv_pos_embedding_groups=1, classifier_proj_size=4, num_labels=3)
    )
    before.save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(tmp_path)
    model, _ = continued(str(tmp_path), {}, new_head=True)
    torch.testing.assert_close(model.wav2vec2.state_dict(), before.wav2vec2.state_dict())
    assert model.classifier.out_features == 2
    with pytest.raises(ValueError, match="layers of a CRNN alone; found Wav2Vec2ForSequenceClassification"):
        depths_of(model)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 9}, r"architecture\.hidden_size cannot be changed to 9: it is that of .*; expected no other"),
        ({"hiden_size": 9}, r"architecture\.hiden_size cannot be changed"),
        ({"classifier_proj_size": 4}, r"classifier_proj_size was None in .* and is now 4, which takes another head"),
        ({"loss": "oc_softmax"}, r"loss was 'cross_entropy' .*; expected new_head: true with it"),
        ({"dropout": 1.5}, "dropout must be a number in"),
    ],
)
def test_what_a_trained_model_cannot_become(tiny_detector: Path, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        continued(str(tiny_detector), changes, new_head=False)


def test_other_labels_need_a_new_head(stranger: str) -> None:
    with pytest.raises(ValueError, match="expected a model with the labels 'real' and 'fake'; found"):
        continued(stranger, {}, new_head=False)


def test_frozen_parts_take_no_gradient_and_keep_their_statistics() -> None:
    model = CRNNForAudioClassification(CRNNConfig(**TINY)).train()
    freeze(model, ["encoder.blocks.0", "recurrence"])
    hold_frozen(model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model(torch.randn(3, 40, 80), labels=torch.tensor([0, 1, 1])).loss.backward()
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert moved == {f"crnn.encoder.blocks.1.norm.{name}" for name in statistics}
    frozen = {name.split(".")[1] for name, parameter in model.named_parameters() if parameter.grad is None}
    assert frozen == {"encoder", "layers"}
    assert model.crnn.layers[0].forward_lstm.training  # or cuDNN would not pass gradients on


def test_what_cannot_be_frozen() -> None:
    model = CRNNForAudioClassification(CRNNConfig(**TINY))
    freeze(model, [])
    assert all(parameter.requires_grad for parameter in model.parameters())
    for name in ("", "dropout", "projector", "blocks"):
        with pytest.raises(
            ValueError, match=f"freeze: '{name}' is no part of the model; expected one of convolutions"
        ):
            freeze(model, [name])
    with pytest.raises(ValueError, match="nothing is left to train without crnn, classifier"):
        freeze(model, ["crnn", "classifier"])


def test_names_can_be_parted_by_commas() -> None:
    assert parts_in(None) == []
    assert parts_in(["convolutions,layers.0", "pooling"]) == ["convolutions", "layers.0", "pooling"]


def test_rates_fall_from_the_head_to_the_input() -> None:
    model = CRNNForAudioClassification(CRNNConfig(**TINY, num_hidden_layers=2, classifier_proj_size=4))
    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in model.parameters() if parameter.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1.0)
    spread_rates(optimizer, model, 0.5)
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert len(found) == sum(len(group["params"]) for group in optimizer.param_groups) == len(decayed) + len(others)
    depths = {"projector": 0, "classifier": 0, "crnn.pooling": 1, "crnn.layers.1": 2, "crnn.layers.0": 3}
    depths |= {"crnn.encoder.blocks.1": 4, "crnn.encoder.blocks.0": 5}
    for name, parameter in model.named_parameters():
        (depth,) = (depth for part, depth in depths.items() if name.startswith(part))
        assert found[id(parameter)] == (0.5**depth, 0.1 if parameter.dim() > 1 else 0.0)
    assert optimizer.param_groups[0]["lr"] == 1  # what the log shows


def tune(model: Path, corpus: Path, output: Path, *overrides: str) -> dict[str, float]:
    options = ["--model", str(model), "--data", str(corpus), "--output_dir", str(output), "--num_train_epochs", "2"]
    options += ["--per_device_train_batch_size", "4", "--crop_seconds", "1", "--disable_tqdm", "true"]
    return train(*read_recipe("recipes/finetune.yaml", [*options, *overrides]))


class Rates(TrainerCallback):
    """Notes the optimizer's rates, and pulls the plug if it is told where."""

    def __init__(self, last_step: int | None = None) -> None:
        self.rates: list[list[float]] = []
        self.last_step = last_step

    def on_step_end(self, args, state, control, optimizer, **kwargs) -> None:
        self.rates.append([group["lr"] for group in optimizer.param_groups])
        if state.global_step == self.last_step:
            raise KeyboardInterrupt


def test_a_frozen_model_is_tuned_and_resumed(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = job.DetectorTrainer

    def run(output: str, callback: Rates) -> None:
        monkeypatch.setattr(job, "DetectorTrainer", lambda **options: trainer(**options, callbacks=[callback]))
        tune(tiny_detector, tiny_corpus, tmp_path / output, "--freeze", "convolutions", "--layer_decay", "0.5")

    unbroken = Rates()
    run("whole", unbroken)
    with pytest.raises(KeyboardInterrupt):
        run("broken", Rates(last_step=6))
    run("broken", Rates())
    tuned, resumed, before = (
        CRNNForAudioClassification.from_pretrained(folder)
        for folder in (tmp_path / "whole", tmp_path / "broken", tiny_detector)
    )
    torch.testing.assert_close(tuned.state_dict(), resumed.state_dict(), atol=0, rtol=0)
    torch.testing.assert_close(tuned.crnn.encoder.state_dict(), before.crnn.encoder.state_dict(), atol=0, rtol=0)
    assert not torch.equal(tuned.classifier.weight, before.classifier.weight)
    # Of the head, pooling and the recurrent layer, each with and without weight decay; the schedule keeps the ratios.
    for rates in unbroken.rates[:-1]:
        assert np.array(rates) / rates[0] == pytest.approx([1, 1, 0.5, 0.5, 0.25, 0.25])


def test_settings_that_mean_nothing_are_refused(tiny_detector: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="new_head is for a model to go on from; found no model"):
        train(*read_recipe("crnn-asvspoof5", ["--data", "x", "--new_head", "true"]))
    for decay in ("0", "1.5"):
        with pytest.raises(ValueError, match=f"layer_decay must be above 0 and at most 1; found {float(decay)}"):
            tune(tiny_detector, Path("nowhere"), tmp_path, "--layer_decay", decay)
    with pytest.raises(ValueError, match="features are those of the model"):
        tune(tiny_detector, Path("nowhere"), tmp_path, "--features.n_fft", "1024")


def corpora_of(folder: Path) -> dict[str, Path]:
    """Fakes of four vocoders, and of four others, each with speakers of its own, as recordings with both splits."""
    embedded = write_embedded_corpus(folder / "embedded", train_clips=320, dev_clips=320, workers=2)
    for name, split in (("old", "train"), ("new", "validation")):
        rows = load_asvspoof5(embedded, split)
        held_out = set(sorted(set(rows["speaker"]))[::3])
        for row in rows:
            kind = f"fake/{row['attack']}" if row["label"] else f"real/{row['speaker']}"
            part = "validation" if row["speaker"] in held_out else "train"
            path = folder / name / part / kind / f"{row['utterance']}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(row["audio"]["bytes"])
    return {name: folder / name for name in ("old", "new")}


@pytest.mark.slow
def test_new_fakes_are_learned_and_with_replay_old_ones_are_not_forgotten(tmp_path: Path) -> None:
    corpora = corpora_of(tmp_path)
    options = ["--crop_seconds", "2.5", "--disable_tqdm", "true", "--per_device_train_batch_size", "16"]
    models = {name: tmp_path / name for name in ("base", "tuned", "replayed")}

    def run(recipe: str, name: str, corpus: str, *more: str) -> None:
        told = ["--data", str(corpora[corpus]), "--output_dir", str(models[name]), *options, *more]
        train(*read_recipe(recipe, told))

    run("crnn-asvspoof5", "base", "old", "--num_train_epochs", "12", "--vocoding.learned_steps", "4")
    tuning = ["--model", str(models["base"]), "--num_train_epochs", "6", "--learning_rate", "0.001"]
    run("finetune", "tuned", "new", *tuning)
    run("finetune", "replayed", "new", *tuning, "--replay.data", str(corpora["old"]), "--replay.share", "0.5")

    def bits_lost(model: str, corpus: str) -> float:
        trials = score_clips(*load_detector(models[model]), load_corpus(corpora[corpus], "validation")).trials
        return cllr(trials.scores, trials.is_fake)

    on_new, on_old = ({model: bits_lost(model, corpus) for model in models} for corpus in ("new", "old"))
    assert max(on_new["tuned"], on_new["replayed"]) < on_new["base"]
    assert on_old["replayed"] < on_old["tuned"]
