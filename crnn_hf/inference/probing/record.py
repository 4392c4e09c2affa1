"""A probe's figures as JSON can hold them."""

from typing import Any

from crnn_hf.data.statistics import MEASURES, Separation, SeparationTogether
from crnn_hf.inference.probing.changes import CHANGES
from crnn_hf.inference.probing.measuring import ErrorRatesAfter, Probe

MOVES = ("median", "percentile_95", "mean_real", "mean_fake")


def as_record(found: Probe) -> dict[str, Any]:
    """All that `probe` found. EERs and shares are in [0, 1], moves in units of the score and in spreads."""
    statistics = found.statistics
    return {
        "clips": {"real": found.real, "fake": found.fake, "not_scored": found.faults},
        "scores": {"eer": found.eer, "quartiles": found.quartiles, "spread": found.spread},
        "measures": {
            name: {
                **measure._asdict(),
                "quantiles": {label: of_class.quantiles(name) for label, of_class in statistics.by_class.items()},
                "alone": _fields(statistics.separation.get(name)),
            }
            for name, measure in MEASURES.items()
        },
        "together": _fields(statistics.together),
        "changes": {
            name: {
                "kind": CHANGES[name].kind,
                "title": CHANGES[name].title,
                "takes_voice": CHANGES[name].takes_voice,
                "clips": moved.clips,
                "left_out": moved.left_out,
                "moves": {move: getattr(moved, move) for move in MOVES},
                "moves_in_spreads": {move: in_spreads(getattr(moved, move), found.spread) for move in MOVES},
                "verdicts": moved.verdicts,
                "eer": _fields(moved.eer),
            }
            for name, moved in found.movements.items()
        },
    }


def _fields(figures: Separation | SeparationTogether | ErrorRatesAfter | None) -> dict[str, Any] | None:
    return None if figures is None else figures._asdict()


def in_spreads(move: float | None, spread: float) -> float | None:
    """A move relative to how far apart the scores of unchanged clips are; None where that cannot be said."""
    return None if move is None or not spread else move / spread
