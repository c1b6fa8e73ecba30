// Whatever people write, into any text of any kind, is text on every page: nothing of it runs, and the browser's content security
// policy has nothing to report.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { enter } from './console-admin.mjs'
import { json } from './programs.mjs'

/** A payload that says where it was written; a name has 60 characters. */
const evil = (where) => `<img src=x onerror=alert(1)><script>alert(2)</script>${where}`
const long = (where) => `${evil(where)}{{constructor.constructor("alert(3)")()}}<svg/onload=alert(4)>"'><iframe src=javascript:alert(5)>`
const photo = (n) => `photos.${String(n).repeat(64)}`
const pairs = (fields) => Object.entries(fields).flatMap(([path, value]) => ['--set', `${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`])

/** One record of each kind that people write, every text of it filled. */
function records(at) {
  const { first, supervisor, grid } = at
  const add = (phone, kind, fields) => phone('add', kind, ...pairs(fields)).id
  const edit = (phone, id, fields, note) => phone('edit', id, ...pairs(fields), ...(note ? ['--note', note] : []))
  const sync = () => [first, supervisor, first].forEach((phone) => phone('sync'))
  const patrol = add(first, 'patrol', { grid, team: 'chief', started_at: '2026-11-24T08:30', weather: long('pw'), note: long('pn'), source: evil('ps'), source_key: evil('pk'), [photo(1)]: { caption: evil('pc') } })
  const household = add(first, 'household', { grid, address: long('ha'), contact_name: evil('hn'), contact_phone: evil('hp'), position: '24.61,99.20', need_help: { count: 1, consent_version: evil('hv'), consent_at: 1_790_000_000 } })
  const check = add(first, 'household_check', {
    household, template: 'home_safety', template_version: '1', outcome: 'done', advice: long('ca'), note: long('cn'),
    'answers.gas_valve': { answer: 'problem', note: long('cg') }, consent: { notice_version: evil('cv'), at: 1_790_000_000 }, [photo(2)]: { caption: evil('cc') },
  })
  const place = { grid, category: 'slope', severity: 'serious', position: '24.61,99.20' }
  const hazard = add(first, 'hazard', { ...place, patrol, title: long('zt'), description: long('zd'), address: long('za'), source: evil('zs'), source_key: evil('zk'), [photo(3)]: { caption: evil('zc') } })
  const fixed = add(first, 'hazard', { ...place, title: evil('ft'), status: 'rectified', rectification: { measures: long('fm') } })
  const linked = add(first, 'hazard', { ...place, household, title: evil('lt'), description: long('ld') })
  const task = add(first, 'task', { grid, what: 'other', words: long('tw'), about: hazard })
  sync()
  edit(supervisor, hazard, { status: 'returned' }, long('zr'))
  const notice = add(supervisor, 'notice', { title: long('nt'), text: long('nx'), grids: [grid] })
  edit(first, task, { status: 'declined' }, long('td'))
  sync()
  edit(first, hazard, { status: 'reported' }, long('zn'))
  sync()
  edit(supervisor, hazard, { status: 'transferred', transfer: { unit: evil('zu'), at: 1_790_000_000, answer: long('zw') } })
  // What has siblings is shown side by side.
  edit(first, hazard, { title: long('zx') })
  edit(supervisor, hazard, { title: long('zy') })
  sync()
  return { patrol, household, check, hazard, fixed, linked, task, notice }
}

/** People, phones, grids, a template, a held save and the reasons in the log. */
async function administration(at) {
  const run = (...args) => json('yaoguan-town', ['--data', at.town.data, ...args])
  run('accounts', 'add', '--login', 'evil', '--name', evil('an'), '--role', 'chief', '--grids', at.grid)
  const file = join(at.town.folder, 'evil.geojson')
  const ring = [[99.2, 24.6], [99.21, 24.6], [99.21, 24.61], [99.2, 24.61], [99.2, 24.6]]
  const properties = { code: at.grid, name: evil('gn'), village: at.grid.slice(0, 12), village_name: evil('gv') }
  writeFileSync(file, JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: [ring] } }] }))
  run('grids', 'import', file)
  const account = run('accounts', 'list').find((one) => one.login === 'evil')
  const { uri } = run('invite', '--account', account.id)
  const phone = at.town.phone(uri, evil('dn'))
  phone('sync')
  const device = run('devices', 'list').find((one) => one.name.endsWith('dn'))
  run('devices', 'revoke', device.id, '--reason', long('dr').slice(0, 200))
  phone('add', 'hazard', ...pairs({ grid: at.grid, category: 'slope', severity: 'serious', title: long('rt'), description: long('rd') }))
  assert.throws(() => phone('sync'))
  run('invite', '--account', account.id)
  await at.boss.evaluate(async (text) => {
    const get = (path) => fetch(`/console/v1/${path}`).then((answer) => answer.json())
    const { token } = await get('me')
    const post = (path, body) => fetch(`/console/v1/${path}`, { method: 'POST', headers: { 'x-csrf-token': token }, body: JSON.stringify(body) })
    const { versions } = await get('admin/templates')
    const { draft } = versions.at(-1)
    for (const item of draft.items) for (const key of ['zh', 'en', 'advice_zh', 'advice_en']) item[key] = text
    for (const key of ['title_zh', 'title_en', 'purpose', 'basis', 'retention']) draft[key] = text
    const done = await post('admin/templates', { draft, reason: text, publish: true })
    if (!done.ok) throw new Error(`the template: ${done.status} ${await done.text()}`)
  }, evil('tp'))
}

/** The page at an address, as somebody who opens it anew. */
async function visit(at, page, place, marks = []) {
  await page.goto('about:blank')
  await page.goto(`${at.town.url}/console/#${place}`)
  await page.locator('h1, [data-test=print-title]').first().waitFor()
  await page.waitForLoadState('networkidle')
  for (const mark of marks) {
    const found = () => page.evaluate((mark) => document.body.innerText.includes(mark), `</script>${mark}`)
    await at.until(`${place} shows ${mark}`, found)
  }
  const grown = await page.evaluate(() => document.querySelectorAll('img[src="x"], main script, main iframe, svg[onload], [onerror]').length)
  assert.equal(grown, 0, place)
  await at.clean(page, place)
}

export const cases = {
  async 'whatever people write into any text of any kind is text on every page'(at) {
    if (!at.boss) {
      at.boss = await at.open(at.browser, at.town, { width: 1440, height: 900 }, 'zh-CN')
      await enter(at.boss, at.town.admin)
    }
    const { page, boss } = at
    const of = records(at)
    await administration(at)
    const places = {
      '/inbox': ['zx', 'ft'], '/tasks': [], [`/tasks/${of.task}`]: ['tw', 'td'], '/map': [], '/coverage': [], '/figures': [], '/print/daily': [], '/held': [],
      [`/inbox/${of.hazard}`]: ['zd', 'za', 'zr', 'zn', 'zu', 'zx', 'zy'], [`/inbox/${of.fixed}`]: ['ft', 'fm'], [`/inbox/${of.linked}`]: ['lt', 'ld'],
      [`/inbox/${of.patrol}`]: ['pw', 'pn'], [`/inbox/${of.household}`]: ['ha', 'hn', 'hp', 'hv'], [`/inbox/${of.check}`]: ['ca', 'cn', 'cg', 'cv'],
      [`/inbox/${of.notice}`]: ['nt', 'nx'], [`/print/notice/${of.hazard}`]: ['zd', 'za'],
    }
    // Pages that came later are visited all the same.
    const rail = (on) => on.locator('nav [data-test^=nav-]').evaluateAll((all) => all.map((one) => one.getAttribute('href').replace('#', '')))
    for (const place of await rail(page)) places[place] ??= []
    for (const [place, marks] of Object.entries(places)) await visit(at, page, place, marks)
    const marks = { '/devices': ['an', 'dn'], '/invites': ['an'], '/held': ['an'], '/templates': [], '/audit': ['dr', 'tp'] }
    await boss.reload()
    await boss.locator('nav').waitFor()
    for (const place of await rail(boss)) await visit(at, boss, place, marks[place])
    // The list of accounts is long: looked for, and opened.
    await boss.goto(`${at.town.url}/console/#/accounts`)
    await boss.locator('[data-test=search-accounts] input, input[data-test=search-accounts]').fill('evil')
    await boss.locator('[data-login=evil]').click()
    await at.until('the account is shown', () => boss.evaluate(() => document.body.innerText.includes('</script>an')))
    await at.clean(boss, 'an account')
    await boss.goto(`${at.town.url}/console/#/held`)
    await boss.click('[data-test=hold]')
    await boss.locator('[data-test=hold-panel]', { hasText: '</script>rt' }).waitFor()
    await boss.goto(`${at.town.url}/console/#/templates`)
    await boss.locator('[data-test=item] button').first().click()
    await boss.locator('[data-test=item-zh]').first().waitFor()
    await at.clean(boss, 'held and templates')
  },
}
