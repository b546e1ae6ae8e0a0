"""LSTMs that are right when they answer, but end the process or write to its outputs."""

from __future__ import annotations

import builtins
import os
import sys
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


class Spoiling(torch.nn.LSTM):
    """Replaces or closes what all code of the process shares."""

    def forward(self, *args: Any) -> Any:
        results = super().forward(*args)
        sys.path.clear()
        sys.modules.clear()
        sys.stdout = sys.stderr = None
        os.close(1)
        os.close(2)
        del builtins.open, builtins.print, builtins.ValueError
        return results


class ClosingAll(torch.nn.LSTM):
    """Closes every file that the process has open."""

    def forward(self, *args: Any) -> Any:
        os.closerange(0, 200)
        return super().forward(*args)
