// Write unixfs_reference.json: CIDs that ipfs-unixfs-importer computes, for the tests to compare ours with.
// To make it again: copy this file into an empty folder, then there
//   npm install ipfs-unixfs-importer@17 && node unixfs_reference.mjs > unixfs_reference.json
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import fs from 'node:fs'

const profiles = {
  'unixfs-v0-2015': { profile: 'unixfs-v0-2015' },
  'legacy-cid-v1': { profile: 'unixfs-v0-2015', cidVersion: 1, rawLeaves: true },
  'unixfs-v1-2025': { profile: 'unixfs-v1-2025' }
}

const sizes = [0, 1, 262143, 262144, 262145, 524288, 1048575, 1048576, 1048577, 45613056, 45613057]

const tree = [
  { path: 'root/empty', size: 0 },
  { path: 'root/one chunk and a byte', size: 262145 },
  { path: 'root/Ünïcødé – 模型.txt', size: 5 },
  { path: 'root/e\u0301 decomposed', size: 6 },
  { path: 'root/\uff5e sorts before the next by UTF-8, after it by UTF-16', size: 7 },
  { path: 'root/😀', size: 8 },
  { path: 'root/a', size: 9 },
  { path: 'root/a-b', size: 10 },
  { path: 'root/sub/deeper/leaf', size: 1048577 },
  { path: 'root/sub/link', link: '../a' },
  { path: 'root/hollow' }
]

// Small chunks and widths reach the third and fourth level, which takes gigabytes in the named profiles.
const shapes = [
  { chunk_bytes: 16, width: 3, cid_version: 1, raw_leaves: true },
  { chunk_bytes: 16, width: 3, cid_version: 0, raw_leaves: false },
  { chunk_bytes: 7, width: 2, cid_version: 1, raw_leaves: false }
]

const block = Uint8Array.from({ length: 65537 }, (_, i) => Math.imul(i, 2654435761) >>> 16)

function * pattern (size) {
  for (let left = size; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length))
}

const store = { put: async (cid) => cid, has: async () => false, get: async () => { throw new Error('nothing is kept') } }

async function root (source, options) {
  let last
  for await (const entry of importer(source, store, { ...options })) last = entry
  return { cid: String(last.cid), total_bytes: Number(last.size) }
}

async function each (items, compute) {
  const results = []
  for (const item of items) results.push(await compute(item))
  return results
}

const file = async (size, options) => ({ size_bytes: size, ...await root([{ content: pattern(size) }], options) })
const candidate = ({ path, size, link }) => ({ path, link, content: size === undefined ? undefined : pattern(size) })
const wide = Array.from({ length: 1000 }, (_, i) => ({ path: `root/entry ${i}`, size: i }))

const vectors = {
  importer: JSON.parse(fs.readFileSync('node_modules/ipfs-unixfs-importer/package.json')).version,
  pattern: 'byte i is bits 16 to 23 of 2654435761 * (i mod 65537)',
  tree,
  profiles: {},
  shapes: []
}
for (const [name, options] of Object.entries(profiles)) {
  vectors.profiles[name] = {
    files: await each(sizes, (size) => file(size, options)),
    tree: await root(tree.map(candidate), options),
    wide: await root(wide.map(candidate), options),
    empty_directory: await root([{ path: 'root' }], options),
    symlink: await root([{ path: 'root', link: 'sub/target – ü' }], options)
  }
}
for (const shape of shapes) {
  const { chunk_bytes: chunkSize, width: maxChildrenPerNode, cid_version: cidVersion, raw_leaves: rawLeaves } = shape
  const options = () => ({ cidVersion, rawLeaves, chunker: fixedSize({ chunkSize }), layout: balanced({ maxChildrenPerNode }) })
  const counts = [1, 2, 3].flatMap((level) => [maxChildrenPerNode ** level, maxChildrenPerNode ** level + 1])
  vectors.shapes.push({ ...shape, files: await each(counts.flatMap((n) => [n * chunkSize, n * chunkSize + 1]), (size) => file(size, options())) })
}
console.log(JSON.stringify(vectors, null, 1))
