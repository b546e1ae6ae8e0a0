"""An LSTM whose gradient of weight_ih is made with another input than the forward pass read."""

from __future__ import annotations

from torch import Tensor

from .readable import ReadableLSTM, Steps, Weights

__all__ = ["OtherInputInBackward"]


class OtherInputInBackward(ReadableLSTM):
    """The gradient of weight_ih is made with another input than the forward pass read."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        read = super().layer_input(steps, layer)
        others = self.taken_for(steps, read, layer)
        self.others = {id(x): other for x, other in zip(read, others, strict=True)}
        self.read = read  # as long as it exists no other tensor has its id
        return read

    def taken_for(self, steps: Steps, read: Steps, layer: int) -> Steps:
        """What the backward pass takes for ``read``, which dropout made of ``steps``."""
        raise NotImplementedError

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w._replace(W_ih=w.W_ih.detach()))
        other = self.product(self.others[id(x)].detach(), w.W_ih)
        return a + (other - other.detach())
