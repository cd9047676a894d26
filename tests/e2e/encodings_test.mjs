// Encodings by hand, from docs/codecs.md alone: a real node reads sound ones, refuses those that lie about version, shape, type, size or
// scale and bombs, by the name of the tensor, and serves on; NaN and infinities go as they are; an edge whose peer cannot read what
// crossed finishes by itself.
import { check, close, curl, grpcClient, passed, picture, pictureBytes, planOf, question, run, serve, until, write, zoo } from './kit.mjs'
import net from 'node:net'

const models = zoo('models', 'lenet'), SHAPE = [1, 1, 28, 28], FP32 = 1
const le = (n, bytes) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b.subarray(0, bytes) }
const f32 = x => Buffer.from(new Float32Array([x]).buffer)

// FNV-1a over rank and dimensions, folded to 16 bits.
function shapeCheck(shape) {
  let h = 0x811c9dc5
  for (const byte of Buffer.concat([shape.length, ...shape].map(n => le(n, 8)))) h = Math.imul(h ^ byte, 0x01000193) >>> 0
  return le((h >>> 16) ^ (h & 0xffff), 2)
}
const encoding = (body, { quant = 2, pack = 0, magic = 'clv', version = 2, dtype = FP32, shape = SHAPE, plain = body.length } = {}) =>
  Buffer.concat([Buffer.from(magic), Buffer.from([version, quant | (pack << 4), dtype]), shapeCheck(shape), le(plain, 4), body])
const levels = Uint8Array.from(picture, x => Math.round(x * 255))
// q4 with a step of 1/256: codes two a byte, and what they stand for where the zero is not below 0, and where it is.
const codes = Array.from(levels, q => q >> 4), dense = codes.map(k => Math.round(255 * (k / 15) ** 1.5) / 256)
const q4 = zero => Buffer.concat([Buffer.from([0x80, 0x3b]), le(zero & 0xffff, 2),
  Uint8Array.from({ length: codes.length / 2 }, (_, i) => codes[2 * i] | (codes[2 * i + 1] << 4))])
const q8 = (step = 1 / 255, zero = 0) => Buffer.concat([f32(step), le(zero & 0xffff, 2), levels])
// A Zstandard frame of one block that repeats a byte: says `says` bytes, becomes `becomes`.
const repeated = (byte, says, becomes = says) =>
  Buffer.concat([le(0xfd2fb528, 4), Buffer.from([0xa0]), le(says, 4), le((becomes << 3) | 3, 3), Buffer.from([byte])])

const target = await serve('-m', models, '--threads', '1')
await until(() => curl(`${target.url}/v2/health/ready`).status === 200, 'ready')
const client = grpcClient(target.url)
const values = reply => Array.from(new Float32Array(Uint8Array.from(reply.raw_output_contents[0]).buffer))
const coded = (bytes, change = {}) => ({ ...question(), raw_input_contents: [bytes],
  inputs: [{ name: 'input', datatype: 'FP32', shape: SHAPE, parameters: { cleave_codec: { string_param: 'q8' } }, ...change }] })
async function answer(asked, from = client) {
  const got = await from.call('ModelInfer', asked)
  check(got.code === 0, 'not answered', got)
  return got.reply
}
const plain = x => ({ ...question(), raw_input_contents: [Buffer.from(Float32Array.from(x).buffer)] })

// Sound ones: what they say is what the network gets.
const whole = values(await answer(plain(Float32Array.from(levels, q => q * Math.fround(1 / 255)))))
check(close(values(await answer(coded(encoding(q8())))), whole), 'q8')
check(close(values(await answer(coded(encoding(pictureBytes(), { quant: 0 })))), values(await answer(question()))), 'raw')
check(close(values(await answer(coded(encoding(q4(0), { quant: 4 })))), values(await answer(plain(dense)))), 'q4')
check(close(values(await answer(coded(encoding(q4(-3), { quant: 4 })))), values(await answer(plain(codes.map(k => (k - 3) / 256))))), 'q4 around 0')
const grey = Float32Array.from(levels, () => (0x3c + 0x3c3c) * f32(0).fill(0x3c).readFloatLE())
check(close(values(await answer(coded(encoding(repeated(0x3c, 790), { pack: 2, plain: 790 })))), values(await answer(plain(grey)))), 'q8+zstd')

// Lies.
const cases = [
  ['no encoding', encoding(q8(), { magic: 'clw' })], ['no encoding', Buffer.alloc(0)], ['no encoding', q8()],
  ['version 1, only 2 is known', encoding(q8(), { version: 1 })], ['unknown codec', encoding(q8(), { quant: 15 })],
  ['unknown codec', encoding(q8(), { pack: 3 })], ['encoding of INT32', encoding(q8(), { dtype: 6 })],
  ['another shape', encoding(q8(), { shape: [1, 28, 28] })], ['another shape', encoding(q8(), { shape: [1, 1, 28, 27] })],
  ['before packing', encoding(q8(), { plain: 791 })], ['', encoding(q8().subarray(1), { plain: 790 })],
  ['before packing', encoding(q8(), { quant: 1 })], ['', Buffer.concat([encoding(q8()), Buffer.from([0])])],
  ...[0, -1 / 255, NaN, Infinity, 1e-40, 1e38].map(step => ['scale', encoding(q8(step))]),
  ['', encoding(Buffer.alloc(300, 7), { pack: 2, plain: 790 })], ['', encoding(Buffer.alloc(300, 255), { pack: 1, plain: 790 })],
  ['', encoding(repeated(0x3c, 790, 120000), { pack: 2, plain: 790 })], ['', encoding(repeated(0x3c, 0xfffffff0, 790), { pack: 2, plain: 790 })],
  ['before packing', encoding(repeated(0x3c, 0xfffffff0, 790), { pack: 2, plain: 0xfffffff0 })],
  ...[['may become', 1e5], ['more than', 1e8]].map(([text, rows]) =>
    [text, encoding(repeated(0, 790), { pack: 2, plain: 790, shape: [rows, 1, 28, 28] }), { shape: [rows, 1, 28, 28] }]),
  ['it should be FP32 [', encoding(q8()), { shape: [1, 1, 28, 29] }], ['it should be FP32 [', encoding(q8()), { datatype: 'INT32' }],
]
for (const [text, bytes, change] of cases) {
  const got = await client.call('ModelInfer', coded(bytes, change))
  check(got.code !== 0 && got.details.includes("'input'") && got.details.includes(text) && !got.details.includes('\n'), `not refused: '${text}'`, got)
}
const typed = await client.call('ModelInfer', { ...coded(encoding(q8())), raw_input_contents: [] })
check(typed.code === 3 && typed.details.includes("'cleave_codec'"), 'typed contents', typed)
check(close(values(await answer(coded(encoding(q8())))), whole), 'another answer after all this')

// NaN and infinities have no scale: they go as they are, whatever the codec, and come to the same.
for (const [name, x] of [['nan', NaN], ['inf', Infinity], ['least', -Infinity]]) {
  const file = write(`${name}.bin`, Buffer.from(Float32Array.from(picture, (v, i) => (i === 100 ? x : v)).buffer))
  const ask = (...words) => {
    const got = run('infer', 'lenet', '--url', target.url, '--input', file, '--json', ...words)
    check(got.status === 0, `${name} is not answered`, got)
    return JSON.parse(got.out)
  }
  const odd = ask('--codecs', 'q8', '--accuracy-drop', '100'), right = ask()
  check(odd.crossed[0].codec === 'raw' || odd.crossed[0].coded_bytes >= 3136, `${name} got a scale`, odd.crossed)
  check(JSON.stringify(odd.outputs) === JSON.stringify(right.outputs), `${name} comes to something else`, odd.outputs, right.outputs)
}

// A link that spoils what crosses it: the peer refuses by the first bytes, the edge finishes, what was asked is answered.
let spoil = false
const proxy = net.createServer(from => {
  const to = net.connect(target.port, '127.0.0.1')
  const end = () => { from.destroy(); to.destroy() }
  from.on('data', data => {
    const at = data.indexOf('clv\x02')
    if (spoil && at >= 0) data[at + 3] = 99
    to.write(data)
  }).on('error', end).on('close', end)
  to.on('data', data => from.write(data)).on('error', end).on('close', end)
})
await new Promise(done => proxy.listen(0, '127.0.0.1', done))
const edge = await serve('-m', models, '--threads', '1', '--policy', 'cloud', '--peer', `http://127.0.0.1:${proxy.address().port}`)
await until(() => planOf(edge) === 'remote', 'the plan of the edge')
const there = grpcClient(edge.url)
const told = (reply, key) => reply.parameters[key]?.string_param ?? ''
const sound = await until(async () => {
  const reply = await answer(coded(encoding(q8())), there)
  return told(reply, 'cleave_plan') === 'remote' && !told(reply, 'cleave_recovered') && reply
}, 'an answer by the peer')
check(told(sound, 'cleave_crossed').startsWith('q8,3136,802,'), 'handed on', sound.parameters)
check(close(values(sound), whole), 'handed on, another answer')
spoil = true
const spoilt = await until(async () => {
  const reply = await answer(coded(encoding(q8())), there)
  check(close(values(reply), whole), 'finished here, another answer', reply.parameters)
  return told(reply, 'cleave_recovered') && reply
}, 'an answer that the edge finished')
check(told(spoilt, 'cleave_recovered').includes('version 99') && !told(spoilt, 'cleave_crossed'), 'why', spoilt.parameters)
check(edge.alive && target.alive, 'a node died')
client.close()
there.close()
passed(`encodings: ${cases.length} lies refused by name, odd values kept, a spoilt link survived`)
