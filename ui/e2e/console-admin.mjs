// An administrator's day at the console: accounts, invites, phones, held saves, the check, the log.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const PAGES = ['accounts', 'invites', 'devices', 'held', 'templates', 'standing', 'audit']
const go = (page, place) => page.click(`[data-test=nav-${place}]`)
const button = (page, test) => page.click(`[data-test=${test}]`)
const type = (page, test, words) => page.locator(`input[data-test=${test}], textarea[data-test=${test}], [data-test=${test}] input, [data-test=${test}] textarea`).fill(words)
/** Says why, and does it. */
async function surely(page, reason) {
  await type(page, 'reason', reason)
  await button(page, 'sure-go')
  await page.locator('[data-test=sure]').waitFor({ state: 'hidden' })
}
export async function enter(page, { login, password }) {
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', password)
  await page.click('button[type=submit]')
  await page.waitForSelector('[data-test=accounts]')
}

export const cases = {
  async 'an administrator signs in with the password of the first day'(at) {
    at.boss = await at.open(at.browser, at.town, { width: 1440, height: 900 }, 'zh-CN')
    await enter(at.boss, at.town.admin)
    assert.equal(await at.boss.locator('[data-test=nav-inbox]').count(), 0, 'records are not an administrator\'s')
  },
  async 'a table of accounts is looked at, mended by leaving a row out, and written'(at) {
    const page = at.boss
    const table = `账号,姓名,角色,网格\nzhao,赵一,联防长,${at.grid}\nqian,钱二,村长,${at.grid}\n`
    await button(page, 'open-import')
    await page.setInputFiles('[data-test=import-file]', { name: 'accounts.csv', mimeType: 'text/csv', buffer: Buffer.from(table) })
    await page.locator('[data-test=import-bad]', { hasText: '村长' }).waitFor()
    assert.ok(await page.locator('[data-test=import-go]').isDisabled(), 'nothing is written while a row is wrong')
    await page.locator('[data-test=skip-bad]').click()
    await at.picture(page, 'console-admin-import-zh')
    await at.clean(page, 'import')
    await button(page, 'import-go')
    await page.locator('[data-test=import-sum]', { hasText: '已新增 1' }).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('[data-test=import]').waitFor({ state: 'hidden' })
    await type(page, 'search-accounts', 'zhao')
    await page.locator('[data-login=zhao]').waitFor()
  },
  async 'a phone enrols with an invite that the page shows'(at) {
    const page = at.boss
    await page.click('[data-login=zhao]')
    await button(page, 'act-invite')
    await at.picture(page, 'console-admin-invite-zh')
    at.zhao = at.town.phone(await page.locator('[data-test=once-uri]').innerText())
    at.zhao('sync')
    await button(page, 'once-close')
  },
  async 'a new account is typed in with a grid of its village, and a dangerous act asks why'(at) {
    const page = at.boss
    await button(page, 'open-add')
    const dialog = page.locator('[data-test=account-dialog]')
    await dialog.locator('input').nth(0).fill('sun')
    await dialog.locator('input').nth(1).fill('孙三')
    await dialog.locator('summary').first().click()
    await dialog.locator(`[data-test=grid-${at.grid}]`).click()
    await at.clean(page, 'a new account')
    await button(page, 'save-account')
    await dialog.waitFor({ state: 'hidden' })
    await type(page, 'search-accounts', 'sun')
    await page.click('[data-login=sun]')
    await button(page, 'act-reset')
    assert.ok(await page.locator('[data-test=sure-go]').isDisabled(), 'a reason is asked for')
    await surely(page, '第一次登录')
    await page.locator('[data-test=once-code]').waitFor()
    await button(page, 'once-close')
  },
  async 'a sheet of invites is made and kept as a file'(at) {
    const page = at.boss
    await go(page, 'invites')
    await button(page, 'open-sheet')
    await page.selectOption('[data-test=sheet-role]', 'volunteer')
    await page.selectOption('[data-test=sheet-village]', at.grid.slice(0, 12))
    await button(page, 'make-sheet')
    await page.locator('[data-test=sheet-made]').waitFor()
    const download = page.waitForEvent('download')
    await button(page, 'download-sheet')
    const html = readFileSync(await (await download).path(), 'utf8')
    assert.equal(html.split('<article').length - 1, 4, 'a card for each volunteer')
    await page.keyboard.press('Escape')
    await page.locator('[data-test=sheet]').waitFor({ state: 'hidden' })
    await page.locator('[data-test=revoke-invite]').first().click()
    await surely(page, '不再需要')
  },
  async 'a phone is struck off; what it still sends is held, looked at and released'(at) {
    const page = at.boss
    await go(page, 'devices')
    await page.locator('tr', { hasText: '赵一' }).locator('[data-test=revoke-device]').click()
    await surely(page, '手机丢失')
    await page.locator('tr', { hasText: '赵一' }).getByText('已吊销').waitFor()
    at.zhao('add', 'hazard', '--set', 'category=slope', '--set', 'severity=serious', '--set', 'title=吊销后上报', '--set', `grid=${at.grid}`)
    assert.throws(() => at.zhao('sync'))
    await go(page, 'held')
    await button(page, 'hold')
    await page.locator('[data-test=hold-panel]', { hasText: '吊销后上报' }).waitFor()
    await at.picture(page, 'console-admin-held-zh')
    await at.clean(page, 'held')
    await type(page, 'hold-note', '已电话核实')
    await button(page, 'release')
    await page.locator('[data-test=nothing-held]').waitFor()
    at.first('sync')
    assert.ok(JSON.stringify(at.first('list', 'hazard')).includes('吊销后上报'), 'others have it')
  },
  async 'a check that asks of people is not published; a sound one reaches the phones'(at) {
    const page = at.boss
    await go(page, 'templates')
    const item = page.locator('[data-test=item]').first()
    await item.locator('button').first().click()
    await type(page, 'item-zh', '户主民族')
    await item.locator('[role=alert]', { hasText: '民族' }).waitFor()
    assert.ok(await page.locator('[data-test=publish]').isDisabled())
    await at.picture(page, 'console-admin-template-zh')
    await at.clean(page, 'a template in trouble')
    await type(page, 'item-zh', '燃气软管老化、开裂或超过2米')
    await item.locator('[role=alert]').waitFor({ state: 'hidden' })
    await page.locator('[data-test=publish]:enabled').click()
    await surely(page, '措辞更清楚')
    await page.locator('[data-test=published]').waitFor()
    at.first('sync')
    const all = at.first('list', 'template').map((row) => JSON.stringify(at.first('show', row.id)))
    assert.ok(all.some((text) => text.includes('开裂或超过2米')), 'the phone has the new version')
  },
  async 'each act stands in the log, which is whole'(at) {
    const page = at.boss
    await go(page, 'audit')
    await page.locator('[data-test=audit-check]', { hasText: '日志完整' }).waitFor()
    await page.selectOption('[data-test=audit-act]', 'device_revoked')
    await page.locator('[data-test=audit] tr', { hasText: '手机丢失' }).waitFor()
    assert.equal(await page.locator('[data-test=audit] tbody tr').count(), 1)
  },
  async 'every page of an administrator is clean, in both languages and both sizes'(at) {
    for (const [size, locale, mark] of [[{ width: 1440, height: 900 }, 'zh-CN', 'zh'], [{ width: 1024, height: 768 }, 'en-GB', 'en-1024']]) {
      const page = await at.open(at.browser, at.town, size, locale)
      await enter(page, at.town.admin)
      for (const place of PAGES) {
        await go(page, place)
        await page.locator('.table, .nothing, [data-test=item], [data-test=checks]').first().waitFor()
        await at.clean(page, `${place} ${mark}`)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.ok(wide <= size.width, `${place}: ${wide} px`)
        await at.picture(page, `console-admin-${place}-${mark}`)
      }
      await page.close()
    }
  },
}
