"""`crnn-hf demo`: the page that a Space shows, on this machine."""

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from crnn_hf.cli.shared import BACKENDS


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "demo",
        help="show the demo in the browser",
        description="Serve the demo on this machine: verdicts, timelines and a live microphone in the browser. "
        "Without a model it takes the quickstart's, if there is one, and otherwise says how to get one.",
        allow_abbrev=False,
    )
    command.set_defaults(command=demo)
    command.add_argument("model", nargs="?", help="folder or Hub name of a detector")
    command.add_argument("--port", type=int, help="default: 7860, or the next that is free")
    command.add_argument("--share", action="store_true", help="make a public address for it, too, by Gradio's servers")
    command.add_argument(
        "--backend", choices=BACKENDS, help="what runs the model; default: onnx if the model has the file, else torch"
    )


def demo(options: argparse.Namespace) -> int:
    """Run the Space's app until it is interrupted, in a process of its own, told what a Space is told by variables."""
    from crnn_hf.hub.shipped import shipped
    from crnn_hf.loading import refuse_missing

    if find_spec("gradio") is None:
        raise ValueError("the demo takes the package gradio, not installed: pip install crnn-hf[space]")
    if options.model is not None:
        refuse_missing(options.model)
    chosen = {
        "CRNN_MODEL": options.model,
        "CRNN_BACKEND": options.backend,
        "GRADIO_SERVER_PORT": options.port,
        "GRADIO_SHARE": options.share or None,
    }
    variables = {name: str(value) for name, value in chosen.items() if value is not None}
    command = [sys.executable, str(shipped("space") / "app.py")]
    with subprocess.Popen(command, env={**os.environ, **variables}) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:  # which has reached the app, too
            return process.wait()
