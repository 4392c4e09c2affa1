#!/usr/bin/env python
"""Users of the demo at once: how long each waits for a verdict, and whether anybody is dropped.

The demo runs in a process of its own; each user is a thread with a connection of its own, who sends a recording, waits
for the verdict and sends the next. The users share the machine with the demo.

.venv/bin/python scripts/benchmark_space.py runs/mine
.venv/bin/python scripts/benchmark_space.py runs/mine --users 20 --seconds 10 --each 3
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import numpy as np
import soundfile
from gradio_client import Client, handle_file

from crnn_hf.hub.shipped import shipped

RATE = 16_000
START_SECONDS = 180


@contextmanager
def served(model: str, backend: str | None):
    """The address of the demo, for as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"CRNN_MODEL": model, "GRADIO_SERVER_PORT": str(port), "CRNN_BACKEND": backend or ""}
    process = subprocess.Popen(
        [sys.executable, shipped("space") / "app.py"], env={**os.environ, **variables}, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.5)
        else:
            raise RuntimeError("the demo did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_as_user(address: str, recording: Path, each: int, together: Barrier) -> tuple[list[float], list[str]]:
    """How long a user waited for each verdict, in seconds, and what went wrong."""
    client = Client(address, verbose=False)
    waits, faults = [], []
    together.wait()
    for _ in range(each):
        begin = time.perf_counter()
        try:
            client.predict(handle_file(recording), None, api_name="/detect")
            waits.append(time.perf_counter() - begin)
        except Exception as error:  # whatever it is, this user got no verdict
            faults.append(f"{type(error).__name__}: {error}")
    return waits, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder or Hub name of a detector")
    parser.add_argument("--backend", help="by default onnx if the model has the file, else torch")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the recording; default: 10")
    parser.add_argument("--each", type=int, default=3, help="recordings that each user sends; default: 3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(options.model, options.backend) as address:
        recording = Path(folder) / "recording.flac"
        noise = np.random.default_rng(0).standard_normal(round(options.seconds * RATE)).astype(np.float32)
        soundfile.write(recording, noise * (0.05 + 0.04 * np.sin(np.arange(len(noise)) / 4_000)), RATE)
        wait_as_user(address, recording, 2, Barrier(1))  # the first is slower
        print(f"{'users':>6}{'sent':>6}{'dropped':>9}{'median s':>10}{'95 % s':>8}{'most s':>8}{'verdicts a s':>14}")
        for users in options.users:
            together = Barrier(users + 1)
            with ThreadPoolExecutor(users) as pool:
                waiting = [pool.submit(wait_as_user, address, recording, options.each, together) for _ in range(users)]
                together.wait()
                begin = time.perf_counter()
                found = [user.result() for user in waiting]
                seconds = time.perf_counter() - begin
            waits = [wait for one, _ in found for wait in one]
            faults = [fault for _, some in found for fault in some]
            median, high, most = np.quantile(waits, [0.5, 0.95, 1.0]) if waits else [np.nan] * 3
            sent = users * options.each
            rate = len(waits) / seconds
            print(f"{users:6}{sent:6}{len(faults):9}{median:10.2f}{high:8.2f}{most:8.2f}{rate:14.1f}", flush=True)
            for fault in sorted(set(faults)):
                print(f"  {fault}")


if __name__ == "__main__":
    main()
