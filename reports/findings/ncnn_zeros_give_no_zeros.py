"""ncnn 1.0.20261020 on x86, clauses EDGE-9, EDGE-11 and EDGE-12.

docs/developer-guide/operators.md describes the layer LSTM as an LSTM: with all parameters and
states zero, c = f * 0 + i * tanh(0) is exactly zero, nothing rounds. With four hidden units or
more, tanh is computed by an approximation that gives -6e-8 for 0: c is -3e-8. The fifth unit,
which is left over and computed alone, is right. What is smaller than that loses its sign: the
candidate of a gate at +1e-8 is negative.
"""

import tempfile

import ncnn
import numpy as np

shapes = (4 * 5, 1), (4 * 5,), (4 * 5, 5)  # weight_xc, bias_c, weight_hc of 5 hidden units
net = ncnn.Net()
net.load_param_mem("7767517\n2 4\nInput x 0 1 x\nLSTM lstm 1 3 x y h c 0=5 1=20 2=0 3=5\n")
with tempfile.NamedTemporaryFile() as file:
    file.write(b"".join(bytes(4) + np.zeros(shape, np.float32).tobytes() for shape in shapes))
    file.flush()
    net.load_model(file.name)
x = np.ones((1, 1), np.float32)
extractor = net.create_extractor()
extractor.input("x", ncnn.Mat(x))
c = np.array(extractor.extract("c")[1])
print("c_1", c)
assert (c == 0).all(), f"c_1 is {c[0, 0]}, not 0"
