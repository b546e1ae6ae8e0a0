"""IREE 3.13.0 on an x86 CPU, EDGE-11: half of a denormal number is zero.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: Ct = ft (.) Ct-1 + it (.) ct. If parameters
and input are zeros, ft is sigmoid(0): the cell state is halved at each step. IEEE 754 has numbers
down to 1.4e-45 in float32. The runtime of IREE lets the processor take denormal numbers for zeros
while it computes, in float64 as well. It is meant to: https://github.com/iree-org/iree/pull/7367
"""

from tempfile import TemporaryDirectory

import numpy as np
import onnx.parser
from iree.compiler.tools import compile_file
from iree.compiler.tools.import_onnx import __main__ as import_onnx
from iree.runtime import load_vm_flatbuffer

OPTIONS = ["--iree-llvmcpu-target-cpu=host"]
MODEL = """<ir_version: 10, opset_import: ["": 17]>
lstm (float[1, 1, 1] X, float[1, 4, 1] W, float[1, 4, 1] R, float[1, 1, 1] h, float[1, 1, 1] c)
=> (float[1, 1, 1] Y_c) { Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R, "", "", h, c) }"""

with TemporaryDirectory() as folder:
    onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
    arguments = [f"{folder}/lstm.onnx", "-o", f"{folder}/lstm.mlir"]
    import_onnx.main(import_onnx.parse_arguments(arguments))
    compiled = compile_file(f"{folder}/lstm.mlir", target_backends=["llvm-cpu"], extra_args=OPTIONS)
lstm = load_vm_flatbuffer(compiled, driver="local-sync").lstm
shapes = (1, 1, 1), (1, 4, 1), (1, 4, 1), (1, 1, 1)
c_0 = np.full((1, 1, 1), 1e-39, np.float32)
c_1 = lstm(*(np.zeros(shape, np.float32) for shape in shapes), c_0).to_host()
assert c_1.item() == c_0.item() / 2, f"half of {c_0.item():.3g} is {c_1.item():.3g}"
