"""Waits for devices of torch, which compute while the program goes on."""

from __future__ import annotations

import sys
import threading
from typing import Any

import torch

__all__ = ["synchronize"]


def synchronize(device: str) -> None:
    """Waits until ``device`` has computed everything that was asked of it.

    Args:
        device: torch's name of the device, as ``cuda:1``.

    Raises:
        Exception: what went wrong in a computation, which torch raises here and not in its call.
    """
    kind = device.partition(":")[0]
    of_kind: Any = getattr(torch, kind, None)  # torch.cuda, torch.xpu, ...
    if kind == "xla":
        _synchronize_xla()
    elif kind == "mps":
        torch.mps.synchronize()
    elif kind not in ("cpu", "meta") and hasattr(of_kind, "synchronize"):
        of_kind.synchronize(device)


def _synchronize_xla() -> None:
    """Begins what was only noted so far, and waits for it, which ``sync(wait=True)`` does not."""
    # sync takes the tensors of all threads, also those that another thread is making: that raises.
    if threading.current_thread() is threading.main_thread():
        sys.modules["torch_xla"].sync()
        sys.modules["torch_xla.core.xla_model"].wait_device_ops()
