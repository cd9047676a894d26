// Bad input to every command and to the port: one line that names the thing, its value and what would be right; status 1 or 2, or the
// protocol's code; and the node keeps serving. A peer that is not cleave leaves an edge to itself.
import { askJson, check, curl, dir, folder, grpc, grpcClient, passed, pause, pictureBytes, question, run, serve, until, write, zoo } from './kit.mjs'
import { model, node } from './onnx.mjs'
import fs from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'

const models = zoo('models', 'lenet'), good = fs.readFileSync(`${models}/lenet/1/model.onnx`)

// Files that are no models.
const plain = { inputs: { x: [1, 4] }, outputs: { y: [1, 4] } }
const matmul = weights => model([node('MatMul', ['x', 'w'], ['y'])], { ...plain, weights: { w: weights } })
write('weights', Buffer.alloc(64))
const unsound = {
  empty: ['the file is empty', ''],
  cut: ['not a sound ONNX file', good.subarray(0, 1000)],
  noise: ['not a sound ONNX file', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i * 7) & 255))],
  text: ['not a sound ONNX file', 'this is not a model\n'],
  cycle: ["cycle through node 'Add_h'", model([node('Add', ['x', 'y'], ['h']), node('Relu', ['h'], ['y'])], plain)],
  unknown: ['Frobnicate', model([node('Frobnicate', ['x'], ['y'])], plain)],
  dangling: ["the tensor 'z', which nothing makes", model([node('Relu', ['z'], ['y'])], plain)],
  twice: ["two things make the tensor 'y'", model([node('Relu', ['x'], ['y']), node('Sigmoid', ['x'], ['y'])], plain)],
  bare: ["nothing makes the output 'y'", model([], plain)],
  gone: ["gone': No such file", matmul({ dims: [4, 4], file: 'gone', length: 64 })],
  short: ['cut short?', matmul({ dims: [4, 4], file: 'weights', length: 640 })],
  escape: ["outside the model's folder", matmul({ dims: [4, 4], file: '../../etc/passwd', length: 64 })],
  negative: ["'w'", matmul({ dims: [4, -4], data: Buffer.alloc(64) })],
  vast: ['is too large', matmul({ dims: [1n << 40n, 1n << 40n], data: Buffer.alloc(64) })],
}
for (const [name, [, content]] of Object.entries(unsound)) write(`${name}.onnx`, content)
fs.closeSync(fs.openSync(`${dir}/huge.onnx`, 'w'))
fs.truncateSync(`${dir}/huge.onnx`, 3 * 2 ** 30) // sparse
unsound.huge = ['at most 2147483647']

// wants(status, text, words): the command ends so, with one line that says so.
function wants(status, text, ...words) {
  const got = run(...words)
  const lines = got.err.trim().split('\n')
  check(got.status === status && got.out === '' && lines.length === 1 && lines[0].includes(text) && lines[0].startsWith('cleave'),
    `not status ${status} and one line with '${text}': cleave ${words.join(' ')}`, got)
}
for (const [name, [text]] of Object.entries(unsound))
  for (const words of [['inspect'], ['profile'], ['verify'], ['split', '--at', 'x', '-o', 'parts'], ['infer', '--random', '1']])
    if (words[0] === 'inspect' || ['cut', 'cycle', 'unknown'].includes(name)) wants(1, text, words[0], `${name}.onnx`, ...words.slice(1))

const lenet = `${models}/lenet`
check(run('profile', lenet, '--budget', '1s', '-o', 'p.json').status === 0, 'no profile')
const profiles = ['--edge', 'p.json', '--cloud', 'p.json']
for (const link of ['5,85Mbit', '5.85', 'fast', '-5Mbit,1ms', '5Mbit,1', '5Mbit,1ms,2ms,3ms', 'Mbit,ms', '1e999Mbit,1ms', '0Mbit,1ms', 'nanMbit,1ms', ''])
  wants(2, link, 'plan', lenet, ...profiles, '--link', link)
wants(2, '--policy', 'plan', lenet, ...profiles, '--link', 'wifi', '--policy', 'best')
for (const [text, words] of [
  ['--budget', ['profile', lenet, '--budget', '5']], ['--budget', ['profile', lenet, '--budget', '5 parsecs']],
  ['--threads', ['profile', lenet, '--threads', 'two']], ['abacus', ['profile', lenet, '--device', 'abacus']],
  ['--port', ['serve', '-m', models, '--port', '70000']], ['--port', ['serve', '-m', models, '--port', 'http']],
  ['--body-max', ['serve', '-m', models, '--body-max', '3 elephants']], ['--watch', ['serve', '-m', models, '--watch', '1']],
  ['--patience', ['serve', '-m', models, '--patience', '-1s']], ['--policy', ['serve', '-m', models, '--policy', 'best']],
  ['--count', ['tasks', '-m', models, '--count', '0']], ['--count', ['tasks', '-m', models, '--count', '1e3']],
  ['--rate', ['tasks', '-m', models, '--rate', '10Hz']], ['--prot', ['serve', '--prot', '8000']],
  ["'srve'", ['srve']], ['ftp://127.0.0.1', ['serve', '-m', models, '--peer', 'ftp://127.0.0.1']],
  ['unix:', ['serve', '-m', models, '--peer', 'unix:']], ['unix:///run', ['serve', '-m', models, '--peer', 'unix://host:8000']],
  ['107 bytes', ['serve', '-m', models, '--peer', `unix:/${'p'.repeat(107)}`]], ['107 bytes', ['serve', '-m', models, '--log', 'warn', '--port', '0', '--socket', 'p'.repeat(108)]],
  ['no socket', ['serve', '-m', models, '--log', 'warn', '--port', '0', '--socket', models]], ['nowhere/socket', ['serve', '-m', models, '--log', 'warn', '--port', '0', '--socket', 'nowhere/socket']],
  ['127.0.0.1:99999', ['serve', '-m', models, '--peer', 'http://127.0.0.1:99999']],
  ['argument', ['inspect']], ['unexpected', ['inspect', lenet, lenet]], ['--link', ['lab', 'run', '--link', '5,85Mbit', '--edge', 'true']],
]) {
  const got = run(...words)
  check([1, 2].includes(got.status) && got.err.trim().split('\n').length === 1 && got.err.includes(text), `not '${text}': ${words}`, got)
  check(got.status === 2 || words[0] === 'serve' || words[2] === '--device', `status 1 for a mistake in ${words}`, got)
}
for (const links of ['5', 'wifi,5', '5,85Mbit']) wants(2, '--links', 'demo', '--networks', 'lenet', '--links', links)
wants(2, '--dir', 'demo', '-m', models)
wants(2, '--private', 'demo', '--private', 'input')
wants(1, `'${models}/lenet'`, 'inspect', models)
wants(1, "'nowhere'", 'serve', '-m', 'nowhere')
wants(1, 'No such file', 'serve', '-c', 'nowhere.yaml')
wants(2, "unknown setting 'prot'", 'serve', '-c', write('bad.yaml', 'prot: 8000\n'))
wants(2, 'bad2.yaml:2', 'serve', '-c', write('bad2.yaml', 'port: [1\n'))
wants(1, 'no-such', 'tasks', '-m', models, '--mix', 'no-such', '--count', '1')
wants(1, 'trace', 'tasks', '-m', models, '--replay', write('trace', 'once upon a time\n'))

// A node with a repository of which one model is broken: it says so, and serves the other.
const mixed = folder('mixed')
fs.cpSync(lenet, `${mixed}/lenet`, { recursive: true })
fs.mkdirSync(`${mixed}/broken/1`, { recursive: true })
fs.copyFileSync(`${dir}/cut.onnx`, `${mixed}/broken/1/model.onnx`)
const target = await serve('-m', mixed, '--body-max', '1MiB')
const { url, port } = target
await until(() => curl(`${url}/v2/health/ready`).status === 200, 'ready')
const first = askJson(url).values
wants(1, String(port), 'serve', '-m', models, '--log', 'warn', '--port', String(port)) // taken
check(curl(`${url}/v2/models/broken/ready`).status === 503, 'a broken model is ready')
const broken = curl('-X', 'POST', `${url}/v2/models/broken/infer`, '-d', '{"inputs":[]}')
check(broken.status === 503 && broken.json.error.includes('could not be loaded'), 'a broken model', broken)

// refused(status, text, path, body, words): by REST.
function refused(status, text, path, body, ...words) {
  const got = curl(`${url}/v2/${path}`, ...(body === null ? [] : ['--data-binary', `@${write('body', body)}`]), '-H', 'expect:', ...words)
  check(got.status === status && (!text || got.json?.error?.includes(text)) && !got.json?.error?.includes('\n'),
    `not ${status} and '${text}' for ${path}`, got.status, got.body.toString().slice(0, 300))
}
const zeros = Array(784).fill(0)
const input = change => JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 1, 28, 28], data: zeros, ...change }] })
for (const [text, change] of [
  ['FP31', { datatype: 'FP31' }], ['INT32', { datatype: 'INT32' }], ["'other'", { name: 'other' }], ['shape', { shape: [1, 1, 28, 29] }],
  ['shape', { shape: [28, 28] }], ['shape', { shape: [-1, 1, 28, 28] }], ['', { shape: [1, 1, 1e30, 28] }], ['', { shape: 'square' }],
  ['', { data: zeros.slice(1) }], ['', { data: [...zeros, 1] }], ['', { data: 'zeros' }], ['', { data: [null, ...zeros.slice(1)] }],
  ['', { data: undefined }], ['', { shape: [1, 1, 28], data: [zeros] }],
]) refused(400, text, 'models/lenet/infer', input(change))
for (const body of ['', '{', 'null', '[]', '{"inputs":3}', '{"inputs":[]}', '{"inputs":[3]}', '['.repeat(100000), '\0\0\0', '{"inputs":[{}]}'])
  refused(400, '', 'models/lenet/infer', body)
refused(404, 'lenet', 'models/absent/infer', input())
refused(404, '77', 'models/lenet/versions/77/infer', input())
refused(404, '', 'nowhere', null)
refused(404, '', 'models/%2e%2e%2fetc', null)
refused(405, '', 'models/lenet/infer', null)
refused(413, '1', 'models/lenet/infer', Buffer.alloc(2 << 20))
refused(400, '', 'models/lenet/infer', pictureBytes(), '-H', 'inference-header-content-length: 99999999')
refused(400, '', 'models/lenet/infer', pictureBytes(), '-H', 'inference-header-content-length: -1')
refused(400, '', 'models/lenet/infer', pictureBytes().subarray(1), '-H', 'inference-header-content-length: 0')
refused(403, '--accept-push', 'models/x/versions/1/file', good.subarray(0, 100), '-X', 'PUT', '-H', `x-cleave-digest: ${'0'.repeat(64)}`)
refused(400, '', 'models/lenet/prepare', '{"inputs":["nothing"]}')
const long = curl(`${url}/v2/health/live`, '-H', `x-long: ${'x'.repeat(100000)}`)
check(long.status === 431 || long.status === 400, 'a huge header', long)

// By gRPC.
const client = grpcClient(url)
const { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED } = grpc.status
const ask = change => client.call('ModelInfer', { ...question(), ...change })
const tensor = change => ask({ inputs: [{ ...question().inputs[0], ...change }] })
for (const [code, reply] of [
  [NOT_FOUND, ask({ model_name: 'absent' })], [NOT_FOUND, ask({ model_version: '77' })], [NOT_FOUND, client.call('ModelMetadata', { name: '../x' })],
  [INVALID_ARGUMENT, tensor({ datatype: 'FP64' })], [INVALID_ARGUMENT, tensor({ name: 'x' })], [INVALID_ARGUMENT, tensor({ shape: [784] })],
  [INVALID_ARGUMENT, tensor({ shape: [-1, -1, -1, -1] })], [INVALID_ARGUMENT, ask({ raw_input_contents: [pictureBytes().subarray(4)] })],
  [INVALID_ARGUMENT, ask({ raw_input_contents: [] })], [INVALID_ARGUMENT, ask({ inputs: [] })],
  [RESOURCE_EXHAUSTED, ask({ raw_input_contents: [Buffer.alloc(2 << 20)] })],
]) {
  const got = await reply
  check(got.code === code && got.details && !got.details.includes('\n'), `not code ${code}`, got)
}
client.close()

// Bytes that are no protocol, halves of requests, and sudden ends.
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const frame = (type, bytes, flags = 0, stream = 0) =>
  Buffer.concat([Buffer.from([bytes.length >> 16, (bytes.length >> 8) & 255, bytes.length & 255, type, flags, 0, 0, 0, stream]), Buffer.from(bytes)])
const noise = [
  Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197 + (i >> 3)) & 255)), 'GET', 'GET / HTTP/1.1\r\nHost: x\r\n', 'GET /%zz HTTP/9.9\r\n\r\n',
  'POST /v2/models/lenet/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{"inputs"', `GET /${'a'.repeat(200000)} HTTP/1.1\r\n\r\n`,
  'POST /v2/models/lenet/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', preface,
  Buffer.concat([Buffer.from(preface), frame(4, []), frame(1, [0x82, 0x84, 0x86], 4, 1)]), Buffer.concat([Buffer.from(preface), frame(0, [1, 2, 3], 1, 1)]),
  Buffer.concat([Buffer.from(preface), Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]), Buffer.concat([Buffer.from(preface), frame(9, Buffer.alloc(999), 0, 3)]),
]
await Promise.all(noise.map(bytes => new Promise(done => {
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.write(bytes)
    setTimeout(() => socket.destroy(), 300)
  })
  socket.on('error', () => {}).on('close', done).resume()
})))
check(target.alive && curl(`${url}/v2/health/ready`).status === 200, 'the node did not survive')
check(JSON.stringify(askJson(url).values) === JSON.stringify(first), 'another answer after all this')

// Peers of another kind: the edge says what they are, and answers alone.
async function alone(address, close, text) {
  const edge = await serve('-m', models, '--policy', 'cloud', '--peer', address)
  await edge.says(text)
  await pause(300) // a few more looks at it
  for (let i = 0; i < 3; i++) check(askJson(edge.url).plan === 'local', 'not answered here')
  check(edge.log.split(' warn ').length <= 3, 'says it too often')
  check((await edge.stop()).status === 0, 'did not end well')
  close()
}
const listen = server => new Promise(done => server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${server.address().port}`)))
const sessions = new Set()
const second = http2.createServer().on('session', s => sessions.add(s))
  .on('stream', stream => { stream.on('error', () => {}).respond({ ':status': 404 }); stream.end('not here') })
await alone(await listen(second), () => { sessions.forEach(s => s.destroy()); second.close() }, ' warn ')
async function telling(text, why) { // HTTP/2 that answers everything with this text
  const server = http2.createServer().on('session', s => sessions.add(s))
    .on('stream', stream => { stream.on('error', () => {}).respond({ ':status': 200, 'content-type': 'application/json' }); stream.end(text) })
  await alone(await listen(server), () => { sessions.forEach(s => s.destroy()); server.close() }, why)
}
await telling('{"parameters":[1]}', 'the peer names no cleave_protocol')
await telling('{"parameters":{"cleave_protocol":1}}', 'the peer speaks cleave_protocol 1, this node 2: both need the same version')
await telling('{"parameters":{"cleave_protocol":2}}', 'digest unknown')
const older = http.createServer((_, answer) => answer.end('hello'))
await alone(await listen(older), () => older.close(), 'instead of HTTP/2')
const mute = net.createServer(socket => sessions.add(socket.on('error', () => {})))
await alone(await listen(mute), () => { sessions.forEach(s => s.destroy()); mute.close() }, 'peer is down')
const rude = net.createServer(socket => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'))
await alone(await listen(rude), () => rude.close(), 'does not speak HTTP/2')
passed('bad input: told in one line each, survived')
