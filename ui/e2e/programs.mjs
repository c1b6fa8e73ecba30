// The real programs: a town over HTTPS, phones as dev servers, a supervisor on the command line.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = process.env.BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug')
export const program = (name) => join(bin, name)

export const running = new Set()
// Markers outside the data folders go with the town that they belong to.
const state = mkdtempSync(join(tmpdir(), 'yaoguan-state-'))
export const env = { ...process.env, XDG_STATE_HOME: state }
process.on('exit', () => rmSync(state, { recursive: true, force: true }))
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** Starts a program whose first line says where it listens. */
async function listening(name, args) {
  const child = spawn(program(name), args, { env, stdio: ['ignore', 'pipe', process.env.LOUD ? 'inherit' : 'ignore'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, url: JSON.parse(line).listening }
  }
  throw new Error(`${name} did not start`)
}

export async function ended(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill(signal)
  await gone
}

export function json(name, args) {
  return JSON.parse(execFileSync(program(name), ['--json', ...args], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] }))
}

export class Town {
  /** `days`: with so many days of made-up work. */
  static async start({ days = 0 } = {}) {
    const town = new Town()
    town.folder = mkdtempSync(join(tmpdir(), 'yaoguan-e2e-'))
    town.data = join(town.folder, 'town')
    town.admin = json('yaoguan-town', ['--data', town.data, 'init', '--demo']).admin
    if (days) json('yaoguan-town', ['--data', town.data, 'demo-activity', '--days', String(days)])
    await town.serve('127.0.0.1:0')
    town.grids = json('yaoguan-town', ['--data', town.data, 'grids', 'list'])
    return town
  }
  async serve(listen) {
    const { child, url } = await listening('yaoguan-town', ['--data', this.data, 'serve', '--listen', listen])
    Object.assign(this, { child, url })
  }
  invite(role, name) {
    const grid = this.grids[0].code
    const scope = role === 'supervisor' ? ['--grid', grid] : ['--grid', grid]
    return json('yaoguan-town', ['--data', this.data, 'invite', '--role', role, ...scope, '--name', name]).uri
  }
  /** For somebody who has an account: the newest of this name. */
  inviteAgain(name) {
    const { id } = json('yaoguan-town', ['--data', this.data, 'accounts', 'list']).findLast((one) => one.name === name)
    return json('yaoguan-town', ['--data', this.data, 'invite', '--account', id]).uri
  }
  /** A person at a command line. */
  person(role, name) {
    return this.phone(this.invite(role, name))
  }
  /** A phone at a command line, enrolled with an invite. */
  phone(invite, name = 'yaoguan') {
    const data = join(this.folder, `cli-${Math.random().toString(36).slice(2)}`)
    const run = (...args) => json('yaoguan', ['--data', data, ...args])
    run('enrol', invite, '--device-name', name)
    return run
  }
  /** Nothing answers at its address until `up`. */
  async down() {
    await ended(this.child, 'SIGTERM')
  }
  async up() {
    await this.serve(new URL(this.url).host)
  }
  async stop() {
    await this.down()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What is asked of a phone, whatever stands between it and its screens. */
export class AnyPhone {
  constructor(town, name, { gpx, speed = 1, pins = false, camera, keyStore } = {}) {
    this.data = join(town.folder, name)
    this.options = gpx ? ['--gpx', resolve(root, gpx), '--speed', String(speed)] : []
    if (pins) this.options.push('--pins')
    if (keyStore) this.options.push('--key-store', join(town.folder, keyStore))
    if (camera) this.options.push('--camera', camera)
    if (gpx && !existsSync(resolve(root, gpx))) throw new Error(`${gpx} is missing`)
  }
  /** Waits until the phone itself says so. */
  async until(what, holds, seconds = 120) {
    const end = Date.now() + seconds * 1000
    for (;;) {
      const found = await holds(this).catch((error) => ({ error: String(error) }))
      if (found && !found.error) return found
      if (Date.now() > end) {
        const sync = JSON.stringify(await this.call('sync_now').catch(String))
        throw new Error(`not within ${seconds} s: ${what} ${JSON.stringify(found)}, sync ${sync}`)
      }
      await new Promise((done) => setTimeout(done, 100))
    }
  }
  /** Asks for a sync and waits for the end of one that began after that. */
  async synced() {
    const { runs, running } = await this.call('sync')
    const enough = runs + (running ? 2 : 1)
    await this.until('the sync is over', async () => (await this.call('sync_now')).runs >= enough)
    const { error, town_code } = await this.call('sync_now')
    const { waiting } = await this.call('whereabouts')
    if (error || waiting > 0) throw new Error(`synced with ${error} ${town_code}, ${waiting} waiting`)
  }
}

/** A phone as a dev server. */
export class Phone extends AnyPhone {
  async start(port = 0) {
    const ui = join(root, 'ui/dist/field')
    const { child, url } = await listening('yaoguan-devserver', ['--data', this.data, '--port', String(port), '--ui', ui, ...this.options])
    Object.assign(this, { child, url, port: Number(new URL(url).port) })
    return this
  }
  /** As the system kills an app: nothing can be saved any more. */
  async kill() {
    await ended(this.child, 'SIGKILL')
  }
  async call(command, input = {}) {
    const answer = await fetch(`${this.url}/api/${command}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) })
    const body = await answer.json()
    if (!answer.ok) throw new Error(`${command}: ${JSON.stringify(body)}`)
    return body
  }
}
