// Several people on one phone, their PINs, and what the screens must not do: in a browser, against a real town.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { launch, open } from './browser.mjs'
import { audit, register } from './cases.mjs'
import { oneTile } from './pmtiles.mjs'
import { json, Phone } from './programs.mjs'

const [FIRST, SECOND] = ['480213', '751902']
const button = (page, name) => page.getByRole('button', { name, exact: true })
const tap = (page, name) => button(page, name).click()

export async function type(page, pin) {
  for (const digit of pin) await tap(page, digit)
}
export async function choosePin(page, pin) {
  await page.getByRole('heading', { name: '设置六位数字 PIN' }).waitFor()
  await type(page, pin)
  await page.getByRole('heading', { name: '再输入一次' }).waitFor()
  await type(page, pin)
}
export async function begin(page) {
  await page.getByRole('link', { name: '开始使用' }).click()
  await page.getByText('开始巡逻').waitFor()
}
export async function unlock(page, pin) {
  await type(page, pin)
  await page.getByText('开始巡逻').waitFor()
}
/** A report that is not sent and a form that is open: what a forgotten PIN must not cost. */
export async function unsent(phone) {
  await phone.call('line', { online: false })
  const position = { lat: 24.562, lon: 99.128, source: 'map' }
  const values = { category: 'road', title: '还没发送', position }
  const { id } = await phone.call('start_form', { kind: 'hazard', values })
  await phone.call('save_form', { id })
  await phone.call('start_form', { kind: 'hazard', values: { category: 'fire', title: '草稿还在' } })
}
/** Somebody has forgotten the PIN: a new invite, which the town has to grant to the same person, and a new PIN. */
export async function reset(town, { page, phone }, name, pin) {
  await page.getByRole('link', { name: '忘记 PIN' }).click()
  await page.getByRole('heading', { name: '用邀请码重设 PIN' }).waitFor()
  const attempt = async (invite) => {
    await page.getByLabel('邀请码', { exact: true }).fill(invite)
    await tap(page, '下一步')
    await choosePin(page, pin)
  }
  await attempt(town.invite('chief', '另一个人'))
  await page.getByText('这个邀请码是给另一个人的').waitFor()
  await attempt(town.inviteAgain(name))
  await page.getByText('开始巡逻').waitFor()
  const [form] = await phone.call('forms')
  const { waiting } = await phone.call('whereabouts')
  assert.deepEqual([form.values.title, waiting], ['草稿还在', 1], 'nothing was lost')
}
/** `phone.key.pin` of the only person of a phone. */
export function pinFile(phone) {
  const { people } = JSON.parse(readFileSync(join(phone.data, 'people.json'), 'utf8'))
  const folder = people[0].id === 'first' ? phone.data : join(phone.data, 'people', people[0].id)
  return { ...JSON.parse(readFileSync(join(folder, 'phone.key.pin'), 'utf8')), folder, person: people[0].id }
}

/** A picture of the page as another page sees it: its pixels are data, not a screen. */
async function pixel(browser, png, x, y) {
  const page = await browser.newPage()
  const found = await page.evaluate(async ([base64, x, y]) => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    const pen = canvas.getContext('2d')
    pen.drawImage(image, 0, 0)
    return [...pen.getImageData(x, y, 1, 1).data.slice(0, 3)]
  }, [png.toString('base64'), x, y])
  await page.close()
  return found
}

/** Somebody's card of a printed sheet, as a camera would see it: a film of one picture. */
async function filmed(town, browser) {
  const grid = town.grids[0].code
  json('yaoguan-town', ['--data', town.data, 'accounts', 'add', '--login', 'zhang', '--name', '张三', '--role', 'chief', '--grids', grid])
  const sheet = join(town.folder, 'sheet.html')
  json('yaoguan-town', ['--data', town.data, 'invites', 'sheet', '--grid', grid, '--out', sheet, '--address', town.url])
  const page = await browser.newPage({ viewport: { width: 640, height: 640 } })
  await page.goto(pathToFileURL(sheet).href)
  const code = await page.locator('.card', { hasText: '张三' }).locator('svg').evaluate((svg) => svg.outerHTML)
  await page.setContent(`<body style="margin:0;background:#fff;display:grid;place-items:center;height:640px">${code.replace('<svg', '<svg width="520" height="520"')}</body>`)
  const jpeg = await page.screenshot({ type: 'jpeg', quality: 95 })
  await page.close()
  const film = join(town.folder, 'code.mjpeg')
  writeFileSync(film, Buffer.concat(Array.from({ length: 30 }, () => jpeg)))
  return film
}

export const peopleCases = {
  async 'a code of a printed sheet is read by the camera, and a PIN is set twice'({ town, browser, ...at }) {
    const film = await filmed(town, browser)
    const camera = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${film}`])
    const phone = await new Phone(town, 'shared', { pins: true }).start()
    const problems = []
    const page = await open(camera, phone.url, problems)
    for (let n = 0; n < 3; n += 1) await tap(page, '下一步')
    await tap(page, '扫二维码')
    await page.waitForFunction(() => document.querySelector('textarea')?.value.startsWith('yaoguan://enrol?'), undefined, { timeout: 60_000 })
    await tap(page, '登记')
    await choosePin(page, '123456')
    await page.getByText('太简单').waitFor()
    await type(page, FIRST)
    await page.getByRole('heading', { name: '再输入一次' }).waitFor()
    await type(page, SECOND)
    await page.getByText('两次输入不一样').waitFor()
    await choosePin(page, FIRST)
    assert.deepEqual(await audit(page), [])
    await begin(page)
    assert.equal((await phone.call('today')).name, '张三')
    assert.deepEqual(problems, [])
    await camera.close()
    at.set('shared', phone)
  },

  async 'a second person is added, and neither sees nor loses what the other has'({ town, browser, shared: phone, ...at }) {
    const problems = []
    const page = await open(browser, phone.url, problems)
    at.set('person', { page, problems })
    await page.goto(`${phone.url}/report`)
    await tap(page, '消防')
    await page.getByLabel('简要说明').fill('草稿还在')
    await phone.until('the words are kept', async () => (await phone.call('forms'))[0]?.values.title === '草稿还在')
    await page.goto(`${phone.url}/me`)
    await tap(page, '锁定或换人')
    await page.getByRole('heading', { name: '请输入 PIN' }).waitFor()
    await assert.rejects(phone.call('forms'), /locked/)
    await page.getByRole('link', { name: '添加一个人' }).click()
    await page.getByLabel('邀请码', { exact: true }).fill(town.invite('volunteer', '李四'))
    await tap(page, '登记')
    await choosePin(page, SECOND)
    await begin(page)
    assert.deepEqual(await phone.call('forms'), [])
    await phone.synced()
    await page.goto(`${phone.url}/me`)
    await tap(page, '锁定或换人')
    await page.getByRole('radio', { name: '张三' }).click()
    await unlock(page, FIRST)
    await page.goto(`${phone.url}/todo`)
    await page.getByText('草稿还在').waitFor()
    assert.deepEqual(problems, [])
  },

  async 'a wrong PIN is slowed, also after the app was killed, and nothing is lost'({ shared: phone, person: { page } }) {
    await page.goto(`${phone.url}/me`)
    await tap(page, '锁定或换人')
    for (let n = 0; n < 5; n += 1) {
      await type(page, '111222')
      await page.getByText(n < 4 ? 'PIN 不对' : '输错太多次').first().waitFor()
    }
    await phone.kill()
    await phone.start(phone.port)
    await page.goto(phone.url)
    await page.getByText('输错太多次').waitFor()
    const { people, lock } = await phone.call('people')
    const zhang = people.find((one) => one.name === '张三')
    assert.ok(lock === 'locked' && zhang.wait_ms > 0, JSON.stringify(people))
    await assert.rejects(phone.call('unlock', { person: zhang.id, pin: FIRST }), /pin_wait/)
    await phone.until('the wait is over', async () => (await phone.call('people')).people.every((one) => one.wait_ms === 0), 120)
    await page.goto(phone.url)
    await unlock(page, FIRST)
    await page.goto(`${phone.url}/todo`)
    await page.getByText('草稿还在').waitFor()
  },

  async 'a locked store is not synced, and its records go out when its person is in again'({ shared: phone }) {
    await phone.call('line', { online: false })
    const position = { lat: 24.562, lon: 99.128, source: 'map' }
    const form = await phone.call('start_form', { kind: 'hazard', values: { category: 'road', title: '护栏松动', position } })
    await phone.call('save_form', { id: form.id })
    await phone.call('lock')
    await phone.call('line', { online: true })
    const { runs } = await phone.call('sync')
    const { people } = await phone.call('people')
    await phone.call('unlock', { person: people.find((one) => one.name === '李四').id, pin: SECOND })
    await phone.until('the other has synced', async () => (await phone.call('sync_now')).runs > runs)
    await phone.call('unlock', { person: people.find((one) => one.name === '张三').id, pin: FIRST })
    await phone.until('it is sent', async () => (await phone.call('whereabouts')).waiting === 0, 60)
  },

  async 'a forgotten PIN is told what can be done, and a PIN is changed'({ shared: phone, person: { page } }) {
    const { people } = await phone.call('people')
    const zhang = people.find((one) => one.name === '张三').id
    await page.goto(`${phone.url}/pin/forgotten/${zhang}`)
    await page.getByRole('heading', { name: '这部手机不能重设 PIN' }).waitFor()
    await page.goto(`${phone.url}/settings`)
    await page.getByRole('link', { name: '更换 PIN' }).click()
    await page.getByRole('heading', { name: '现在的 PIN' }).waitFor()
    await type(page, FIRST)
    await choosePin(page, '602847')
    await page.getByRole('heading', { name: '设置' }).waitFor()
    await phone.call('lock')
    await assert.rejects(phone.call('unlock', { person: zhang, pin: FIRST }), /wrong_pin/)
    await phone.call('unlock', { person: zhang, pin: '602847' })
  },

  async 'a forgotten PIN is replaced where the system has the key, and nothing is lost, not even when it loses the key'({ town, browser, ...at }) {
    const phone = await new Phone(town, 'reset', { pins: true, keyStore: 'keys' }).start()
    const problems = []
    const page = await open(browser, phone.url, problems)
    at.set('reset', { phone, page })
    await register(page, town.invite('chief', '赵六'))
    await choosePin(page, FIRST)
    await begin(page)
    await phone.synced()
    assert.equal(pinFile(phone).bound, true)
    await unsent(phone)
    await phone.call('lock')
    await page.goto(phone.url)
    await reset(town, { page, phone }, '赵六', SECOND)
    await phone.call('lock')
    await assert.rejects(phone.call('unlock', { person: pinFile(phone).person, pin: FIRST }), /wrong_pin/)
    const keys = join(town.folder, 'keys')
    renameSync(keys, `${keys}.gone`)
    await page.goto(phone.url)
    await type(page, SECOND)
    await page.getByText('系统密钥库里没有这部手机的密钥').waitFor()
    await page.getByRole('link', { name: '重新登记' }).waitFor()
    assert.ok(existsSync(join(pinFile(phone).folder, 'phone.db')))
    renameSync(`${keys}.gone`, keys)
    await page.goto(phone.url)
    await unlock(page, SECOND)
    await phone.call('line', { online: true })
    await phone.until('what waited is sent', async () => (await phone.call('whereabouts')).waiting === 0)
    assert.deepEqual(problems, [])
  },

  async 'a number of a person in a free text is pointed out and saved all the same'({ shared: phone, person: { page } }) {
    await page.goto(`${phone.url}/report`)
    await tap(page, '环境卫生')
    await page.getByLabel('详细情况').fill('户主 11010519491231002X，电话 138 0000 0000')
    await page.getByText('这里好像有身份证号、手机号').waitFor()
    await page.getByLabel('详细情况').fill('编号 110105194912310021')
    await page.getByText('这里好像有').waitFor({ state: 'detached' })
  },

  async 'the map draws over the tiles of a file that was chosen on the phone'({ browser, town, shared: phone, person: { page, problems } }) {
    const blank = await browser.newPage()
    const png = await blank.evaluate(() => {
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = 256
      const pen = canvas.getContext('2d')
      pen.fillStyle = '#f0d020'
      pen.fillRect(0, 0, 256, 256)
      return canvas.toDataURL('image/png').split(',')[1]
    })
    await blank.close()
    const file = join(town.folder, 'town.pmtiles')
    writeFileSync(file, oneTile(Buffer.from(png, 'base64')))
    await page.goto(`${phone.url}/settings`)
    await page.locator('input[type=file]').setInputFiles(join(town.folder, 'sheet.html'))
    await page.getByText('这个文件不是能用的地图').waitFor()
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByText('made by the test').waitFor()
    await page.goto(`${phone.url}/map`)
    await page.locator('.map[data-ready=true]').waitFor()
    const [red, green, blue] = await pixel(browser, await page.screenshot(), 12, 120)
    assert.ok(red > 180 && green > 150 && blue < 130, `${red} ${green} ${blue}`)
    await page.goto(`${phone.url}/settings`)
    await tap(page, '移除底图')
    await page.getByText('没有底图').waitFor()
    assert.equal((await fetch(`${phone.url}/tiles/0/0/0`)).status, 404)
    assert.deepEqual(problems, [])
  },

  async 'an old WebView is told to be updated, in words, and the app does not start'({ browser, shared: phone }) {
    const context = await browser.newContext()
    await context.addInitScript(() => { delete window.structuredClone })
    const page = await context.newPage()
    await page.goto(phone.url)
    await page.getByRole('heading', { name: '请更新系统组件' }).waitFor()
    await page.getByText('structuredClone').waitFor()
    assert.equal(await page.locator('#app').evaluate((app) => app.childElementCount), 0)
    await context.close()
  },

  async 'the advice to a household prints without the app around it'({ a }) {
    if (!a) return
    const check = (await a.phone.call('list', { kind: 'household_check' })).rows[0].id
    await a.page.goto(`${a.phone.url}/advice/${check}`)
    await a.page.getByRole('button', { name: '打印' }).waitFor()
    await a.page.emulateMedia({ media: 'print' })
    assert.equal(await a.page.getByRole('button', { name: '打印' }).isVisible(), false)
    await a.page.getByText('住户签收').waitFor()
    assert.ok((await a.page.pdf()).length > 5_000)
    await a.page.emulateMedia({ media: 'screen' })
  },

  async 'the keys reach everything from top to bottom'({ shared: phone, person: { page } }) {
    for (const place of ['/', '/me', '/settings', '/report']) {
      await page.goto(phone.url + place)
      await page.locator('main h1, main h2').first().waitFor()
      const tops = []
      for (;;) {
        await page.keyboard.press('Tab')
        const top = await page.evaluate(() => {
          const at = document.activeElement
          if (!at || at === document.body || at.closest('nav.tabs') || at.dataset.seen) return null
          at.dataset.seen = '1'
          return Math.round(at.getBoundingClientRect().top + window.scrollY)
        })
        if (top === null) break
        tops.push(top)
      }
      assert.ok(tops.length > 2, `${place}: ${tops}`)
      // What stands in one row may differ by a little.
      assert.ok(tops.every((top, n) => n === 0 || top >= tops[n - 1] - 24), `${place}: ${tops}`)
    }
  },
}
