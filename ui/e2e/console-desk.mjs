// A supervisor's day at the console: tasks, the way of a report to its end, conflicts, many reports without a mouse.
import assert from 'node:assert/strict'

const row = (page, id) => page.locator(`[data-id="${id}"]`)
const status = (page, words) => page.locator('[data-test=record-status]', { hasText: words }).waitFor()
const words = (page) => page.locator('textarea[data-test=words], [data-test=words] textarea')
const go = async (page, town, place) => {
  await page.goto(`${town.url}/console/#${place}`)
}
/** Chooses in a select by typing and Enter. */
async function choose(page, test, text) {
  await page.click(`[data-test=${test}]`)
  await page.keyboard.type(text)
  await page.locator('.el-select-dropdown__item:visible', { hasText: text }).first().click()
}
export async function until(what, holds) {
  const end = Date.now() + 60_000
  for (;;) {
    if (await holds()) return
    assert.ok(Date.now() < end, `not within 60 s: ${what}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}
const due = (days) => new Date(Date.now() + (8 + days * 24) * 3600_000).toISOString().slice(0, 10)

export const report = (phone, title, more = []) =>
  phone('add', 'hazard', '--set', 'category=slope', '--set', 'severity=serious', '--set', `title=${title}`, '--set', 'position=24.61,99.20', ...more).id

export const cases = {
  async 'dispatched to a chief, put right on the phone, looked at again and closed'(at) {
    const { page } = at
    const id = report(at.first, '排洪沟淤堵', ['--set', `grid=${at.grid}`])
    at.first('sync')
    await row(page, id).click()
    await page.waitForSelector('[data-test=act-verified]')
    await page.locator('body').press('v')
    await status(page, '已核实')
    await page.waitForSelector('[data-test=act-assigned]')
    await page.locator('body').press('d')
    await choose(page, 'assignee', '网格长甲')
    await page.fill('[data-test=due]', due(3))
    await page.click('[data-test=send]')
    await status(page, '已派单')
    at.first('sync')
    assert.equal(at.first('show', id).fields.due_on, due(3))
    at.first('edit', id, '--set', 'status=rectified', '--set', 'rectification={"measures":"已清淤四十米"}')
    at.first('sync')
    await status(page, '已整改')
    await page.locator('[data-test=fields]', { hasText: '已清淤四十米' }).waitFor()
    await page.click('[data-test=act-closed]')
    await words(page).fill('复查合格')
    await page.click('[data-test=send]')
    await row(page, id).waitFor({ state: 'detached' })
    at.first('sync')
    assert.equal(at.first('show', id).fields.status, 'closed')
  },
  async 'a task arrives on the phone, is declined there, given again and done'(at) {
    const { page } = at
    await go(page, at.town, '/tasks')
    await page.click('[data-test=new-task]')
    await page.fill('[data-test=task-words] textarea, textarea[data-test=task-words]', '雨后巡查沟边')
    await choose(page, 'task-assignee', '网格长乙')
    await page.fill('[data-test=task-due]', due(1))
    await at.clean(page, 'a new task')
    await page.click('[data-test=task-send]')
    await page.locator('[data-test=title]', { hasText: '雨后巡查沟边' }).waitFor()
    await status(page, '待处理')
    const id = page.url().split('/').pop()
    at.second('sync')
    assert.equal(at.second('show', id).fields.words, '雨后巡查沟边')
    at.second('edit', id, '--set', 'status=declined', '--note', '当天在外培训')
    at.second('sync')
    await status(page, '已推辞')
    await page.locator('[data-test=timeline]', { hasText: '当天在外培训' }).waitFor()
    await page.click('[data-test=act-open]')
    await choose(page, 'assignee', '网格长甲')
    await page.click('[data-test=send]')
    await status(page, '待处理')
    at.first('sync')
    at.first('edit', id, '--set', 'status=acknowledged')
    at.first('edit', id, '--set', 'status=done')
    at.first('sync')
    await status(page, '已完成')
    await at.clean(page, 'tasks')
    await go(page, at.town, '/inbox')
  },
  async 'two phones and the supervisor write at once; what is settled here is what all three have'(at) {
    const { page } = at
    const id = report(at.first, '老标题', ['--set', `grid=${at.grid}`])
    at.first('sync')
    at.second('sync')
    at.first('edit', id, '--set', 'title=甲的标题')
    at.second('edit', id, '--set', 'title=乙的标题')
    await row(page, id).click()
    await page.waitForSelector('[data-test=act-verified]')
    // What the supervisor writes was read before either phone came.
    await page.locator('body').press('v')
    await status(page, '已核实')
    at.first('sync')
    at.second('sync')
    const conflict = page.locator('[data-test=conflict]')
    await conflict.waitFor()
    await conflict.locator('[data-test=third], input').first().fill('督导写的标题')
    await conflict.locator('form button').click()
    await conflict.waitFor({ state: 'detached' })
    at.first('sync')
    at.second('sync')
    // Not only what is shown: the whole record, with what was replaced and by whom.
    const town = () => page.evaluate((id) => fetch(`/console/v1/records/${id}`).then((answer) => answer.json()), id)
    const [one, other, here] = [at.first('show', id), at.second('show', id), await town()]
    assert.match(here.hash, /^[0-9a-f]{64}$/)
    assert.deepEqual([one.hash, other.hash], [here.hash, here.hash])
    assert.deepEqual([one.fields.title, one.fields.status, one.siblings], ['督导写的标题', 'verified', {}])
    await page.locator('[data-test=title]', { hasText: '督导写的标题' }).waitFor()
  },
  async 'who is on a major danger is seen by the others, and until then it rings'(at) {
    const { page } = at
    const other = await at.open(at.browser, at.town, { width: 1024, height: 768 }, 'en-GB')
    await at.signIn(other)
    const id = report(at.first, '屋后土坡鼓胀', ['--set', `grid=${at.grid}`, '--set', 'severity=major'])
    at.first('sync')
    const urgent = (on) => on.locator('li.urgent', { has: row(on, id) })
    await urgent(page).waitFor()
    await urgent(other).waitFor()
    await until('it rings', async () => Number(await page.locator('[data-rung]').getAttribute('data-rung')) > 0)
    await page.click('[data-test=mute]')
    assert.equal(await page.locator('[data-test=mute]').getAttribute('aria-pressed'), 'true')
    await row(other, id).click()
    await other.waitForSelector('[data-test=claim]')
    await other.locator('body').press('t')
    await row(page, id).getByText('李督导').last().waitFor()
    await urgent(page).waitFor({ state: 'detached' })
    await page.click('[data-test=mute]')
    await other.close()
  },
  async 'a view is kept, is there again after a reload, and given up'(at) {
    const { page } = at
    await page.click('[data-test=view-new]')
    await page.click('[data-test=keep-view]')
    await page.fill('[data-test=view-name] input, input[data-test=view-name]', '我的新上报')
    await page.keyboard.press('Enter')
    await page.locator('[data-test=kept-view]', { hasText: '我的新上报' }).waitFor()
    await page.reload()
    await page.locator('[data-test=kept-view]', { hasText: '我的新上报' }).click()
    await page.click('[data-test=drop-view]')
    await page.locator('[data-test=kept-view]').waitFor({ state: 'detached' })
    await page.click('[data-test=view-all]')
  },
  async 'fifty reports are handled without the mouse'(at) {
    const { page } = at
    const ids = []
    for (let n = 0; n < 50; n += 1) ids.push(report(at.second, `第${n}号边坡`, ['--set', `grid=${at.grid}`]))
    at.second('sync')
    const key = (name) => page.keyboard.press(name)
    const keyboardOn = async (test) => {
      await page.focus(`[data-test=${test}]`)
      await key('Enter')
    }
    const chosen = () => page.evaluate(() => document.querySelector('[aria-current=true][data-id]')?.dataset.id ?? null)
    const rows = () => page.locator('[data-test=rows] [data-id]').evaluateAll((all) => all.map((one) => one.dataset.id))
    await keyboardOn('view-new')
    await until('all are there', async () => (await rows()).filter((id) => ids.includes(id)).length === 50)
    await page.evaluate(() => document.activeElement?.blur())
    const toOne = async () => {
      while (!ids.includes(await chosen())) {
        const before = await chosen()
        await key('j')
        await until('another is chosen', async () => (await chosen()) !== before)
      }
    }
    // One by one: the neighbour of what was decided on takes its place.
    for (let n = 0; n < 10; n += 1) {
      await toOne()
      const id = await chosen()
      await page.locator('[data-test=act-verified]').waitFor()
      await key('v')
      await until('the next is shown', async () => (await chosen()) !== id && !(await rows()).includes(id))
    }
    // The rest at once: from the first to the last, one reason for all.
    const left = (await rows()).filter((id) => ids.includes(id))
    assert.equal(left.length, 40)
    for (const [end, pick] of [[left[0], 'x'], [left.at(-1), 'Shift+X']]) {
      for (let n = 0; (await chosen()) !== end; n += 1) {
        assert.ok(n < 150, 'the row is reached')
        const before = await chosen()
        const all = await rows()
        await key(all.indexOf(before) < all.indexOf(end) ? 'j' : 'k')
        await until('another is chosen', async () => (await chosen()) !== before)
      }
      await key(pick)
    }
    await page.locator('[data-test=picked]').waitFor()
    await key('v')
    await page.locator('[data-test=bulk]').waitFor()
    await at.clean(page, 'many at once')
    await page.locator('[data-test=bulk-words] textarea, textarea[data-test=bulk-words]').focus()
    await page.keyboard.type('一并核实')
    await key('Control+Enter')
    await until('all are verified', async () => (await rows()).filter((id) => ids.includes(id)).length === 0)
    at.second('sync')
    const done = ids.filter((id) => at.second('show', id).fields.status === 'verified')
    assert.equal(done.length, 50)
    await keyboardOn('view-all')
  },
}

Object.assign(cases, {
  async 'what is printed is a sheet in both languages'(at) {
    const { page } = at
    const id = report(at.first, '村道护栏松动', ['--set', `grid=${at.grid}`])
    at.first('sync')
    await go(page, at.town, `/print/notice/${id}`)
    await page.locator('[data-test=print-title]', { hasText: '整改通知书' }).waitFor()
    await page.getByText('村道护栏松动').waitFor()
    assert.equal(await page.getByText('网格长甲').count(), 0, 'no name stands in it')
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.locator('[data-test=print]').isVisible(), false)
    await page.emulateMedia({ media: 'screen' })
    await go(page, at.town, '/print/daily')
    await page.locator('[data-test=print-title]', { hasText: '网格日报' }).waitFor()
    await go(page, at.town, '/inbox')
    await page.waitForSelector('[data-test=rows]')
  },
  async 'tasks and the record are clean on a small screen in English'(at) {
    const small = await at.open(at.browser, at.town, { width: 1024, height: 768 }, 'en-GB')
    await at.signIn(small)
    for (const place of ['/inbox', '/tasks', '/print/daily']) {
      await go(small, at.town, place)
      await small.locator('[data-test=print-title], [data-test=fields], [data-test=empty]').first().waitFor().catch((error) => { throw new Error(`${place}: ${small.url()} ${error}`) })
      await at.clean(small, `${place} in English`)
      const wide = await small.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(wide <= 1024, `${place}: ${wide} px`)
    }
    await small.close()
  },
})
