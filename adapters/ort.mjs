/**
 * ONNX Runtime: `InferenceSession` of the package that the argument names, onnxruntime-node or
 * onnxruntime-web. The second one computes in WebAssembly.
 *
 * Documented at onnxruntime.ai/docs/api/js. It runs the ONNX model in the file `model` of a case.
 */

import { readFileSync } from "node:fs";
import { each, load, serve } from "./protocol.mjs";

let ort; // the package, once it is loaded

async function run({ model }, given) {
  const session = await ort.InferenceSession.create(readFileSync(model));
  const tensors = session.inputNames.map((name) =>
    [name, new ort.Tensor("float32", given[name].values, given[name].shape)]);
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return each(results, ({ dims, data }) => ({ shape: dims, values: new Float32Array(data) }));
}

function start() {
  const [name] = process.argv.slice(2);
  ort = load(name);
  return { version: ort.env.versions.common, run };
}

await serve(start);
