"""How a report says things: numbers as text, what each metric is, and the answers to what its readers ask."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from crnn_hf.metrics.trials import UNKNOWN

UNMEASURED = "–"  # noqa: RUF001 - an en dash, as tables have it where there is no figure


class Metric(NamedTuple):
    """What a metric is called, whether it is a share, and what it is in one phrase."""

    label: str
    is_share: bool
    phrase: str


METRICS = {
    "eer": Metric("EER", True, "the rate of both errors where they are equally frequent; a coin has 50 %"),
    "min_dcf": Metric(
        "minDCF",
        False,
        "what errors cost at the best threshold, ASVspoof 5's first metric; 1 is as good as no detector",
    ),
    "act_dcf": Metric(
        "actDCF",
        False,
        "what errors cost if the scores are taken for log-likelihood ratios; no less than minDCF",
    ),
    "cllr": Metric(
        "Cllr", False, "bits lost by taking the scores for log-likelihood ratios, whatever is decided; 1 tells nothing"
    ),
    "auc": Metric("AUC", False, "how often a real clip scores above a fake; a coin has 0.5"),
    "accuracy": Metric("Accuracy", True, "the share of verdicts that are right"),
    "precision": Metric("Precision", True, "the share of clips called fake that are fake"),
    "recall": Metric("Recall", True, "the share of fakes that are called fake"),
    "f1": Metric("F1", True, "the harmonic mean of precision and recall"),
}

# Not precision and F1, which say more of how many fakes a group has than of the detector.
OF_GROUPS = ("eer", "min_dcf", "act_dcf", "cllr", "auc", "accuracy", "recall")

GROUPS = (
    "Pooled: all clips, with one threshold. Macro: the mean over groups, each with a threshold of its own for EER and "
    "minDCF. If the two differ, or the groups among themselves, one threshold does not suit all. Intervals of groups "
    "are by clip."
)

QUESTIONS = (
    (
        "Which class is which?",
        "Label 0 is real (bona fide), label 1 is fake (spoof). A score is higher for real. Accuracy, precision, "
        "recall and F1 take fake for the positive class: recall is the share of fakes found. A real clip that is "
        "taken for fake is a false rejection (FRR), a fake that is taken for real a false acceptance (FAR).",
    ),
    (
        "How is the EER computed?",
        "As in ASVspoof 5's evaluation. All scores are sorted, real clips first among equal ones, and each is tried "
        "as threshold. Where FRR and FAR are closest, the EER is their mean, without interpolation. minDCF is the "
        "lowest 1.9 FRR + FAR: fakes are 5 % of clips, accepting one costs 10, rejecting a real one costs 1.",
    ),
    (
        "Which threshold?",
        "EER, minDCF, Cllr and AUC need none: they look at all thresholds, or at the scores themselves. actDCF "
        "decides at -0.642, which is minus the logarithm of 1.9; the others at the threshold named with them, below "
        "which a clip is called fake. Thresholds that were chosen on these clips are a little too good for them; "
        "choose yours on clips like those that you will meet, and know what each error costs you.",
    ),
    (
        "What are the intervals?",
        "Percentile bootstraps: the figure is taken again of clips drawn with replacement, and the interval holds "
        "95 % of what comes out. Drawn by clip, it speaks of other clips of the same speakers; drawn by speaker, of "
        "other speakers too. Neither speaks of other attacks, codecs, languages or rooms, which usually matter more.",
    ),
    (
        "Pooled or macro?",
        "Pooled figures set one threshold for all clips. If the scores of one group lie higher than those of another, "
        "that alone makes them worse than the figures of the groups, and large or easy groups can make them better. "
        "The macro average is the mean over groups, each at a threshold of its own and all counting the same. Where "
        "the two differ, read the groups.",
    ),
    (
        "Do scores and labels match?",
        "Check that as many clips were scored as the key names, that each is named once, and that scores were joined "
        "with labels by name, not by place. An EER near 50 % in every group speaks for mixed-up names, one far above "
        "50 % for the opposite sign or label, and one of 0 % for clips that training has heard, or for a difference "
        "between the classes that has nothing to do with the voice.",
    ),
)


def share(value: float) -> str:
    """A share in [0, 1] in percent, such as "21.96 %"."""
    return f"{_percent(value)} %"


def figure(name: str, value: float) -> str:
    """A metric's value as its kind is written."""
    return share(value) if METRICS[name].is_share else f"{value:.4f}"


def interval(name: str, ends: Sequence[float] | None) -> str:
    """A metric's interval, such as "20.37 to 23.63 %"."""
    if ends is None:
        return UNMEASURED
    lower, upper = ends
    if METRICS[name].is_share:
        return f"{_percent(lower)} to {_percent(upper)} %"
    return f"{lower:.4f} to {upper:.4f}"


def score(value: float) -> str:
    """A score or threshold, to be read; metrics.json has all digits."""
    return f"{value + 0.0:.5g}"  # plus 0, lest there be a minus zero


def out_of(value: float) -> str:
    """A share in [0, 1] as a count that one can imagine, such as "22 of 100"; small ones of more."""
    value = round(value, 9)  # 1 - 0.9 is a little less than 0.1
    if value == 0:
        return "none of 100"
    base = next((base for base in (100, 1_000) if value * base >= 10), 10_000)
    number = round(value * base)
    return f"{number or 'fewer than 1'} of {base:,}"


def headline(figures: Mapping[str, Any]) -> str:
    """What the EER says, in a sentence for those who never heard of it."""
    eer, counts = figures["metrics"]["eer"], figures["counts"]
    if eer == 0:
        bounds = {name: share(1 - 0.05 ** (1 / clips)) for name, clips in counts.items()}
        return (
            f"There is a threshold that makes no error on {counts['real']:,} real clips and {counts['fake']:,} fakes. "
            f"That does not rule out that, on other clips of the same kind, up to {bounds['real']} of real clips and "
            f"{bounds['fake']} of fakes are mistaken (with 95 % confidence)."
        )
    confidence = f"{100 * figures['intervals']['confidence']:g} %"
    lower, upper = (100 * end for end in figures["intervals"]["by_clip"]["eer"])
    return (
        f"If the threshold is set so that both errors are equally frequent, {out_of(eer)} real clips are taken for "
        f"fake and {out_of(eer)} fakes for real ({confidence} interval {lower:.1f} to {upper:.1f} %)."
    )


def at_threshold(figures: Mapping[str, Any]) -> str:
    """What the verdicts at the report's threshold are worth, in a sentence."""
    recall, accuracy = figures["metrics"]["recall"], figures["balanced"]["accuracy"]
    # Balanced accuracy is the mean of the shares of real clips and of fakes that are called what they are.
    flagged = max(0.0, 1 - (2 * accuracy - recall))
    return (
        f"If every clip with a score below {score(figures['thresholds']['decision'])} is called fake, "
        f"{out_of(flagged)} real clips are called fake and {out_of(1 - recall)} fakes are missed."
    )


def calibration(figures: Mapping[str, Any]) -> str:
    """Whether the scores are log-likelihood ratios, by what, and how good they are."""
    metrics, found = figures["metrics"], figures["calibration"]
    loss = (
        f"actDCF is {metrics['act_dcf']:.4f} where minDCF is {metrics['min_dcf']:.4f}, Cllr {metrics['cllr']:.4f} bits"
    )
    if found is None and figures["is_calibrated"] is None:
        return f"Whether these scores are calibrated is not known here. Taken for log-likelihood ratios, their {loss}."
    if found is None and figures["is_calibrated"]:
        return f"Calibrated: the scores are natural-log likelihood ratios of real to fake. Here {loss}."
    if found is None:
        return (
            "Not calibrated: the scores are not log-likelihood ratios, and actDCF and Cllr say how far off they are "
            f"({loss}). No probability is stated."
        )
    clips = found.get("clips")
    fitted = [
        f"for a prior of real of {found['prior_of_real']:.4g}" if "prior_of_real" in found else "",
        f"on {found['data']}" if "data" in found else "",
        f"({clips['real']:,} real clips, {clips['fake']:,} fakes)" if clips else "",
    ]
    return (
        "Calibrated: the scores are natural-log likelihood ratios of real to fake, "
        f"{found['scale']:.5g} x the difference of the model's logits {'+-'[found['offset'] < 0]} "
        f"{abs(found['offset']):.5g}, {' '.join(['fitted', *filter(None, fitted)])}. Here {loss}."
    )


def abstention(figures: Mapping[str, Any]) -> str:
    """The band in which a detector says neither, in a sentence."""
    band = figures["abstention"]
    lower, upper = score(band["lower"]), score(band["upper"])
    if band["lower"] == band["upper"]:
        ends = f"Fake below a score of {lower}, real from there on, never unsure. This threshold"
    else:
        ends = f"Fake below a score of {lower}, real from {upper} on, unsure between. These ends"
    is_own = figures["calibration"] is None
    source, clips = ("found on these clips", "") if is_own else ("set by the model's calibration", " of its clips")
    plural = "was" if band["lower"] == band["upper"] else "were"
    return (
        f"{ends} {plural} {source}, such that of the real ones{clips} at most {100 * band['share']:g} % would be "
        "called fake, and of the fakes at most as many real."
    )


def intervals(figures: Mapping[str, Any]) -> str:
    """What the intervals of the headline metrics are."""
    found = figures["intervals"]
    speakers = "; by speaker, they are drawn speaker by speaker" if found["by_speaker"] else ""
    return (
        f"Intervals hold {100 * found['confidence']:g} % of {found['resamples']:,} resamples of the clips{speakers}. "
        "They do not speak of other attacks, codecs, languages or rooms."
    )


def points(figures: Mapping[str, Any]) -> str:
    """Where the thresholds come from."""
    if figures["calibration"] is None:
        return (
            "Below its score, a threshold calls a clip fake. These thresholds were found on these very clips: on "
            "others they will cost something else."
        )
    return (
        "Below its score, a threshold calls a clip fake. These thresholds come with the model; beside what they cost "
        "here stands what they cost on the clips that they were found on."
    )


def remarks(column: str, found: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    """What to know before one reads a breakdown's table."""
    groups = found["groups"]
    said = []
    if found["describes_fakes"]:
        said.append(f"The fakes of each {column} are held against all {counts['real']:,} real clips.")
    if any(group["metrics"] is None for group in groups):
        said.append(f"Where a class has no clip there is nothing to measure: {UNMEASURED}.")
    if any(group["name"] == UNKNOWN for group in groups):
        said.append('"-" stands for none, or not known.')
    return said


def plain(value: Any) -> str:
    """Whatever a report was told of itself, as text."""
    if value is None:
        return UNMEASURED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {plain(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return str(value)


def printable(text: str) -> str:
    """Text from data on one line, with a replacement character for what cannot be printed."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(text.split()))


def shortened(text: str, most: int = 24) -> str:
    """Printable text of so many characters at most."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _percent(value: float) -> str:
    """With two decimals, or as many as a small share needs to be none."""
    return f"{100 * value:.2f}" if value == 0 or abs(value) >= 0.0001 else f"{100 * value:.1g}"
