"""`crnn-hf export`: a saved detector, and the same for ONNX Runtime."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from crnn_hf.loading import load_detector

if TYPE_CHECKING:
    from crnn_hf.inference.backends.onnx_files import Written


def export_onnx(
    model: str | Path, output: Path, *, quantized: bool = False, with_features: bool = False
) -> list["Written"]:
    """Write a saved detector's ONNX files into its own folder, or beside a copy of it into another.

    Args:
        model: folder or Hub name.
        output: the folder.
        quantized, with_features: as `crnn_hf.inference.backends.onnx_files.write_onnx`.

    Returns:
        The files, each with how far its logits were from PyTorch's.

    Raises:
        ValueError: as `load_detector` and `write_onnx`; or the packages for ONNX are not installed.
        OSError: there is no such model, or the folder cannot be written to.
    """
    missing = [package for package in ("onnx", "onnxruntime") if find_spec(package) is None]
    if missing:
        raise ValueError(f"to export takes the packages {missing}, not installed: pip install crnn-hf[onnx]")
    from crnn_hf.inference.backends.onnx_files import write_onnx

    detector, feature_extractor = load_detector(model, "cpu")
    written = write_onnx(detector, feature_extractor, output, quantized=quantized, with_features=with_features)
    if not (Path(model).is_dir() and output.samefile(model)):
        detector.save_pretrained(output)
        feature_extractor.save_pretrained(output)
    return written
