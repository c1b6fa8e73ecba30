// GDAL's driver OAPIF reads /ogc: layers, counts, pages, boxes, times, geometries.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

function run(at, program, args) {
  // Who asks too fast is told to wait (429): GDAL does so when it is allowed to.
  const waits = { GDAL_HTTP_MAX_RETRY: '20', GDAL_HTTP_RETRY_DELAY: '1' }
  const env = { ...process.env, ...waits, GDAL_HTTP_HEADERS: `Authorization: Bearer ${at.token}`, CURL_CA_BUNDLE: at.ca, SSL_CERT_FILE: at.ca }
  const done = spawnSync(program, args, { env, encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.equal(done.status, 0, `${program} ${args.join(' ')}\n${done.stderr}${done.stdout}`)
  return done.stdout
}

/** The features of a layer as GDAL got them. */
function read(at, layer, more = []) {
  const file = join(at.folder, 'gdal.geojson')
  rmSync(file, { force: true })
  run(at, 'ogr2ogr', ['-f', 'GeoJSON', file, `OAPIF:${at.url}/ogc`, layer, ...more])
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).features : []
}
const features = (file) => JSON.parse(readFileSync(file, 'utf8')).features
const ids = (list) => list.map((one) => one.id ?? one.properties.id).sort()

/** Who asks too often is told how long to wait. */
async function town(at, path) {
  const ask = () => fetch(`${at.url}/ogc/collections/${path}`, { headers: { authorization: `Bearer ${at.token}` } })
  let answer = await ask()
  for (let tries = 0; answer.status === 429 && tries < 5; tries++) {
    await new Promise((done) => setTimeout(done, Number(answer.headers.get('retry-after')) * 1000))
    answer = await ask()
  }
  assert.equal(answer.status, 200, path)
  return answer.json()
}

export const gdal = {
  async 'ogrinfo lists the collections'(at) {
    const said = run(at, 'ogrinfo', ['-ro', `OAPIF:${at.url}/ogc`])
    assert.match(said, /hazards/)
    assert.match(said, /patrol_lines/)
    return said.trim().split('\n').filter((line) => /^\d+:/.test(line)).join(', ')
  },
  async 'ogrinfo counts what the town counts'(at) {
    const said = run(at, 'ogrinfo', ['-ro', '-so', `OAPIF:${at.url}/ogc`, 'hazards'])
    const counted = Number(/Feature Count: (\d+)/.exec(said)?.[1])
    const { numberMatched } = await town(at, 'hazards/items?limit=1')
    assert.equal(counted, numberMatched)
    assert.equal(counted, features(at.held).length)
    return `${counted} hazards`
  },
  async 'ogr2ogr follows the pages and gets each feature once'(at) {
    const held = features(at.held)
    const pages = []
    for (const size of [1000, 333]) {
      const found = read(at, 'hazards', ['-oo', `PAGE_SIZE=${size}`, '-oo', `INITIAL_REQUEST_PAGE_SIZE=${size}`])
      assert.deepEqual(ids(found), ids(held))
      pages.push(`${Math.ceil(held.length / size)} pages of ${size}`)
    }
    return pages.join(', ')
  },
  async 'ogr2ogr gets the positions and the words that a phone holds'(at) {
    const held = new Map(features(at.held).map((one) => [one.id, one]))
    for (const one of read(at, 'hazards')) {
      const own = held.get(one.id ?? one.properties.id)
      assert.deepEqual(one.geometry?.coordinates, own.geometry?.coordinates)
      assert.equal(one.properties.title ?? null, own.properties.title ?? null)
    }
    return `${held.size} features`
  },
  async 'a box chooses what lies in it'(at) {
    const said = []
    for (const [west, south, east, north] of [[60, 0, 150, 60], [-130, -60, -30, 60], [99, 24, 100, 25], [0, -1, 1, 0]]) {
      const lies = ([lon, lat]) => lon >= west && lon <= east && lat >= south && lat <= north
      const expected = features(at.held).filter((one) => one.geometry && lies(one.geometry.coordinates))
      const found = read(at, 'hazards', ['-spat', west, south, east, north].map(String))
      const { numberMatched } = await town(at, `hazards/items?limit=1&bbox=${[west, south, east, north]}`)
      assert.deepEqual(ids(found), ids(expected))
      assert.equal(numberMatched, expected.length)
      said.push(`${west},${south},${east},${north}: ${found.length}`)
    }
    return said.join('; ')
  },
  async 'a time chooses what was seen then'(at) {
    const [from, until] = ['2010-01-01T00:00:00Z', '2010-12-31T23:59:59Z']
    const seen = (one) => new Date(one.properties.seen_at) >= new Date(from) && new Date(one.properties.seen_at) <= new Date(until)
    const expected = features(at.held).filter(seen).length
    const { numberMatched } = await town(at, `hazards/items?limit=1&datetime=${from}/${until}`)
    assert.equal(numberMatched, expected)
    return `${expected} in 2010`
  },
  async 'patrols are lines'(at) {
    const found = read(at, 'patrol_lines')
    const own = features(at.walks)
    assert.deepEqual(ids(found), ids(own))
    for (const one of found) assert.equal(one.geometry.type, 'MultiLineString')
    assert.deepEqual(found[0].geometry.coordinates, own[0].geometry.coordinates)
    return `${found.length} patrol, ${found[0].geometry.coordinates.flat().length} points`
  },
  async 'without a token GDAL gets nothing'(at) {
    const env = { ...process.env, CURL_CA_BUNDLE: at.ca, SSL_CERT_FILE: at.ca }
    const done = spawnSync('ogrinfo', ['-ro', '-so', `OAPIF:${at.url}/ogc`, 'hazards'], { env, encoding: 'utf8' })
    assert.ok(done.status !== 0 || !/Feature Count: [1-9]/.test(done.stdout), done.stdout)
  },
}
