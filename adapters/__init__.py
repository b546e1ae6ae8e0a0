"""The adapters: implementations of frameworks. An adapter is imported only when it is used."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["REGISTRY", "Adapter"]


class Adapter(NamedTuple):
    """An entry of the registry.

    Attributes:
        factory: "module:attribute" of a function. It takes no arguments and returns an
            implementation; if this is a program, its words on a command line.
        extra: the extra of this package that installs the framework; empty if it needs none.
        isolated: whether cases run in a process of their own, because the framework sometimes
            crashes.
        program: whether it is a program of its own, which answers by docs/protocol.md.
        needs: what judging needs besides packages of Python and Node.js, if results are not
            published for lack of it.
    """

    factory: str
    extra: str = ""
    isolated: bool = False
    program: bool = False
    needs: str = ""


_HERE = "lstm_conformance.adapters"

REGISTRY = {
    "reference": Adapter(f"{_HERE}.reference:ReferenceLSTM"),
    "torch": Adapter(f"{_HERE}.torch_module:torch_lstm", "torch"),
    "torch-onednn-off": Adapter(f"{_HERE}.torch_module:torch_lstm_without_onednn", "torch"),
    "torch-cudnn-off": Adapter(
        f"{_HERE}.torch_variants:torch_lstm_without_cudnn", "torch", needs="a GPU of NVIDIA"
    ),
    "torch-inference": Adapter(f"{_HERE}.torch_variants:torch_inference", "torch"),
    "torch-script": Adapter(f"{_HERE}.torch_jit:torch_script", "torch"),
    "torch-frozen": Adapter(f"{_HERE}.torch_jit:torch_frozen", "torch"),
    "torch-trace": Adapter(f"{_HERE}.torch_jit:torch_trace", "torch"),
    "torch-functional": Adapter(f"{_HERE}.torch_variants:torch_functional", "torch"),
    "torch-func": Adapter(f"{_HERE}.torch_func:torch_func", "torch"),
    "torch-cell": Adapter(f"{_HERE}.torch_cell:torch_cell", "torch"),
    "torch-checkpoint": Adapter(f"{_HERE}.torch_checkpoint:torch_checkpoint", "torch"),
    "torch-checkpoint-reentrant": Adapter(
        f"{_HERE}.torch_checkpoint:torch_checkpoint_reentrant", "torch"
    ),
    **{
        f"torch-{tool}": Adapter(
            f"{_HERE}.torch_reparametrized:torch_{tool.replace('-', '_')}", "torch"
        )
        for tool in ("parametrized", "pruned", "weight-norm")
    },
    "torch-autocast": Adapter(f"{_HERE}.torch_autocast:torch_autocast", "torch"),
    "torch-cpp": Adapter(f"{_HERE}.torch_cpp:torch_cpp", "torch-cpp"),
    "torch-dynamic-float16": Adapter(f"{_HERE}.torch_dynamic:torch_dynamic_float16", "torch"),
    "torch-quantizable": Adapter(f"{_HERE}.torch_quantizable:torch_quantizable", "torch"),
    "opacus": Adapter(f"{_HERE}.opacus:opacus_lstm", "opacus"),
    "torch-export": Adapter(f"{_HERE}.torch_compiled:torch_export", "torch"),
    "torch-export-decomposed": Adapter(f"{_HERE}.torch_compiled:torch_export_decomposed", "torch"),
    "torch-compile": Adapter(f"{_HERE}.torch_compiled:torch_compile", "torch"),
    "torch-xla": Adapter(f"{_HERE}.torch_xla:torch_xla_lstm", "xla"),
    "jax": Adapter(f"{_HERE}.jax_scan:jax_lstm", "jax"),
    "jax-rnn": Adapter(f"{_HERE}.jax_rnn:jax_lstm_ref", "jax"),
    "equinox": Adapter(f"{_HERE}.equinox:equinox_lstm", "equinox"),
    **{
        f"flax-{api}{cell}": Adapter(
            f"{_HERE}.flax_{api}:flax_{api}{cell.replace('-', '_')}_lstm", "flax"
        )
        for api in ("linen", "nnx")
        for cell in ("", "-optimized")
    },
    "haiku": Adapter(f"{_HERE}.haiku:haiku_lstm", "haiku"),
    "onnxruntime": Adapter(f"{_HERE}.onnx_runtime:onnxruntime_lstm", "onnxruntime"),
    "onnxruntime-node": Adapter(f"{_HERE}.onnx_runtime_js:onnxruntime_node", "onnxruntime-js"),
    "onnxruntime-wasm": Adapter(f"{_HERE}.onnx_runtime_js:onnxruntime_wasm", "onnxruntime-js"),
    "onnxruntime-tensorrt": Adapter(
        f"{_HERE}.onnx_runtime:onnxruntime_tensorrt", "tensorrt", needs="a GPU of NVIDIA, TensorRT"
    ),
    "onnxruntime-directml": Adapter(
        f"{_HERE}.onnx_runtime:onnxruntime_directml", "directml", needs="Windows with DirectX 12"
    ),
    "onnx-reference": Adapter(f"{_HERE}.onnx_reference:onnx_reference_lstm", "onnx"),
    "torch-onnx": Adapter(f"{_HERE}.torch_onnx:torch_onnx", "torch-onnx"),
    "torch-onnx-torchscript": Adapter(f"{_HERE}.torch_onnx:torch_onnx_torchscript", "torch-onnx"),
    "core-ml": Adapter(f"{_HERE}.core_ml:core_ml", "core-ml", needs="macOS"),
    "tvm": Adapter(f"{_HERE}.tvm:tvm_lstm", "tvm"),
    "executorch": Adapter(f"{_HERE}.executorch:executorch_portable", "executorch"),
    "executorch-xnnpack": Adapter(
        f"{_HERE}.executorch:executorch_xnnpack",
        "executorch",
        needs="hours: to compile a case takes 10 to 20 s",
    ),
    "litert": Adapter(f"{_HERE}.litert:litert_lstm", "litert"),
    "openvino": Adapter(f"{_HERE}.openvino:openvino_lstm", "openvino", isolated=True),
    "openvino-dynamic": Adapter(
        f"{_HERE}.openvino:openvino_lstm_dynamic", "openvino", isolated=True
    ),
    "iree": Adapter(f"{_HERE}.iree:iree_lstm", "iree"),
    "mnn": Adapter(f"{_HERE}.mnn:mnn_lstm", "mnn", isolated=True),
    "mlx": Adapter(f"{_HERE}.mlx:mlx_lstm", "mlx"),
    "mlx-float64": Adapter(f"{_HERE}.mlx:mlx_lstm_float64", "mlx"),
    **{
        f"keras-{backend}{way}": Adapter(
            f"{_HERE}.keras_layers:keras_{backend}{way.replace('-', '_')}", f"keras-{backend}"
        )
        for backend in ("torch", "jax", "tensorflow")
        for way in ("", "-unrolled")
    },
    "ncnn": Adapter(f"{_HERE}.ncnn:ncnn_lstm", "ncnn", isolated=True),
    "paddle": Adapter(f"{_HERE}.paddle:paddle_lstm", "paddle", isolated=True),
    "mindspore": Adapter(f"{_HERE}.mindspore:mindspore_lstm", "mindspore"),
    "tensorflow-block": Adapter(f"{_HERE}.tensorflow_block:tensorflow_block", "tensorflow"),
    "tensorflow-block-v2": Adapter(f"{_HERE}.tensorflow_block:tensorflow_block_v2", "tensorflow"),
    "tinygrad": Adapter(f"{_HERE}.tinygrad:tinygrad_lstm", "tinygrad"),
    "tfjs": Adapter(f"{_HERE}.node:tfjs", "programs", program=True),
    "tfjs-wasm": Adapter(f"{_HERE}.node:tfjs_wasm", "programs", program=True),
    "webnn": Adapter(f"{_HERE}.node:webnn", "programs", program=True),
}
