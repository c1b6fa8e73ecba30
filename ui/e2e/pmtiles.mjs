// A PMTiles file with one picture for the whole world: for the tests, written from the specification.
import { gzipSync } from 'node:zlib'

function varint(value) {
  const bytes = []
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return [...bytes, value]
}

/** `png` is a tile of 256 pixels. */
export function oneTile(png) {
  const root = gzipSync(Buffer.from([1, 0, 1, png.length, 1].flatMap(varint)))
  const metadata = gzipSync(Buffer.from('{"attribution":"made by the test"}'))
  const head = Buffer.alloc(127)
  head.write('PMTiles', 0, 'latin1')
  head.writeUInt8(3, 7)
  let at = 127
  for (const [slot, part] of [[8, root], [24, metadata], [40, Buffer.alloc(0)], [56, png]]) {
    head.writeBigUInt64LE(BigInt(at), slot)
    head.writeBigUInt64LE(BigInt(part.length), slot + 8)
    at += part.length
  }
  // Clustered, gzip inside, tiles plain, PNG, levels 0 to 0.
  Buffer.from([1, 2, 1, 2, 0, 0]).copy(head, 96)
  for (const [slot, degrees] of [[102, -180], [106, -85], [110, 180], [114, 85]]) head.writeInt32LE(degrees * 1e7, slot)
  return Buffer.concat([head, root, metadata, png])
}
