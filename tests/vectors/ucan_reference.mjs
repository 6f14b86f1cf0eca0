// Keys, delegations, messages, receipts and indexes as the JavaScript libraries of Storacha write them.
// Run beside @storacha/client 2.1.4 and @storacha/upload-api 2.8.4: node ucan_reference.mjs > ucan_reference.json
import { base64 } from 'multiformats/bases/base64'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as DID from '@ipld/dag-ucan/did'
import { ShardedDAGIndex } from '@storacha/blob-index'
import { Delegation, Message, Receipt, invoke } from '@ucanto/core'
import { ed25519 } from '@ucanto/principal'
import { CAR } from '@ucanto/transport'

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const keys = await Promise.all([1, 2, 3].map((n) => ed25519.derive(new Uint8Array(32).fill(n))))
const [space, agent, other] = keys
const service = DID.parse('did:web:up.storacha.network')
const link = CID.createV1(raw.code, await sha256.digest(new Uint8Array(0)))

const delegations = {
  plain: { issuer: space, audience: agent, capabilities: [{ can: '*', with: space.did() }], expiration: Infinity },
  dated: { issuer: space, audience: service, capabilities: [{ can: 'upload/*', with: space.did(), nb: { root: link } }], expiration: 2_000_000_000, notBefore: 1_000_000_000, nonce: 'ünï', facts: [{ bytes: new Uint8Array([1, 2]), list: [1, null, 'x'], link }] },
  account: { issuer: space, audience: { did: () => 'did:mailto:example.com:alice' }, capabilities: [{ can: 'space/blob/add', with: space.did() }, { can: 'upload/add', with: space.did() }], expiration: 1 }
}
const made = {}
for (const [name, options] of Object.entries(delegations)) {
  const one = await Delegation.delegate(options)
  const { ok } = await one.archive()
  made[name] = { cid: String(one.cid), bytes: hex(one.bytes), archive: hex(ok), text: CID.createV1(CAR.codec.code, identity.digest(ok)).toString(base64) }
}
const first = await Delegation.delegate(delegations.plain)
const chain = await Delegation.delegate({ issuer: agent, audience: other, capabilities: [{ can: 'upload/add', with: 'ucan:*' }], expiration: Infinity, proofs: [first] })
const { ok: archive } = await chain.archive()
made.chain = { cid: String(chain.cid), bytes: hex(chain.bytes), archive: hex(archive), text: CID.createV1(CAR.codec.code, identity.digest(archive)).toString(base64) }

const invocation = invoke({ issuer: agent, audience: service, capability: { can: 'upload/list', with: space.did(), nb: {} }, expiration: 2_000_000_000, nonce: 'n', proofs: [first] })
const task = await invocation.delegate()
const receipt = await Receipt.issue({ issuer: other, ran: task.cid, result: { ok: {} } })
const failed = await Receipt.issue({ issuer: other, ran: first.cid, result: { error: { name: 'X', message: 'y' } } })

const index = ShardedDAGIndex.create(link)
for (const [n, size] of [[1, 300], [2, 200]]) {
  const shard = await sha256.digest(new Uint8Array([n]))
  for (let at = 0; at < 3; at++) index.setSlice(shard, await sha256.digest(new Uint8Array([n, at])), [at * 50, 40])
  index.setSlice(shard, shard, [0, size])
}
const { ok: indexBytes } = await index.archive()

console.log(JSON.stringify({
  keys: keys.map((key) => ({ text: ed25519.format(key), did: key.did() })),
  dids: Object.fromEntries([space.did(), service.did(), 'did:mailto:example.com:alice'].map((did) => [did, hex(DID.parse(did))])),
  delegations: made,
  request: hex(CAR.request.encode(await Message.build({ invocations: [invocation] })).body),
  invocation: { cid: String(task.cid), bytes: hex(task.bytes) },
  receipt: { cid: String(receipt.root.cid), bytes: hex(receipt.root.bytes) },
  reply: hex(CAR.response.encode(await Message.build({ receipts: [receipt, failed] })).body),
  index: hex(indexBytes)
}, null, 1))
