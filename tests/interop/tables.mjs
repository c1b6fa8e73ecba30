// The console's exports in LibreOffice: the workbook opens, and says what the CSV says.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

let session
async function signedIn(at) {
  if (session) return session
  const body = JSON.stringify({ login: at.login, password: at.password })
  const answer = await fetch(`${at.url}/console/v1/session`, { method: 'POST', headers: { origin: at.url }, body })
  assert.equal(answer.status, 200)
  const cookie = answer.headers.get('set-cookie').split(';')[0]
  session = { origin: at.url, cookie, 'x-csrf-token': (await answer.json()).token, 'accept-language': 'zh' }
  return session
}

async function exported(at, name, filter = {}) {
  const headers = await signedIn(at)
  const body = JSON.stringify({ reason: '与外部程序核对', filter })
  const answer = await fetch(`${at.url}/console/v1/exports/${name}`, { method: 'POST', headers, body })
  assert.equal(answer.status, 200, await answer.clone().text())
  const file = join(at.folder, name)
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
  return file
}

/** RFC 4180. */
function cells(text) {
  const rows = [[]]
  let cell = ''
  let quoted = false
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i]
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') {
        cell += '"'
        i += 1
      } else quoted = false
    } else if (c === '"') quoted = true
    else if (c === ',' || c === '\n') {
      rows.at(-1).push(cell)
      cell = ''
      if (c === '\n') rows.push([])
    } else if (c !== '\r') cell += c
  }
  if (cell || rows.at(-1).length) rows.at(-1).push(cell)
  return rows.filter((row) => row.length)
}

/** The workbook as LibreOffice reads it, written as CSV: cells as shown, UTF-8. */
function converted(at, file) {
  const profile = `-env:UserInstallation=file://${join(at.folder, 'office')}`
  const filter = 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true'
  const out = join(at.folder, 'converted')
  const done = spawnSync('soffice', [profile, '--headless', '--convert-to', filter, '--outdir', out, file], { encoding: 'utf8', timeout: 240_000 })
  assert.equal(done.status, 0, done.stderr)
  return cells(readFileSync(join(out, file.split('/').at(-1).replace(/\.\w+$/, '.csv')), 'utf8'))
}

// In the CSV a text that looks like a formula has an apostrophe before it; in the workbook it is a text by
// itself. Truth is a word of its own in a workbook.
const plain = (cell) => cell.replace(/^'(?=[=+\-@\t\r\n＝＋－＠])/, '').replace(/\r\n?/g, '\n')
const shown = (cell) => (cell === 'TRUE' || cell === 'FALSE' ? cell.toLowerCase() : cell)

export const tables = {
  async 'LibreOffice opens the workbook, and its cells are those of the CSV'(at) {
    const said = []
    for (const list of ['hazards', 'patrols', 'checks', 'tasks']) {
      const csv = readFileSync(await exported(at, `${list}.csv`))
      assert.deepEqual([...csv.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'a byte-order mark')
      const text = csv.subarray(3).toString('utf8')
      assert.ok(text.includes('\r\n'), 'CRLF')
      const own = cells(text)
      const office = converted(at, await exported(at, `${list}.xlsx`))
      assert.equal(office.length, own.length, `${list}: rows`)
      own.forEach((row, n) => {
        assert.deepEqual(office[n].map(shown), row.map(plain), `${list}, row ${n + 1}`)
      })
      said.push(`${list}: ${own.length - 1} rows × ${own[0].length}`)
    }
    return said.join(', ')
  },
  async 'what looks like a formula stays a text in both'(at) {
    const titles = ['=1+1', '+86 875', '-1', '@SUM(A1:A9)', '=HYPERLINK("http://x","y")']
    const csv = readFileSync(await exported(at, 'hazards.csv'), 'utf8')
    const own = cells(csv.slice(1)).flat()
    for (const title of titles) {
      assert.ok(own.includes(`'${title}`), title)
      assert.ok(!own.includes(title), title)
    }
    const office = converted(at, await exported(at, 'hazards.xlsx')).flat()
    for (const title of titles) assert.ok(office.includes(title), title)
    // As a spreadsheet opens the CSV itself.
    const opened = converted(at, join(at.folder, 'hazards.csv')).flat()
    for (const title of titles) assert.ok(opened.includes(`'${title}`) || opened.includes(title), title)
    return `${titles.length} titles`
  },
  async 'a filter chooses the rows of the file'(at) {
    const all = cells(readFileSync(await exported(at, 'hazards.csv'), 'utf8')).length
    const fires = cells(readFileSync(await exported(at, 'hazards.csv', { category: 'fire' }), 'utf8')).length
    assert.equal(fires, 2, 'a header and one row')
    return `${fires - 1} of ${all - 1} rows`
  },
}
