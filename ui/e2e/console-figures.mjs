// Map, coverage and figures of the console in a real browser, in a demo town with a month of made-up work.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { launch } from './browser.mjs'
import { Town } from './programs.mjs'

const PASSWORD = 'correct horse battery'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder for pictures to look at. */
const pictures = process.env.PNG ?? ''
const SIZES = [[{ width: 1440, height: 900 }, 'zh-CN'], [{ width: 1024, height: 768 }, 'en-GB']]
const problems = []

function command(town, args, input = '') {
  const done = spawnSync(join(process.env.BIN, 'yaoguan-town'), ['--data', town.data, ...args], { input, encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr + done.stdout)
}
async function open(browser, town, [viewport, locale], login) {
  const context = await browser.newContext({ viewport, ignoreHTTPSErrors: true, locale, timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())) problems.push(message.text())
  })
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`)))
  await page.goto(`${town.url}/console`)
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', PASSWORD)
  await page.click('button[type=submit]')
  await page.waitForSelector('[data-test=nav-map]')
  return page
}
async function clean(page, what) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }))
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' | ')}`), [], what)
  const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: innerWidth }))
  assert.ok(wide <= room, `${what}: ${wide} px`)
}
async function picture(page, name) {
  if (!pictures) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}
/** Asks the town as the page does. */
const ask = (page, path) => page.evaluate((path) => fetch(`/console/v1/${path}`).then((answer) => answer.json()), path)
const drawn = (page) => page.waitForSelector('.town-map[data-ready=true]')

const cases = {
  async 'the map shows the grids with their numbers; a grid of the table has its card'({ pages, grid }) {
    for (const [page, name] of pages) {
      await page.click('[data-test=nav-map]')
      await drawn(page)
      const rows = page.locator('[data-test=grid-table] tbody tr')
      await rows.first().waitFor()
      assert.equal(await rows.count(), 91)
      await clean(page, `map ${name}`)
      await picture(page, `console-map-${name}`)
      const { grids } = await ask(page, 'coverage?days=7')
      const open = grids.find((row) => row.grid === grid).open
      await page.locator(`tr[data-grid="${grid}"] button`).focus()
      await page.keyboard.press('Enter')
      await page.locator('[data-test=card-open]', { hasText: new RegExp(`^${open}$`) }).waitFor()
      await page.locator('input[value=days]').check()
      await drawn(page)
      await clean(page, `map by days ${name}`)
      await picture(page, `console-map-days-${name}`)
    }
  },
  async 'the card of a grid leads to its reports in the inbox, whose address says so'({ pages: [[page]], grid }) {
    const { grids } = await ask(page, 'coverage?days=7')
    const open = grids.find((row) => row.grid === grid).open
    await page.click('[data-test=card-inbox]')
    await page.waitForFunction((grid) => location.hash.includes(`grid=${grid}`), grid)
    const ids = () => page.locator('[data-test=rows] [data-id]').evaluateAll((all) => all.map((one) => one.dataset.id))
    await page.waitForFunction((open) => document.querySelectorAll('[data-test=rows] [data-id]').length === open, Math.min(open, 50))
    const { rows } = await ask(page, `hazards?state=open&grid=${grid}`)
    assert.deepEqual((await ids()).sort(), rows.map((row) => row.id).sort())
    // A link that somebody keeps, or the way back, is the same question.
    await page.reload()
    await page.waitForFunction((open) => document.querySelectorAll('[data-test=rows] [data-id]').length === open, Math.min(open, 50))
    await page.click('[data-test=keep-view]')
    await page.fill('[data-test=view-name] input, input[data-test=view-name]', '这个网格')
    await page.keyboard.press('Enter')
    await page.locator('[data-test=kept-view][aria-pressed=true]').waitFor()
    await page.click('[data-test=view-all]')
    await page.waitForFunction(() => !location.hash.includes('grid='))
    await page.click('[data-test=kept-view]')
    await page.waitForFunction((grid) => location.hash.includes(`grid=${grid}`), grid)
    await page.click('[data-test=drop-view]')
    await page.click('[data-test=nav-inbox]')
    await page.waitForFunction(() => !location.hash.includes('grid='))
    await page.click('[data-test=nav-map]')
    await drawn(page)
  },
  async 'an earlier day has its own numbers'({ pages: [[page]] }) {
    const slider = page.locator('[data-test=map-slider]')
    const day = page.locator('[data-test=map-day]')
    const before = await day.textContent()
    await slider.focus()
    await page.keyboard.press('Home')
    await page.waitForFunction((before) => document.querySelector('[data-test=map-day]').textContent !== before, before)
    const on = await page.evaluate(() => new Date(Date.now() + 8 * 3600_000 - 30 * 86_400_000).toISOString().slice(0, 10))
    const { grids } = await ask(page, `coverage?days=7&on=${on}`)
    const open = grids.reduce((sum, row) => sum + row.open, 0)
    await page.waitForFunction((open) => {
      const cells = [...document.querySelectorAll('[data-test=grid-table] tbody tr td:nth-child(2)')]
      return cells.reduce((sum, cell) => sum + Number(cell.textContent), 0) === open
    }, open)
  },
  async 'households stand on the map when somebody asks for them, and the log says so'({ pages: [[page]] }) {
    const read = page.waitForResponse((answer) => answer.url().includes('/households/due'))
    await page.click('[data-test=map-households]')
    assert.equal((await read).status(), 200)
    await page.locator('[data-test=map-households]').waitFor({ state: 'detached' })
  },
  async 'coverage says which grids were walked, and lists households when asked to'({ pages }) {
    for (const [page, name] of pages) {
      await page.click('[data-test=nav-coverage]')
      await page.locator('[data-test=grid-table] tbody tr').first().waitFor()
      const { grids } = await ask(page, 'coverage?days=7')
      const walked = grids.filter((row) => row.patrols > 0).length
      assert.equal(await page.locator('[data-test=walked]').textContent(), String(walked))
      assert.equal(await page.locator('[data-test=missed]').textContent(), String(grids.length - walked))
      assert.ok(walked > 0)
      await page.click('[data-test=due-read]')
      await page.locator('[data-test=due-rows] a, [data-test=due-none]').first().waitFor()
      await clean(page, `coverage ${name}`)
      await picture(page, `console-coverage-${name}`)
    }
  },
  async 'figures are the town’s, each chart has its table'({ pages }) {
    for (const [page, name] of pages) {
      await page.click('[data-test=nav-figures]')
      await page.waitForSelector('[data-test=chart-by_day][data-drawn=true]')
      const figures = await ask(page, 'figures')
      assert.equal(await page.locator('[data-test=tile-reported] strong').textContent(), String(figures.reported))
      assert.ok(figures.reported > 0 && figures.closing.closed > 0)
      await picture(page, `console-figures-${name}`)
      const tables = page.locator('.charts summary')
      assert.ok(await tables.count() >= 6)
      for (const table of await tables.all()) await table.click()
      const cells = page.locator('[data-test=chart-by_category] tbody td')
      const total = (await cells.allTextContents()).reduce((sum, text) => sum + Number(text), 0)
      assert.equal(total, figures.reported)
      await clean(page, `figures ${name}`)
    }
  },
  async 'a supervisor of one grid counts that grid alone'({ browser, town, grid }) {
    const page = await open(browser, town, SIZES[0], 'li')
    await page.click('[data-test=nav-figures]')
    await page.waitForSelector('[data-test=chart-by_day][data-drawn=true]')
    const figures = await ask(page, 'figures')
    assert.deepEqual(Object.keys(figures.by_grid).filter((code) => code !== grid), [])
    await page.close()
  },
}

const town = await Town.start({ days: 30 })
const grid = town.grids[0].code
command(town, ['accounts', 'password', 'supervisor'], `${PASSWORD}\n`)
command(town, ['accounts', 'add', '--login', 'li', '--name', '李督导', '--role', 'supervisor', '--grids', grid])
command(town, ['accounts', 'password', 'li'], `${PASSWORD}\n`)
const browser = await launch()
const pages = [[await open(browser, town, SIZES[0], 'supervisor'), 'zh'], [await open(browser, town, SIZES[1], 'supervisor'), 'en-1024']]
let failed = 0
for (const [name, run] of Object.entries(cases)) {
  const begun = Date.now()
  try {
    await run({ town, grid, browser, pages })
    assert.deepEqual(problems.splice(0), [])
    console.log(`ok    ${name} (${Date.now() - begun} ms)`)
  } catch (error) {
    failed += 1
    problems.splice(0)
    console.log(`FAIL  ${name}\n${error.stack ?? error}`)
    await pages[0][0].screenshot({ path: '/tmp/console-figures-failed.png' }).catch(() => undefined)
  }
}
await browser.close()
await town.stop()
console.log(`${Object.keys(cases).length - failed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
