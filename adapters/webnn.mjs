/**
 * WebNN: `lstm` of `MLGraphBuilder`, on the CPU of a Chromium without a window.
 *
 * Documented at www.w3.org/TR/webnn. The layout "ifgo" has the gates in the order of torch. An
 * operator is one layer. All rows have the same number of steps. The output has the axes step,
 * direction, row and unit. Layers are stacked here. Parameters and states are constants of the
 * graph, and the input is what it is computed for.
 */

import { each, load, serve } from "./protocol.mjs";

/** Runs in the page. Numbers come and go as bits: JSON has no NaN and no infinity. */
async function compute(spec, given) {
  globalThis.context ??= await navigator.ml.createContext({ deviceType: "cpu" });
  const [builder, dataType] = [new MLGraphBuilder(context), "float32"];
  const { hidden_size: units, seq_len: steps, batch_size: rows } = spec;
  const ends = spec.bidirectional ? ["", "_reverse"] : [""];
  const direction = spec.bidirectional ? "both" : "forward";
  const numbers = (name) => new Float32Array(new Uint32Array(given[name].bits).buffer);
  const constant = (name, ...axes) =>
    builder.constant({ dataType, shape: [...axes, ...given[name].shape] }, numbers(name));
  const [{ shape }, hs, cs] = [given.input, [], []];
  let x = builder.input("input", { dataType, shape });
  for (let k = 0; k < spec.num_layers; k++) {
    const both = (role) => builder.concat(ends.map((end) => constant(`${role}_l${k}${end}`, 1)), 0);
    const ofLayer = (name) => builder.slice(
      constant(name), [k * ends.length, 0, 0], [ends.length, rows, units]);
    const biases = spec.bias && { bias: both("bias_ih"), recurrentBias: both("bias_hh") };
    const states = spec.states && {
      initialHiddenState: ofLayer("h_0"), initialCellState: ofLayer("c_0") };
    const how = { layout: "ifgo", direction, returnSequence: true, ...biases, ...states };
    const [h, c, all] = builder.lstm(x, both("weight_ih"), both("weight_hh"), steps, units, how);
    hs.push(h);
    cs.push(c);
    const byRow = builder.transpose(all, { permutation: [0, 2, 1, 3] });
    x = builder.reshape(byRow, [steps, rows, ends.length * units]);
  }
  const outputs = { output: x, h_n: builder.concat(hs, 0), c_n: builder.concat(cs, 0) };
  const graph = await builder.build(outputs);
  const input = await context.createTensor({ dataType, shape, writable: true });
  context.writeTensor(input, numbers("input"));
  const results = {};
  for (const [name, operand] of Object.entries(outputs)) {
    results[name] = await context.createTensor({ dataType, shape: operand.shape, readable: true });
  }
  context.dispatch(graph, { input }, results);
  const bits = await Promise.all(Object.entries(results).map(async ([name, tensor]) =>
    [name, { shape: tensor.shape, bits: [...new Uint32Array(await context.readTensor(tensor))] }]));
  for (const made of [graph, input, ...Object.values(results)]) made.destroy?.();
  return Object.fromEntries(bits);
}

let browser; // once it runs

async function start() {
  const executablePath = await load("@sparticuz/chromium").executablePath();
  const args = ["--no-sandbox", "--enable-features=WebMachineLearningNeuralNetwork"];
  // With a pipe it ends if this program is killed.
  browser = await load("puppeteer-core").launch({ executablePath, args, pipe: true });
  const page = await browser.newPage();
  await page.goto(import.meta.url); // WebNN is there for local files
  const run = async (spec, given) => {
    const tensors = each(given, ({ shape, values }) =>
      ({ shape, bits: [...new Uint32Array(values.buffer)] }));
    return each(await page.evaluate(compute, spec, tensors), ({ shape, bits }) =>
      ({ shape, values: new Float32Array(new Uint32Array(bits).buffer) }));
  };
  const version = (await browser.version()).split("/")[1];
  const capabilities = ["layers", "bidirectional", "no-bias", "two-biases", "states", "float32"];
  return { name: "webnn", version, capabilities, run };
}

await serve(start);
await browser?.close();
