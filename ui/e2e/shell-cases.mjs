// What must hold of the app in its own window, against a real town over HTTPS: what is the shell's own, and
// the flows that the browser runs too.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { AppPhone } from './app.mjs'
import { cases, register } from './cases.mjs'
import { Page } from './locate.mjs'
import { begin, choosePin, pinFile, reset, type, unlock, unsent } from './people.mjs'
import { allOf, oneTile } from './pmtiles.mjs'

const button = (page, name) => page.getByRole('button', { name, exact: true })
const flow = (name) => {
  if (!cases[name]) throw new Error(`the browser has no case: ${name}`)
  return { [name]: cases[name] }
}

const first = {
  ...flow('a phone is enrolled with an invite and shows the first screen'),

  async 'a report is saved while the town is down'({ a: { page, phone }, ...at }) {
    await at.town.down()
    await page.getByRole('link', { name: '上报', exact: true }).click()
    await button(page, '滑坡崩塌').click()
    await page.getByRole('radio', { name: '较大' }).click()
    await button(page, '保存').click()
    await page.getByText('在本机', { exact: true }).waitFor()
    at.set('report', (await phone.driver.url()).split('/').pop())
    assert.equal((await phone.call('whereabouts')).waiting, 1)
    await phone.until('the try has failed and says so', async () => (await phone.call('sync_now')).error === 'offline', 120)
  },

  ...flow('a form goes on where it was after the app was killed'),

  async 'what waited is sent when the town is back, and the record says so'({ a: { page, phone }, ...at }) {
    await at.town.up()
    await phone.call('line', { online: true })
    await phone.synced()
    await page.goto(`${phone.url}/record/${at.report}`)
    await page.getByText('镇上已收到', { exact: true }).waitFor()
  },

  async 'no request leaves the window, whatever a page tries'({ a: { page, phone } }) {
    const ear = await listen()
    await fetch(ear.url).catch(() => undefined)
    assert.equal(ear.heard(), 1, 'the ear hears')
    const outcomes = await phone.driver.runAsync(tries.toString(), ear.url)
    assert.deepEqual(outcomes, { fetch: 'refused', xhr: 'refused', img: 'refused', script: 'refused', style: 'refused', socket: 'refused', events: 'refused', beacon: 'tried', opened: 'tried', left: 'tried' })
    await page.goto(`${phone.url}/me`)
    await page.getByText('联防长甲').first().waitFor()
    assert.equal(ear.heard(), 1, 'nothing of the window was heard')
    ear.close()
  },

  async 'a second app on the same folder says that there is one'({ a, ...at }) {
    const second = new AppPhone(at.town, '联防长甲')
    assert.equal(second.data, a.phone.data)
    await second.start()
    await new Page(second).getByText('已经在另一个窗口打开').waitFor()
    await second.driver.stop()
    assert.equal((await a.phone.call('forms')).length, 0)
  },
}

const rest = {
  async 'the app as it is given out asks for a PIN, which is bound to the key store of the desktop'(at) {
    const phone = await new AppPhone(at.town, '联防长丙', { pins: true }).start()
    const page = new Page(phone)
    at.set('c', { phone, page })
    at.apps.push(at.c)
    await register(page, at.town.invite('chief', '联防长丙'))
    await choosePin(page, '480213')
    await begin(page)
    await phone.synced()
    assert.equal(pinFile(phone).bound, true)
    assert.match(secret(phone, 'lookup'), /^[A-Za-z0-9+/]{43}=$/)
    await phone.kill()
    await phone.start()
    await unlock(page, '480213')
    assert.equal((await phone.call('today')).name, '联防长丙')
  },

  async 'a forgotten PIN is replaced with the key of the key store'({ c, town }) {
    await unsent(c.phone)
    await c.phone.call('lock')
    await c.page.goto(c.phone.url)
    await reset(town, c, '联防长丙', '751902')
  },

  async 'a key store that has lost the key is told in words; with the key back the PIN opens everything'({ c: { phone, page } }) {
    const kept = secret(phone, 'lookup')
    secret(phone, 'clear')
    await phone.call('lock')
    await page.goto(phone.url)
    await type(page, '751902')
    await page.getByText('系统密钥库里没有这部手机的密钥').waitFor()
    await page.getByRole('link', { name: '重新登记' }).waitFor()
    assert.ok(existsSync(join(pinFile(phone).folder, 'phone.db')))
    secret(phone, 'store', kept)
    await page.goto(phone.url)
    await unlock(page, '751902')
    assert.equal((await phone.call('forms')).length, 1)
    await phone.call('line', { online: true })
    await phone.until('what waited is sent', async () => (await phone.call('whereabouts')).waiting === 0)
  },

  async 'without a key store the PIN alone seals'({ town, ...at }) {
    const phone = await new AppPhone(town, '联防长丁', { pins: true, env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' } }).start()
    const page = new Page(phone)
    at.apps.push({ phone, page })
    await register(page, town.invite('chief', '联防长丁'))
    await choosePin(page, '480213')
    await begin(page)
    assert.equal(pinFile(phone).bound, false)
    await phone.kill()
    await phone.start()
    await unlock(page, '480213')
    await phone.call('lock')
    await page.goto(`${phone.url}/pin/forgotten/${pinFile(phone).person}`)
    await page.getByRole('heading', { name: '这部手机不能重设 PIN' }).waitFor()
  },

  async 'a picture is attached and shown, and its bytes pass through no command'({ a: { phone } }) {
    const { id } = await phone.call('start_form', { kind: 'hazard', values: { category: 'fire' } })
    const shown = await phone.driver.runAsync(picture.toString(), id)
    assert.deepEqual(shown, { thumb: true, full: true, none: false })
    await phone.call('discard_form', { id })
  },

  ...flow('two phones that edit the same field keep both, and a person settles it'),

  async 'the report is the same on the second phone'({ b: { page, phone }, ...at }) {
    await page.goto(`${phone.url}/record/${at.report}`)
    await page.getByText('村道塌方').first().waitFor()
    await page.getByText('镇上已收到', { exact: true }).waitFor()
  },

  ...flow('the camera takes a picture into a form and leaves no file of its own'),
  ...flow('a returned report is corrected without a line, and goes back'),
  async 'what a sync brought is told outside the window'({ a: { phone } }) {
    assert.match(log(phone), /news for the person/)
  },

  ...flow('a household check with a critical problem is high risk, to be seen again in seven days'),
  ...flow('a patrol is walked, measured, reviewed with its gaps and saved'),
  async 'a patrol keeps the app running until it ends; the log has nothing of what was written'(at) {
    const walked = log(at.apps.at(-1).phone)
    assert.match(walked, /a patrol keeps the app running[^]*no patrol keeps the app running/)
    for (const { phone } of at.apps) assert.doesNotMatch(log(phone), /yaoguan:|裂缝|绕湖|24\.5622|上街12号/)
  },

  ...flow('the map draws the grids and the hazards'),

  async 'the map draws over the tiles of a file that was chosen in the window, pictures and vectors'({ a: { page, phone } }) {
    const drawing = `(done) => { const c = document.createElement('canvas'); c.width = c.height = 256; const pen = c.getContext('2d'); pen.fillStyle = '#f0d020'; pen.fillRect(0, 0, 256, 256); done(c.toDataURL('image/png').split(',')[1]) }`
    const yellow = Buffer.from(await phone.driver.runAsync(drawing), 'base64')
    for (const [name, file, fits] of [
      ['a picture', oneTile(yellow), ([red, green, blue]) => red > 180 && green > 150 && blue < 130],
      ['a vector', oneTile(allOf('water'), ['water']), ([red, green, blue]) => blue > 200 && blue > red + 20 && green > red],
    ]) {
      await page.goto(`${phone.url}/settings`)
      await page.getByText('地图底图').first().waitFor()
      await page.locator('input[type=file][accept=".pmtiles"]').setInputFiles([{ name: 'town.pmtiles', mimeType: '', buffer: file }])
      await page.getByText('made by the test').waitFor()
      await page.goto(`${phone.url}/map`)
      await page.locator('.map[data-ready=true]').waitFor()
      const seen = await phone.driver.runAsync(pixel.toString(), (await page.screenshot()).toString('base64'), 12, 120)
      assert.ok(fits(seen), `${name}: ${seen}`)
    }
    assert.deepEqual(await phone.driver.runAsync(statuses.toString(), ['0/0/0', '1/0/0', 'x']), [200, 404, 400])
    await page.goto(`${phone.url}/settings`)
    await button(page, '移除底图').click()
    await page.getByText('没有底图').waitFor()
    assert.deepEqual(await phone.driver.runAsync(statuses.toString(), ['0/0/0']), [404])
  },
}

export const part = first
export const every = { ...first, ...rest }

const log = (phone) => readFileSync(join(phone.data, 'app.log'), 'utf8')

/** What the key store of the session has for the person of this phone. */
function secret(phone, verb, kept) {
  const { app } = JSON.parse(readFileSync(join(phone.data, 'people.json'), 'utf8'))
  const label = verb === 'store' ? ['--label', 'test'] : []
  const about = ['service', 'cn.yaoguan.smart', 'username', `${app}/${pinFile(phone).person}`]
  return execFileSync('secret-tool', [verb, ...label, ...about], { encoding: 'utf8', input: kept ?? '' }).trim()
}

/** Runs in the page: a pixel of a picture of it. */
function pixel(base64, x, y, done) {
  const image = new Image()
  image.onload = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
    const pen = canvas.getContext('2d')
    pen.drawImage(image, 0, 0)
    done([...pen.getImageData(x, y, 1, 1).data.slice(0, 3)])
  }
  image.onerror = () => done([])
  image.src = `data:image/png;base64,${base64}`
}

/** Runs in the page: what the scheme of the tiles answers. */
function statuses(paths, done) {
  Promise.all(paths.map((path) => fetch(`tiles://localhost/${path}`).then((answer) => answer.status, String))).then(done)
}

/** Runs in the page: draws a picture, attaches it, and says which sizes of it are shown. */
async function picture(target, done) {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
  const pen = canvas.getContext('2d')
  for (let x = 0; x < 640; x += 8) {
    pen.fillStyle = `hsl(${x} 80% 50%)`
    pen.fillRect(x, x / 2, 200, 100)
  }
  const file = await new Promise((drawn) => canvas.toBlob(drawn, 'image/jpeg'))
  const bytes = new Uint8Array(await file.arrayBuffer())
  const attached = await window.__TAURI_INTERNALS__.invoke('attach', bytes, { headers: { target } }).catch((refused) => ({ refused }))
  if (!attached.hash) return done(attached)
  const shows = (address) => new Promise((ends) => {
    const img = new Image()
    img.onload = () => ends(img.naturalWidth > 0)
    img.onerror = () => ends(false)
    img.src = address
  })
  const at = (hash, size) => `photo://localhost/${hash}?size=${size}`
  done({ thumb: await shows(at(attached.hash, 'thumb')), full: await shows(at(attached.hash, 'full')), none: await shows(at('00'.repeat(32), 'full')) })
}

/** A socket that counts who comes. */
async function listen() {
  let heard = 0
  const server = createServer((socket) => {
    heard += 1
    socket.end('HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  }).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  return { url: `http://127.0.0.1:${server.address().port}/`, heard: () => heard, close: () => server.close() }
}

/** Runs in the page. A policy's refusal is an event; some tries say nothing else. */
async function tries(url, done) {
  const refused = () => new Promise((ends) => document.addEventListener('securitypolicyviolation', () => ends('refused'), { once: true }))
  const ended = (attempt) => Promise.race([refused(), new Promise(attempt)])
  const element = (tag, attributes) => ended((ends) => {
    const el = Object.assign(document.createElement(tag), attributes)
    el.onload = () => ends('loaded')
    el.onerror = () => ends('refused')
    document.head.append(el)
  })
  const opens = (Kind, address) => ended((ends) => {
    const one = new Kind(address)
    one.onopen = () => ends('opened')
    one.onerror = () => { one.close(); ends('refused') }
  }).catch(() => 'refused')
  done({
    fetch: await ended((ends) => fetch(url, { mode: 'no-cors' }).then(() => ends('answered'), () => ends('refused'))),
    xhr: await ended((ends) => {
      const request = new XMLHttpRequest()
      request.onload = () => ends('answered')
      request.onerror = () => ends('refused')
      request.open('GET', url)
      request.send()
    }),
    img: await element('img', { src: `${url}picture.png` }),
    script: await element('script', { src: `${url}script.js` }),
    style: await element('link', { rel: 'stylesheet', href: `${url}style.css` }),
    socket: await opens(WebSocket, url.replace('http', 'ws')),
    events: await opens(EventSource, url),
    beacon: (navigator.sendBeacon(url, 'x'), 'tried'),
    opened: (window.open(url), 'tried'),
    left: (window.location.assign(url), 'tried'),
  })
}
