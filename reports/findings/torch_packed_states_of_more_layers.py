"""torch 2.13.0 on a CPU, USE-34: with a packed sequence, states of more layers end the process.

Documentation of torch.nn.LSTM, "Inputs": h_0 and c_0 have D * num_layers layers. With a tensor,
states of other shapes are refused. With a packed sequence, an h_0 of more layers than c_0 has ends
the process by a segmentation fault. https://github.com/pytorch/pytorch/issues/173946
"""

import subprocess
import sys

PROGRAM = """
import torch
from torch.nn.utils.rnn import pack_padded_sequence

lstm = torch.nn.LSTM(2, 3)
x = pack_padded_sequence(torch.ones(3, 2, 2), torch.tensor([3, 2]))
lstm(x, (torch.zeros(2, 2, 3), torch.zeros(1, 2, 3)))  # the LSTM has one layer, h_0 has two
"""

done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
print(done.stderr)
assert done.returncode >= 0, f"the process was ended by signal {-done.returncode}"
