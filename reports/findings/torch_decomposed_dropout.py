"""torch 2.13.0, ExportedProgram.run_decompositions, DROP-2: there is no dropout in training.

Documentation of torch.nn.LSTM, ``dropout``: in training a dropout layer follows every layer but
the last; of ``run_decompositions`` (torch.export API reference): the program does the same with
other operations. Exported it drops, decomposed it does not: the decomposition of an LSTM keeps
dropout for layers only that there are not (``num_layers < i - 1`` in ``_rnn_helper``).

Below everything is dropped, so that the output cannot depend on the input.
"""

import torch

torch.manual_seed(0)
lstm = torch.nn.LSTM(1, 1, num_layers=2, dropout=1.0).train()
x = torch.ones(2, 1, 1)
program = torch.export.export(lstm, (x,))
expected = [program.module()(k * x)[0].flatten().tolist() for k in (1, 5)]
assert expected[0] == expected[1]
seen = [program.run_decompositions().module()(k * x)[0].flatten().tolist() for k in (1, 5)]
assert seen == expected, f"of two inputs: {seen}, not {expected}"
