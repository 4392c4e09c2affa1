"""What a pass over an evaluation set says: the headline metrics and, where attacks are known, the EER of each."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from transformers import EvalPrediction

from crnn_hf.data.columns import UNKNOWN
from crnn_hf.metrics import HEADLINE, breakdown, compute_cm_metrics, macro_average, real_scores

MAIN = "validation"  # whose figures bear no name: `eval_eer`, where those of a set codec are `eval_codec_eer`
MACRO = "eer_macro"
MEANS = ("eer", MACRO)  # of which there are means over several evaluation sets


def prediction_metrics(prediction: EvalPrediction, label2id: Mapping[str, int]) -> dict[str, float]:
    """The headline metrics of a pass over an evaluation set, as the Trainer wants them."""
    metrics = compute_cm_metrics(*scored(prediction.predictions, prediction.label_ids, label2id))
    return {name: metrics[name] for name in HEADLINE}


def attack_metrics(scores: NDArray, is_fake: NDArray[np.bool_], attacks: Sequence[str]) -> dict[str, float]:
    """The EER of each attack against all real clips, and its mean over the attacks.

    Args:
        scores: (clips,), higher for real.
        is_fake: (clips,).
        attacks: of each clip. Fakes of unknown attack are left out; what it says of real clips does not matter.

    Returns:
        `eer_macro`, and `attack_<name>_eer` for each attack; empty where fewer than two are known.
    """
    attacks = np.where(is_fake, attacks, UNKNOWN)
    if len(set(attacks) - {UNKNOWN}) < 2:
        return {}
    told = ~is_fake | (attacks != UNKNOWN)
    groups = breakdown(scores[told], is_fake[told], attacks[told])
    return {
        MACRO: macro_average(groups)["eer"],
        **{attack_key(group.name): group.metrics["eer"] for group in groups if group.metrics is not None},
    }


def figure_names(dataset: Dataset) -> list[str]:
    """The names of all figures that an evaluation of the dataset will give, without prefix."""
    attacks = attack_counts(dataset)
    return ["loss", *HEADLINE, *([MACRO, *map(attack_key, attacks)] if len(attacks) > 1 else [])]


def mean_figures(metrics: Mapping[str, float], sets: Collection[str], prefix: str = "eval") -> dict[str, float]:
    """The means of the EER, and of its average over attacks, over several evaluation sets, which all count the same.

    Args:
        metrics: of all sets, the main one's with the prefix, such as `eval_eer`, and those of a set codec with its
            name too, such as `eval_codec_eer`.
        sets: their names.
        prefix: "eval", or what the figures of the main set begin with.

    Returns:
        `eval_mean_eer` and `eval_mean_eer_macro`, each where all sets have the figure; empty for a single set.
    """
    means = {}
    for figure in MEANS if len(sets) > 1 else ():
        names = [f"{prefix}_{figure_of(name, figure)}" for name in sets]
        if all(name in metrics for name in names):
            means[f"{prefix}_mean_{figure}"] = float(np.mean([metrics[name] for name in names]))
    return means


def figure_of(name: str, figure: str) -> str:
    """What a figure of an evaluation set is called, such as `codec_eer`; the main set's bear no name."""
    return figure if name == MAIN else f"{name}_{figure}"


def attack_key(attack: str) -> str:
    """What the EER of an attack is called among the figures."""
    return f"attack_{attack}_eer"


def scored(
    logits: NDArray, label_ids: NDArray, label2id: Mapping[str, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores, higher for real, and whether each clip is fake, both of shape (clips,).

    Args:
        logits: (clips, labels).
        label_ids: (clips,), the model's, which may be numbered otherwise than the corpus's.
        label2id: the model's labels.
    """
    return real_scores(logits, dict(label2id)), label_ids == label2id["fake"]


def attack_counts(dataset: Dataset) -> dict[str, int]:
    """How many fakes there are of each known attack, in the order of their names."""
    pairs = zip(attacks_of(dataset), labels_of(dataset), strict=True)
    return dict(sorted(Counter(attack for attack, label in pairs if label == 1 and attack != UNKNOWN).items()))


def attacks_of(dataset: Dataset) -> list[str]:
    """The attack column. No transform is applied, so that no audio is read."""
    return dataset.select_columns(["attack"]).with_format(None)[:]["attack"]


def labels_of(dataset: Dataset) -> list[int]:
    """The label column, 0 for real and 1 for fake. No transform is applied, so that no audio is read."""
    return dataset.select_columns(["label"]).with_format(None)[:]["label"]
