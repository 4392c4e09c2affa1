"""Run as a program of its own: what does a model say of a waveform, loaded as strangers load it, by its own code?

It must not import crnn_hf: what it tests is that the model's files do without. Prints the score as JSON.
"""

import json
import sys

import numpy as np
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification


def main(model: str, revision: str, waveform: str) -> None:
    """Score the waveform of an .npy file.

    Args:
        model: folder or Hub name.
        revision: commit of the latter.
        waveform: path of float32 samples at the extractor's rate.
    """
    loaded = {"revision": revision or None, "trust_remote_code": True}
    detector = AutoModelForAudioClassification.from_pretrained(model, dtype=torch.float32, **loaded).eval()
    extractor = AutoFeatureExtractor.from_pretrained(model, **loaded)
    features = extractor(np.load(waveform), sampling_rate=extractor.sampling_rate, return_tensors="pt")
    with torch.no_grad():
        logits = detector(**features).logits[0].double()
    label2id = detector.config.label2id
    print(json.dumps(float(logits[label2id["real"]] - logits[label2id["fake"]])))


if __name__ == "__main__":
    main(*sys.argv[1:])
