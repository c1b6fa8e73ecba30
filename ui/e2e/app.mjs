// A phone as the real app: its own window, driven over WebDriver.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { enrol } from './cases.mjs'
import { Page } from './locate.mjs'
import { AnyPhone, program } from './programs.mjs'
import { Driver } from './webdriver.mjs'

export class AppPhone extends AnyPhone {
  url = 'tauri://localhost'

  constructor(town, name, { pins = false, env = {}, ...options } = {}) {
    super(town, name, options)
    this.env = env
    // The app asks for PINs unless it is told not to; the dev server the other way round.
    if (!pins) this.options.push('--without-pins')
  }

  async start() {
    this.driver = await Driver.start(program('smart-yaoguan'), ['--data', this.data, ...this.options], this.env)
    return this
  }
  /** As the system kills an app: nothing can be saved any more. */
  async kill() {
    const pid = Number(readFileSync(join(this.data, 'app.lock'), 'utf8'))
    process.kill(pid, 'SIGKILL')
    // What is dead but not yet fetched by its parent has no command line any more.
    while (commandLine(pid)) await new Promise((done) => setTimeout(done, 20))
    await this.driver.stop()
  }
  async call(command, input = {}) {
    const given = await this.driver.runAsync(
      `(name, input, done) => window.__TAURI_INTERNALS__.invoke('call', { name, input }).then((value) => done({ value }), (error) => done({ error }))`,
      command, JSON.stringify(input))
    if ('error' in given) throw new Error(`${command}: ${JSON.stringify(given.error)}`)
    return given.value
  }
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

export async function enrolledApp(town, role, name, options) {
  const phone = await new AppPhone(town, name, options).start()
  const page = new Page(phone)
  await enrol(page, phone, town.invite(role, name))
  return { phone, page, problems: [] }
}
