"""ncnn 1.0.20261020 on x86, clause EDGE-4.

docs/developer-guide/operators.md describes the layer LSTM as an LSTM over T steps: from a step
whose input is NaN on, h and c are NaN by its equations. With four hidden units or more they are
-0 at that step, and the next one gives what the first of a sequence gives: one NaN has emptied
the states, and nothing tells. With three hidden units, which are computed one by one, NaN stays.
"""

import tempfile

import ncnn
import numpy as np


def lstm(x: np.ndarray, hidden_size: int) -> np.ndarray:
    shapes = (4 * hidden_size, x.shape[1]), (4 * hidden_size,), (4 * hidden_size, hidden_size)
    net = ncnn.Net()
    sizes = f"0={hidden_size} 1={4 * hidden_size * x.shape[1]} 2=0 3={hidden_size}"
    net.load_param_mem(f"7767517\n2 4\nInput x 0 1 x\nLSTM lstm 1 3 x y h c {sizes}\n")
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(bytes(4) + np.full(s, 0.5, np.float32).tobytes() for s in shapes))
        file.flush()
        net.load_model(file.name)
    extractor = net.create_extractor()
    extractor.input("x", ncnn.Mat(x))
    return np.array(extractor.extract("y")[1])


x = np.array([[1], [np.nan], [1]], np.float32)
three, four = lstm(x, 3), lstm(x, 4)
print("3 hidden units\n", three, "\n4 hidden units\n", four)
assert np.isnan(four[1:]).all(), f"NaN with 3 units is {three[1, 0]}, with 4 units {four[1, 0]}"
