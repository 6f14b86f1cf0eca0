// Write codecs_reference.json: the same values as the JavaScript reference libraries write them.
// To make it again: copy this file into an empty folder, then there
//   npm install multiformats @ipld/dag-cbor @ipld/dag-json @ipld/car && node codecs_reference.mjs > codecs_reference.json
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import { CarWriter } from '@ipld/car'
import { base16 } from 'multiformats/bases/base16'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'

const text = (string) => new TextEncoder().encode(string)
const hex = (bytes) => Buffer.from(bytes).toString('hex')

const raw = CID.createV1(0x55, await sha256.digest(text('hello world')))
const node = CID.createV0(await sha256.digest(text('\x0a\x02\x08\x01')))
const cids = [
  raw,
  CID.createV1(0x70, await sha256.digest(text(''))),
  CID.createV1(0x71, await sha512.digest(text('sha2-512'))),
  CID.createV1(0x0129, identity.digest(text('{"small":true}'))),
  CID.createV1(0x55, identity.digest(text('')))
]

const values = [
  null, true, false, 0, 1, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 9007199254740991, -1, -24, -25, -256, -257,
  18446744073709551615n, -18446744073709551616n, 1.5, -4.25, 0.1, '', 'é 模型 😀 \u0000 \n "\\/', new Uint8Array(), new Uint8Array([0, 255, 16]),
  [], {}, [1, [2, [3, {}]]], raw, node, { link: raw, bytes: text('x'), node },
  { b: 1, a: 2, aa: 3, '': 4, 'ü': 5, '😀': 7, B: 8 },
  { '/': 1 }, { '/': raw }, { '/': { bytes: 1 } }, { '/': { '/': 2 } }
]

const { writer, out } = CarWriter.create([raw, node])
const written = (async () => { const parts = []; for await (const part of out) parts.push(part); return Buffer.concat(parts) })()
await writer.put({ cid: raw, bytes: text('hello world') })
await writer.put({ cid: node, bytes: text('\x0a\x02\x08\x01') })
await writer.close()

console.log(JSON.stringify({
  cids: cids.map((cid) => ({ bytes: hex(cid.bytes), ...Object.fromEntries([base16, base32, base36, base58btc].map((base) => [base.name, cid.toString(base)])) })),
  node: { bytes: hex(node.bytes), v0: node.toString(), v1: node.toV1().toString() },
  values: values.map((value) => ({ dag_cbor: hex(dagCbor.encode(value)), dag_json: dagJson.stringify(value) })),
  car: hex(await written)
}, null, 1))
