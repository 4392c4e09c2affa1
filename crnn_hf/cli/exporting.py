"""`crnn-hf export`."""

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "export",
        help="write a model for ONNX Runtime, with the same logits",
        description="Write a model as ONNX files below OUT/onnx, and check them against PyTorch. OUT is a copy of the "
        "model; if it is the model's own folder, the files join it.",
        allow_abbrev=False,
    )
    command.set_defaults(command=export)
    command.add_argument("model", help="folder or Hub name of a detector")
    command.add_argument("output", type=Path, metavar="OUT", help="folder to write to")
    command.add_argument(
        "--int8",
        action="store_true",
        help="write model_quantized.onnx too: LSTM and linear layers with weights of 8 bits; its scores differ",
    )
    command.add_argument(
        "--with-features",
        action="store_true",
        help="write model_with_features.onnx too, which takes waveforms and needs no feature extractor",
    )


def export(options: argparse.Namespace) -> int:
    """Write a model as ONNX files that give the same logits."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.inference.backends import export_onnx

    disable_progress_bar()
    written = export_onnx(options.model, options.output, quantized=options.int8, with_features=options.with_features)
    for file in written:
        print(
            f"{file.path}: {file.bytes / 1e6:.1f} MB; on random clips, alone and padded, its logits differ from "
            f"PyTorch's by at most {file.difference:.1e}"
        )
    return 0
