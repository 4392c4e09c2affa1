"""What runs a saved detector: PyTorch, or ONNX Runtime; and what makes the files for the latter."""

from crnn_hf.inference.backends.doors import BACKENDS, load_backend
from crnn_hf.inference.backends.exporting import export_onnx
from crnn_hf.inference.backends.onnx_detector import OnnxDetector
from crnn_hf.inference.backends.tuning import tuned

__all__ = ["BACKENDS", "OnnxDetector", "export_onnx", "load_backend", "tuned"]
