// Import trees with ipfs-unixfs-importer, the reference: one request a line on stdin, one answer a line on stdout.
// Run it in a folder where `npm install ipfs-unixfs-importer@17` was done (trees.py does):
//   node --input-type=module --eval "$(cat importer.mjs)"
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import readline from 'node:readline'

const block = Uint8Array.from({ length: 65537 }, (_, i) => Math.imul(i, 2654435761) >>> 16)
const store = { put: async (cid) => cid, has: async () => false, get: async () => { throw new Error('nothing is kept') } }

function * pattern (size) {
  for (let left = size; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length))
}

const options = (profile) => ({
  cidVersion: profile.cid_version,
  rawLeaves: profile.raw_leaves,
  chunker: fixedSize({ chunkSize: profile.chunk_bytes }),
  layout: balanced({ maxChildrenPerNode: profile.width }),
  shardSplitStrategy: `${profile.directory_size}-bytes`,
  shardSplitThresholdBytes: profile.shard_over_bytes,
  shardFanoutBits: Math.log2(profile.shard_fanout)
})

const candidate = ({ path, size, link, mode, mtime }) => ({
  path,
  link,
  content: size === undefined ? undefined : pattern(size),
  mode,
  mtime: mtime && { secs: BigInt(mtime[0]), nsecs: mtime[1] || undefined }
})

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { profile, entries } = JSON.parse(line)
  let last
  for await (const entry of importer(entries.map(candidate), store, options(profile))) last = entry
  console.log(JSON.stringify({ cid: String(last.cid), total_bytes: Number(last.size) }))
}
