// Photos and exports at the console: what is still coming, the viewer, a list as a file and its entry in the log.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** A JPEG without what a browser writes beside JFIF and tables (a colour profile). */
function bare(jpeg) {
  const parts = [jpeg.subarray(0, 2)]
  let at = 2
  while (jpeg[at + 1] !== 0xda) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2)
    const marker = jpeg[at + 1]
    if (!(marker > 0xe0 && marker <= 0xef) && marker !== 0xfe) parts.push(jpeg.subarray(at, end))
    at = end
  }
  return Buffer.concat([...parts, jpeg.subarray(at)])
}

/** Photos as a browser draws them. */
async function drawn(page, count) {
  const texts = await page.evaluate((n) => Array.from({ length: n }, (_, at) => {
    const canvas = document.createElement('canvas')
    canvas.width = 1200
    canvas.height = 900
    const pen = canvas.getContext('2d')
    const sky = pen.createLinearGradient(0, 0, 0, 900)
    sky.addColorStop(0, '#9fb8c8')
    sky.addColorStop(1, '#5f6b4a')
    pen.fillStyle = sky
    pen.fillRect(0, 0, 1200, 900)
    pen.fillStyle = '#6b4f3a'
    pen.beginPath()
    pen.moveTo(0, 900)
    pen.lineTo(200 + 200 * at, 250)
    pen.lineTo(1200, 900)
    pen.fill()
    pen.strokeStyle = '#241a12'
    pen.lineWidth = 8
    pen.beginPath()
    for (let x = 0; x < 700; x += 20) pen.lineTo(250 + x, 420 + x / 2 + Math.sin(x + at) * 18)
    pen.stroke()
    return canvas.toDataURL('image/jpeg', 0.85)
  }), count)
  return texts.map((text) => bare(Buffer.from(text.split(',')[1], 'base64')))
}

/** A tool with a token of the phone sends a file as tus has it. */
async function send(page, town, token, bytes) {
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
  const metadata = `sha256 ${Buffer.from(sha256(bytes)).toString('base64')}`
  const begun = await page.request.post(`${town.url}/v1/blobs`, { headers: { ...headers, 'upload-length': String(bytes.length), 'upload-metadata': metadata } })
  assert.equal(begun.status(), 201)
  const sent = await page.request.patch(new URL(begun.headers().location, town.url).href, { headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, data: bytes })
  assert.equal(sent.status(), 204)
}

/** Asks for the list that the page shows as a CSV; gives its rows without the head. */
async function exported(page, list) {
  await page.click(`[data-test=export-${list}]`)
  const dialog = page.locator('[data-test=export-dialog]')
  await dialog.locator('input[value=csv]').check()
  await dialog.locator('textarea').fill('每周汇总')
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.locator('[data-test=export-send]').click()])
  await dialog.waitFor({ state: 'detached' })
  assert.match(file.suggestedFilename(), new RegExp(`^${list}-`))
  return readFileSync(await file.path(), 'utf8').split('\r\n').slice(1, -1)
}

export const fileCases = ({ row, report, clean, picture, admin }) => ({
  async 'photos that are still coming say so, and those that came open large'(at) {
    const photos = await drawn(at.page, 3)
    const fields = join(at.town.folder, 'photos.json')
    writeFileSync(fields, JSON.stringify(Object.fromEntries(photos.map((bytes, n) => [`photos.${sha256(bytes)}`, { caption: `裂缝 ${n + 1}`, taken_at: 1767225600 }]))))
    const id = report(at.first, '挡墙裂缝', ['--set', `grid=${at.grid}`, '--from', fields])
    at.first('sync')
    await row(at.page, id).locator('[data-test=coming]').waitFor()
    const { token } = at.first('token')
    for (const bytes of photos.slice(0, 2)) await send(at.page, at.town, token, bytes)
    await row(at.page, id).click()
    await at.page.locator('[data-test=tile] img').nth(1).waitFor()
    assert.equal(await at.page.locator('[data-test=tile-coming]').count(), 1)
    const drawnWide = (where, wide) => at.page.waitForFunction(([of, px]) => globalThis.document.querySelector(of)?.naturalWidth === px, [where, wide])
    await drawnWide('[data-test=tile] img', 320)
    await clean(at.page, 'photos')
    await picture(at.page, 'console-photos')
    await at.page.locator('[data-test=tile]').first().click()
    const viewer = at.page.locator('[data-test=viewer]')
    await viewer.waitFor()
    await at.page.keyboard.press('ArrowRight')
    await viewer.locator('[data-test=place]', { hasText: '2 / 2' }).waitFor()
    await at.page.keyboard.press('+')
    await viewer.locator('[data-test=zoom]', { hasText: '150 %' }).waitFor()
    await drawnWide('[data-test=viewer] img', 1200)
    await at.page.keyboard.press('0')
    await clean(at.page, 'viewer')
    await picture(at.page, 'console-viewer')
    await at.page.keyboard.press('Escape')
    await viewer.waitFor({ state: 'detached' })
    // The keys of the inbox were not meant.
    assert.equal(await row(at.page, id).getAttribute('aria-current'), 'true')
  },
  async 'a filtered list becomes a file with a reason, and stands in the audit log'(at) {
    const id = report(at.first, '排水沟垮塌', ['--set', `grid=${at.grid}`])
    at.first('sync')
    await row(at.page, id).waitFor()
    await at.page.click('[data-test=export-hazards]')
    const dialog = at.page.locator('[data-test=export-dialog]')
    await dialog.locator('[data-test=export-send]').waitFor()
    assert.ok(await dialog.locator('[data-test=export-send]').isDisabled(), 'not without a reason')
    await dialog.locator('input[value=csv]').check()
    await dialog.locator('textarea').fill('镇综治例会汇总')
    await clean(at.page, 'export')
    await picture(at.page, 'console-export')
    const [file] = await Promise.all([at.page.waitForEvent('download'), dialog.locator('[data-test=export-send]').click()])
    assert.match(file.suggestedFilename(), /^hazards-\d{4}-\d\d-\d\d\.csv$/)
    const text = readFileSync(await file.path(), 'utf8')
    assert.ok(text.startsWith('\ufeff编号,') && text.includes('排水沟垮塌'), text.slice(0, 200))
    await dialog.waitFor({ state: 'detached' })
    const log = JSON.parse(admin(at.town, ['--json', 'audit', 'list']))
    const entry = log.findLast((one) => one.act === 'exported')
    assert.equal(entry.reason, '镇综治例会汇总')
    assert.equal(entry.detail.filter.state, 'open')
  },
  async 'tasks, patrols and household checks become files as their pages show them'(at) {
    const { page, first, grid } = at
    const add = (kind, ...sets) => first('add', kind, ...sets.flatMap((one) => ['--set', one])).id
    const words = add('task', `grid=${grid}`, 'what=other', 'words=清理排水沟') && add('task', `grid=${grid}`, 'what=other', 'words=检查水井盖')
    const today = new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10)
    const patrol = add('patrol', `grid=${grid}`, 'team=chief', `started_at=${today}T00:00`)
    add('patrol', `grid=${grid}`, 'team=chief', 'started_at=2026-01-01T08:00')
    const household = add('household', `grid=${grid}`, 'address=上街3号')
    const check = add('household_check', `household=${household}`, 'template=home_safety', 'template_version=1', 'outcome=done')
    first('sync')
    assert.ok(words)
    await page.click('[data-test=nav-tasks]')
    await page.waitForSelector('[data-test=new-task]')
    await page.fill('[data-test=search] input, input[data-test=search]', '水井')
    await page.locator('[data-test=rows] [data-id]').nth(1).waitFor({ state: 'detached' })
    const tasks = await exported(page, 'tasks')
    assert.ok(tasks.length === 1 && tasks[0].includes('检查水井盖'), tasks.join('\n'))
    await page.click('[data-test=nav-coverage]')
    await page.waitForSelector('[data-test=export-checks]')
    await page.locator(`tr[data-grid="${grid}"] button`).click()
    const patrols = await exported(page, 'patrols')
    assert.deepEqual(patrols.map((line) => line.split(',')[0]), [patrol], 'of seven days alone')
    const checks = await exported(page, 'checks')
    assert.deepEqual(checks.map((line) => line.split(',')[0]), [check])
    await clean(page, 'coverage with exports')
    const log = JSON.parse(admin(at.town, ['--json', 'audit', 'list'])).filter((one) => one.act === 'exported').slice(-3)
    assert.deepEqual(log.map((one) => [one.detail.count, one.reason]), [[1, '每周汇总'], [1, '每周汇总'], [1, '每周汇总']])
    assert.deepEqual([log[1].detail.filter.grid, log[2].detail.households], [grid, [household]])
    await page.click('[data-test=nav-inbox]')
    await page.waitForSelector('[data-test=rows]')
  },
})
