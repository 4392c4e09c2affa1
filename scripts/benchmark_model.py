#!/usr/bin/env python
"""Time of the extractor and of the model for a 4-second clip, beside two peers of base size with random weights.

All run in this process, in turns, and the ratio is that of the medians. The last column is the share of the machine's
limit: how long its fastest product of matrices would take for the same number of operations, by the time measured.

    .venv/bin/python scripts/benchmark_model.py
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    PreTrainedModel,
    SequenceFeatureExtractor,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
)

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification

RATE, SECONDS = 16_000, 4
SYSTEMS: dict[str, tuple[Callable[[], SequenceFeatureExtractor], Callable[[], PreTrainedModel]]] = {
    "CRNN": (
        lambda: CRNNFeatureExtractor(return_contrast=True),
        lambda: CRNNForAudioClassification(CRNNConfig(contrast=True)),
    ),
    "CRNN reference": (CRNNFeatureExtractor.reference, lambda: CRNNForAudioClassification(CRNNConfig.reference())),
    "AST base": (ASTFeatureExtractor, lambda: ASTForAudioClassification(ASTConfig())),
    "wav2vec2 base": (Wav2Vec2FeatureExtractor, lambda: Wav2Vec2ForSequenceClassification(Wav2Vec2Config())),
}


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def in_turns(functions: dict[str, Callable[[], object]], rounds: int, repeats: int) -> dict[str, float]:
    """Median time of each; within a round each runs so often that it has the caches to itself."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(median(seconds(function) for _ in range(repeats)))
    return {name: median(values) for name, values in times.items()}


def operations(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> int:
    """Floating-point operations of a pass, a product and a sum being two. PyTorch itself does not count LSTMs."""
    total = 0

    def count_lstm(lstm: torch.nn.LSTM, arguments: tuple[torch.Tensor], _: object) -> None:
        nonlocal total
        batch, steps, size = arguments[0].shape
        total += 2 * batch * steps * 4 * lstm.hidden_size * (size + lstm.hidden_size)

    hooks = [
        module.register_forward_hook(count_lstm) for module in model.modules() if isinstance(module, torch.nn.LSTM)
    ]
    with FlopCounterMode(display=False) as counter:
        model(**inputs)
    for hook in hooks:
        hook.remove()
    return total + counter.get_total_flops()


def fastest_product(rounds: int) -> float:
    """Operations a second of a product of two matrices of 2048 x 2048, the best of several."""
    matrix = torch.randn(2048, 2048)
    return 2 * 2048**3 / min(seconds(lambda: matrix @ matrix) for _ in range(10 * rounds))


def benchmark(batch_size: int, rounds: int) -> None:
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.1, RATE * SECONDS).astype(np.float32) for _ in range(batch_size)]
    extractors = {name: make() for name, (make, _) in SYSTEMS.items()}
    models = {name: make().eval() for name, (_, make) in SYSTEMS.items()}

    def extract(name: str) -> dict[str, torch.Tensor]:
        return extractors[name](clips, sampling_rate=RATE, return_tensors="pt")

    inputs = {name: extract(name) for name in SYSTEMS}
    extractor_times = in_turns({name: lambda name=name: extract(name) for name in SYSTEMS}, 4 * rounds, 5)
    model_times = in_turns({name: lambda name=name: models[name](**inputs[name]) for name in SYSTEMS}, rounds, 1)
    limit = fastest_product(rounds)

    print(f"\nbatches of {batch_size}, milliseconds a clip; fastest product of matrices: {limit / 1e9:.0f} GFLOP/s")
    columns = ("", "extractor", "AST / it", "model", "AST / it", "GFLOP", "of limit", "params")
    print("{:16}{:>10}{:>10}{:>10}{:>10}{:>8}{:>10}{:>9}".format(*columns))
    for name, model in models.items():
        work = operations(model, inputs[name])
        extractor_time, model_time = extractor_times[name], model_times[name]
        print(
            f"{name:16}{1e3 * extractor_time / batch_size:10.2f}{extractor_times['AST base'] / extractor_time:10.1f}"
            f"{1e3 * model_time / batch_size:10.2f}{model_times['AST base'] / model_time:10.1f}"
            f"{work / batch_size / 1e9:8.2f}{work / limit / model_time:10.0%}"
            f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:8.2f}M"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rounds", type=int, default=5, help="turns that each system has; default: 5")
    options = parser.parse_args()
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {SECONDS} s clips at {RATE} Hz, float32")
    with torch.no_grad():
        for batch_size in options.batch_sizes:
            benchmark(batch_size, options.rounds)


if __name__ == "__main__":
    main()
