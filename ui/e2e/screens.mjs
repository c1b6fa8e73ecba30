// Pictures of every screen at 360×800: Chinese and English, normal and largest text, both themes.
// They go to docs/screens as WebP; ONLY=zh-18-standard limits the sets.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch, open } from './browser.mjs'
import { Phone, root, Town } from './programs.mjs'

const out = process.env.OUT ?? join(root, 'docs/screens')
const SETS = [
  ['zh', 18, 'standard'], ['en', 18, 'standard'], ['zh', 30, 'standard'], ['en', 30, 'standard'],
  ['zh', 18, 'outdoor'], ['en', 18, 'outdoor'], ['zh', 30, 'outdoor'], ['en', 30, 'outdoor'],
].filter((set) => !process.env.ONLY || process.env.ONLY.split(',').includes(set.join('-')))

const town = await Town.start()
const browser = await launch()
const phone = await new Phone(town, 'screens', { gpx: 'ui/e2e/walk.gpx', speed: 400 }).start()
let count = 0

async function picture(page, folder, name, tall = false) {
  // Chromium writes PNG; a canvas of the page's own browser makes the WebP.
  // A screen as tall as what it holds: what sticks to its foot stays there.
  const height = tall ? await page.evaluate(() => Math.max(800, document.documentElement.scrollHeight)) : 800
  await page.setViewportSize({ width: 360, height })
  if (await page.locator('.map').count()) await page.locator('.map[data-ready=true]').first().waitFor()
  const png = await page.screenshot()
  await page.setViewportSize({ width: 360, height: 800 })
  const webp = await shrinker.evaluate(async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    canvas.getContext('2d').drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', 0.45).split(',')[1]
  }, png.toString('base64'))
  writeFileSync(join(folder, `${name}.webp`), Buffer.from(webp, 'base64'))
  if (process.env.PNG) writeFileSync(join(folder, `${name}.png`), png)
  count += 1
}
const shrinker = await browser.newPage()

async function welcome(lang, px, theme, folder) {
  const fresh = await new Phone(town, `fresh-${lang}-${px}-${theme}`).start()
  await fresh.call('set_settings', { lang, text_px: px, theme })
  const page = await open(browser, fresh.url)
  for (const name of ['welcome-1', 'welcome-2', 'welcome-3']) {
    await page.locator('footer .main').waitFor()
    await picture(page, folder, name)
    await page.locator('footer .main').click()
  }
  await page.locator('form').waitFor()
  await picture(page, folder, 'welcome-enrol', true)
  await page.context().close()
  await fresh.kill()
}

/** PINs of two people on one phone. */
async function people(lang, px, theme, folder) {
  const shared = await new Phone(town, `people-${lang}-${px}-${theme}`, { pins: true }).start()
  await shared.call('set_settings', { lang, text_px: px, theme })
  const page = await open(browser, shared.url)
  const enrol = (name) => shared.call('enrol', { invite: town.invite('chief', name), device_name: 'screens', newcomer: true })
  await enrol('联防长 示例')
  await page.goto(`${shared.url}/pin`)
  await page.locator('.keys').waitFor()
  await picture(page, folder, 'pin', true)
  await shared.call('set_pin', { pin: '480213' })
  await shared.call('set_settings', { lang, text_px: px, theme })
  await page.goto(`${shared.url}/settings`)
  await page.locator('main h2').first().waitFor()
  await picture(page, folder, 'settings-pin', true)
  await enrol('志愿者 示例')
  const { people } = await shared.call('set_pin', { pin: '751902' })
  await shared.call('set_settings', { lang, text_px: px, theme })
  await shared.call('lock')
  await page.goto(`${shared.url}/unlock`)
  await page.locator('.keys').waitFor()
  await picture(page, folder, 'unlock', true)
  await page.goto(`${shared.url}/pin/forgotten/${people[0].id}`)
  await page.locator('main h2').first().waitFor()
  await picture(page, folder, 'pin-forgotten', true)
  await page.context().close()
  await shared.kill()
}

/** So many hazards that the map gathers them. */
async function many() {
  const busy = await new Phone(town, 'busy').start()
  await busy.call('enrol', { invite: town.invite('chief', '联防长 示例二'), device_name: 'screens', newcomer: true })
  await busy.synced()
  await busy.call('line', { online: false })
  const categories = ['fire', 'electrical', 'slope', 'flood', 'road', 'structure']
  for (let n = 0; n < 60; n++) {
    const position = { lat: 24.5605 + ((n * 37) % 60) * 6e-5, lon: 99.1265 + ((n * 23) % 60) * 6e-5, source: 'gps' }
    const form = await busy.call('start_form', { kind: 'hazard', values: { category: categories[n % 6], title: `第 ${n + 1} 处`, position } })
    await busy.call('save_form', { id: form.id })
  }
  return busy
}

async function gathered(busy, lang, px, theme, folder) {
  await busy.call('set_settings', { lang, text_px: px, theme })
  const page = await open(browser, `${busy.url}/map`)
  await page.locator('.map[data-ready=true]').waitFor()
  await picture(page, folder, 'map-many')
  await page.context().close()
}

/** A town in which something has happened, by real saves and syncs of real people. */
async function fill() {
  await phone.call('enrol', { invite: town.invite('chief', '联防长 示例'), device_name: 'screens' })
  await phone.synced()
  const save = async (kind, values) => {
    const form = await phone.call('start_form', { kind, values })
    await phone.call('save_form', { id: form.id })
    return form.id
  }
  const at = (north, east) => ({ lat: 24.562 + north * 1e-3, lon: 99.128 + east * 1e-3, source: 'gps' })
  const ids = {}
  ids.returned = await save('hazard', { category: 'slope', severity: 'serious', title: '村道边坡开裂', description: '裂缝约三米，雨后加宽。', position: at(1, 1), address: '蒜园村口' })
  ids.conflict = await save('hazard', { category: 'electrical', severity: 'major', title: '电线垂到路面', position: at(-2, 2) })
  await save('hazard', { category: 'fire', title: '消防栓被堆物遮挡', position: at(2, -2) })
  ids.household = await save('household', { address: '上街12号', position: at(0, 0.4), contact_name: '示例住户', contact_phone: '13800000000', occupants: '2_3' })
  await save('household', { address: '下街7号', position: at(0.8, 0.2), occupants: '4_6' })
  const items = (await phone.call('check_template')).items
  const answers = Object.fromEntries(items.map((item, n) => [`answers.${item.key}`, { answer: n === 5 || n === 1 ? 'problem' : 'fine' }]))
  const words = Object.fromEntries(items.map((item, n) => [item.key, n === 5 || n === 1 ? 'problem' : 'fine']))
  ids.check = await save('household_check', { household: ids.household, ...answers, advice: (await phone.call('assess', { answers: words })).advice_zh })
  await phone.synced()
  const supervisor = town.person('supervisor', '督导员')
  supervisor('edit', ids.returned, '--set', 'status=returned', '--note', '请写明裂缝的长度，并补充具体位置。')
  supervisor('add', 'task', '--set', 'what=patrol', '--set', `grid=${town.grids[0].code}`, '--set', 'words=雨后巡查沟边住户', '--set', 'due_on=2026-12-01')
  supervisor('add', 'notice', '--set', 'title=今晚有大雨', '--set', 'text=请各网格晚饭前看一遍沟渠和坡脚，发现险情先打电话。', '--set', `grids=["${town.grids[0].code}"]`)
  supervisor('edit', ids.conflict, '--set', 'title=电线脱落，已断电')
  await phone.call('set_values', { id: ids.conflict, values: { title: '上街电线垂地' } })
  supervisor('sync')
  await phone.synced()
  await phone.call('line', { online: false })
  ids.waiting = await save('hazard', { category: 'road', severity: 'general', title: '护栏松动', position: at(-1, -1) })
  return ids
}

async function screens(ids, lang, px, theme, folder) {
  await phone.call('set_settings', { lang, text_px: px, theme })
  const form = await phone.call('start_form', { kind: 'hazard', values: { category: 'slope', severity: 'major', position: { lat: 24.563, lon: 99.129, source: 'gps' } } })
  const check = await phone.call('start_form', { kind: 'household_check', values: { household: ids.household } })
  const first = (await phone.call('check_template')).items.find((item) => item.critical)
  await phone.call('patch_form', { id: check.id, values: { [`answers.${first.key}`]: { answer: 'problem', note: '' } } })
  const page = await open(browser, phone.url)
  const shots = [
    ['today', '/'], ['today-whole', '/'], ['map', '/map'], ['todo', '/todo'], ['me', '/me'], ['settings', '/settings'], ['storage', '/storage'], ['privacy', '/privacy'],
    ['report', '/report'], ['hazard', `/hazard/${form.id}`], ['patrol', '/patrol'], ['households', '/households'],
    ['check', `/check/${check.id}`], ['advice', `/advice/${ids.check}`], ['records', '/records?kind=hazard'],
    ['record-returned', `/record/${ids.returned}`], ['record-conflict', `/record/${ids.conflict}`], ['record-waiting', `/record/${ids.waiting}`],
    ['record-household', `/record/${ids.household}`], ['record-check', `/record/${ids.check}`], ['sync-offline', '/sync'],
    ['records-none', '/records?kind=patrol'],
  ]
  for (const [name, path] of shots) {
    await page.goto(phone.url + path)
    await page.locator('main h1, main h2').first().waitFor()
    await page.waitForLoadState('networkidle').catch(() => undefined)
    if (name === 'check') await page.locator('.so-far').waitFor()
    if (await page.locator('.map').count()) await page.locator('.map[data-ready=true]').first().waitFor()
    await picture(page, folder, name, !['map', 'today', 'check'].includes(name))
  }
  await page.goto(`${phone.url}/check/${check.id}`)
  await page.locator('.dock .main').click()
  await page.locator('[data-test=risk]').waitFor()
  await picture(page, folder, 'check-risk', true)
  await phone.call('start_patrol')
  await page.goto(`${phone.url}/patrol`)
  await page.locator('.map[data-ready=true]').waitFor()
  await phone.until('some way is gone', async () => (await phone.call('patrol')).points > 10 || px !== 18 || theme !== 'standard' || lang !== 'zh')
  await picture(page, folder, 'patrol-way')
  await page.locator('.dock .main').click()
  await page.locator('dialog .main').click()
  await page.locator('.map[data-ready=true]').waitFor()
  await page.locator('dl.figures').waitFor()
  await picture(page, folder, 'patrol-review', true)
  await phone.call('discard_patrol')
  await phone.call('discard_form', { id: form.id })
  await phone.call('discard_form', { id: check.id })
  await page.context().close()
}

const ids = await fill()
const busy = await many()
for (const [lang, px, theme] of SETS) {
  const folder = join(out, `${lang}-${px}-${theme}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await welcome(lang, px, theme, folder)
  await people(lang, px, theme, folder)
  await screens(ids, lang, px, theme, folder)
  await gathered(busy, lang, px, theme, folder)
}
await browser.close()
await phone.kill()
await busy.kill()
await town.stop()
console.log(`${count} pictures in ${out}`)
