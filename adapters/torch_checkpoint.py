"""``torch.utils.checkpoint``: the forward pass is run again in the backward pass, in both kinds.

Documented at docs.pytorch.org/docs/stable/checkpoint.html. States and the values of a packed
sequence are passed one by one: the reentrant kind does not see tensors inside of other objects.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence
from torch.utils.checkpoint import checkpoint

from ..spec.capabilities import ALL
from .torch_module import TorchModule
from .torch_variants import Shell

__all__ = ["torch_checkpoint", "torch_checkpoint_reentrant"]


class _Checkpointed(Shell):
    use_reentrant = False

    def forward(self, input: Any, hx: Any = None) -> Any:
        lstm, is_packed = self.plain_lstm(), isinstance(input, PackedSequence)

        def run(values: Any, *states: Any) -> Any:
            x = input._replace(data=values) if is_packed else values
            output, (h_n, c_n) = lstm(x, states or None)
            return output.data if is_packed else output, h_n, c_n

        values = input.data if is_packed else input
        output, h_n, c_n = checkpoint(run, values, *(hx or ()), use_reentrant=self.use_reentrant)
        return (input._replace(data=output) if is_packed else output), (h_n, c_n)


class _CheckpointedReentrant(_Checkpointed):
    use_reentrant = True


def torch_checkpoint() -> TorchModule:
    """With ``use_reentrant=False``, which the page recommends."""
    without = {"module", "forward-mode"}  # the page promises nothing about forward mode
    return TorchModule(
        "torch-checkpoint", _Checkpointed, torch.__version__, capabilities=ALL - without
    )


def torch_checkpoint_reentrant() -> TorchModule:
    """With ``use_reentrant=True``. The page says that it lacks ``torch.autograd.grad``."""
    without = {"module", "forward-mode", "double-backward"}
    return TorchModule(
        "torch-checkpoint-reentrant",
        _CheckpointedReentrant,
        torch.__version__,
        capabilities=ALL - without,
    )
