"""torch 2.13.0, onnxscript 0.7.2, SHAPE-1: an LSTM exported with free steps mixes rows and steps.

Documentation: ``dynamic_shapes`` of ``torch.onnx.export`` is that of ``torch.export.export``, where
a named ``Dim`` that turns out to be fixed raises an exception (torch.export, Dim). Nothing is
raised. The model declares the axis of the steps to be free, and ends in a reshape to the number of
steps of the example: eight steps of one row come out as four steps of two.
"""

import onnxruntime
import torch


class LSTM(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0]


axes = {0: torch.export.Dim("steps"), 1: torch.export.Dim("rows")}
program = torch.onnx.export(LSTM().eval(), (torch.ones(4, 3, 2),), dynamic_shapes=(axes,))
session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
assert session.get_inputs()[0].shape == ["steps", "rows", 2]
(output,) = session.run(None, {"x": torch.ones(8, 1, 2).numpy()})
assert output.shape == (8, 1, 3), f"the shape of the output is {output.shape}, not (8, 1, 3)"
