"""IREE 3.13.0 on an x86 CPU, PACK-1: the LSTM of an ONNX model reads every row to its end.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: the optional input ``sequence_lens`` has the
length of each sequence of the batch; ``Y_h`` and ``Y_c`` are the last output and the last cell
state. By iree.dev ("ONNX support", "Troubleshooting"), the compiler fails if the implementation of
an operator is missing a case. This case it takes without a word: the final states of a row of two
steps are those after all three, computed on through the padding.
"""

from tempfile import TemporaryDirectory

import numpy as np
import onnx.parser
from iree.compiler.tools import compile_file
from iree.compiler.tools.import_onnx import __main__ as import_onnx
from iree.runtime import load_vm_flatbuffer

OPTIONS = ["--iree-llvmcpu-target-cpu=host"]
MODEL = """<ir_version: 10, opset_import: ["": 17]>
lstm (float[steps, 1, 1] X) => (float[1, 1, 1] Y_h)
<float[1, 4, 1] W = {1, 1, 1, 1}, float[1, 4, 1] R = {1, 1, 1, 1}, int32[1] lengths = {2}>
{ Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R, "", lengths) }"""

with TemporaryDirectory() as folder:
    onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
    arguments = [f"{folder}/lstm.onnx", "-o", f"{folder}/lstm.mlir"]
    import_onnx.main(import_onnx.parse_arguments(arguments))
    compiled = compile_file(f"{folder}/lstm.mlir", target_backends=["llvm-cpu"], extra_args=OPTIONS)
lstm = load_vm_flatbuffer(compiled, driver="local-sync").lstm
of_two, padded = (lstm(np.ones((n, 1, 1), np.float32)).to_host().item() for n in (2, 3))
assert padded == of_two, f"Y_h is {padded:.4f}, of the two steps alone {of_two:.4f}"
