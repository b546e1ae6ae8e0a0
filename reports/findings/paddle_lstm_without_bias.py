"""PaddlePaddle 3.3.1, clauses EQ-1 and all others that have cases without biases.

"paddle.nn.LSTM" takes attributes for its biases; their type allows False, and so does the code,
which then has fixed biases of zero. With both False, an LSTM of several layers or directions
cannot be constructed (IndexError), and one of a single layer ends the process when it is called
(segmentation fault): it hands the kernel two tensors of weights where four are read. With a
projection, which the kernel is not used for, it works. Known:
https://github.com/PaddlePaddle/Paddle/issues/70231
"""

import subprocess
import sys

PROGRAM = """
import paddle
lstm = paddle.nn.LSTM(2, 3, {}, bias_ih_attr=False, bias_hh_attr=False, proj_size={})
print(lstm(paddle.ones([1, 4, 2]))[0].shape)
"""

statuses = {}
for layers, proj_size in ((1, 2), (1, 0), (2, 0)):
    program = [sys.executable, "-c", PROGRAM.format(layers, proj_size)]
    done = subprocess.run(program, capture_output=True, text=True)
    statuses[layers, proj_size] = done.returncode
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    print(f"{layers} layers, proj_size {proj_size}: exit status {done.returncode}, {last}")
assert set(statuses.values()) == {0}, f"exit statuses are {statuses}, not 0"
