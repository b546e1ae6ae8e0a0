"""torch 2.13.0, ExportedProgram.run_decompositions, META-2: a transposed input raises.

The torch.export API reference, "Soundness Guarantee": a program holds for other inputs as far as
assumptions do that tracing makes, which are on shapes. Of ``run_decompositions``: the program does
the same with other operations. Exported from a contiguous example it takes an input of any strides,
as torch.nn.LSTM does; decomposed it raises, since it has a ``view`` of the input
(https://github.com/pytorch/pytorch/issues/186381 has the same of another operation).

Below both inputs have the same numbers.
"""

import torch


def answer(program: torch.export.ExportedProgram, x: torch.Tensor) -> str:
    try:
        return str(program.module()(x)[0].round(decimals=3).tolist())
    except RuntimeError as error:
        return str(error)


torch.manual_seed(0)
contiguous = torch.randn(4, 5, 2)
transposed = contiguous.transpose(0, 1).contiguous().transpose(0, 1)
program = torch.export.export(torch.nn.LSTM(2, 3), (contiguous,))
assert answer(program, transposed) == answer(program, contiguous)
decomposed = program.run_decompositions()
seen = answer(decomposed, transposed)
assert seen == answer(decomposed, contiguous), seen
