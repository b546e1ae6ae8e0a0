"""A class that replaces torch.nn.LSTM, judged by a script: python judge_class.py"""

import torch
from torch.nn.functional import linear

from lstm_conformance import check


class LoopLSTM(torch.nn.LSTM):
    """One layer, one direction, computed by a loop."""

    def forward(self, x, states=None):
        x = x.transpose(0, 1) if self.batch_first else x
        h, c = x.new_zeros(2, 1, x.shape[1], self.hidden_size) if states is None else states
        h, c, outputs = h[0], c[0], []
        b_ih, b_hh = (self.bias_ih_l0, self.bias_hh_l0) if self.bias else (None, None)
        for x_t in x:
            gates = linear(x_t, self.weight_ih_l0, b_ih) + linear(h, self.weight_hh_l0, b_hh)
            i, f, g, o = gates.chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        output = torch.stack(outputs, dim=1 if self.batch_first else 0)
        return output, (h[None], c[None])


without = ["layers", "bidirectional", "projection", "packed", "unbatched"]
check(LoopLSTM, profile="smoke", clauses=["EQ", "GRAD-10"], without=without).raise_for_failures()
