"""An LSTM in the midst of its training, judged as it is: python judge_instance.py"""

import torch

from lstm_conformance import check


class ClippedLSTM(torch.nn.LSTM):
    """Clips its input, as the training data may have outliers."""

    limit = 100.0

    def forward(self, input, hx=None):
        return super().forward(input.clamp(-self.limit, self.limit), hx)


lstm = ClippedLSTM(8, 16, batch_first=True)
optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    lstm(torch.randn(4, 5, 8))[0].square().mean().backward()
    optimizer.step()
weights = lstm.weight_hh_l0.detach().clone()

clauses = ["EQ-4", "STATE-2", "GRAD-10"]
results = check(lstm, profile="smoke", clauses=clauses, without=["packed"])
assert torch.equal(lstm.weight_hh_l0, weights)  # the instance is as before
results.raise_for_failures()
