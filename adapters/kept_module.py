"""Keeps a torch module as it is while something else uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

__all__ = ["kept"]


@contextmanager
def kept(module: torch.nn.Module) -> Iterator[None]:
    """Afterwards ``module`` is as it was before, also after an exception or an interrupt.

    That is: the values, dtypes and gradients of its parameters and buffers, in the same tensors at
    the same addresses, whether they require a gradient, its mode, its hooks, its submodules and its
    attributes.
    """
    state = _State(module)
    try:
        yield
    finally:
        try:
            state.restore()
        except KeyboardInterrupt:  # of the user, who may have pressed Ctrl-C just now
            state.restore()
            raise


class _Tensor(NamedTuple):
    """What a tensor was.

    Attributes:
        tensor: the object.
        data: the same memory, as a tensor of its own.
        values: a copy.
        gradient: what its gradient was; None for none, and for a tensor that is no leaf.
        requires_grad: whether it requires a gradient.
    """

    tensor: torch.Tensor
    data: torch.Tensor
    values: torch.Tensor
    gradient: _Tensor | None
    requires_grad: bool


class _State:
    """What a module, its submodules and their tensors were."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._parts = list(module.modules())
        self._kinds = [type(part) for part in self._parts]
        self._modes = [part.training for part in self._parts]
        self._attributes = [_attributes(part) for part in self._parts]
        tensors = [*module.parameters(), *module.buffers()]
        for attributes in self._attributes:
            for value, content in attributes.values():
                tensors += [v for v in _items(value, content) if isinstance(v, torch.Tensor)]
        self._tensors = [_tensor(t) for t in {id(t): t for t in tensors}.values()]

    def restore(self) -> None:
        for part, kind, mode, attributes in zip(
            self._parts, self._kinds, self._modes, self._attributes, strict=True
        ):
            if isinstance(part, torch.jit.ScriptModule):
                part.training = mode
            else:
                part.__class__ = kind
                _restore_attributes(part, attributes)
        for kept_tensor in self._tensors:
            _restore_tensor(kept_tensor)


# Name of an attribute to its value, and a shallow copy of that if it is a container.
_Attributes = dict[str, tuple[Any, Any]]

_CONTAINERS = (dict, list, set)


def _attributes(part: torch.nn.Module) -> _Attributes:
    # The attributes of a script are in C++. Its forward method and constants cannot change.
    if isinstance(part, torch.jit.ScriptModule):
        return {}
    return {
        name: (value, value.copy() if isinstance(value, _CONTAINERS) else None)
        for name, value in vars(part).items()
    }


def _items(value: Any, content: Any) -> list[Any]:
    if content is None:
        return [value]
    return list(content.values() if isinstance(content, dict) else content)


def _restore_attributes(part: torch.nn.Module, attributes: _Attributes) -> None:
    own = vars(part)
    for name in [name for name in own if name not in attributes]:
        del own[name]
    for name, (value, content) in attributes.items():
        if own.get(name, part) is not value:
            own[name] = value
        # Compilers compile again if a container was written to.
        if content is not None and not _is_same(value, content):
            value.clear()
            value.extend(content) if isinstance(value, list) else value.update(content)


def _is_same(value: Any, content: Any) -> bool:
    now, before = _items(value, value), _items(content, content)
    same_keys = not isinstance(value, dict) or list(value) == list(content)
    same_length = len(now) == len(before)
    return same_keys and same_length and all(map(_identical, now, before))


def _identical(a: object, b: object) -> bool:
    return a is b


def _tensor(tensor: torch.Tensor) -> _Tensor:
    gradient = None
    if tensor.is_leaf and tensor.grad is not None:
        gradient = _tensor(tensor.grad)
    return _Tensor(tensor, tensor.data, tensor.data.clone(), gradient, tensor.requires_grad)


def _restore_tensor(state: _Tensor) -> None:
    tensor = state.tensor
    if tensor.is_leaf:
        tensor.grad = None  # which might have another dtype
    tensor.data = state.data
    state.data.copy_(state.values)
    if tensor.is_leaf:
        tensor.requires_grad_(state.requires_grad)
        if state.gradient is not None:
            _restore_tensor(state.gradient)
            tensor.grad = state.gradient.tensor
