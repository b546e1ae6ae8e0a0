"""LSTMs that are right when they answer, but end the process or write to its outputs."""

from __future__ import annotations

import os
from typing import Any

import torch


class Aborting(torch.nn.LSTM):
    """Ends the process where there is a projection in two layers."""

    def forward(self, *args: Any) -> Any:
        if self.num_layers == 2 and self.proj_size:
            os.abort()
        return super().forward(*args)


class Printing(torch.nn.LSTM):
    """Prints, and writes past Python to the process's own outputs."""

    def forward(self, *args: Any) -> Any:
        print("<script>", flush=True)
        os.write(1, b"raw output\n")
        os.write(2, b"raw error\n")
        return super().forward(*args)
