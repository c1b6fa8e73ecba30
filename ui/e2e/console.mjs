// The supervisors' console in a real browser against a real town over HTTPS, with phones on the command line.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { launch } from './browser.mjs'
import { cases as desk, until } from './console-desk.mjs'
import { cases as hostile } from './console-hostile.mjs'
import { fileCases } from './console-files.mjs'
import { cases as administration } from './console-admin.mjs'
import { Town } from './programs.mjs'

const PASSWORD = 'correct horse battery'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const problems = []

function admin(town, args, input = '') {
  const done = spawnSync(join(process.env.BIN, 'yaoguan-town'), ['--data', town.data, ...args], { input, encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr + done.stdout)
  return done.stdout
}
async function open(browser, town, size, locale) {
  const context = await browser.newContext({ viewport: size, ignoreHTTPSErrors: true, locale, timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('dialog', () => problems.push('a script of a text ran'))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())) problems.push(message.text())
  })
  // What the browser refuses because of the content security policy fails the case.
  await page.exposeFunction('forbidden', (what) => problems.push(what))
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => globalThis.forbidden(`policy: ${event.violatedDirective} ${event.blockedURI}`)))
  await page.goto(`${town.url}/console`)
  return page
}
async function signIn(page, login = 'li') {
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', PASSWORD)
  await page.click('button[type=submit]')
  await page.waitForSelector('[data-test=rows]')
}
async function clean(page, what) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }))
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' | ')}`), [], what)
}
/** With E2E_PICTURES=FOLDER what was seen is kept there. */
async function picture(page, name) {
  if (process.env.E2E_PICTURES) await page.screenshot({ path: join(process.env.E2E_PICTURES, `${name}.png`) })
}
const row = (page, id) => page.locator(`[data-id="${id}"]`)
const inState = (page, id, words) => row(page, id).locator('[data-test=status]', { hasText: words }).waitFor()

const report = (phone, title, more = []) =>
  phone('add', 'hazard', '--set', 'category=slope', '--set', 'severity=serious', '--set', `title=${title}`, '--set', 'position=24.61,99.20', ...more).id

const cases = {
  async 'sign-in says what is wrong, lets the right person in, and is clean'(at) {
    await clean(at.page, 'sign-in')
    await at.page.fill('[name=login]', 'li')
    await at.page.fill('[name=password]', 'wrong password')
    await at.page.click('button[type=submit]')
    await at.page.waitForSelector('[role=alert]')
    await signIn(at.page)
    await at.page.waitForSelector('[data-test=empty]')
  },
  async 'a report of a phone arrives live'(at) {
    at.id = report(at.first, '村道边坡开裂', ['--set', `grid=${at.grid}`])
    at.first('sync')
    await row(at.page, at.id).waitFor()
    await inState(at.page, at.id, '已上报')
  },
  async 'returned with a reason it is a to-do on the phone; corrected it is back in the inbox'(at) {
    await row(at.page, at.id).click()
    await at.page.waitForSelector('[data-test=act-returned]')
    await at.page.keyboard.press('r')
    await at.page.fill('[data-test=words] textarea, textarea[data-test=words]', '请说明裂缝长度')
    await at.page.keyboard.press('Control+Enter')
    await inState(at.page, at.id, '已退回')
    at.first('sync')
    const shown = at.first('show', at.id)
    assert.equal(shown.fields.status, 'returned')
    assert.ok(JSON.stringify(shown).includes('请说明裂缝长度'))
    at.first('edit', at.id, '--set', 'status=reported', '--set', 'description=裂缝约三米')
    at.first('sync')
    await inState(at.page, at.id, '已上报')
    await at.page.locator('[data-test=fields]', { hasText: '裂缝约三米' }).waitFor()
  },
  async 'verified and closed with the keyboard, the phone hears of both'(at) {
    await at.page.waitForSelector('[data-test=act-verified]')
    await at.page.locator('body').press('v')
    await at.page.locator('[data-test=record-status]', { hasText: '已核实' }).waitFor()
    await at.page.waitForSelector('[data-test=act-closed]')
    await at.page.locator('body').press('c')
    await at.page.click('[data-test=send]')
    await at.page.locator('[data-test=record-status]', { hasText: '已办结' }).waitFor()
    at.first('sync')
    assert.equal(at.first('show', at.id).fields.status, 'closed')
  },
  async 'two phones that wrote different titles are settled here, and both phones converge'(at) {
    const id = report(at.first, '旧标题', ['--set', `grid=${at.grid}`])
    at.first('sync')
    at.second('sync')
    at.first('edit', id, '--set', 'title=甲写的标题')
    at.second('edit', id, '--set', 'title=乙写的标题')
    at.first('sync')
    at.second('sync')
    await row(at.page, id).click()
    const conflict = at.page.locator('[data-test=conflict]')
    await conflict.waitFor()
    await clean(at.page, 'a conflict')
    await conflict.locator('.side', { hasText: '乙写的标题' }).locator('[data-test=keep]').click()
    await conflict.waitFor({ state: 'detached' })
    at.first('sync')
    at.second('sync')
    assert.equal(at.first('show', id).fields.title, '乙写的标题')
    assert.equal(at.second('show', id).fields.title, '乙写的标题')
  },
  async 'the keys walk through the inbox and name themselves'(at) {
    const [one, other] = ['路灯不亮', '井盖松动'].map((title) => report(at.first, title, ['--set', `grid=${at.grid}`]))
    at.first('sync')
    for (const id of [one, other]) await row(at.page, id).waitFor()
    const chosen = () => at.page.locator('[aria-current=true]').getAttribute('data-id')
    await at.page.locator('body').press('k')
    await at.page.locator('body').press('k')
    await at.page.locator('body').press('k')
    const before = await chosen()
    await at.page.locator('body').press('j')
    assert.notEqual(await chosen(), before)
    await at.page.locator('body').press('?')
    await at.page.locator('dl.keys').waitFor()
    await at.page.keyboard.press('Escape')
    await at.page.locator('dl.keys').waitFor({ state: 'hidden' })
  },
  ...fileCases({ row, report, clean, picture, admin }),
  async 'signing out everywhere ends every session of that person'(at) {
    admin(at.town, ['accounts', 'add', '--login', 'wang', '--name', '王督导', '--role', 'supervisor', '--grids', at.grid])
    admin(at.town, ['accounts', 'password', 'wang'], `${PASSWORD}\n`)
    const both = []
    for (const size of [{ width: 1440, height: 900 }, { width: 1024, height: 768 }]) {
      const page = await open(at.browser, at.town, size, 'zh-CN')
      await signIn(page, 'wang')
      both.push(page)
    }
    await both[0].click('[data-test=me]')
    await clean(both[0], 'the menu of a person')
    await both[0].click('[data-test=sign-out-everywhere]')
    await both[0].waitForSelector('[name=login]')
    await both[1].reload()
    await both[1].waitForSelector('[name=login]')
    for (const page of both) await page.close()
  },
  async 'the inbox is clean in both languages and both sizes'(at) {
    await clean(at.page, 'inbox')
    const small = await open(at.browser, at.town, { width: 1024, height: 768 }, 'en-GB')
    await signIn(small)
    await small.waitForSelector('[data-test=fields]')
    await clean(small, 'inbox in English')
    const wide = await small.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(wide <= 1024, `${wide} px`)
    await small.close()
  },
}

const town = await Town.start()
const grid = town.grids[0].code
admin(town, ['accounts', 'add', '--login', 'li', '--name', '李督导', '--role', 'supervisor', '--grids', grid])
admin(town, ['accounts', 'password', 'li'], `${PASSWORD}\n`)
const browser = await launch()
const page = await open(browser, town, { width: 1440, height: 900 }, 'zh-CN')
const helpers = { open, signIn, clean, picture, until }
const at = { ...helpers, town, grid, browser, page, supervisor: town.person('supervisor', '督导甲'), first: town.person('chief', '网格长甲'), second: town.person('chief', '网格长乙') }
let failed = 0
const all = { ...cases, ...desk, ...administration, ...hostile }
const only = process.env.ONLY
for (const [name, run] of Object.entries(all).filter(([name]) => !only || name.includes(only) || name.startsWith('sign-in'))) {
  const begun = Date.now()
  try {
    await run(at)
    assert.deepEqual(problems.splice(0), [])
    console.log(`ok    ${name} (${Date.now() - begun} ms)`)
  } catch (error) {
    failed += 1
    console.log(`FAIL  ${name}\n${error.stack ?? error}`)
    await page.screenshot({ path: '/tmp/console-e2e-failed.png' }).catch(() => undefined)
  }
}
await browser.close()
await town.stop()
console.log(`${Object.keys(all).length - failed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
