"""Where a model's folder has its ONNX files, as the Hub's other models have theirs."""

MODEL_FILE = "onnx/model.onnx"
QUANTIZED_FILE = "onnx/model_quantized.onnx"
WITH_FEATURES_FILE = "onnx/model_with_features.onnx"
