"""ONNX graphs put together."""

import onnx
from onnx import TensorProto, compose, helper


def either(plain: onnx.ModelProto, masked: onnx.ModelProto) -> onnx.ModelProto:
    """A graph that takes the shorter of two ways where no clip of a batch is padded.

    Masks take a quarter of the time: ONNX Runtime convolves in blocks of channels, and for every product with a mask
    it rearranges all of them there and back. What both ways need is stored once, but for the weights of convolutions,
    which ONNX Runtime rearranges only where they belong to the same way.

    Args:
        plain: from `input_features` to `logits`.
        masked: from `input_features` and `attention_mask` to the same.
    """
    ways = {name: compose.add_prefix(way, f"{name}/", rename_inputs=False) for name, way in _named(plain, masked)}
    shared = _shared(*(way.graph for way in ways.values()))
    branches = {}
    for name, way in ways.items():
        branch = onnx.GraphProto()
        branch.CopyFrom(way.graph)
        del branch.input[:]
        branches[f"{name}_branch"] = branch
    nodes = [
        helper.make_node("ReduceMin", ["attention_mask"], ["least"], keepdims=0),
        helper.make_node("Constant", [], ["zero"], value=helper.make_tensor("zero", TensorProto.INT64, [], [0])),
        helper.make_node("Greater", ["least", "zero"], ["is_plain"]),
        helper.make_node("If", ["is_plain"], ["logits"], **branches),
    ]
    graph = helper.make_graph(nodes, "detector", masked.graph.input, masked.graph.output, shared)
    return helper.make_model(graph, opset_imports=masked.opset_import, ir_version=masked.ir_version)


def chained(features: onnx.ModelProto, model: onnx.ModelProto) -> onnx.ModelProto:
    """A graph whose inputs are the outputs of another, by their names."""
    names = [value.name for value in features.graph.output]
    features = compose.add_prefix(features, "features/", rename_inputs=False)
    joints = [(f"features/{name}", name) for name in names]
    features.ir_version = model.ir_version
    return compose.merge_models(features, model, io_map=joints)


def _named(plain: onnx.ModelProto, masked: onnx.ModelProto) -> list[tuple[str, onnx.ModelProto]]:
    return [("then", plain), ("else", masked)]


def _shared(*graphs: onnx.GraphProto) -> list[onnx.TensorProto]:
    """Take from the graphs the tensors that all of them hold, weights of convolutions left out; those tensors."""
    first, *others = [{_content(tensor): tensor for tensor in _large(graph)} for graph in graphs]
    shared = []
    for content, tensor in first.items():
        if all(content in other for other in others):
            same = [tensor, *(other[content] for other in others)]
            shared.append(onnx.TensorProto())
            shared[-1].CopyFrom(tensor)
            shared[-1].name = f"shared/{len(shared)}"
            for graph, one in zip(graphs, same, strict=True):
                _replace(graph, one.name, shared[-1].name)
    return shared


def _large(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    return [tensor for tensor in graph.initializer if len(tensor.dims) < 4 and len(tensor.raw_data) > 1024]


def _content(tensor: onnx.TensorProto) -> tuple[object, ...]:
    return tensor.data_type, tuple(tensor.dims), tensor.raw_data


def _replace(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Take a tensor from a graph, whose nodes find it under another name outside."""
    kept = [tensor for tensor in graph.initializer if tensor.name != old]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new
