"""An LSTM judged in a test suite of one's own: one item for each clause. Run pytest here."""

import torch

from lstm_conformance import parametrize


class ScaledLSTM(torch.nn.LSTM):
    """Multiplies its input by a factor, and divides by it again."""

    factor = 2.0

    def forward(self, input, hx=None):
        return super().forward(input * self.factor / self.factor, hx)


@parametrize(
    ScaledLSTM,
    clauses=["EQ-4", "STATE", "GRAD-10", "USE-24"],
    without=["packed"],
)
def test_lstm(clause):
    clause.check()
