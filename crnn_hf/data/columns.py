"""What a row of a corpus holds, whatever the corpus: the audio as it was found, and what is known of it."""

from importlib.util import find_spec
from typing import Any

from datasets import Audio, ClassLabel, Features, Value

from crnn_hf.configuration_crnn import LABELS
from crnn_hf.metrics.trials import UNKNOWN as UNKNOWN

# As ASVspoof 5's protocols have them, `UNKNOWN` where they say nothing; see `crnn_hf.data.protocol.Trial`.
DESCRIPTIONS = ("speaker", "utterance", "gender", "codec", "codec_quality", "codec_seed", "attack_tag", "attack")


def audio_feature() -> Any:
    """The type of the audio column, which holds the file as it was found: its bytes, and its name as a path.

    Where torchcodec can be loaded it is the native `Audio`, so that the Hub's viewer and other programs know it for
    what it is. `datasets` cannot write one without; there it is the same two fields, plainly. Either way a row
    holds `{"bytes": ..., "path": ...}`, for nothing is decoded before `crnn_hf.data.reading` does.
    """
    if _torchcodec_loads():
        return Audio(decode=False)
    return {"bytes": Value("binary"), "path": Value("string")}


def features() -> Features:
    """The columns of a corpus: `audio`, `label` (0 is real, 1 is fake), and the descriptions as strings."""
    return Features(
        {
            "audio": audio_feature(),
            "label": ClassLabel(names=list(LABELS)),
            **{name: Value("string") for name in DESCRIPTIONS},
        }
    )


def _torchcodec_loads() -> bool:
    """Whether torchcodec is there with FFmpeg's shared libraries, which it looks for when it is imported."""
    if find_spec("torchcodec") is None:
        return False
    try:
        import torchcodec.encoders  # noqa: F401 - the import is the test
    except (ImportError, OSError, RuntimeError):
        return False
    return True
