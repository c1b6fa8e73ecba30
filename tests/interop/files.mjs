// tus-js-client, as it is, sends a photo with an access token; exiftool looks into what the town keeps.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import jpeg from 'jpeg-js'
import * as tus from 'tus-js-client'

/** A photo with enough detail to be large; no metadata. */
function photo(seed) {
  const [width, height] = [1600, 1200]
  const data = Buffer.alloc(width * height * 4)
  let state = seed
  for (let i = 0; i < data.length; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const shade = ((i / 4) % width) / 8 + (state >>> 26)
    data.set([shade & 255, (shade + 40) & 255, (state >>> 24) & 127, 255], i)
  }
  return jpeg.encode({ data, width, height }, 80).data
}
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** Sends until the end or until so many bytes are through. */
function send(at, bytes, { until = Infinity, uploadUrl } = {}) {
  return new Promise((done, failed) => {
    let sent = 0
    const upload = new tus.Upload(bytes, {
      endpoint: `${at.url}/v1/blobs`,
      uploadUrl,
      chunkSize: 256 * 1024,
      retryDelays: null,
      headers: { Authorization: `Bearer ${at.token}` },
      metadata: { filename: 'photo.jpg', sha256: sha256(bytes) },
      onChunkComplete: (_, accepted) => {
        sent = accepted
        if (accepted >= until && accepted < bytes.length) upload.abort().then(() => done({ url: upload.url, sent }), failed)
      },
      onError: failed,
      onSuccess: () => done({ url: upload.url, sent: bytes.length }),
    })
    upload.start()
  })
}

const read = (at, path, method = 'GET') => fetch(`${at.url}${path}`, { method, headers: { authorization: `Bearer ${at.token}`, 'tus-resumable': '1.0.0' } })

function tags(file) {
  const done = spawnSync('exiftool', ['-j', '-G1', '-a', '-u', file], { encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
  return JSON.parse(done.stdout)[0]
}

let kept
export const files = {
  async 'tus-js-client is interrupted, resumes, and gets the receipt'(at) {
    const bytes = photo(7)
    const broken = await send(at, bytes, { until: bytes.length / 3 })
    assert.ok(broken.sent > 0 && broken.sent < bytes.length)
    const before = await read(at, new URL(broken.url).pathname, 'HEAD')
    assert.equal(Number(before.headers.get('upload-offset')), broken.sent)
    assert.equal((await read(at, `/v1/blobs/${sha256(bytes)}`)).status, 404, 'not before it is whole')
    const whole = await send(at, bytes, { uploadUrl: broken.url })
    assert.equal(whole.url, broken.url)
    const after = await read(at, new URL(whole.url).pathname, 'HEAD')
    assert.equal(Number(after.headers.get('upload-offset')), bytes.length)
    const back = Buffer.from(await (await read(at, `/v1/blobs/${sha256(bytes)}`)).arrayBuffer())
    assert.equal(sha256(back), sha256(bytes))
    kept = back
    return `${bytes.length} bytes, interrupted at ${broken.sent}`
  },
  async 'exiftool finds no place, device or time in what the town keeps'(at) {
    const file = join(at.folder, 'kept.jpg')
    writeFileSync(file, kept)
    const found = Object.keys(tags(file)).filter((tag) => !/^(System|ExifTool|File|JFIF|Composite|SourceFile)/.test(tag))
    assert.deepEqual(found, [])
    return 'JFIF and pixels alone'
  },
  async 'a photo that exiftool gave a place, a device and a time is refused'(at) {
    const file = join(at.folder, 'placed.jpg')
    writeFileSync(join(at.folder, 'bare.jpg'), photo(8))
    copyFileSync(join(at.folder, 'bare.jpg'), file)
    const args = ['-overwrite_original', '-GPSLatitude=24.61', '-GPSLatitudeRef=N', '-GPSLongitude=99.2', '-GPSLongitudeRef=E', '-Make=HUAWEI', '-Model=P60', '-DateTimeOriginal=2026:01:01 12:00:00', file]
    const done = spawnSync('exiftool', args, { encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
    const bytes = readFileSync(file)
    assert.ok(tags(file)['GPS:GPSLatitude'], 'it has a place')
    const refused = await send(at, bytes).then(() => null, (error) => error)
    assert.equal(refused?.originalResponse?.getStatus(), 422)
    const code = JSON.parse(refused.originalResponse.getBody()).code
    assert.equal(code, 'blob_refused')
    assert.equal((await read(at, `/v1/blobs/${sha256(bytes)}`)).status, 404)
    return code
  },
}
