/**
 * WebNN in Chromium 147.0.7727.0 on Linux, EDGE-11: denormal numbers become zero on a CPU.
 *
 * Documentation, www.w3.org/TR/webnn: a float32 is a number of IEEE 754. With zero weights and a
 * zero input, lstm gives c_t = 0.5 * c_{t-1}, and with 2^-127 it gives 0. So does every product:
 * below is the one of the cell state with 0.5.
 *
 * Run it beside node_modules: npm install puppeteer-core @sparticuz/chromium
 */

import assert from "node:assert";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

async function half(number) {
  const context = await navigator.ml.createContext({ deviceType: "cpu" });
  const [builder, one] = [new MLGraphBuilder(context), { dataType: "float32", shape: [1] }];
  const factor = builder.constant(one, new Float32Array([0.5]));
  const graph = await builder.build({ y: builder.mul(builder.input("x", one), factor) });
  const x = await context.createTensor({ ...one, writable: true });
  const y = await context.createTensor({ ...one, readable: true });
  context.writeTensor(x, new Float32Array([number]));
  context.dispatch(graph, { x }, { y });
  return new Float32Array(await context.readTensor(y))[0];
}
const args = ["--no-sandbox", "--enable-features=WebMachineLearningNeuralNetwork"];
const browser = await puppeteer.launch({ args, executablePath: await chromium.executablePath() });
const page = await browser.newPage();
await page.goto(import.meta.url); // WebNN is there for local files
assert.equal(await page.evaluate(half, 2 ** -127).finally(() => browser.close()), 2 ** -128);
