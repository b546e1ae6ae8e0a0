"""IREE 3.13.0, DTYPE-3: by default an LSTM in float64 is compiled, but cannot be called.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X may be float64; iree.dev ("Function ABI"):
f64 is a type of arguments. By default ``iree-compile`` converts everything to float32, but the
function still returns float64: every call raises an IndexError, because the bytes are too few.
Known for other operators: https://github.com/iree-org/iree/issues/24180

With ``--iree-input-demote-f64-to-f32=false`` the linker of the default executable format misses
tanh. With ``--iree-llvmcpu-link-embedded=false`` as well, the results are right.
"""

from tempfile import TemporaryDirectory

import numpy as np
import onnx.parser
from iree.compiler.tools import compile_file
from iree.compiler.tools.import_onnx import __main__ as import_onnx
from iree.runtime import load_vm_flatbuffer

MODEL = """<ir_version: 10, opset_import: ["": 17]>
lstm (double[1, 1, 1] X, double[1, 4, 1] W, double[1, 4, 1] R) => (double[1, 1, 1] Y_h)
{ Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R) }"""

with TemporaryDirectory() as folder:
    onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
    files = [f"{folder}/lstm.onnx", "-o", f"{folder}/lstm.mlir"]
    import_onnx.main(import_onnx.parse_arguments(files))
    compiled = compile_file(files[2], target_backends=["llvm-cpu"])
lstm, raised = load_vm_flatbuffer(compiled, driver="local-sync").lstm, ""
try:
    lstm(*(np.zeros(shape) for shape in ((1, 1, 1), (1, 4, 1), (1, 4, 1))))
except IndexError as error:
    raised = str(error)
assert not raised, raised
