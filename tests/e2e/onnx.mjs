// ONNX models of a few nodes for the end-to-end tests, sound or not: protobuf written by hand, so that nothing corrects it.
//
//     model([node('Relu', ['x'], ['y'])], {inputs: {x: [1, 4]}, outputs: {y: [1, 4]}})
const varint = n => {
  const bytes = []
  for (let v = BigInt.asUintN(64, BigInt(n)); ; v >>= 7n) {
    bytes.push(Number(v & 127n) | (v > 127n ? 128 : 0))
    if (v <= 127n) return Buffer.from(bytes)
  }
}
const number = (field, n) => Buffer.concat([varint(field << 3), varint(n)])
const bytes = (field, value) => {
  const body = Buffer.isBuffer(value) ? value : Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value)
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body])
}
const FLOAT = 1, EXTERNAL = 1
const value = (name, dims) => [bytes(1, name), bytes(2, [bytes(1, [number(1, FLOAT), bytes(2, dims.map(d => bytes(1, [number(1, d)])))])])]

export const node = (op, inputs, outputs) =>
  Buffer.concat([...inputs.map(i => bytes(1, i)), ...outputs.map(o => bytes(2, o)), bytes(3, `${op}_${outputs[0]}`), bytes(4, op)])

// weights: name -> {dims, file, offset, length} in a file beside the model, or {dims, data}.
export function model(nodes, { inputs, outputs, weights = {}, opset = 13 }) {
  const stored = Object.entries(weights).map(([name, w]) => bytes(5, [
    ...w.dims.map(d => number(1, d)), number(2, FLOAT), bytes(8, name),
    ...(w.file
      ? [...Object.entries({ location: w.file, offset: w.offset ?? 0, length: w.length }).map(([key, v]) =>
        bytes(13, [bytes(1, key), bytes(2, String(v))])), number(14, EXTERNAL)]
      : [bytes(9, w.data)])]))
  const graph = [...nodes.map(n => bytes(1, n)), bytes(2, 'g'), ...stored,
    ...Object.entries(inputs).map(([name, dims]) => bytes(11, value(name, dims))),
    ...Object.entries(outputs).map(([name, dims]) => bytes(12, value(name, dims)))]
  return Buffer.concat([number(1, 8), bytes(7, graph), bytes(8, [bytes(1, ''), number(2, opset)])])
}
