// Debian's Chromium as a small phone.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

export async function launch(more = []) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: apt-get install chromium fonts-noto-cjk`)
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
  })
}

/** A page that fails its test when the console says that something broke. */
export async function open(browser, url, problems = []) {
  const context = await browser.newContext({ viewport: { width: 360, height: 800 }, deviceScaleFactor: 1, hasTouch: true, isMobile: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  // What the policy of the screens forbids, and whatever would leave the phone, fails the test too.
  await context.exposeFunction('forbidden', (what) => problems.push(what))
  await context.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => window.forbidden(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)))
  context.on('request', (request) => {
    if (/^(https?|wss?):/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin) problems.push(`leaves the phone: ${request.url()}`)
  })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(text)) problems.push(text)
  })
  await page.goto(url)
  return page
}
