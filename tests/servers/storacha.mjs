// The service's own upload API (a ucanto server that checks UCANs, stores in memory) over HTTP on loopback, with its
// JavaScript client beside it as an oracle. Run by storacha.py. Needs @storacha/upload-api, @storacha/client and
// @web3-storage/sigv4, which the first uses without naming it.
import nodeHttp from 'node:http'
import { Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { base64 } from 'multiformats/bases/base64'
import { identity } from 'multiformats/hashes/identity'
import * as DID from '@ipld/dag-ucan/did'
import * as UCAN from '@ipld/dag-ucan'
import * as Context from '@storacha/upload-api/test/context'
import * as Client from '@storacha/client'
import * as Proof from '@storacha/client/proof'
import { StoreMemory } from '@storacha/client/stores/memory'
import { connect } from '@ucanto/client'
import { Delegation, Message, parseLink } from '@ucanto/core'
import { ed25519, Verifier } from '@ucanto/principal'
import { CAR, HTTP } from '@ucanto/transport'

const EMPTY = parseLink('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku') // the cause of provisions
const faults = { cuts: 0, hold: null } // hold: from so many uploads on, each waits in its middle, and ends there
const stored = new Map() // sha-256 in hex -> bytes that a storage node took
const puts = []
let held = 0
let release = () => {}

// What the storage nodes listen with: loopback only, and it can hold an upload back, break it off, or forget to answer.
const http = {
  createServer (handler) {
    const server = nodeHttp.createServer(async (request, response) => {
      response.destroy = () => response // they hang up at once, which loses answers now and then
      if (request.method !== 'PUT') return handler(request, response)
      const chunks = []
      try {
        for await (const chunk of request) {
          chunks.push(chunk)
          if (faults.cuts > 0) { faults.cuts--; return request.socket.destroy() }
          if (faults.hold !== null && puts.length >= faults.hold) {
            held++
            await new Promise((resolve) => { release = resolve })
            return request.socket.destroy()
          }
        }
      } catch { return } // the client has gone
      const body = Buffer.concat(chunks)
      const digest = createHash('sha256').update(body).digest('hex')
      puts.push(digest)
      const passed = Object.assign(Readable.from([body]), { url: request.url, method: 'PUT', headers: request.headers })
      await handler(passed, response)
      if (response.statusCode === 200) stored.set(digest, body)
    })
    const listen = server.listen.bind(server)
    server.listen = (done) => listen(0, '127.0.0.1', done)
    return server
  }
}
const context = await Context.createContext({ requirePaymentPlan: false, http, assert: { fail: (e) => console.error(e) } })
// What its helpers may do in its name, they may for half a minute only.
for (const { invocationConfig: helper } of [context.indexingService, context.claimsService]) {
  const right = { issuer: helper.audience, audience: helper.issuer, capabilities: [{ can: 'assert/*', with: helper.with }] }
  helper.proofs = [await Delegation.delegate({ ...right, expiration: Infinity })]
}

const offers = []
const add = context.filecoinSubmitQueue.add.bind(context.filecoinSubmitQueue)
context.filecoinSubmitQueue.add = (message) => { offers.push(String(message.piece)); return add(message) }

const text = async (delegation) => {
  const { ok, error } = await delegation.archive()
  if (error) throw error
  return CID.createV1(CAR.codec.code, identity.digest(ok)).toString(base64)
}

const client = async ({ key, proof }) => {
  const url = new URL(`http://127.0.0.1:${server.address().port}/`)
  const service = connect({ id: context.id, codec: CAR.outbound, channel: HTTP.open({ url, method: 'POST' }) })
  const made = await Client.create({
    principal: ed25519.parse(key),
    store: new StoreMemory(),
    serviceConf: { access: service, upload: service, filecoin: service, gateway: service },
    receiptsEndpoint: new URL('receipt/', url)
  })
  const space = await made.addSpace(await Proof.parse(proof))
  await made.setCurrentSpace(space.did())
  return made
}

const operations = {
  async provision ({ space }) {
    const customer = 'did:mailto:example.com:test'
    const put = { cause: EMPTY, consumer: space, customer, provider: context.id.did() }
    return await context.provisionsStorage.put(put)
  },
  async limit ({ bytes }) { context.provisionsStorage.providers[context.id.did()] = bytes },
  async faults (wanted) { Object.assign(faults, wanted); if (faults.hold === null) release() },
  async state () { return { puts, held, offers, stored: [...stored.keys()] } },
  async blob ({ name }) { return { data: stored.get(name)?.toString('base64') } },
  async delegate ({ space, audience, abilities, expiration }) { // space: the key of one, made where it is not given
    const issuer = space ? ed25519.parse(space) : await ed25519.generate()
    const capabilities = abilities.map((can) => ({ can, with: issuer.did() }))
    const to = DID.parse(audience)
    const made = await Delegation.delegate({ issuer, audience: to, capabilities, expiration: expiration ?? Infinity })
    return { space: issuer.did(), key: ed25519.format(issuer), proof: await text(made) }
  },
  async account ({ agent, audience, abilities }) { // as after a login: the account signs nothing, the service attests
    const space = await ed25519.generate()
    const account = { did: () => 'did:mailto:example.com:alice' }
    const absent = { did: account.did, signatureAlgorithm: '', signatureCode: 0xd000, sign: () => absentSignature }
    const first = await Delegation.delegate({ issuer: space, audience: account, capabilities: [{ can: '*', with: space.did() }], expiration: Infinity })
    const login = await Delegation.delegate({ issuer: absent, audience: DID.parse(agent.did), capabilities: [{ can: '*', with: 'ucan:*' }], expiration: Infinity, proofs: [first] })
    const attested = await Delegation.delegate({ issuer: context.id, audience: DID.parse(agent.did), capabilities: [{ can: 'ucan/attest', with: context.id.did(), nb: { proof: login.cid } }], expiration: Infinity })
    const capabilities = abilities.map((can) => ({ can, with: space.did() }))
    const made = await Delegation.delegate({ issuer: ed25519.parse(agent.key), audience: DID.parse(audience), capabilities, expiration: Infinity, proofs: [login, attested] })
    return { space: space.did(), proof: await text(made) }
  },
  async inspect ({ proof }) {
    const { data, cid, proofs } = await Proof.parse(proof)
    const signed = await UCAN.verifySignature(data, Verifier.parse(data.issuer.did()))
    const { capabilities, expiration } = data
    return { cid: String(cid), issuer: data.issuer.did(), audience: data.audience.did(), capabilities, expiration, proofs: proofs.length, signed: Boolean(signed.ok ?? signed) }
  },
  async list (login) {
    const { results } = await (await client(login)).capability.upload.list()
    return results.map(({ root, shards }) => ({ root: String(root), shards: (shards ?? []).map(String) }))
  },
  async upload ({ data, ...login }) {
    return String(await (await client(login)).uploadFile(new Blob([Buffer.from(data, 'base64')])))
  }
}
const absentSignature = new Uint8Array([0x80, 0xa0, 0x03, 0x00])

const server = nodeHttp.createServer(async (request, response) => {
  try {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    if (request.url.startsWith('/test/')) {
      const answer = await operations[request.url.slice(6)](JSON.parse(body))
      return response.end(JSON.stringify(answer ?? {}))
    }
    if (request.url.startsWith('/receipt/')) {
      const found = await context.agentStore.receipts.get(parseLink(request.url.slice(9)))
      if (found.error) return response.writeHead(404).end()
      return response.end(CAR.request.encode(await Message.build({ receipts: [found.ok] })).body)
    }
    if (request.method === 'GET') return response.end(JSON.stringify({ did: context.id.did() }))
    const answer = await context.connection.channel.request({ method: 'POST', headers: request.headers, body })
    response.writeHead(answer.status || 200, answer.headers).end(answer.body)
  } catch (error) {
    console.error(error)
    response.writeHead(500).end(String(error.stack))
  }
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port, did: context.id.did() })))
