// Pictures of the console at 1440×900 over a month of made-up work, in Chinese and English, as WebP in docs/screens/console.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from './browser.mjs'
import { Town, root } from './programs.mjs'

const PASSWORD = 'correct horse battery'
const out = process.env.OUT ?? join(root, 'docs/screens/console')
const town = await Town.start()
const admin = (...args) => execFileSync(join(process.env.BIN, 'yaoguan-town'), ['--data', town.data, ...args], { input: `${PASSWORD}\n`, stdio: ['pipe', 'ignore', 'inherit'] })
admin('demo-activity', '--seed', '1', '--days', process.env.DAYS ?? '30')
admin('accounts', 'password', 'supervisor')
admin('accounts', 'password', 'admin')
// Somebody is about to join.
for (const name of ['赵一', '钱二', '孙三']) town.invite('chief', name)
const shrinking = await launch()
const shrinker = await shrinking.newPage()
let count = 0

async function picture(page, lang, name) {
  const png = await page.screenshot()
  const webp = await shrinker.evaluate(async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    canvas.getContext('2d').drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', 0.55).split(',')[1]
  }, png.toString('base64'))
  writeFileSync(join(out, lang, `${name}.webp`), Buffer.from(webp, 'base64'))
  if (process.env.PNG) writeFileSync(join(process.env.PNG, `${name}-${lang}.png`), png)
  count += 1
}
/** Everything has come, and the maps are drawn. */
async function still(page) {
  await page.waitForLoadState('networkidle').catch(() => undefined)
  for (const map of await page.locator('.map[data-ready]').all()) await map.and(page.locator('[data-ready=true]')).waitFor()
}
/** Dates are written as the browser's own language has them. */
const browsers = { zh: await launch(['--lang=zh-CN']), en: await launch(['--lang=en-GB']) }
async function signedIn(lang, login) {
  const context = await browsers[lang].newContext({ viewport: { width: 1440, height: 900 }, ignoreHTTPSErrors: true, locale: lang === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(90_000)
  await page.goto(`${town.url}/console/`)
  await page.locator('[name=login]').waitFor()
  if (login === 'supervisor') await picture(page, lang, 'sign-in')
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', PASSWORD)
  await page.click('button[type=submit]')
  await page.locator('[data-test=me]').waitFor()
  return page
}

const go = (page, place) => page.goto(`${town.url}/console/#${place}`)
const ask = (page, path) => page.evaluate((path) => fetch(`/console/v1/${path}`).then((answer) => answer.json()), path)

/** What a supervisor opens from those pages. */
async function asSupervisor(page, lang) {
  await go(page, '/inbox')
  await page.click('[data-test=view-conflict]')
  await page.locator('[data-test=rows] [data-id]').first().click()
  await page.locator('[data-test=conflict]').waitFor()
  await still(page)
  await picture(page, lang, 'conflict')
  await page.click('[data-test=view-overdue]')
  await page.locator('[data-test=rows] [data-id]').first().click()
  const notice = await page.locator('[data-test=print-notice]').getAttribute('href')
  await go(page, '/map')
  await page.locator('[data-test=grid-table] button.name').nth(7).click()
  await page.locator('[data-test=grid-card]').waitFor()
  await still(page)
  await picture(page, lang, 'map-grid')
  const { rows } = await ask(page, 'households/due')
  const household = rows.find((row) => row.risk === 'high') ?? rows[0]
  const { links } = await ask(page, `records/${household.id}`)
  const check = links.filter((link) => link.relation === 'check').at(-1)
  const { features } = await ask(page, 'map/patrols?bbox=99.0,24.4,99.5,24.8&days=7')
  for (const [name, id] of [['record-household', household.id], ['record-check', check.id], ['record-patrol', features[0].properties.id]]) {
    await go(page, `/inbox/${id}`)
    await page.locator('[data-test=fields]').waitFor()
    await still(page)
    await picture(page, lang, name)
  }
  await go(page, '/tasks')
  await page.locator('[data-test=rows] [data-id]').first().waitFor()
  await page.click('[data-test=export-tasks]')
  await page.locator('[data-test=export-dialog]').waitFor()
  await still(page)
  await picture(page, lang, 'export')
  await page.goto(`${town.url}/console/${notice}`)
  await page.locator('[data-test=print-title]').waitFor()
  await picture(page, lang, 'print-notice')
}
/** What an administrator opens from those pages. */
async function asAdministrator(page, lang) {
  await go(page, '/held')
  await page.locator('[data-test=hold]').first().click()
  await page.locator('[data-test=hold-panel]').waitFor()
  await still(page)
  await picture(page, lang, 'held')
}

for (const lang of ['zh', 'en']) {
  rmSync(join(out, lang), { recursive: true, force: true })
  mkdirSync(join(out, lang), { recursive: true })
  for (const login of ['supervisor', 'admin']) {
    const page = await signedIn(lang, login)
    // Every page of the navigation, as it is there for this role.
    const names = await page.locator('nav [data-test^=nav-]').evaluateAll((all) => all.map((one) => one.dataset.test.slice(4)))
    const hrefs = await page.locator('nav [data-test^=nav-]').evaluateAll((all) => all.map((one) => one.getAttribute('href')))
    for (const [at, name] of names.entries()) {
      await page.goto('about:blank')
      await page.goto(`${town.url}/console/${hrefs[at]}`)
      await page.locator(`nav [data-test=nav-${name}][aria-current=page], [data-test=print-title]`).waitFor()
      await page.locator('h1').first().waitFor()
      await still(page)
      await picture(page, lang, name)
    }
    if (login === 'supervisor') await asSupervisor(page, lang)
    else await asAdministrator(page, lang)
    await page.context().close()
  }
}
for (const browser of [shrinking, ...Object.values(browsers)]) await browser.close()
await town.stop()
console.log(`${count} pictures in ${out}`)
