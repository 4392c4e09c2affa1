"""Going on from a trained model: with another head, with parts that stay as they are, and slower near the input."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.configuration_crnn import LABELS
from crnn_hf.loading import load_detector

# Of the architecture, what can be another than that of the model to go on from; some of it with a new head alone.
CHANGEABLE = ("dropout", "margin", "cosine_scale", "loss", "classifier_proj_size")
WITH_NEW_HEAD = ("loss", "classifier_proj_size")
# What people call the parts of a CRNN, beside the names of its modules.
PARTS = {"convolutions": "crnn.encoder", "recurrence": "crnn.layers"}


def continued(
    name: str, changes: Mapping[str, Any], new_head: bool
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """A trained model to go on from, in training's own state: without calibration and class weights.

    Args:
        name: folder or Hub name.
        changes: fields of its config, those in `CHANGEABLE`.
        new_head: begin with a random head, whose labels are real and fake. The model's own may be another's, with any
            labels, or none.

    Raises:
        OSError, ValueError: as `load_detector`; a field that cannot be changed, or not without a new head.
    """
    model, feature_extractor = load_detector(name, device="cpu", any_head=new_head)
    was = model.config.to_dict()
    differing = {field: value for field, value in changes.items() if field not in was or was[field] != value}
    for field, value in differing.items():
        if field not in CHANGEABLE or field not in was:
            raise ValueError(
                f"architecture.{field} cannot be changed to {value!r}: it is that of {name}, the model to go on from; "
                f"expected no other fields of a CRNN than {', '.join(CHANGEABLE)}"
            )
        if field in WITH_NEW_HEAD and not new_head:
            raise ValueError(
                f"architecture.{field} was {was[field]!r} in {name} and is now {value!r}, which takes another head; "
                "expected new_head: true with it"
            )
    model.config.class_weights = None
    # It belongs to the weights that it was fitted to.
    model.config.calibration = None
    if not differing and not new_head:
        return model, feature_extractor
    fields = model.config.to_dict()
    if "loss" in differing:
        fields |= {"margin": None, "cosine_scale": None}  # the old one's
    if new_head:
        fields |= {"id2label": dict(enumerate(LABELS)), "label2id": {name: index for index, name in enumerate(LABELS)}}
    fresh = type(model)(type(model.config).from_dict({**fields, **differing}))
    body, trained = (getattr(each, each.base_model_prefix) if new_head else each for each in (fresh, model))
    body.load_state_dict(trained.state_dict())
    return fresh, feature_extractor


def parts_in(setting: Sequence[str] | None) -> list[str]:
    """The names in the setting `freeze`, where commas may part them too."""
    return [name for names in setting or () for name in names.split(",") if name]


def freeze(model: PreTrainedModel, names: Sequence[str]) -> None:
    """Take parts of a model out of training; `hold_frozen` keeps their statistics as they are.

    Args:
        model: whose parameters are told not to ask for gradients.
        names: of modules, such as "crnn.encoder.blocks.0", or "encoder.blocks.0" for short; of a CRNN also
            "convolutions" and "recurrence".

    Raises:
        ValueError: there is no module of that name, or nothing would be left to train.
    """
    modules = dict(model.named_modules())
    for name in names:
        full = PARTS.get(name, name)
        module = modules.get(full, modules.get(f"{model.base_model_prefix}.{full}"))
        if not full or module is None or not list(module.parameters()):
            raise ValueError(f"freeze: {name!r} is no part of the model; expected one of {', '.join(_parts(model))}")
        module.requires_grad_(False)
    if names and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(f"freeze: nothing is left to train without {', '.join(names)}")


def hold_frozen(model: nn.Module) -> None:
    """Put frozen layers of a model in training into evaluation: their batch norms' statistics must not move either."""
    for module in filter(_is_frozen, model.modules()):
        for part in module.modules():
            # In a recurrent layer nothing differs, and cuDNN has no gradient for its input in evaluation.
            part.training = isinstance(part, nn.RNNBase)


def spread_rates(optimizer: torch.optim.Optimizer, model: nn.Module, decay: float) -> None:
    """Give the layers of a CRNN rates of their own: the optimizer's times `decay` to the power of a layer's depth.

    The head has depth 0, pooling 1, the last recurrent layer 2, and so on down to the first convolution. Every group
    of parameters becomes one for each depth, the head's first, with all else that was said of it, such as its weight
    decay. To be called before there is a schedule, which keeps the ratios.

    Args:
        optimizer: of the model's parameters.
        model: a CRNN, or one that wraps it.
        decay: above 0 and at most 1; with 1 all rates are the same.

    Raises:
        ValueError: the model has no such layers.
    """
    depths = depths_of(model)
    groups = []
    for group in optimizer.param_groups:
        for depth in sorted({depths[parameter] for parameter in group["params"]}):
            members = [parameter for parameter in group["params"] if depths[parameter] == depth]
            groups.append({**group, "params": members, "lr": group["lr"] * decay**depth, "depth": depth})
    optimizer.param_groups[:] = sorted(groups, key=lambda group: group["depth"])


def check_layer_decay(model: nn.Module, decay: float) -> None:
    """Raise ValueError for a decay out of its range, or one of a model whose layers are not known."""
    if not 0 < decay <= 1:
        raise ValueError(f"layer_decay must be above 0 and at most 1; found {decay}")
    if decay != 1:
        depths_of(model)


def depths_of(model: nn.Module) -> dict[nn.Parameter, int]:
    """How far below the head each parameter of a CRNN is, in layers; what stands beside the convolutions is deepest.

    Raises:
        ValueError: the model is no CRNN.
    """
    crnn = getattr(model, "crnn", None)
    if crnn is None:
        raise ValueError(f"layer_decay knows the layers of a CRNN alone; found {type(model).__name__}")
    layers = [crnn.pooling, *reversed(crnn.layers), *reversed(crnn.encoder.blocks)]
    depths = dict.fromkeys(model.parameters(), 0)
    depths |= dict.fromkeys(crnn.parameters(), len(layers))
    for depth, layer in enumerate(layers, start=1):
        depths |= dict.fromkeys(layer.parameters(), depth)
    return depths


def _is_frozen(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)


def _parts(model: PreTrainedModel) -> list[str]:
    """What can be frozen, for people: the names that they use, and the modules down to single blocks."""
    prefix = f"{model.base_model_prefix}."
    modules = [name.removeprefix(prefix) for name, module in model.named_modules() if list(module.parameters())]
    known = [part for part, name in PARTS.items() if name in dict(model.named_modules())]
    return [*known, *(name for name in modules if name and name.count(".") < 3 and name + "." != prefix)]
