"""What `CRNNConfig.backbone` may say: which transformer listens along, and what of it is trained."""

import math
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

# Where each kind of transformer can take low-rank adapters, and where it takes them by default. WavLM hands the
# weights of its attention to a function of PyTorch's, past any adapter: there they would never learn.
LORA_TARGETS = {
    "wav2vec2": ("q_proj", "v_proj", "k_proj", "out_proj", "intermediate_dense", "output_dense"),
    "hubert": ("q_proj", "v_proj", "k_proj", "out_proj", "intermediate_dense", "output_dense"),
    "wavlm": ("intermediate_dense", "output_dense"),
    "whisper": ("q_proj", "v_proj", "k_proj", "out_proj", "fc1", "fc2"),
}
DEFAULT_LORA_TARGETS = 2  # the first so many of them
LORA_DEFAULTS = {"r": 8, "alpha": 16, "dropout": 0.0, "targets": None}

DEFAULTS = {
    "name": None,
    "config": None,
    "frozen_layers": None,
    "lora": None,
    "projection_size": 128,
    "window_seconds": None,
    "frame_length": 512,
    "hop_length": 160,
}
SAMPLING_RATE = 16_000  # in Hz, of what all four kinds were trained on
WINDOW_SECONDS = 20.0

# Fields of a transformer's config that are of its file or of a head, not of the encoder.
FOREIGN_FIELDS = ("architectures", "dtype", "id2label", "label2id", "problem_type", "transformers_version")
# Whatever their file says. The embeddings of all layers are read, so none is left out by chance (LayerDrop); hiding
# parts of the input is the training recipe's job; and an adapter at the end would change the frames' rate.
FIXED_FIELDS = {
    "layerdrop": 0.0,
    "encoder_layerdrop": 0.0,
    "apply_spec_augment": False,
    "mask_time_prob": 0.0,
    "mask_feature_prob": 0.0,
    "add_adapter": False,
}


def complete_backbone(backbone: dict[str, Any]) -> dict[str, Any]:
    """All settings of a backbone: those given, and defaults for the others.

    A transformer that is given by name alone gets its config from the Hub, or from the folder of that name; one that
    is given with its config reaches neither.

    Raises:
        ValueError: a setting that does not exist or that has a value it cannot have; the message names it.
        OSError: there is no such folder or Hub name, or no way to reach the Hub.
    """
    _require(isinstance(backbone, dict), "", "none, or a mapping of settings", backbone)
    _refuse_unknown(backbone, DEFAULTS, "backbone")
    complete = {**DEFAULTS, **backbone}
    name, config = complete["name"], complete["config"]
    _require(name is None or isinstance(name, str), "name", "a Hub name or a folder, or none", name)
    if config is None:
        _require(name is not None, "", "given a name or a config", backbone)
        config = AutoConfig.from_pretrained(name)
    complete["config"] = config = _encoder_fields(config)
    encoder = backbone_config(complete)
    for setting in ("projection_size", "frame_length", "hop_length"):
        _require(is_count(complete[setting]), setting, "an integer of at least 1", complete[setting])
    layers, frozen = number_of_layers(encoder), complete["frozen_layers"]
    is_number = frozen is None or (is_count(frozen, 0) and frozen <= layers)
    _require(is_number, "frozen_layers", f"an integer from 0 to {layers}, or none for all", frozen)
    if complete["lora"] is not None:
        _require(frozen is None, "frozen_layers", "none with lora, which leaves all layers as they are", frozen)
        complete["lora"] = _complete_lora(complete["lora"], config["model_type"])
    complete["window_seconds"] = _window_seconds(complete["window_seconds"], encoder)
    return complete


def backbone_config(backbone: dict[str, Any]) -> PreTrainedConfig:
    """The transformer's own config, of a complete backbone."""
    fields = {name: value for name, value in backbone["config"].items() if name != "model_type"}
    return AutoConfig.for_model(backbone["config"]["model_type"], **fields)


def number_of_layers(encoder: PreTrainedConfig) -> int:
    """How many transformer layers an encoder has."""
    return encoder.encoder_layers if encoder.model_type == "whisper" else encoder.num_hidden_layers


def frame_shift(encoder: PreTrainedConfig) -> int:
    """Samples from one of the encoder's frames to the next."""
    return 320 if encoder.model_type == "whisper" else math.prod(encoder.conv_stride)


def is_count(value: Any, least: int = 1) -> bool:
    """Whether a value is an integer, which true and false are not here, of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _encoder_fields(config: Any) -> dict[str, Any]:
    """The fields that make the encoder, as a mapping that JSON gives back as it was."""
    fields = config.to_diff_dict() if isinstance(config, PreTrainedConfig) else config
    model_type = fields.get("model_type") if isinstance(fields, dict) else fields
    wanted = f"the config of one of {', '.join(sorted(LORA_TARGETS))}, with its model_type"
    _require(model_type in LORA_TARGETS, "config", wanted, model_type)
    fields = {name: value for name, value in fields.items() if name not in FOREIGN_FIELDS and not name.startswith("_")}
    known = AutoConfig.for_model(model_type)
    return fields | {name: value for name, value in FIXED_FIELDS.items() if hasattr(known, name)}


def _complete_lora(lora: Any, model_type: str) -> dict[str, Any]:
    _require(isinstance(lora, dict), "lora", "none, or a mapping of settings", lora)
    _refuse_unknown(lora, LORA_DEFAULTS, "backbone.lora")
    complete = {**LORA_DEFAULTS, **lora}
    possible = LORA_TARGETS[model_type]
    targets = complete["targets"] = list(complete["targets"] or possible[:DEFAULT_LORA_TARGETS])
    _require(set(targets) <= set(possible), "lora.targets", f"among {', '.join(possible)} for {model_type}", targets)
    _require(is_count(complete["r"]), "lora.r", "an integer of at least 1", complete["r"])
    alpha, dropout = complete["alpha"], complete["dropout"]
    _require(isinstance(alpha, int | float) and alpha > 0, "lora.alpha", "a number above 0", alpha)
    _require(isinstance(dropout, int | float) and 0 <= dropout < 1, "lora.dropout", "a number in [0, 1)", dropout)
    return complete


def _window_seconds(seconds: Any, encoder: PreTrainedConfig) -> float:
    """The length of a window: whisper's own, which is fixed, or the one given, or 20 s."""
    if encoder.model_type == "whisper":
        fixed = encoder.max_source_positions * frame_shift(encoder) / SAMPLING_RATE
        _require(seconds in (None, fixed), "window_seconds", f"{fixed:g} or none for this whisper", seconds)
        return fixed
    if seconds is None:
        return WINDOW_SECONDS
    is_long = isinstance(seconds, int | float) and 1 <= seconds < float("inf")
    _require(is_long, "window_seconds", "a number of at least 1, or none", seconds)
    return float(seconds)


def _refuse_unknown(given: dict[str, Any], known: dict[str, Any], name: str) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"{name} has no setting {', '.join(unknown)}; it has {', '.join(known)}")


def _require(holds: bool, setting: str, wanted: str, found: Any) -> None:
    if not holds:
        raise ValueError(f"backbone{'.' if setting else ''}{setting} must be {wanted}; found {found!r}")
