// A trustless gateway on loopback: a Helia blockstore in memory behind @helia/verified-fetch, and a way to fill it.
// Prints its port. PUT /block/CID keeps a block; GET and HEAD /ipfs/… answer.
// The end of standard input ends it.
import http from 'node:http'
import { Readable } from 'node:stream'
import { createHelia } from 'helia'
import { createVerifiedFetch } from '@helia/verified-fetch'
import { tcp } from '@libp2p/tcp'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { MemoryBlockstore } from 'blockstore-core'
import { CID } from 'multiformats/cid'

const blocks = new MemoryBlockstore()
const node = await createHelia({
  blockstore: blocks,
  routers: [],
  libp2p: {
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    peerDiscovery: []
  }
})
if (node.start != null) await node.start()
const verifiedFetch = await createVerifiedFetch(node)

async function keep (request, response) {
  const parts = []
  for await (const part of request) parts.push(part)
  await blocks.put(CID.parse(request.url.slice('/block/'.length)), new Uint8Array(Buffer.concat(parts)))
  response.writeHead(204).end()
}

async function answer (request, response) {
  const path = request.url.slice('/ipfs/'.length)
  // Nobody else has what is not here, so no time is lost on looking for it.
  const here = await blocks.has(CID.parse(path.split(/[/?]/)[0])) || path.startsWith('bafkqaaa')
  const signal = AbortSignal.timeout(here ? 60000 : 100)
  const options = { headers: request.headers, method: request.method, signal, allowLocal: true, allowInsecure: true }
  const found = await verifiedFetch('ipfs://' + path, options)
  response.writeHead(found.status, Object.fromEntries(found.headers))
  if (found.body == null || request.method === 'HEAD') return response.end()
  Readable.fromWeb(found.body).on('error', () => response.destroy()).pipe(response)
}

const server = http.createServer((request, response) => {
  const work = request.method === 'PUT' ? keep : answer
  work(request, response).catch(error => {
    const lacking = ['AbortError', 'TimeoutError', 'NotFoundError'].includes(error.name)
    if (!response.headersSent) response.writeHead(lacking ? 404 : 500)
    response.end(String(error.stack ?? error))
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
