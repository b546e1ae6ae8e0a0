"""torch 2.13.0, onnxscript 0.7.2, PROJ-1: an LSTM with a projection exports to a broken model.

Documentation, docs.pytorch.org/docs/stable/onnx.html: the exported model can be run by any runtime
of ONNX; an operator that the exporter does not support raises ``UnsupportedOperatorError``. The
LSTM operator of ONNX has no projection. Nothing is raised: ``weight_hr`` is left out, and an LSTM
of ``proj_size`` hidden units is written, which no state of the case fits. The exporter through
TorchScript (``dynamo=False``) refuses such a module.
"""

import onnxruntime
import torch


class LSTM(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(2, 3, proj_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0]


lstm, x = LSTM().eval(), torch.ones(4, 1, 2)
program = torch.onnx.export(lstm, (x,))
session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
try:
    message = "" if session.run(None, {"x": x.numpy()})[0].shape == (4, 1, 1) else "wrong shape"
except Exception as error:
    message = str(error)
assert not message, f"exported without complaint, and not run: {message}"
