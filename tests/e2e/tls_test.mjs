// The link between nodes with TLS, client certificates and a token, made with openssl; then everything about it that can be wrong.
// Each leaves the edge answering alone, with one line that says why; no secret is ever said.
import { askGrpc, askJson, check, curl, dir, fail, folder, grpc, grpcClient, passed, planOf, run, serve, until, write, zoo } from './kit.mjs'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'

const at = name => `${dir}/${name}`
function openssl(...words) {
  const got = spawnSync('openssl', words, { encoding: 'utf8', cwd: dir })
  if (got.status !== 0) fail(`openssl ${words.join(' ')}`, got.stderr)
}
const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const issuer = name => openssl('req', '-x509', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`)
function certificate(name, { ca = 'ca', names = 'IP:127.0.0.1,DNS:localhost', days = '2' } = {}) {
  openssl('req', '-new', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-days', days,
    '-out', `${name}.pem`, '-extfile', write(`${name}.ext`, `subjectAltName=${names}\n`))
}
issuer('ca')
issuer('foreign')
certificate('server')
certificate('client')
certificate('stranger', { ca: 'foreign' })
certificate('elsewhere', { names: 'DNS:cloud.example' })
certificate('expired', { days: '-1' })

const secret = 'opensesame-0123456789', guess = 'letmein-9876543210'
write('token', `${secret}\nsecond line\n`)
write('guess', `${guess}\n`)
write('nothing', '\n')

const models = zoo('models', 'lenet')
const own = name => ['--tls-cert', at(`${name}.pem`), '--tls-key', at(`${name}.key`)]
const guard = ['--tls-ca', at('ca.pem'), '--token-file', at('token')]
const cloud = await serve('-m', folder('cloud'), '--accept-push', ...own('server'), ...guard)
check(cloud.url.startsWith('https://'), 'not https', cloud.url)
const peer = { '--peer-ca': at('ca.pem'), '--peer-cert': at('client.pem'), '--peer-key': at('client.key'), '--peer-token-file': at('token') }
const words = changes => Object.entries({ ...peer, ...changes }).filter(([, value]) => value).flat()
const edges = ['-m', models, '--policy', 'cloud', '--peer']
const everything = [cloud]

// It works, for the edge and for everybody's clients.
const edge = await serve(...edges, cloud.url, ...words())
everything.push(edge)
await until(() => planOf(edge) === 'remote', 'the edge shares its work over TLS')
check(askJson(edge.url).plan === 'remote', 'not remote')
const us = ['--cacert', at('ca.pem'), '--cert', at('client.pem'), '--key', at('client.key')]
const bearer = token => ['-H', `authorization: Bearer ${token}`]
check(askJson(cloud.url, [...us, ...bearer(secret)]).plan === 'local', 'curl over TLS')
check(curl(`${cloud.url}/v2/models/lenet`, ...us).status === 401, 'no token')
check(curl(`${cloud.url}/v2/models/lenet`, ...us, ...bearer(guess)).status === 401, 'a wrong token')
check(curl(`${cloud.url}/v2/models/lenet`, ...us, ...bearer(secret + 'x')).status === 401, 'a longer token')
check(curl(`${cloud.url}/v2/health/ready`, ...us).status === 200, 'health wants no token')
check(curl(`${cloud.url}/v2/health/ready`, '--cacert', at('ca.pem')).status === 0, 'no client certificate')
check(curl(cloud.url.replace('https', 'http') + '/v2').status === 400, 'plain HTTP to a port with TLS')
const channel = grpc.credentials.createSsl(...['ca.pem', 'client.key', 'client.pem'].map(name => fs.readFileSync(at(name))))
const withToken = token => grpc.credentials.combineChannelCredentials(channel, grpc.credentials.createFromMetadataGenerator((_, next) => {
  const metadata = new grpc.Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  next(null, metadata)
}))
const local = { 'grpc.ssl_target_name_override': 'localhost' }
const good = grpcClient(cloud.url, withToken(secret), local), bad = grpcClient(cloud.url, withToken(guess), local)
check((await askGrpc(good)).plan === 'local', 'grpc-js over TLS')
check((await bad.call('ModelReady', { name: 'lenet' })).code === grpc.status.UNAUTHENTICATED, 'a wrong token by gRPC')
good.close()
bad.close()

// cleave infer says in one line what is wrong.
function refused(status, text, ...more) {
  const got = run('infer', 'lenet', '--random', '1', '--url', ...more)
  check(got.status === status && got.out === '' && got.err.trim().split('\n').length === 1 && got.err.includes(text),
    `not '${text}' and status ${status}: infer ${more}`, got)
  everything.push({ log: got.err })
}
const all = ['--ca', at('ca.pem'), '--cert', at('client.pem'), '--key', at('client.key'), '--token-file', at('token')]
const but = (flag, value) => all.map((word, i) => (all[i - 1] === flag ? value : word))
check(run('infer', 'lenet', '--random', '1', '--url', cloud.url, ...all).status === 0, 'infer over TLS')
refused(1, 'the token is wrong', cloud.url, ...but('--token-file', at('guess')))
refused(1, '--token-file FILE', cloud.url, ...all.slice(0, -2))
refused(1, 'first line is not one word', cloud.url, ...but('--token-file', at('nothing')))
refused(1, 'No such file', cloud.url, ...but('--ca', at('nowhere.pem')))
refused(1, 'certificate not accepted', cloud.url, ...but('--ca', at('foreign.pem')))
refused(1, 'does not belong to certificate', cloud.url, ...but('--key', at('server.key')))
refused(1, cloud.url, cloud.url, '--ca', at('ca.pem'), '--token-file', at('token'))
refused(1, cloud.url.replace('https', 'http'), cloud.url.replace('https', 'http'))

// alone(what is said, url, changes): the edge answers by itself and says why.
async function alone(text, url, changes = {}) {
  const node = await serve(...edges, url, ...words(changes))
  everything.push(node)
  await node.says(text)
  for (let i = 0; i < 5; i++) check(askJson(node.url).plan === 'local', 'not answered here')
  const lines = node.log.trim().split('\n').filter(line => / (warn|error) /.test(line))
  check(lines.length === 1 && lines[0].includes(url), `more lines than one, or without ${url}`, lines)
  await node.stop()
}
const plain = await serve('-m', models), elsewhere = await serve('-m', models, ...own('elsewhere'))
const expired = await serve('-m', models, ...own('expired'))
everything.push(plain, elsewhere, expired)
const swap = url => (url.startsWith('https') ? url.replace('https', 'http') : url.replace('http', 'https'))
const none = { '--peer-ca': '', '--peer-cert': '', '--peer-key': '' }
await alone('token', cloud.url, { '--peer-token-file': at('guess') })
await alone('token', cloud.url, { '--peer-token-file': '' })
await alone('certificate not accepted: self-signed', cloud.url, { '--peer-ca': at('foreign.pem') })
await alone('certificate', cloud.url, { '--peer-cert': '', '--peer-key': '' })
await alone('ca', cloud.url, { '--peer-cert': at('stranger.pem'), '--peer-key': at('stranger.key') })
await alone('certificate not accepted: IP address mismatch', elsewhere.url)
await alone('certificate not accepted: certificate has expired', expired.url)
await alone('it wants https', swap(cloud.url), none)
await alone('peer does not speak TLS', swap(plain.url))

// What is wrong in the options themselves ends the program, in one line.
const guardless = run('serve', '-m', models, '--tls-ca', at('ca.pem'))
check(guardless.status === 2 && guardless.err.includes('--tls-cert and --tls-key are missing'), 'a guard without TLS', guardless)
const peerless = run('serve', '-m', models, '--peer-token-file', at('token'))
check(peerless.status === 2 && peerless.err.includes('--peer is missing'), 'a token for nobody', peerless)
const open = run('serve', ...edges, plain.url, '--peer-ca', at('ca.pem'))
check(open.status === 2 && open.err.includes('needs an address with TLS'), 'an issuer without TLS', open)
for (const [text, changes] of [
  ['nowhere', { '--peer-ca': at('nowhere') }], ['client.pem', { '--peer-key': '' }], ['its first line', { '--peer-token-file': at('nothing') }],
  ['does not belong to certificate', { '--peer-key': at('server.key') }], ['token', { '--peer-cert': at('token') }],
]) {
  const got = run('serve', ...edges, cloud.url, '--port', '0', ...words(changes))
  check([1, 2].includes(got.status) && got.err.trim().split('\n').length === 1 && got.err.includes(text), `not '${text}'`, got)
  everything.push({ log: got.err })
}
for (const node of everything)
  for (const word of [secret, guess, 'PRIVATE KEY', 'second line']) check(!node.log.includes(word), `a secret was said: ${word}`, node.log)
check(askJson(edge.url).plan === 'remote', 'the edge that was right all along')
passed('tls: sharing works with certificates and a token, and nothing leaks without')
