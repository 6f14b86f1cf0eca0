// A js-ipfs node with its RPC on loopback and no peers. Usage: node js_ipfs.mjs NODE_MODULES REPOSITORY PORT
// Prints the port once it listens, which for PORT 0 is a free one.
import { pathToFileURL } from 'node:url'

const [modules, repo, port] = process.argv.slice(2)
const from = (name) => import(pathToFileURL(`${modules}/${name}/src/index.js`))
const [{ create }, { HttpApi }] = await Promise.all([from('ipfs-core'), from('ipfs-http-server')])
const node = await create({
  repo,
  silent: true,
  init: { emptyRepo: true },
  preload: { enabled: false },
  config: {
    Bootstrap: [],
    Addresses: { Swarm: [], Announce: [], NoAnnounce: [], Delegates: [], RPC: '', API: `/ip4/127.0.0.1/tcp/${port}`, Gateway: '' },
    Discovery: { MDNS: { Enabled: false }, webRTCStar: { Enabled: false } }
  }
})
await node.config.set('Addresses.API', `/ip4/127.0.0.1/tcp/${port}`)
const api = new HttpApi(node)
await api.start()
console.log(api._apiServers[0].info.port)
