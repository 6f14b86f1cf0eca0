// Checks a record with js-ipns and makes one with the same key: NAME RECORD KEY OUTPUT.
import fs from 'node:fs'
import { createIPNSRecord, marshalIPNSRecord, multihashToIPNSRoutingKey, unmarshalIPNSRecord } from 'ipns'
import { ipnsValidator } from 'ipns/validator'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { CID } from 'multiformats/cid'
import { base36 } from 'multiformats/bases/base36'

const [name, file, key, output] = process.argv.slice(1)
const data = new Uint8Array(fs.readFileSync(file))
await ipnsValidator(multihashToIPNSRoutingKey(CID.parse(name, base36).multihash), data)
const { value, sequence } = unmarshalIPNSRecord(data)
const privateKey = privateKeyFromProtobuf(new Uint8Array(fs.readFileSync(key)))
const made = await createIPNSRecord(privateKey, '/ipfs/bafkqaaa/js', sequence + 1n, 3600_000)
fs.writeFileSync(output, marshalIPNSRecord(made))
console.log(value)
