"""IREE 3.13.0, SHAPE-1: an LSTM with layout=1 and both directions is not compiled.

Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: with ``layout=1`` the rows are the first axis
of X, Y, Y_h and Y_c. IREE has ``layout=1``, and both directions, since torch-mlir has them
(https://github.com/llvm/torch-mlir/pull/3771). With both together, the reversed input gets the type
that the input has before rows and steps change places. So the compiler fails unless there are as
many rows as steps.

Below: three rows and two rows of three steps.
"""

from tempfile import TemporaryDirectory

import onnx.parser
from iree.compiler.tools import CompilerToolError, compile_file
from iree.compiler.tools.import_onnx import __main__ as import_onnx

OPTIONS = ["--iree-llvmcpu-target-cpu=host"]
MODEL = """<ir_version: 10, opset_import: ["": 17]>
lstm (float[{rows}, 3, 1] X, float[2, 4, 1] W, float[2, 4, 1] R) => (float[{rows}, 2, 1] Y_h)
{{ Y, Y_h, Y_c = LSTM <hidden_size = 1, direction = "bidirectional", layout = 1> (X, W, R) }}"""

errors = []
for rows in (3, 2):
    with TemporaryDirectory() as folder:
        onnx.save(onnx.parser.parse_model(MODEL.format(rows=rows)), f"{folder}/lstm.onnx")
        arguments = [f"{folder}/lstm.onnx", "-o", f"{folder}/lstm.mlir"]
        import_onnx.main(import_onnx.parse_arguments(arguments))
        try:
            compile_file(f"{folder}/lstm.mlir", target_backends=["llvm-cpu"], extra_args=OPTIONS)
        except CompilerToolError as error:
            errors.append(f"{rows} rows of 3 steps: {str(error)[:300]}")
assert not errors, errors[0]
