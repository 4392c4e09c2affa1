"""`crnn-hf listen`."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from crnn_hf.cli.detecting import STDIN
from crnn_hf.cli.shared import add_backend, add_judging

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from crnn_hf.cli.live_sound import LiveSound
    from crnn_hf.inference import StreamingDetector, StreamVerdict

# Those of crnn_hf.cli.live_sound, and what arecord is most often asked for.
FORMATS = ("s16le", "f32le")
RATE, CHANNELS = 16_000, 1


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "listen",
        help="listen to a microphone or a pipe and tell, as it goes on, whether it is real or fake",
        description="Listen to the microphone, or to raw PCM on standard input, and tell whether what was heard so "
        "far is real or fake. Ctrl-C or the end of the input ends it, with the verdict on all. For example: "
        "arecord -f S16_LE -r 16000 -t raw | crnn-hf listen - --model MODEL",
        allow_abbrev=False,
    )
    command.set_defaults(command=listen)
    command.add_argument(
        "source", nargs="?", choices=(STDIN,), help="raw PCM on standard input; by default the microphone is heard"
    )
    command.add_argument("--model", required=True, help="folder or Hub name of a detector")
    add_backend(command)
    command.add_argument(
        "--rate", type=int, help=f"sampling rate in Hz; default: {RATE} of standard input, the microphone's own"
    )
    command.add_argument(
        "--format", choices=FORMATS, help=f"of standard input, as FFmpeg names it; default: {FORMATS[0]}"
    )
    command.add_argument(
        "--channels", type=int, help=f"of standard input, interleaved, to be averaged; default: {CHANNELS}"
    )
    add_judging(command)
    command.add_argument("--json", action="store_true", help="print a JSON object a line")


def listen(options: argparse.Namespace) -> int:
    """Tell the verdict at each step until the sound ends or Ctrl-C is pressed, and then the last one."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.cli.live_verdicts import sigmoid_of_fake, writer_of
    from crnn_hf.inference import StreamingDetector, calibration_of, verdict

    sound = _sound(options)  # before the model, which takes seconds to load
    disable_progress_bar()
    judging = {"threshold": options.threshold, "prior_of_fake": options.prior_of_fake}
    stream = StreamingDetector.from_pretrained(
        options.model, backend=options.backend, sampling_rate=sound.sampling_rate, **judging
    )
    config = stream.detector.config

    def latest(score: float) -> float:
        chance = verdict(score, config, **judging).probability_of_fake
        return sigmoid_of_fake(score) if chance is None else chance

    writer = writer_of(options.json, latest)
    print(f"Listening to {sound.name}. Ctrl-C ends it.", file=sys.stderr, flush=True)
    try:
        for found in verdicts(stream, sound.chunks):
            writer.step(found)
    except KeyboardInterrupt:
        pass  # as it is meant to end
    writer.end(stream.end())
    if calibration_of(config) is None:
        print("The detector is not calibrated: its scores are no chances. See crnn-hf calibrate.", file=sys.stderr)
    return 0


def verdicts(stream: "StreamingDetector", chunks: Iterable["NDArray[np.float32]"]) -> Iterator["StreamVerdict"]:
    """The verdict at each step of a stream, however much of it comes at once."""
    size = max(1, int(stream.sampling_rate * stream.listening.step / 2))  # completes no more than one step
    seconds = 0.0
    for chunk in chunks:
        for begin in range(0, len(chunk), size):
            found = stream.push(chunk[begin : begin + size])
            if found.seconds > seconds:
                seconds = found.seconds
                yield found


def _sound(options: argparse.Namespace) -> "LiveSound":
    """What is to be heard. Raises ValueError for what cannot be, OSError where there is no microphone."""
    from crnn_hf.audio.decoding import HIGHEST_RATE, LOWEST_RATE
    from crnn_hf.cli.live_sound import microphone, standard_input
    from crnn_hf.loading import refuse_missing

    refuse_missing(options.model)
    if options.rate is not None and not LOWEST_RATE <= options.rate <= HIGHEST_RATE:
        raise ValueError(f"--rate: expected {LOWEST_RATE} to {HIGHEST_RATE} Hz; found {options.rate}")
    if options.channels is not None and options.channels < 1:
        raise ValueError(f"--channels: expected at least 1; found {options.channels}")
    if options.source == STDIN:
        return standard_input(options.rate or RATE, options.format or FORMATS[0], options.channels or CHANNELS)
    if options.format or options.channels:
        raise ValueError("--format and --channels tell what comes on standard input: crnn-hf listen -")
    return microphone(options.rate)
