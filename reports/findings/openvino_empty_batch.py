"""OpenVINO 2026.4.1 on an x86 CPU, SHAPE-7: LSTMSequence ends the process on an empty batch.

Documentation, docs.openvino.ai, operation set LSTMSequence-5: X has the shape [batch_size,
seq_length, input_size], and nothing is said against a batch_size of 0. A batch may be empty where
rows are selected first, such as objects that were detected. If the shapes of the model are static,
the process is ended by a division by zero (SIGFPE): no exception can be caught. If they are
dynamic, the results are empty, as they should be.

Below: three steps of no rows, with a dynamic and with a static number of rows.
"""

import multiprocessing

import numpy as np
import openvino
import openvino.opset15 as ops


def run(rows: int) -> None:
    shapes = (rows, 3, 1), (rows, 1, 1), (rows, 1, 1)
    given = [ops.parameter(shape, np.float32) for shape in shapes]
    given.append(ops.parameter([rows], np.int32))
    weights = [ops.constant(np.ones(shape, np.float32)) for shape in ((1, 4, 1), (1, 4, 1), (1, 4))]
    model = openvino.Model([ops.lstm_sequence(*given, *weights, 1, "forward").output(1)], given)
    arrays = [np.ones((0, *shape[1:]), np.float32) for shape in shapes] + [np.ones(0, np.int32)]
    print(rows, "rows:", openvino.compile_model(model, "CPU")(arrays)[0].shape)


statuses = []
for rows in (-1, 0):
    process = multiprocessing.get_context("fork").Process(target=run, args=(rows,))
    process.start()
    process.join()
    statuses.append(process.exitcode)
assert statuses == [0, 0], f"exit statuses of dynamic and static shapes are {statuses}, not 0"
