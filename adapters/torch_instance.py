"""A torch module that exists already: an instance, which may be compiled or scripted.

It is judged as it is, with the parameters of each case, and in its own configuration and dtype.
Afterwards it is as it was before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, NoReturn

import torch

from ..spec.capabilities import ALL, DROPOUT_NEEDS, FIELD_NEEDS
from ..spec.case import OUTPUTS, Case
from ..spec.config import LSTMConfig
from ..spec.contract import Unsupported
from ..spec.only_config import ONLY_INSTANCE, other_config
from ..spec.precision import PRECISIONS
from ..spec.usage_error import UsageError
from .kept_module import kept
from .torch_bench import Bench, undisturbed
from .torch_module import TorchModule

__all__ = ["TorchInstance", "torch_instance"]

Module = torch.nn.Module


class TorchInstance(TorchModule):
    """One module with the parameters and the call of ``torch.nn.LSTM``.

    Args:
        name: the name in reports.
        version: the version of the package.
        owner: has the parameters.
        called: what is called: ``owner``, or what compiles it.
        config: its configuration.
        context: returns a context manager. Every case runs in it.
        capabilities: of what is called; those of other configurations and dtypes are left out.
    """

    def __init__(
        self,
        name: str,
        version: str,
        owner: Module,
        called: Module,
        config: LSTMConfig,
        context: Callable[[], AbstractContextManager[Any]] = nullcontext,
        capabilities: frozenset[str] = ALL,
    ) -> None:
        first = next(owner.parameters())
        self.only_config = config
        self._owner, self._called = owner, called
        self._dtype = str(first.dtype).removeprefix("torch.")
        self._device = first.device
        self._is_lent = False
        can_do = capabilities - _of_other_instances(config, self._dtype)
        super().__init__(name, _no_constructor, version, context, can_do)

    def unsupported(self, case: Case) -> str | None:
        """A number format, or arguments of a script, if the simplest case fails with them.

        A script takes the types of arguments for which it was made.
        """
        reason = super().unsupported(case)
        if reason is None and isinstance(self._called, torch.jit.ScriptModule):
            layout = "packed_sorted" if case.packed else case.layout
            lengths = (1,) if case.packed else ()
            like = replace(
                self.simplest(case),
                layout=layout,
                lengths=lengths,
                states=case.states,
                cotangents=(),
            )
            states = "with" if case.states else "without"
            reason = self.missing(f"{layout} input {states} states", self.run, like)
        return reason

    def simplest(self, case: Case) -> Case:
        """The smallest case."""
        return Case(self.only_config, dtype=case.dtype, device=case.device, cotangents=OUTPUTS)

    def device_missing(self, device: str) -> str | None:
        """Why ``device`` cannot be used: an instance stays where it is."""
        asked = device.partition(":")
        if asked[0] == self._device.type and asked[2] in ("", str(self._device.index)):
            return None
        return f"{ONLY_INSTANCE}, on {self._device}"

    @contextmanager
    def bench(self, case: Case) -> Iterator[Bench]:
        """A bench with the instance, which is as before at the end.

        Raises:
            Unsupported: it has another configuration or dtype.
        """
        reason = other_config(self.only_config, case.config)
        if reason is None and case.dtype != self._dtype:
            reason = f"{ONLY_INSTANCE}, in {self._dtype}"
        if reason is not None:
            raise Unsupported(reason)
        is_lent = self._is_lent
        try:
            with undisturbed(case.seed), self._context(), kept(self._called):
                yield _InstanceBench(case, self._owner, self._called, self._lend)
        finally:
            self._is_lent = is_lent

    def _lend(self) -> None:
        """Notes that a bench gives the instance away, which another one must not change."""
        if self._is_lent:
            raise Unsupported(f"{ONLY_INSTANCE}, and two modules are needed")
        self._is_lent = True


def _no_constructor(*arguments: Any, **more: Any) -> NoReturn:
    raise Unsupported(ONLY_INSTANCE)


class _InstanceBench(Bench):
    """A bench with one module, which it cannot construct, and gives once.

    Args:
        case: the case.
        owner: has the parameters.
        called: what is called.
        lend: is called before the module is given. It raises Unsupported if it was given before.
    """

    def __init__(self, case: Case, owner: Module, called: Module, lend: Callable[[], None]) -> None:
        super().__init__(case, _no_constructor)
        self._owner, self._called, self._lend = owner, called, lend

    def construct(self, **changes: Any) -> NoReturn:
        """See :class:`.Bench`.

        Raises:
            Unsupported: always.
        """
        raise Unsupported(ONLY_INSTANCE)

    def any_module(self) -> Any:
        """The instance, with its own parameters.

        Raises:
            Unsupported: it was given before.
        """
        self._lend()
        for module in (self._called, self._owner):
            module.train(self.case.training)
        for parameter in self._owner.parameters():
            parameter.grad = None
            parameter.requires_grad_(True)
        return self._owner

    def module(self) -> Any:
        """The instance, with the parameters of the case."""
        module = self.any_module()
        self.load(module)
        return module

    def result(self, module: Any, arguments: Any) -> Any:
        """See :class:`.Bench`."""
        return super().result(self._called if module is self._owner else module, arguments)


def _of_other_instances(config: LSTMConfig, dtype: str) -> set[str]:
    """The capabilities that only instances of another configuration or dtype can have."""
    values = {**vars(config), "projection": config.proj_size > 0, "dtype": dtype}
    own = {need(values[name]) for name, need in FIELD_NEEDS.items() if name in values}
    if config.num_layers > 1 and config.dropout > 0:
        own.add(DROPOUT_NEEDS["one" if config.dropout == 1 else "some"])
    of_instances = {"layers", "no-bias", "batch-first", "bidirectional", "projection"}
    return (of_instances | {*DROPOUT_NEEDS.values()} | {*PRECISIONS}) - own


# What clauses do by hand with a torch module cannot be done with one that is compiled: it has
# other names for its parameters, or none of the methods.
_COMPILED = ALL - {"module", "forward-mode"}


def torch_instance(target: str, module: Module, version: str) -> TorchInstance:
    """The implementation that an instance is.

    Raises:
        UsageError: it is not like a ``torch.nn.LSTM``.
    """
    more: dict[str, Any] = {}
    owner: Any = getattr(module, "_orig_mod", module)
    if isinstance(module, torch.jit.ScriptModule) or owner is not module:
        more["capabilities"] = _COMPILED
    if owner is not module:
        more["context"] = _compiles_always
    return TorchInstance(target, version, owner, module, _config(target, owner), **more)


def _compiles_always() -> AbstractContextManager[Any]:
    """By default torch compiles one function a few times, and then runs it without."""
    config = torch._dynamo.config
    names = ("recompile_limit", "cache_size_limit", "accumulated_cache_size_limit")
    limits: dict[str, Any] = {name: 10**6 for name in names if hasattr(config, name)}
    patched: AbstractContextManager[Any] = config.patch(limits)
    return patched


def _config(target: str, owner: Module) -> LSTMConfig:
    """The configuration of ``owner``, by its parameters, and two attributes.

    The attributes are ``batch_first`` and ``dropout``. Without them, they have their defaults.
    """
    parameters = dict(owner.named_parameters())
    kinds = {(p.dtype, p.device) for p in parameters.values()}
    shape = tuple(parameters["weight_ih_l0"].shape) if "weight_ih_l0" in parameters else ()
    if len(shape) != 2:
        names = ", ".join(parameters)
        raise UsageError(
            f"{target} is not an LSTM: its parameters are {names}, not weight_ih_l0, ...: "
            "hand over the submodule that is the LSTM."
            if names
            else f"{target} is not an LSTM: it has no parameters."
        )
    if len(kinds) > 1:
        raise UsageError(
            f"{target} cannot be judged: its parameters have several dtypes or devices, "
            f"{' and '.join(sorted(f'{dtype} on {device}' for dtype, device in kinds))}."
        )
    ((dtype, _),) = kinds
    if str(dtype).removeprefix("torch.") not in PRECISIONS:
        raise UsageError(
            f"{target} cannot be judged in {dtype}: choose from {', '.join(PRECISIONS)}."
        )
    layers = [int(found[1]) for n in parameters if (found := re.match(r"weight_ih_l(\d+)$", n))]
    dropout = getattr(owner, "dropout", 0.0)
    dropout = getattr(dropout, "p", dropout)  # of a torch.nn.Dropout
    projection = parameters.get("weight_hr_l0")
    try:
        return LSTMConfig(
            input_size=shape[1],
            hidden_size=shape[0] // 4,
            num_layers=1 + max(layers),
            bias="bias_ih_l0" in parameters,
            batch_first=bool(getattr(owner, "batch_first", False)),
            dropout=float(dropout),
            bidirectional="weight_ih_l0_reverse" in parameters,
            proj_size=0 if projection is None else int(projection.shape[0]),
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"{target} is not an LSTM that can be judged: {error}.") from None
