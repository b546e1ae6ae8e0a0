"""IREE 3.13.0, SHAPE-7: without rows, the compiler ends at the Reshape after an LSTM.

Documentation, onnx.ai/onnx/operators/onnx__Reshape.html: a dimension of the new shape is copied
from the input if it is 0. Nothing is said against an input without elements. This Reshape puts the
directions of Y side by side, as the next LSTM needs them. If the static batch_size is 0,
``iree-compile`` is ended by a division by zero (SIGFPE, in ConvertAtenViewOp of torch-mlir). The
LSTM alone is compiled, and gives empty results.
"""

from tempfile import TemporaryDirectory

import onnx.parser
from iree.compiler.tools import CompilerToolError, compile_file
from iree.compiler.tools.import_onnx import __main__ as import_onnx

OPTIONS = ["--iree-llvmcpu-target-cpu=host"]
MODEL = """<ir_version: 10, opset_import: ["": 17]>
lstm (float[2, 0, 1] X, float[1, 4, 1] W, float[1, 4, 1] R) => (float[2, 0, 1] output)
<int64[3] shape = {0, 0, 1}>
{ Y, Y_h, Y_c = LSTM <hidden_size = 1> (X, W, R)
  y = Transpose <perm = [0, 2, 1, 3]> (Y) output = Reshape (y, shape) }"""

with TemporaryDirectory() as folder:
    onnx.save(onnx.parser.parse_model(MODEL), f"{folder}/lstm.onnx")
    arguments = [f"{folder}/lstm.onnx", "-o", f"{folder}/lstm.mlir"]
    import_onnx.main(import_onnx.parse_arguments(arguments))
    try:
        compile_file(f"{folder}/lstm.mlir", target_backends=["llvm-cpu"], extra_args=OPTIONS)
        ended = ""
    except CompilerToolError as error:
        ended = str(error)[:300]
assert not ended, ended
