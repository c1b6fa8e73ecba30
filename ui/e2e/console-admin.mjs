// An administrator's day at the console: accounts, invites, phones, held saves, the check, the log.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { oneTile } from './pmtiles.mjs'

const PAGES = ['accounts', 'invites', 'devices', 'held', 'notices', 'grids', 'tiles', 'templates', 'retention', 'standing', 'audit']
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
  async 'grids of a file are looked at, refused by feature, and reach the phones'(at) {
    const page = at.boss
    const ring = [[99.2, 24.6], [99.21, 24.6], [99.21, 24.61], [99.2, 24.61], [99.2, 24.6]]
    const feature = (code, name) => ({ type: 'Feature', properties: { WGBM: code, name }, geometry: { type: 'Polygon', coordinates: [ring] } })
    const file = (features) => ({ name: 'grids.geojson', mimeType: 'application/geo+json', buffer: Buffer.from(JSON.stringify({ type: 'FeatureCollection', features })) })
    await go(page, 'grids')
    await page.waitForSelector('[data-test=invented]')
    await button(page, 'open-grids')
    await page.setInputFiles('[data-test=grids-file]', file([feature(at.grid, '一'), feature('530521103999001', '二')]))
    await page.waitForSelector('[data-test=grids-troubles]')
    await page.selectOption('[data-test=map-code]', 'WGBM')
    await page.locator('[data-test=grid-file] td', { hasText: '530521103999' }).waitFor()
    await at.picture(page, 'console-admin-grids-refused-zh')
    await at.clean(page, 'grids that are refused')
    assert.ok(await page.locator('[data-test=grids-go]').isDisabled())
    await page.setInputFiles('[data-test=grids-file]', file([feature(at.grid, '中心网格')]))
    await page.locator('[data-test=grids-sum]', { hasText: '修改 1' }).waitFor()
    await at.picture(page, 'console-admin-grids-plan-zh')
    await button(page, 'grids-go')
    await surely(page, '按测绘成果更新')
    await page.locator('[data-test=grids-sum]', { hasText: '已新增 0' }).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('[data-test=grids] tr', { hasText: '中心网格' }).getByText('正式').waitFor()
    at.first('sync')
    assert.ok(at.first('list', 'grid').some((row) => JSON.stringify(row).includes('中心网格')), 'the phone has it')
  },
  async 'a map is refused when it is none, looked at, published, and given to phones'(at) {
    const page = at.boss
    await go(page, 'tiles')
    await page.setInputFiles('[data-test=tiles-file]', { name: 'map.pmtiles', mimeType: 'application/octet-stream', buffer: Buffer.from('no map') })
    await page.locator('[data-test=tiles-failure]', { hasText: 'PMTiles' }).waitFor()
    await page.setInputFiles('[data-test=tiles-file]', { name: 'map.pmtiles', mimeType: 'application/octet-stream', buffer: oneTile(await page.screenshot({ clip: { x: 0, y: 0, width: 256, height: 256 } })) })
    await page.locator('[data-test=tiles]', { hasText: '尚未发布' }).waitFor()
    await at.picture(page, 'console-admin-tiles-received-zh')
    await button(page, 'tiles-publish')
    await surely(page, '新底图')
    const tile = page.waitForResponse((response) => response.url().includes('/console/v1/tiles/') && response.status() === 200)
    await page.reload()
    await tile
    await page.locator('[data-test=tiles]', { hasText: '正在使用' }).waitFor()
    await at.clean(page, 'the map')
  },
  async 'a notice is on the phone until it is withdrawn'(at) {
    const page = at.boss
    await go(page, 'notices')
    await button(page, 'new-notice')
    await type(page, 'notice-title', '汛期值守')
    await type(page, 'notice-text', '今晚有大雨，请各网格巡查沟渠')
    await at.picture(page, 'console-admin-notice-zh')
    await at.clean(page, 'a new notice')
    await button(page, 'notice-give')
    await page.locator('[data-test=notices] tr', { hasText: '汛期值守' }).waitFor()
    at.first('sync')
    const there = () => at.first('list', 'notice').some((row) => JSON.stringify(row).includes('汛期值守'))
    assert.ok(there(), 'the phone has it')
    await button(page, 'withdraw')
    await button(page, 'withdraw-go')
    await page.locator('[data-test=notices] tr', { hasText: '已撤回' }).waitFor()
    at.first('sync')
    assert.ok(!there(), 'it is gone from the phone')
  },
  async 'fewer days are tried out, and kept with a reason'(at) {
    const page = at.boss
    await go(page, 'retention')
    await page.locator('[data-test=retention-days]', { hasText: '730' }).waitFor()
    await page.fill('[data-test=retention-input]', '400')
    await page.locator('[data-test=would-go] h2', { hasText: '400' }).waitFor()
    await button(page, 'retention-set')
    await surely(page, '镇里决定')
    await page.locator('[data-test=retention-days]', { hasText: '400' }).waitFor()
  },
  async 'phones are put in order by what waits on them longest'(at) {
    const page = at.boss
    await go(page, 'devices')
    await button(page, 'sort-unsent')
    await page.locator('[data-test=devices] th[aria-sort=ascending]').waitFor()
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
        await page.locator('.table, .nothing, [data-test=item], [data-test=checks], [data-test=tiles]').first().waitFor()
        await at.clean(page, `${place} ${mark}`)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.ok(wide <= size.width, `${place}: ${wide} px`)
        await at.picture(page, `console-admin-${place}-${mark}`)
      }
      await page.close()
    }
  },
}
