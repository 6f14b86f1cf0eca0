// Read the CARv2 files that `python -m tests.vectors.carv2` writes with @ipld/car, and tell what it finds in them.
import { CarReader } from '@ipld/car'
import fs from 'node:fs'

const answers = {}
for (const [name, file] of Object.entries(JSON.parse(fs.readFileSync(0, 'utf8')))) {
  const reader = await CarReader.fromBytes(Buffer.from(file, 'hex'))
  const blocks = []
  for await (const { cid } of reader.blocks()) blocks.push(String(cid))
  answers[name] = { file, version: reader.version, roots: (await reader.getRoots()).map(String), blocks }
}
console.log(JSON.stringify(answers, null, 1))
