"""ONNX Runtime in JavaScript: ``onnxruntime-node``, and ``onnxruntime-web`` on WebAssembly.

Documented at onnxruntime.ai/docs/api/js. Node.js runs the model of a case, by ``ort.mjs``. The LSTM
operator has a kernel for float32 only, and the session refuses models with ``layout=1``. What the
library may do after an error is not documented, so Node.js is started anew.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from ..spec.case import OUTPUTS, Case
from ..spec.usage_error import UsageError
from .function import Arrays, FunctionLSTM, without_padding
from .node import node_command
from .onnx_model import lstm_model

__all__ = ["onnxruntime_node", "onnxruntime_wasm"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "packed", "states", "float32"}
)


class _Process:
    """Node.js with ``ort.mjs``."""

    def __init__(self, package: str) -> None:
        self._command = node_command("ort.mjs", package)
        self._start()
        atexit.register(self._stop)

    def _start(self) -> None:
        pipe = subprocess.PIPE
        self._node = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)

    def _stop(self) -> None:
        with self._node:
            self._node.kill()

    def ask(self, method: str, **fields: Any) -> Any:
        """The answer to a request of docs/protocol.md."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        print(json.dumps({"id": 1, "method": method, **fields}), file=self._node.stdin, flush=True)
        line = self._node.stdout.readline()
        ended = "Node.js ended with the status"
        answer = json.loads(line) if line else {"error": f"{ended} {self._node.wait()}"}
        if "error" in answer:
            self._stop()
            self._start()
            raise RuntimeError(answer["error"])
        return answer


def _lstm(name: str, package: str) -> FunctionLSTM:
    process = _Process(package)
    try:
        version = process.ask("hello")["version"]
    except RuntimeError as error:
        raise UsageError(f"{name} cannot be judged: {error}.") from None

    def function(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        with tempfile.TemporaryDirectory() as folder:
            model, inputs, outputs = (str(Path(folder, file)) for file in ("model", "in", "out"))
            Path(model).write_bytes(lstm_model(case, arguments).SerializeToString())
            save_file({n: np.ascontiguousarray(a) for n, a in arguments.items()}, inputs)
            process.ask("run", inputs=inputs, outputs=outputs, case={"model": model})
            output, h_n, c_n = (load_file(outputs)[n] for n in OUTPUTS)
        return without_padding(case, output), h_n, c_n

    return FunctionLSTM(name, version, _CAPABILITIES, function)


def onnxruntime_node() -> FunctionLSTM:
    """The library of the operating system, on its CPU."""
    return _lstm("onnxruntime-node", "onnxruntime-node")


def onnxruntime_wasm() -> FunctionLSTM:
    """The library in WebAssembly, as in browsers."""
    return _lstm("onnxruntime-wasm", "onnxruntime-web")
