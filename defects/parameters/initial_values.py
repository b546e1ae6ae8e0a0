"""LSTMs with one defect each in the values that parameters begin with."""

from __future__ import annotations

import numpy as np
import torch

from ..catalogue import INTERFACE, defect
from ..readable import ReadableLSTM


@defect("PARAM-11", INTERFACE, "initial values")
class InitialValuesOfXavier(ReadableLSTM):
    """Weights are drawn as Glorot and Bengio have it."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if not name.startswith("bias"):
                torch.nn.init.xavier_uniform_(parameter)


@defect("PARAM-11", INTERFACE, "initial values, bias=True")
class InitialForgetBiasOne(ReadableLSTM):
    """bias_ih of the forget gate is 1."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        H = self.hidden_size
        for name, parameter in self.named_parameters():
            if name.startswith("bias_ih"):
                torch.nn.init.ones_(parameter[H : 2 * H])


@defect("PARAM-12", INTERFACE, "initial values, bias=True")
class InitialBiasesZero(ReadableLSTM):
    """Biases are zero."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith("bias"):
                torch.nn.init.zeros_(parameter)


@defect("PARAM-12", INTERFACE, "initial values")
class InitialValuesOfHalfTheVariance(ReadableLSTM):
    """The bound is sqrt(1 / (2 * hidden_size))."""

    def reset_parameters(self) -> None:
        bound = (2 * self.hidden_size) ** -0.5
        for parameter in self.parameters():
            torch.nn.init.uniform_(parameter, -bound, bound)


@defect("PARAM-12", INTERFACE, "initial values, bias=True")
class InitialBiasesNormal(ReadableLSTM):
    """Biases are normally distributed, with the variance of the documented distribution."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        bound = self.hidden_size**-0.5
        for name, parameter in self.named_parameters():
            if name.startswith("bias"):
                torch.nn.init.trunc_normal_(parameter, std=bound / 3**0.5, a=-bound, b=bound)


@defect("PARAM-12", INTERFACE, "initial values, proj_size > 0")
class InitialWeightHRNormal(ReadableLSTM):
    """weight_hr is normally distributed, with the variance of the documented distribution."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith("weight_hr"):
                torch.nn.init.normal_(parameter, std=(3 * self.hidden_size) ** -0.5)


@defect("PARAM-13", INTERFACE, "initial values, bias=True")
class InitialBiasesEqual(ReadableLSTM):
    """bias_hh begins as bias_ih."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        parameters = dict(self.named_parameters())
        for name, parameter in parameters.items():
            if name.startswith("bias"):
                parameter.data.copy_(parameters[name.replace("_hh_", "_ih_")])


@defect("PARAM-13", INTERFACE, "initial values")
class InitialGatesEqual(ReadableLSTM):
    """All four gates begin with the same weights."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith(("weight_ih", "weight_hh")):
                parameter.data.copy_(parameter[: self.hidden_size].repeat(4, 1))


@defect("PARAM-13", INTERFACE, "initial values of two modules")
class InitialValuesOfFixedSeed(ReadableLSTM):
    """Every module begins with the same parameters."""

    def reset_parameters(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            super().reset_parameters()


@defect("PARAM-14", INTERFACE, "initial values after the same seed")
class InitialValuesOfNumPy(ReadableLSTM):
    """Initial values come from a generator that torch's seed does not reach."""

    def reset_parameters(self) -> None:
        bound, generator = self.hidden_size**-0.5, np.random.default_rng()
        for parameter in self.parameters():
            values = generator.uniform(-bound, bound, parameter.shape)
            parameter.data.copy_(torch.from_numpy(values))


@defect("PARAM-15", INTERFACE, "reset_parameters, bias=True")
class ResetKeepsBiases(ReadableLSTM):
    """reset_parameters() draws biases when the module is made, and not again."""

    was_made = False

    def reset_parameters(self) -> None:
        before = {name: parameter.detach().clone() for name, parameter in self.named_parameters()}
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith("bias") and self.was_made:
                parameter.data.copy_(before[name])
        self.was_made = True


@defect("PARAM-13", INTERFACE, "initial values of more than 16,384 numbers")
class InitialValuesRepeat(ReadableLSTM):
    """Initial values of a large parameter are those of a table, over and over."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for parameter in self.parameters():
            numbers = parameter.detach().flatten()
            table = numbers[:16384].clone()
            for part in numbers.split(16384):
                part.copy_(table[: len(part)])
