#!/usr/bin/env python
"""Time of a 4-second clip by PyTorch and by ONNX Runtime, beside two peers of base size and the machine's limit.

All have random weights and run in this process, in turns; figures are medians. The limit is the time of a product of
two matrices of 2048 x 2048, scaled to the model's number of operations. On a machine that others use too, one thread
and its processor time (`--clock processor`) tell more than the wall's clock.

    OMP_NUM_THREADS=1 .venv/bin/python scripts/benchmark_onnx.py --clock processor
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import torch
from benchmark_model import RATE, SECONDS, SYSTEMS, operations

from crnn_hf.inference.backends import OnnxDetector, tuned
from crnn_hf.inference.backends.files import MODEL_FILE, QUANTIZED_FILE, WITH_FEATURES_FILE
from crnn_hf.inference.backends.onnx_detector import open_session, run
from crnn_hf.inference.backends.onnx_files import write_onnx

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
PEERS = ("AST base", "wav2vec2 base")
SIZE = 2048


def in_turns(
    functions: dict[str, Callable[[], object]], rounds: int, repeats: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Median time of each, in seconds; within a round each runs so often, after once untimed, to have the caches."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            function()
            times[name].append(median(_seconds(function, clock) for _ in range(repeats)))
    return {name: median(values) for name, values in times.items()}


def _seconds(function: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    function()
    return clock() - begin


def contestants(name: str, batch_size: int, folder: Path) -> tuple[dict[str, Callable[[], object]], float]:
    """What is timed of a system, by its name in the table, and how many operations its model takes."""
    make_extractor, make_model = SYSTEMS[name]
    extractor, model = make_extractor(), make_model().eval()
    write_onnx(model, extractor, folder, quantized=True, with_features=True)
    rng = np.random.default_rng(0)
    waveforms = rng.normal(0, 0.1, (batch_size, RATE * SECONDS)).astype(np.float32)
    lengths = np.full(batch_size, RATE * SECONDS)

    def extract() -> dict[str, torch.Tensor]:
        return extractor(list(waveforms), sampling_rate=RATE, return_tensors="pt")

    inputs = extract()
    faster = tuned(deepcopy(model))
    graphs = {file: OnnxDetector(open_session(folder / file), model.config) for file in (MODEL_FILE, QUANTIZED_FILE)}
    with_features = open_session(folder / WITH_FEATURES_FILE)
    functions = {
        "PyTorch": lambda: model(**inputs),
        "PyTorch, tuned": lambda: faster(**inputs),
        "ONNX": lambda: graphs[MODEL_FILE](**inputs),
        "ONNX, int8": lambda: graphs[QUANTIZED_FILE](**inputs),
        "extractor, then ONNX": lambda: graphs[MODEL_FILE](**extract()),
        "ONNX with features": lambda: run(with_features, {"waveforms": waveforms, "lengths": lengths}),
    }
    return functions, operations(model, inputs)


def peers(batch_size: int) -> dict[str, Callable[[], object]]:
    """The peers' models, each with the features of its own extractor."""
    functions = {}
    clips = list(np.random.default_rng(0).normal(0, 0.1, (batch_size, RATE * SECONDS)).astype(np.float32))
    for name in PEERS:
        make_extractor, make_model = SYSTEMS[name]
        model, inputs = make_model().eval(), make_extractor()(clips, sampling_rate=RATE, return_tensors="pt")
        functions[name] = lambda model=model, inputs=inputs: model(**inputs)
    return functions


def benchmark(name: str, batch_size: int, rounds: int, clock: Callable[[], float]) -> None:
    """Print the table of a system and a batch size."""
    matrix = torch.randn(SIZE, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        functions, work = contestants(name, batch_size, Path(folder))
        # What takes a second is not timed as often as what takes a thousandth of it.
        slow = in_turns({**peers(batch_size), "product": lambda: matrix @ matrix}, max(2, rounds // 8), 1, clock)
        times = in_turns({**functions, "product": lambda: matrix @ matrix}, rounds, 3, clock)
    limit = work / (2 * SIZE**3) * times.pop("product")
    print(
        f"\n{name}, batches of {batch_size}: {work / batch_size / 1e9:.2f} GFLOP a clip, at the limit "
        f"{1e3 * limit / batch_size:.2f} ms; "
        + ", ".join(f"{peer} {1e3 * slow[peer] / batch_size:.0f} ms" for peer in PEERS)
    )
    print("{:22}{:>9}{:>10}{:>14}{:>14}".format("", "ms", "of limit", "AST / it", "wav2vec2 / it"))
    for system, seconds in times.items():
        ratios = [slow[peer] / seconds for peer in PEERS]
        print(
            f"{system:22}{1e3 * seconds / batch_size:9.2f}{seconds / limit:9.2f}x{ratios[0]:13.0f}x{ratios[1]:13.0f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", default=["CRNN", "CRNN reference"], choices=[*SYSTEMS][:2])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rounds", type=int, default=40, help="turns that each has; default: 40, and 5 of the peers")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    options = parser.parse_args()
    torch.manual_seed(0)
    print(
        f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, {torch.get_num_threads()} threads, "
        f"{SECONDS} s clips at {RATE} Hz, float32, medians of {options.clock} time"
    )
    with torch.inference_mode():
        for name in options.systems:
            for batch_size in options.batch_sizes:
                benchmark(name, batch_size, options.rounds, CLOCKS[options.clock])


if __name__ == "__main__":
    main()
