// What must hold of the app in a browser, against a real town. Each case goes on where the one before ended.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { open } from './browser.mjs'
import { Phone, root } from './programs.mjs'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const text = (page, words) => page.getByText(words, { exact: false }).first()
const button = (page, name) => page.getByRole('button', { name, exact: true })
const tap = (page, name) => button(page, name).click()

export async function enrolled(town, browser, role, name, options) {
  const phone = await new Phone(town, name, options).start()
  const problems = []
  const page = await open(browser, phone.url, problems)
  await enrol(page, phone, town.invite(role, name))
  return { phone, page, problems }
}

export async function enrol(page, phone, invite) {
  await register(page, invite)
  await page.getByText('开始巡逻').waitFor()
  await phone.synced()
}

export async function register(page, invite) {
  await page.getByText('下一步').click()
  await page.getByText('下一步').click()
  await page.getByText('下一步').click()
  await page.getByLabel('邀请码', { exact: true }).fill(invite)
  await tap(page, '登记')
}

export const cases = {
  async 'a phone is enrolled with an invite and shows the first screen'(at) {
    at.a = await at.enrolled('chief', '联防长甲', { gpx: 'ui/e2e/place.gpx' })
    await text(at.a.page, '全部已送达').waitFor()
    assert.equal(at.a.problems.join(), '')
  },

  async 'a report is saved without a line in at most five taps'({ a: { page, phone }, ...at }) {
    await phone.call('line', { online: false })
    await text(page, '没有网络，记录存在本机').waitFor()
    let taps = 0
    const tapped = async (what) => { taps += 1; await what.click() }
    await tapped(page.getByRole('link', { name: '上报', exact: true }))
    await tapped(button(page, '滑坡崩塌'))
    await tapped(page.getByRole('radio', { name: '较大' }))
    await tapped(button(page, '保存'))
    await page.getByText('在本机', { exact: true }).waitFor()
    assert.ok(taps <= 5, `${taps} taps`)
    at.set('report', page.url().split('/').pop())
    assert.equal((await phone.call('whereabouts')).waiting, 1)
    const { row } = await phone.call('record', { id: page.url().split('/').pop() })
    assert.ok(row.position, 'the place was found by itself')
  },

  async 'a form goes on where it was after the app was killed'({ a: { page, phone } }) {
    await page.goto(`${phone.url}/report`)
    await tap(page, '消防')
    await page.getByLabel('简要说明').fill('灭火器过期')
    await phone.until('the words are kept', async () => (await phone.call('forms'))[0]?.values.title === '灭火器过期')
    await phone.kill()
    await phone.start(phone.port)
    await phone.call('line', { online: false })
    await page.goto(`${phone.url}/todo`)
    await text(page, '灭火器过期').click()
    assert.equal(await page.getByLabel('简要说明').inputValue(), '灭火器过期')
    await tap(page, '保存')
    await page.getByText('在本机', { exact: true }).waitFor()
    assert.equal((await phone.call('forms')).length, 0)
  },

  async 'what waited is sent when the line is back, and the record says so'({ a: { page, phone }, ...at }) {
    await phone.call('line', { online: true })
    await phone.synced()
    await page.goto(`${phone.url}/record/${at.report}`)
    await page.getByText('镇上已收到', { exact: true }).waitFor()
  },

  async 'a second reporter nearby is asked whether it was reported already'({ a: { page, phone } }) {
    await page.goto(`${phone.url}/report`)
    await tap(page, '滑坡崩塌')
    await text(page, '附近已有人上报').waitFor()
    await tap(page, '补充到这一条')
    await page.getByLabel('补充说明').fill('今天又宽了')
    await page.getByRole('dialog').getByRole('button', { name: '保存' }).click()
    await text(page, '今天又宽了').waitFor()
    assert.equal((await phone.call('forms')).length, 0)
    await phone.synced()
  },

  async 'two phones that edit the same field keep both, and a person settles it'({ a, ...at }) {
    const b = await at.enrolled('chief', '联防长乙', { gpx: 'ui/e2e/place.gpx', camera: join(root, 'src-tauri/icons/icon.png') })
    at.set('b', b)
    for (const [one, words] of [[a, '路边坡开裂'], [b, '村道塌方']]) {
      await one.phone.call('line', { online: false })
      await one.page.goto(`${one.phone.url}/record/${at.report}`)
      await tap(one.page, '修改')
      await one.page.getByLabel('简要说明').fill(words)
      await tap(one.page, '保存')
      await one.page.getByText('在本机', { exact: true }).waitFor()
    }
    for (const one of [a, b, a]) {
      await one.phone.call('line', { online: true })
      await one.phone.synced()
    }
    await a.page.goto(`${a.phone.url}/record/${at.report}`)
    const conflict = a.page.locator('[data-test=conflict]')
    await conflict.getByText('路边坡开裂').waitFor()
    await conflict.getByText('村道塌方').waitFor()
    await conflict.locator('.side', { hasText: '村道塌方' }).getByRole('button', { name: '用这个' }).click()
    await conflict.waitFor({ state: 'detached' })
    await a.phone.synced()
    await b.phone.synced()
    const { row } = await b.phone.call('record', { id: at.report })
    assert.deepEqual([row.title, row.state], ['村道塌方', 'received'])
  },

  async 'the camera takes a picture into a form and leaves no file of its own'({ b: { page, phone } }) {
    await page.goto(`${phone.url}/report`)
    await tap(page, '消防')
    await tap(page, '拍照')
    await page.getByRole('button', { name: '看第 1 张照片' }).waitFor()
    assert.ok(!existsSync(join(phone.data, 'camera.tmp')))
    const [form] = await phone.call('forms')
    assert.equal(form.photos.length, 1)
    await phone.call('discard_form', { id: form.id })
    assert.deepEqual(await phone.call('forms'), [])
  },

  async 'a returned report is corrected without a line, and goes back'({ a: { page, phone }, ...at }) {
    const supervisor = at.town.person('supervisor', '督导')
    supervisor('edit', at.report, '--set', 'status=returned', '--note', '请写明裂缝的长度')
    supervisor('sync')
    await phone.synced()
    await phone.call('line', { online: false })
    await page.goto(`${phone.url}/todo`)
    await text(page, '请写明裂缝的长度').click()
    await tap(page, '更正后再提交')
    await page.getByLabel('详细情况').fill('裂缝长约三米')
    await tap(page, '改好了，再次提交')
    await page.getByText('在本机', { exact: true }).waitFor()
    await phone.call('line', { online: true })
    await phone.synced()
    supervisor('sync')
    const { fields } = supervisor('show', at.report)
    assert.deepEqual([fields.status, fields.description], ['reported', '裂缝长约三米'])
  },

  async 'a household check with a critical problem is high risk, to be seen again in seven days'({ a: { page, phone } }) {
    await page.goto(`${phone.url}/households`)
    await tap(page, '添加住户')
    await page.getByLabel('门牌或地址').fill('上街12号')
    await page.waitForTimeout(0)
    await tap(page, '保存')
    await tap(page, '开始检查')
    const critical = page.locator('li.card', { hasText: '关键项' }).first()
    await critical.getByRole('radio', { name: '有问题' }).click()
    await text(page, '目前高风险').waitFor()
    await tap(page, '查看风险与告知')
    await page.locator('[data-test=risk]').getByText('7 天内回访').waitFor()
    await tap(page, '已告知住户记录哪些内容')
    await tap(page, '保存')
    await page.getByRole('heading', { name: '整改告知' }).waitFor()
    const { due } = await phone.call('todo')
    const shanghai = new Date(Date.now() + (8 + 7 * 24) * 3600_000).toISOString().slice(0, 10)
    assert.equal(due[0].due_on, shanghai)
    await page.goto(`${phone.url}/households`)
    await page.getByPlaceholder('门牌或拼音').fill('sj12')
    await text(page, '上街12号').waitFor()
    await phone.synced()
  },

  async 'a patrol is walked, measured, reviewed with its gaps and saved'(at) {
    const walker = await at.enrolled('volunteer', '巡逻队员', { gpx: '../shared/data/gpx/cerknicko-jezero.gpx', speed: 3000 })
    const { page, phone } = walker
    await page.getByText('开始巡逻').click()
    await tap(page, '开始巡逻')
    await phone.until('the file is played', async () => (await phone.call('patrol')).points >= 1, 60)
    let points = 0
    await phone.until('no more fixes come', async () => {
      const now = (await phone.call('patrol')).points
      const same = now === points && now > 50
      points = now
      await new Promise((done) => setTimeout(done, 700))
      return same
    }, 90)
    await tap(page, '结束巡逻')
    await page.getByRole('dialog').getByRole('button', { name: '结束巡逻' }).click()
    await page.getByText('保存巡逻').waitFor()
    const review = await phone.call('review_patrol')
    await page.locator('[data-test=choose]').setInputFiles(await pictures(page, 2))
    await page.getByRole('button', { name: '看第 2 张照片' }).waitFor()
    await page.getByLabel('备注').fill('绕湖一圈')
    await page.getByLabel('参加人数').fill('3')
    await phone.until('the words are kept', async () => {
      const { note, members } = (await phone.call('forms'))[0].values
      return note === '绕湖一圈' && members === 3
    })
    await phone.kill()
    await phone.start(phone.port)
    await page.goto(`${phone.url}/todo`)
    await page.locator('a.draft').click()
    await page.getByRole('button', { name: '看第 2 张照片' }).click()
    await page.getByRole('button', { name: '移除这张' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '移除这张' }).last().click()
    await page.locator('ul.grid li').nth(1).waitFor({ state: 'detached' })
    await page.locator('[data-test=photo-state]', { hasText: '在本机' }).waitFor()
    assert.equal(await page.getByLabel('备注').inputValue(), '绕湖一圈')
    await tap(page, '保存巡逻')
    await page.getByText('在本机', { exact: true }).or(page.getByText('镇上已收到', { exact: true })).or(page.getByText('正在发送', { exact: true })).first().waitFor()
    await phone.synced()
    const [row] = (await phone.call('list', { kind: 'patrol' })).rows
    assert.equal(row.distance_cm, review.distance_cm)
    assert.ok(review.distance_cm > 100_000, `${review.distance_cm} cm`)
    assert.deepEqual([row.photos, row.photos_received], [1, 1])
    const { fields } = await phone.call('record', { id: row.id })
    assert.equal(fields.find((field) => field.path === 'members').values[0].value, 3)
    assert.deepEqual(walker.problems.filter((problem) => !problem.includes('ERR_CONNECTION')), [])
  },

  async 'the map draws the grids and the hazards'({ a: { page, phone, problems } }) {
    await page.goto(`${phone.url}/map`)
    await page.locator('.map[data-ready=true]').waitFor()
    await page.getByText(/图上有 [1-9]\d* 条隐患/).waitFor()
    assert.deepEqual(problems, [])
  },

  async 'a report with two photos outlives the app, arrives in full, and is seen on a second phone'({ a, b }) {
    const { page, phone } = a
    await phone.call('line', { online: false })
    await page.goto(`${phone.url}/report`)
    await tap(page, '房屋')
    await page.locator('[data-test=choose]').setInputFiles(await pictures(page, 2))
    await page.getByRole('button', { name: '看第 2 张照片' }).waitFor()
    await phone.kill()
    await phone.start(phone.port)
    await phone.call('line', { online: false })
    await page.reload()
    await page.getByRole('button', { name: '看第 2 张照片' }).waitFor()
    await page.getByLabel('简要说明').fill('墙体开裂')
    await tap(page, '保存')
    await page.locator('[data-test=photo-state]', { hasText: '在本机' }).nth(1).waitFor()
    const id = page.url().split('/').pop()
    await phone.call('line', { online: true })
    await phone.synced()
    await page.locator('[data-test=photo-state]', { hasText: '已送达' }).nth(1).waitFor()
    await page.locator('[data-test=state]').getByText('镇上已收到', { exact: true }).waitFor()
    const { row } = await phone.call('record', { id })
    assert.deepEqual([row.photos, row.photos_received], [2, 2])
    await b.phone.synced()
    await b.page.goto(`${b.phone.url}/record/${id}`)
    await b.page.locator('[data-test=photo-state]', { hasText: '在镇上' }).nth(1).waitFor()
    const drawn = (at) => b.page.locator('ul.grid img').nth(at).evaluate((image) => image.decode().then(() => image.naturalWidth))
    assert.deepEqual([await drawn(0), await drawn(1)], [320, 320], 'the thumbnails are here')
    await b.page.getByRole('button', { name: '看第 1 张照片' }).click()
    const original = b.page.locator('[data-test=original]')
    assert.equal(await original.evaluate((image) => image.decode().then(() => image.naturalWidth)), 1200)
    await b.page.getByRole('button', { name: '关闭' }).click()
    assert.deepEqual(a.problems.filter((problem) => !problem.includes('ERR_CONNECTION')), [])
  },

  async 'a revoked phone says so and keeps its records'({ a: { page, phone } }) {
    await page.route('**/api/sync_now', (route) => route.fulfill({ json: { running: false, online: true, metered: false, error: 'town_refused', town_code: 'device_revoked', sent: 0, received: 0, waiting: 0, files_sent: 0, files_waiting: 0, runs: 1 } }))
    await page.goto(`${phone.url}/sync`)
    await page.getByRole('heading', { name: '这部手机已被停用' }).waitFor()
    await page.unroute('**/api/sync_now')
  },

  async 'every screen is without faults of accessibility, in both themes, and its targets are large enough'({ a: { page, phone, problems }, ...at }) {
    const household = (await phone.call('list', { kind: 'household' })).rows[0].id
    const check = (await phone.call('list', { kind: 'household_check' })).rows[0].id
    const form = await phone.call('start_form', { kind: 'hazard', values: { category: 'fire', severity: 'major' } })
    const places = ['/', '/map', '/todo', '/me', '/settings', '/storage', '/privacy', '/report', `/hazard/${form.id}`, '/patrol', '/households', '/records?kind=hazard', `/record/${at.report}`, `/record/${household}`, `/record/${check}`, `/advice/${check}`, '/sync']
    const faults = []
    for (const theme of ['standard', 'outdoor']) {
      await phone.call('set_settings', { lang: 'zh', text_px: 18, theme })
      for (const place of places) {
        await page.goto(phone.url + place)
        await page.waitForLoadState('networkidle').catch(() => undefined)
        await page.locator('main h1, main h2').first().waitFor()
        faults.push(...(await audit(page, theme)).map((fault) => `${theme} ${place}: ${fault}`))
      }
    }
    await phone.call('set_settings', { lang: 'zh', text_px: 18, theme: 'standard' })
    await phone.call('discard_form', { id: form.id })
    assert.deepEqual([...faults, ...problems], [])
  },
}

/** Pictures with detail, as a camera gives them. */
async function pictures(page, count) {
  const made = await page.evaluate(async (many) => {
    const all = []
    for (let n = 0; n < many; n += 1) {
      const canvas = document.createElement('canvas')
      Object.assign(canvas, { width: 1200, height: 900 })
      const context = canvas.getContext('2d')
      const sky = context.createLinearGradient(0, 0, 0, 900)
      sky.addColorStop(0, n ? '#7a8b99' : '#8fb4c9')
      sky.addColorStop(1, n ? '#5c4b3a' : '#7d8a5a')
      context.fillStyle = sky
      context.fillRect(0, 0, 1200, 900)
      for (let i = 0; i < 4000; i += 1) {
        context.fillStyle = `hsl(${(i * 37 + n * 90) % 360} 20% ${30 + (i % 40)}%)`
        context.fillRect((i * 7919) % 1200, (i * 104729) % 900, 3 + (i % 23), 2 + (i % 17))
      }
      all.push(canvas.toDataURL('image/jpeg', 0.9).split(',')[1])
    }
    return all
  }, count)
  return made.map((base64, n) => ({ name: `picture-${n}.jpg`, mimeType: 'image/jpeg', buffer: Buffer.from(base64, 'base64') }))
}

export async function audit(page, theme) {
  await page.evaluate(axeSource)
  return page.evaluate(async (outdoor) => {
    const { violations } = await window.axe.run(document, { rules: { 'color-contrast': { enabled: true }, 'color-contrast-enhanced': { enabled: outdoor } } })
    const faults = violations.map((v) => `${v.id} ${v.nodes[0].target} ${v.nodes[0].failureSummary?.split('\n')[1] ?? ''}`)
    for (const el of document.querySelectorAll('a[href], button, input, select, textarea, [role=radio]')) {
      const box = el.getBoundingClientRect()
      const hidden = box.width <= 1 || el.closest('.maplibregl-control-container')
      if (!hidden && (box.height < 47.5 || box.width < 47.5)) faults.push(`small ${Math.round(box.width)}×${Math.round(box.height)} ${el.className || el.tagName} ${el.textContent.slice(0, 12)}`)
    }
    if (document.documentElement.scrollWidth > window.innerWidth) faults.push('wider than the screen')
    if (document.getAnimations().length > 0) faults.push('moves although less motion was asked for')
    return faults
  }, theme === 'outdoor')
}
