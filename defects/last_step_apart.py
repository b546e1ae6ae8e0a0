"""An LSTM in which the step that is read last stands apart, for defects in what it hands on."""

from __future__ import annotations

from torch import Tensor

from .readable import ReadableLSTM, States, Steps, Weights

__all__ = ["LastStepApart"]


class LastStepApart(ReadableLSTM):
    """Right but for the final states: a variant makes them of those before and behind that step."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        last, others = (steps[:1], steps[1:]) if reverse else (steps[-1:], steps[:-1])
        of_others, h, c = super().direction(others, h, c, w, reverse)
        of_last, h_n, c_n = super().direction(last, h, c, w, reverse)
        output = of_last + of_others if reverse else of_others + of_last
        return output, *self.final(h, c, h_n, c_n)

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        """The final states, from those before the last step and those behind it."""
        raise NotImplementedError
