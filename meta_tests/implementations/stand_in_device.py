"""A second device of torch that every machine has, and a correct LSTM that computes on it.

Importing this module registers the device ``standin``. Its tensors have the device's name and no
numbers of their own: the numbers are in storages of the CPU, where every operation is done.

Needs torch 2.10 or later, in which a device can be written in Python.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils import _pytree as pytree
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from lstm_conformance.defects.readable import ReadableLSTM

__all__ = [
    "LSTM",
    "NAME",
    "AnyDevice",
    "LeftBehind",
    "OtherDevice",
    "Raising",
    "StandIn",
    "TooLarge",
]

NAME = "standin"


class StandIn:
    """The module ``torch.standin``, as ``torch.cuda`` is one, and what the device did.

    Attributes:
        events: what the device was asked for, besides operations.
        most_elements: of one tensor; a larger one does not fit into the memory of the device.
    """

    events: list[str] = []  # noqa: RUF012 - it is the module that has them
    most_elements = 10**9

    @staticmethod
    def synchronize(device: Any = None) -> None:
        StandIn.events.append(f"synchronize {device}")

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def device_count() -> int:
        return 1

    @staticmethod
    def _is_in_bad_fork() -> bool:
        return False

    @staticmethod
    def manual_seed_all(seed: int) -> None:
        """Random numbers are those of the CPU."""

    @staticmethod
    def get_rng_state(device: Any = None) -> torch.Tensor:
        return torch.zeros(0, dtype=torch.uint8)

    @staticmethod
    def set_rng_state(state: torch.Tensor, device: Any = None) -> None:
        """See :meth:`manual_seed_all`."""

    @staticmethod
    def get_amp_supported_dtype() -> list[torch.dtype]:
        return []

    @staticmethod
    def tensors() -> int:
        """How many tensors are in the memory of the device."""
        for key in [key for key, (storage, _) in _MEMORY.items() if storage.expired()]:
            del _MEMORY[key]
        return len(_MEMORY)


# Each storage of the device, by its address, to the storage of the CPU that has its numbers.
_MEMORY: dict[int, tuple[StorageWeakRef, torch.UntypedStorage]] = {}

# For tensors without numbers, it sets storage, offset, shape and strides.
_SET = torch.ops.aten.set_.source_Storage_storage_offset
_META = torch._C.DispatchKeySet(torch._C.DispatchKey.Meta)


def _place(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Where in its storage a tensor is."""
    return tensor.storage_offset(), tensor.shape, tensor.stride()


def _on_cpu(operation: Any, *arguments: Any, **options: Any) -> Any:
    """Does an operation of the device on the CPU."""
    is_copy = operation is torch.ops.aten._copy_from.default
    tensors: dict[int, torch.Tensor] = {}  # by the identity of the tensor with their numbers
    storages: dict[int, torch.UntypedStorage] = {}  # by the address of the storage on the CPU

    def with_numbers(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.device.type == NAME:
            storage = value.untyped_storage()
            _, numbers = _MEMORY[storage._cdata]
            found = torch.empty(0, dtype=value.dtype).set_(numbers, *_place(value))
            tensors[id(found)], storages[numbers._cdata] = value, storage
            return found
        if isinstance(value, torch.Tensor) and value.dim() and not is_copy:
            raise RuntimeError(f"a tensor is on {value.device}, another one on {NAME}")
        here = isinstance(value, torch.device) and value.type == NAME
        return torch.device("cpu") if here else value

    def on_device(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        if id(value) in tensors:  # an operation in place returns its argument, perhaps resized
            given = tensors[id(value)]
            return _SET.redispatch(_META, given, given.untyped_storage(), *_place(value))
        if value.numel() > StandIn.most_elements:
            raise torch.OutOfMemoryError(f"{NAME} out of memory. Tried to allocate 2.00 GiB.")
        created = torch._C._acc.create_empty_tensor(value.shape, value.dtype)
        numbers, storage = value.untyped_storage(), created.untyped_storage()
        if numbers._cdata in storages:  # a view
            storage = storages[numbers._cdata]
        else:
            StandIn.tensors()  # an address may be used again
            _MEMORY[storage._cdata] = StorageWeakRef(storage), numbers
        return _SET.redispatch(_META, created, storage, *_place(value))

    on_cpu, options_on_cpu = pytree.tree_map(with_numbers, (arguments, options))
    if is_copy:
        on_cpu[1].copy_(on_cpu[0])
        return arguments[1]
    result = operation(*on_cpu, **options_on_cpu)
    leaves = torch.device(options.get("device") or NAME).type != NAME
    return result if leaves else pytree.tree_map(on_device, result)


_setup_privateuseone_for_python_backend(NAME, backend_module=StandIn)
_LIBRARY = torch.library.Library("_", "IMPL")
_LIBRARY.fallback(_on_cpu, "PrivateUse1")


class LSTM(ReadableLSTM):
    """Correct, on every device."""


class TooLarge(ReadableLSTM):
    """Correct, but with three layers it does not fit into the memory of the device."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        if self.num_layers == 3:
            torch.empty(StandIn.most_elements + 1, device=self.weight_ih_l0.device)
        return super().forward(input, hx)


class Raising(ReadableLSTM):
    """Raises an exception with its arguments in use."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        super().forward(input, hx)
        raise ValueError("no")


class OtherDevice(ReadableLSTM):
    """Returns h_n on the CPU."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, (h_n, c_n) = super().forward(input, hx)
        return output, (h_n.cpu(), c_n)


class AnyDevice(ReadableLSTM):
    """Takes input and states from the CPU, too."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        device = self.weight_ih_l0.device
        if input.data.is_cpu:
            input = input.to(device)
        if hx is not None:
            hx = tuple(state.to(device) if state.is_cpu else state for state in hx)
        return super().forward(input, hx)


class LeftBehind(ReadableLSTM):
    """Its weights stay where it was called first."""

    def to(self, *arguments: Any, **options: Any) -> Any:
        if "called" not in self.__dict__:
            return super().to(*arguments, **options)
        return self

    def forward(self, input: Any, hx: Any = None) -> Any:
        self.__dict__["called"] = True
        return super().forward(input, hx)
