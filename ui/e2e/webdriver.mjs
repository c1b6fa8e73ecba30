// A WebDriver client over fetch: one tauri-driver, one window of the real app.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { ended, root, running } from './programs.mjs'
import { join } from 'node:path'

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
const native = process.env.WEBKIT_WEBDRIVER ?? '/usr/bin/WebKitWebDriver'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

export class Driver {
  /** Starts the app with these arguments and waits for its window. */
  static async start(application, args, env = {}) {
    const driver = new Driver()
    const [port, nativePort] = [await freePort(), await freePort()]
    const program = process.env.TAURI_DRIVER ?? join(root, 'target/tools/bin/tauri-driver')
    const options = ['--port', port, '--native-port', nativePort, '--native-driver', native].map(String)
    driver.child = spawn(program, options, { stdio: process.env.LOUD ? 'inherit' : 'ignore', env: { ...process.env, ...env } })
    running.add(driver.child)
    driver.child.once('exit', () => running.delete(driver.child))
    driver.base = `http://127.0.0.1:${port}`
    await driver.listening()
    const wanted = { 'tauri:options': { application, args } }
    const { sessionId } = await driver.send('POST', '/session', { capabilities: { alwaysMatch: wanted } })
    driver.base += `/session/${sessionId}`
    await driver.send('POST', '/timeouts', { script: 60_000, pageLoad: 60_000, implicit: 0 })
    return driver
  }
  async listening() {
    for (const end = Date.now() + 60_000; ; await new Promise((done) => setTimeout(done, 50))) {
      const answer = await fetch(`${this.base}/status`).catch(() => null)
      if (answer?.ok) return
      if (Date.now() > end || this.child.exitCode !== null) throw new Error('tauri-driver did not start')
    }
  }
  async send(method, path, body) {
    const request = { method, signal: AbortSignal.timeout(120_000) }
    if (method === 'POST') Object.assign(request, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) })
    const answer = await fetch(this.base + path, request)
    const { value } = await answer.json()
    if (!answer.ok) throw Object.assign(new Error(`${value?.error}: ${value?.message}`), { code: value?.error })
    return value
  }
  goto(url) { return this.send('POST', '/url', { url }) }
  url() { return this.send('GET', '/url') }
  run(script, ...args) { return this.send('POST', '/execute/sync', { script: `return (${script})(...arguments)`, args }) }
  /** The script is given `done` as its last argument. */
  runAsync(script, ...args) { return this.send('POST', '/execute/async', { script: `(${script})(...arguments)`, args }) }
  of(element, verb, body) { return this.send('POST', `/element/${element[ELEMENT]}/${verb}`, body) }
  async screenshot() { return Buffer.from(await this.send('GET', '/screenshot'), 'base64') }
  /** Closes the window, unless the app is gone already. */
  async stop() {
    await this.send('DELETE', '').catch(() => undefined)
    await ended(this.child, 'SIGTERM')
  }
}
