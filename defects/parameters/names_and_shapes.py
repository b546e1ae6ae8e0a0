"""LSTMs with one defect each in which parameters there are, in what order, and how large."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import Parameter

from ..catalogue import INTERFACE, defect
from ..readable import ROLES, ReadableLSTM, Weights

# -------------------------------------------------------------------------------- names


@defect("PARAM-1", INTERFACE, "names of parameters")
class GainBesides(ReadableLSTM):
    """A learnable factor of everything, 1 at first."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gain = Parameter(torch.ones_like(self.weight_ih_l0[0, 0]))


@defect("PARAM-1", INTERFACE, "names of parameters")
class OneWeightPerLayer(ReadableLSTM):
    """weight_hh is no parameter of its own, but columns of weight_ih."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if not name.startswith("weight_hh"):
            super().register_parameter(name, param)


@defect("PARAM-1", INTERFACE, "names of parameters")
class ParametersUnderTwoNames(ReadableLSTM):
    """Each parameter is there twice, and calls use the one that is not documented."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, parameter in list(self.named_parameters()):
            self.register_parameter(f"cell_{name}", Parameter(parameter.detach().clone()))

    def weights(self, layer: int, d: int) -> Weights:
        names = [f"cell_{self.parameter_name(role, layer, d)}" for role in ROLES]
        return Weights(*(getattr(self, name, None) for name in names))


@defect("PARAM-2", INTERFACE, "names of parameters, bias=False")
class BiasesAlways(torch.nn.LSTM):
    """With bias=False there are biases, which are zero."""

    def __init__(self, *args: Any, bias: bool = True, **options: Any) -> None:
        super().__init__(*args, bias=True, **options)
        for name, parameter in self.named_parameters():
            if name.startswith("bias") and not bias:
                torch.nn.init.zeros_(parameter)


@defect("PARAM-2", INTERFACE, "names of parameters, bias=True, num_layers >= 2")
class BiasHHOnlyInFirstLayer(ReadableLSTM):
    """Layers above the first have no bias_hh."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if not name.startswith("bias_hh") or name.startswith("bias_hh_l0"):
            super().register_parameter(name, param)


@defect("PARAM-3", INTERFACE, "names of parameters, proj_size=0")
class ProjectionWeightsAlways(ReadableLSTM):
    """Without a projection there is a weight_hr, the identity."""

    def __init__(self, *args: Any, proj_size: int = 0, **options: Any) -> None:
        super().__init__(*args, proj_size=proj_size, **options)
        for layer in range(0 if proj_size else self.num_layers):
            self.register_parameter(f"weight_hr_l{layer}", Parameter(torch.eye(self.hidden_size)))


@defect("PARAM-4", INTERFACE, "names of parameters, one direction")
class ReverseParametersAlways(ReadableLSTM):
    """With one direction there are parameters of a second one."""

    def __init__(self, *args: Any, bidirectional: bool = False, **options: Any) -> None:
        super().__init__(*args, bidirectional=True, **options)
        self.num_directions = 2 if bidirectional else 1


@defect("PARAM-4", INTERFACE, "names of parameters, bidirectional")
class ReverseCalledBackward(ReadableLSTM):
    """Names of the reverse direction end in _backward."""

    @staticmethod
    def parameter_name(role: str, layer: int, d: int) -> str:
        return f"{role}_l{layer}" + ("_backward" if d else "")


@defect("PARAM-5", INTERFACE, "order of parameters")
class ParametersByRole(ReadableLSTM):
    """All weight_ih come first, then all weight_hh, and so on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [name for role in ROLES for name in self._parameters if name.startswith(role)]
        for name in names:
            self._parameters[name] = self._parameters.pop(name)


# ------------------------------------------------------------------------------- shapes


@defect("PARAM-6", INTERFACE, "shapes of parameters, num_layers >= 2")
class UpperWeightIHAsWideAsTheFirst(ReadableLSTM):
    """weight_ih has input_size columns in every layer."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_ih") and hasattr(self, "weight_ih_l0"):
            param = Parameter(torch.empty_like(self.weight_ih_l0))
        super().register_parameter(name, param)


@defect("PARAM-6", INTERFACE, "shapes of parameters, proj_size > 0, num_layers >= 2")
class UpperWeightIHUnprojected(ReadableLSTM):
    """Above the first layer weight_ih has D*hidden_size columns, with a projection too."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_ih") and not name.startswith("weight_ih_l0"):
            columns = self.num_directions * self.hidden_size
            param = Parameter(self.weight_ih_l0.new_empty(4 * self.hidden_size, columns))
        super().register_parameter(name, param)


@defect("PARAM-7", INTERFACE, "shapes of parameters, proj_size > 0")
class WeightHHUnprojected(ReadableLSTM):
    """weight_hh is (4*hidden_size, hidden_size), with a projection too."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_hh"):
            shape = 4 * self.hidden_size, self.hidden_size
            param = Parameter(self.weight_ih_l0.new_empty(shape))
        super().register_parameter(name, param)


@defect("PARAM-8", INTERFACE, "shapes of parameters, bias=True")
class BiasesAsRows(ReadableLSTM):
    """Biases are (1, 4*hidden_size)."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("bias") and param is not None:
            param = Parameter(param.detach()[None])
        super().register_parameter(name, param)


@defect("PARAM-9", INTERFACE, "shapes of parameters, proj_size > 0")
class WeightHRTransposed(ReadableLSTM):
    """weight_hr is (hidden_size, proj_size)."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_hr") and param is not None:
            param = Parameter(param.detach().T)
        super().register_parameter(name, param)


# ------------------------------------------------------------------------ requires_grad


@defect("PARAM-10", INTERFACE, "requires_grad of parameters, bias=True")
class BiasHHFrozen(ReadableLSTM):
    """bias_hh, which adds nothing to bias_ih, is not trained."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith("bias_hh"))
