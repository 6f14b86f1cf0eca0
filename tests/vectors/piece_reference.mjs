// Piece CIDs as the JavaScript client of Storacha computes them, of bytes that follow from their number.
// Run beside @storacha/client 2.1.4: node piece_reference.mjs > piece_reference.json
import * as raw from 'multiformats/codecs/raw'
import * as Link from 'multiformats/link'
import * as PieceHasher from '@web3-storage/data-segment/multihash'

const pieces = {}
for (const size of [65, 126, 127, 128, 253, 254, 255, 508, 509, 1016, 1017, 130047, 130048, 130049, 260096, 400000, 1040385]) {
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8) * 13) & 255)
  pieces[size] = String(Link.create(raw.code, await PieceHasher.digest(bytes)))
}
console.log(JSON.stringify(pieces, null, 1))
