/**
 * WebNN: `lstm` of `MLGraphBuilder`, on the CPU of a Chromium without a window.
 *
 * Documented at www.w3.org/TR/webnn. The layout "ifgo" has the gates in the order of torch. It has
 * one layer, all rows of which have the same number of steps, and an axis for the directions after
 * that of the steps. Layers are stacked here.
 */

import { load, serve } from "./protocol.mjs";

const FLAG = "--enable-features=WebMachineLearningNeuralNetwork";

/** Runs in the page. Numbers come and go as bits: JSON has no NaN and no infinity. */
async function compute(spec, given) {
  const { bias, bidirectional, hidden_size: units, num_layers, seq_len: steps } = spec;
  globalThis.context ??= await navigator.ml.createContext({ deviceType: "cpu" });
  const builder = new MLGraphBuilder(context);
  const tensors = {};
  const place = (name) => {
    const { shape, bits } = given[name];
    const buffer = new Uint32Array(bits).buffer;
    return { name, descriptor: { dataType: "float32", shape }, buffer };
  };
  const input = (name) => {
    tensors[name] = place(name);
    return builder.input(name, tensors[name].descriptor);
  };
  // Both directions of a parameter, or of a state, along a new first axis.
  const together = (names) => builder.concat(names.map((name) => {
    const operand = input(name);
    return builder.reshape(operand, [1, ...operand.shape]);
  }), 0);
  const states = spec.states ? ["h_0", "c_0"].map(input) : [];
  let x = input("input");
  const directions = bidirectional ? 2 : 1;
  const [hs, cs] = [[], []];
  for (let k = 0; k < num_layers; k++) {
    const suffixes = ["", "_reverse"].slice(0, directions).map((end) => `_l${k}${end}`);
    const both = (role) => together(suffixes.map((suffix) => role + suffix));
    const ofLayer = (state) => builder.slice(
      state, [k * directions, 0, 0], [directions, ...state.shape.slice(1)]);
    const [initialHiddenState, initialCellState] = states.map(ofLayer);
    const options = { layout: "ifgo", returnSequence: true };
    options.direction = bidirectional ? "both" : "forward";
    if (bias) Object.assign(options, { bias: both("bias_ih"), recurrentBias: both("bias_hh") });
    if (states.length) Object.assign(options, { initialHiddenState, initialCellState });
    const [h, c, sequence] =
      builder.lstm(x, both("weight_ih"), both("weight_hh"), steps, units, options);
    hs.push(h);
    cs.push(c);
    const rows = builder.transpose(sequence, { permutation: [0, 2, 1, 3] });
    x = builder.reshape(rows, [steps, x.shape[1], directions * units]);
  }
  const outputs = { output: x, h_n: builder.concat(hs, 0), c_n: builder.concat(cs, 0) };
  const graph = await builder.build(outputs);
  const allocate = async (shape, options) =>
    context.createTensor({ dataType: "float32", shape, ...options });
  const [inputs, results] = [{}, {}];
  for (const [name, { descriptor, buffer }] of Object.entries(tensors)) {
    inputs[name] = await allocate(descriptor.shape, { writable: true });
    context.writeTensor(inputs[name], buffer);
  }
  for (const [name, { shape }] of Object.entries(outputs)) {
    results[name] = await allocate(shape, { readable: true });
  }
  context.dispatch(graph, inputs, results);
  const found = {};
  for (const [name, tensor] of Object.entries(results)) {
    const bits = [...new Uint32Array(await context.readTensor(tensor))];
    found[name] = { shape: tensor.shape, bits };
  }
  for (const tensor of Object.values({ ...inputs, ...results })) tensor.destroy();
  graph.destroy?.();
  return found;
}

let browser; // once it runs

async function start() {
  const chromium = load("@sparticuz/chromium");
  const puppeteer = load("puppeteer-core");
  browser = await puppeteer.launch({
    executablePath: await chromium.executablePath(),
    args: ["--no-sandbox", FLAG],
    headless: "shell",
    pipe: true, // with this it ends if the process of this program is killed
  });
  const page = await browser.newPage();
  await page.goto(import.meta.url); // WebNN is there for local files, and for pages by https
  const run = async (spec, given) => {
    const bitsOf = ({ shape, values }) => ({ shape, bits: [...new Uint32Array(values.buffer)] });
    const bits = Object.entries(given).map(([name, tensor]) => [name, bitsOf(tensor)]);
    const found = await page.evaluate(compute, spec, Object.fromEntries(bits));
    const values = Object.entries(found).map(([name, { shape, bits: words }]) =>
      [name, { shape, values: new Float32Array(new Uint32Array(words).buffer) }]);
    return Object.fromEntries(values);
  };
  const version = (await browser.version()).split("/")[1];
  const capabilities = ["layers", "bidirectional", "no-bias", "two-biases", "states", "float32"];
  return { name: "webnn", version, capabilities, run };
}

await serve(start);
await browser?.close();
