// Pictures of the console at 1440×900 over a month of made-up work, in Chinese and English, as WebP in docs/screens.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from './browser.mjs'
import { Town, root } from './programs.mjs'

const PASSWORD = 'correct horse battery'
const out = process.env.OUT ?? join(root, 'docs/screens')
const town = await Town.start()
const admin = (...args) => execFileSync(join(process.env.BIN, 'yaoguan-town'), ['--data', town.data, ...args], { input: `${PASSWORD}\n`, stdio: ['pipe', 'ignore', 'inherit'] })
admin('demo-activity', '--seed', '1', '--days', process.env.DAYS ?? '30')
admin('accounts', 'password', 'supervisor')
admin('accounts', 'password', 'admin')
const browser = await launch()
const shrinker = await browser.newPage()
let count = 0

async function picture(page, lang, name) {
  const png = await page.screenshot()
  const webp = await shrinker.evaluate(async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    canvas.getContext('2d').drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', 0.7).split(',')[1]
  }, png.toString('base64'))
  writeFileSync(join(out, `console-${lang}`, `${name}.webp`), Buffer.from(webp, 'base64'))
  if (process.env.PNG) writeFileSync(join(process.env.PNG, `${name}-${lang}.png`), png)
  count += 1
}
/** Everything has come, and the maps are drawn. */
async function still(page) {
  await page.waitForLoadState('networkidle').catch(() => undefined)
  for (const map of await page.locator('.map[data-ready]').all()) await map.and(page.locator('[data-ready=true]')).waitFor()
}
async function signedIn(lang, login) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ignoreHTTPSErrors: true, locale: lang === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(`${town.url}/console/`)
  await page.locator('[name=login]').waitFor()
  if (login === 'supervisor') await picture(page, lang, 'sign-in')
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', PASSWORD)
  await page.click('button[type=submit]')
  await page.locator('[data-test=me]').waitFor()
  return page
}

for (const lang of ['zh', 'en']) {
  rmSync(join(out, `console-${lang}`), { recursive: true, force: true })
  mkdirSync(join(out, `console-${lang}`), { recursive: true })
  for (const login of ['supervisor', 'admin']) {
    const page = await signedIn(lang, login)
    // Every page of the navigation, as it is there for this role.
    const names = await page.locator('nav [data-test^=nav-]').evaluateAll((all) => all.map((one) => one.dataset.test.slice(4)))
    const hrefs = await page.locator('nav [data-test^=nav-]').evaluateAll((all) => all.map((one) => one.getAttribute('href')))
    for (const [at, name] of names.entries()) {
      await page.goto(`${town.url}/console/`)
      await page.goto(`${town.url}/console/${hrefs[at]}`)
      await page.locator('h1').first().waitFor()
      await still(page)
      await picture(page, lang, name)
    }
    if (login === 'supervisor') {
      await page.goto(`${town.url}/console/#/inbox`)
      await page.click('[data-test=view-conflict]')
      await page.locator('[data-test=rows] [data-id]').first().click()
      await page.locator('[data-test=conflict]').waitFor()
      await still(page)
      await picture(page, lang, 'conflict')
      await page.click('[data-test=view-overdue]')
      await page.locator('[data-test=rows] [data-id]').first().click()
      await page.locator('[data-test=print-notice]').waitFor()
      const notice = await page.locator('[data-test=print-notice]').getAttribute('href')
      await page.goto(`${town.url}/console/${notice}`)
      await page.locator('[data-test=print-title]').waitFor()
      await picture(page, lang, 'notice')
    }
    await page.context().close()
  }
}
await browser.close()
await town.stop()
console.log(`${count} pictures in ${out}`)
