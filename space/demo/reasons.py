"""What made up a score, beside what is marked in the spectrogram, as HTML."""

from crnn_hf.contrast_crnn import AT_ONCE, HARMONICS, PHASE, PULSES
from crnn_hf.inference.explaining import Explanation

# In the words of somebody who has never seen a spectrogram.
NAMES = {
    HARMONICS: "Fine structure between the voice's overtones",
    PULSES: "Fine structure between one pulse of the voice and the next",
    AT_ONCE: "Whether all pitches sound at once in a pulse",
    PHASE: "How waves of neighbouring pitches line up",
}
SPECTROGRAM = "Everything else, as marked in the spectrogram below, and where scores begin"


def parts_of_score(explanation: Explanation) -> str:
    """What the kinds of fine structure and all else added to the score, as bars; nothing where it is not known."""
    if explanation.fine_structure is None:
        return ""
    effects = {NAMES[kind]: effect for kind, effect in explanation.fine_structure.items()}
    effects[SPECTROGRAM] = explanation.score - sum(effects.values())
    most = max(map(abs, effects.values())) or 1.0
    bars = "".join(_bar(name, effect, abs(effect) / most) for name, effect in effects.items())
    summary = f"The score of what is marked is {explanation.score:+.2f}, the sum of five parts"
    return f'<details open class="parts"><summary>{summary}</summary><dl class="bars">{bars}</dl></details>'


def _bar(name: str, effect: float, share: float) -> str:
    label = "fake" if effect < 0 else "real"
    return (
        f"<div><dt>{name}: <strong>{effect:+.2f}</strong>, for {label if round(effect, 2) else 'neither'}</dt>"
        f'<dd aria-hidden="true"><span class="{label}" style="width:{100 * share:.0f}%"></span></dd></div>'
    )
