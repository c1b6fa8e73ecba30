// A PMTiles file with one tile for the whole world: for the tests, written from the specifications.
import { gzipSync } from 'node:zlib'

function varint(value) {
  const bytes = []
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return [...bytes, value]
}

/** `tile` is a picture of 256 pixels, or with `layers` a vector tile. */
export function oneTile(tile, layers) {
  const root = gzipSync(Buffer.from([1, 0, 1, tile.length, 1].flatMap(varint)))
  const vector = layers ? { vector_layers: layers.map((id) => ({ id, fields: {} })) } : {}
  const metadata = gzipSync(Buffer.from(JSON.stringify({ attribution: 'made by the test', ...vector })))
  const head = Buffer.alloc(127)
  head.write('PMTiles', 0, 'latin1')
  head.writeUInt8(3, 7)
  let at = 127
  for (const [slot, part] of [[8, root], [24, metadata], [40, Buffer.alloc(0)], [56, tile]]) {
    head.writeBigUInt64LE(BigInt(at), slot)
    head.writeBigUInt64LE(BigInt(part.length), slot + 8)
    at += part.length
  }
  // Clustered, gzip inside, tiles plain, MVT or PNG, levels 0 to 0.
  Buffer.from([1, 2, 1, layers ? 1 : 2, 0, 0]).copy(head, 96)
  for (const [slot, degrees] of [[102, -180], [106, -85], [110, 180], [114, 85]]) head.writeInt32LE(degrees * 1e7, slot)
  return Buffer.concat([head, root, metadata, tile])
}

/** A vector tile that is all one layer. */
export function allOf(layer) {
  const field = (number, bytes) => [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]
  const number = (which, value) => [...varint(which * 8), ...varint(value)]
  const zigzag = (n) => varint(n < 0 ? -2 * n - 1 : 2 * n)
  // MoveTo the corner, LineTo the three others, ClosePath.
  const path = [9, ...zigzag(-64), ...zigzag(-64), 26, ...[[4224, 0], [0, 4224], [-4224, 0]].flat().flatMap(zigzag), 15]
  const feature = [...number(3, 3), ...field(4, path)]
  return Buffer.from(field(3, [...number(15, 2), ...field(1, [...Buffer.from(layer)]), ...field(2, feature), ...number(5, 4096)]))
}
