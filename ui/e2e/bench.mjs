// The app over a store of many records: what a person waits for, what is sent to the screens, how much memory.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { launch, open } from './browser.mjs'
import { json, Phone, root, Town } from './programs.mjs'

const RECORDS = Number(process.env.RECORDS ?? 20_000)
const TIMES = 15
/** What one record alone has in its title. */
const ONE = `${Math.min(12_345, RECORDS - 1)}号`
const WORDS = ['路边', '水沟', '电线', '护栏', '山坡', '围墙', '裂缝', '堆物', '积水', '松动', '塌方', '老化', '灭火器', '边坡', '桥面', '配电箱']
const CATEGORIES = ['fire', 'electrical', 'gas', 'structure', 'slope', 'flood', 'road', 'water', 'sanitation']

// One sequence for every run.
let state = 20_251_125
const random = (n) => {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((state / 2_147_483_648) * n)
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
const figures = []
/** A line for a person; under `key` also in the JSON of the last lines, in the shape of `make bench`. */
const figure = (name, value, unit, key) => {
  console.log(`${name.padEnd(48)} ${String(value).padStart(9)} ${unit}`)
  if (key) figures.push({ name: `app: ${key}`, unit, figure: Number(value) })
}

function table() {
  const lines = ['key,category,severity,title,description,date,lat,lon']
  for (let n = 0; n < RECORDS; n += 1) {
    const word = () => WORDS[random(WORDS.length)]
    const day = `2026-${String(1 + random(10)).padStart(2, '0')}-${String(1 + random(28)).padStart(2, '0')}`
    lines.push([n, CATEGORIES[random(CATEGORIES.length)], ['general', 'serious', 'major'][random(3)], `${word()}${word()} ${n}号`, `${word()}旁${word()}，${word()}，请尽快处理`, day, (24.5 + random(200_000) / 1e6).toFixed(6), (99.1 + random(200_000) / 1e6).toFixed(6)].join(','))
  }
  return lines.join('\n')
}
const mapping = (grid) => `kind = "hazard"
source = "bench"
[table]
encoding = "utf-8"
header = 1
[key]
columns = ["key"]
[field.category]
columns = ["category"]
[field.severity]
columns = ["severity"]
[field.title]
columns = ["title"]
[field.description]
columns = ["description"]
[field.grid]
constant = "${grid}"
[field.seen_at]
columns = ["date"]
dates = ["%Y-%m-%d"]
timezone = "UTC"
[field.position]
columns = ["lat", "lon"]
`

async function asked(phone, name, command, input) {
  const times = []
  let bytes = 0
  for (let n = 0; n < TIMES; n += 1) {
    const from = performance.now()
    const answer = await fetch(`${phone.url}/api/${command}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(input ?? {}) })
    bytes = (await answer.arrayBuffer()).byteLength
    if (!answer.ok) throw new Error(`${command}: ${answer.status}`)
    times.push(performance.now() - from)
  }
  figure(`${name}: answer, p50`, median(times).toFixed(1), 'ms')
  figure(`${name}: answer`, (bytes / 1024).toFixed(1), 'kB')
}

/** From a tap until what it asks for is painted. */
async function painted(page, name, tap, shows, exactly = 0) {
  const ms = await page.evaluate(async ([tap, shows, exactly]) => {
    const until = (holds) => new Promise((done) => {
      const look = () => (holds() ? done() : requestAnimationFrame(look))
      look()
    })
    const from = performance.now()
    if (tap.fill) {
      const field = document.querySelector(tap.in)
      field.value = tap.fill
      field.dispatchEvent(new Event('input', { bubbles: true }))
    } else document.querySelector(tap.click).click()
    await until(() => { const found = document.querySelectorAll(shows).length; return exactly ? found === exactly : found > 0 })
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    return performance.now() - from
  }, [tap, shows, exactly])
  figure(`${name}: tap to painted`, ms.toFixed(0), 'ms', `${name}_painted_ms`)
}

function bundle() {
  const [all, map] = [[0, 0], [0, 0]]
  const folder = join(root, 'ui/dist/field/assets')
  for (const name of readdirSync(folder)) {
    const sum = /^(engine|maplibre)/.test(name) ? map : all
    sum[0] += statSync(join(folder, name)).size
    sum[1] += gzipSync(readFileSync(join(folder, name))).length
  }
  for (const [name, [plain, packed]] of [['screens', all], ['map', map]]) {
    figure(`bundle, ${name}: plain / gzip`, `${Math.round(plain / 1024)}/${Math.round(packed / 1024)}`, 'kB')
    figures.push({ name: `app: ${name}_gzip`, unit: 'kB', figure: Math.round(packed / 1024) })
  }
}

const folder = mkdtempSync(join(tmpdir(), 'yaoguan-bench-'))
const town = await Town.start()
const browser = await launch()
try {
  const phone = new Phone(town, 'bench', { gpx: 'ui/e2e/place.gpx' })
  json('yaoguan', ['--data', phone.data, 'enrol', town.invite('chief', '联防长 测')])
  json('yaoguan', ['--data', phone.data, 'sync'])
  writeFileSync(join(folder, 'bench.csv'), table())
  writeFileSync(join(folder, 'bench.toml'), mapping(town.grids[0].code))
  const begun = performance.now()
  const { imported } = json('yaoguan', ['--data', phone.data, 'import', 'hazards', join(folder, 'bench.csv'), '--mapping', join(folder, 'bench.toml'), '--rejects', join(folder, 'rejects.csv')])
  figure('records', imported, '', 'records')
  figure('import', ((performance.now() - begun) / 1000).toFixed(1), 's')
  figure('database', (statSync(join(phone.data, 'phone.db')).size / 1024 / 1024).toFixed(1), 'MB')

  const from = performance.now()
  phone.options.push('--offline')
  await phone.start()
  const page = await open(browser, phone.url)
  await page.locator('.big.first').waitFor()
  figure('cold start to usable Today', (performance.now() - from).toFixed(0), 'ms', 'cold_start_ms')

  const box = (half) => ({ south: 24.6 - half, north: 24.6 + half, west: 99.2 - half, east: 99.2 + half })
  await asked(phone, 'today', 'today')
  await asked(phone, 'list', 'list', { kind: 'hazard' })
  await asked(phone, 'list, page 100', 'list', { kind: 'hazard', offset: 5_000 })
  await asked(phone, 'list by status', 'list', { kind: 'hazard', status: 'reported' })
  await asked(phone, 'nearest', 'list', { kind: 'hazard', near: { lat: 24.6, lon: 99.2 } })
  await asked(phone, 'search, common word', 'list', { kind: 'hazard', words: '裂缝' })
  await asked(phone, 'search, one record', 'list', { kind: 'hazard', words: ONE })
  await asked(phone, 'map, the whole town', 'hazards_in', box(0.2))
  await asked(phone, 'map, a street', 'hazards_in', box(0.002))
  await asked(phone, 'grids', 'grids')
  await asked(phone, 'waiting', 'list', { which: 'waiting' })
  await asked(phone, 'health', 'health')

  await page.goto(`${phone.url}/me`)
  await page.locator('a[href="/records?kind=hazard"]').waitFor()
  await painted(page, 'list', { click: 'a[href="/records?kind=hazard"]' }, '.page a[href^="/record/"]')
  await painted(page, 'search', { in: 'input[type=search]', fill: ONE }, '.page a[href^="/record/"]', 1)
  await painted(page, 'record', { click: '.page a[href^="/record/"]' }, 'main h1')
  await page.goto(phone.url)
  await page.locator('.big.first').waitFor()
  await painted(page, 'map', { click: 'a[href="/map"]' }, '.map[data-ready=true]')

  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const { metrics } = await session.send('Performance.getMetrics')
  figure('page, JavaScript heap', (metrics.find((one) => one.name === 'JSHeapUsedSize').value / 1024 / 1024).toFixed(1), 'MB', 'page_heap_mb')
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${phone.child.pid}/status`, 'utf8'))
  figure('phone, resident', (Number(memory[1]) / 1024).toFixed(1), 'MB', 'phone_rss_mb')
  bundle()
  for (const one of figures) console.log(JSON.stringify(one))
  await phone.kill()
} finally {
  await browser.close()
  await town.stop()
  rmSync(folder, { recursive: true, force: true })
}
