// Programs that know nothing of this project against a real town over HTTPS: GDAL reads its maps, LibreOffice
// its tables, tus-js-client sends it a file, exiftool looks into what it keeps. Started by `make interop`.
//
// The process starts the town and fills it, then itself once more, believing the town's CA.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Town, root } from '../../ui/e2e/programs.mjs'
import { gdal } from './gdal.mjs'
import { tables } from './tables.mjs'
import { files } from './files.mjs'

const PASSWORD = 'correct horse battery'

function admin(town, args, input = '') {
  const done = spawnSync(join(process.env.BIN, 'yaoguan-town'), ['--data', town.data, ...args], { input, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr + done.stdout)
  return done.stdout
}

/** Hazards all over the world, a patrol, titles that a spreadsheet would compute. */
function fill(town, phone) {
  const shared = resolve(root, '../shared/data')
  const real = join(shared, 'landslides-2007-2012.csv')
  const table = existsSync(real) ? real : join(root, 'tests/fixtures/landslides-small.csv')
  const mapping = join(root, 'crates/exchange/mappings/nasa-landslides.toml')
  const { imported } = phone('import', 'hazards', table, '--mapping', mapping, '--rejects', join(town.folder, 'rejects.csv'))
  for (const title of ['=1+1', '+86 875', '-1', '@SUM(A1:A9)', '=HYPERLINK("http://x","y")']) {
    phone('add', 'hazard', '--set', 'category=slope', '--set', 'severity=serious', '--set', `title=${title}`, '--set', `grid=${town.grids[0].code}`, '--set', 'position=24.61,99.20')
  }
  phone('add', 'hazard', '--set', 'category=fire', '--set', 'severity=general', '--set', 'title=多行，"引号"', '--set', `grid=${town.grids[0].code}`)
  const { id } = phone('add', 'household', '--set', `grid=${town.grids[0].code}`, '--set', 'address=上街3号')
  phone('add', 'household_check', '--set', `household=${id}`, '--set', 'template=home_safety', '--set', 'template_version=1', '--set', 'outcome=done', '--set', 'note=-1，软管老化')
  phone('add', 'task', '--set', `grid=${town.grids[0].code}`, '--set', 'what=other', '--set', 'words=+86 875 联系养护单位')
  phone('import', 'track', join(root, 'ui/e2e/walk.gpx'))
  phone('sync')
  console.log(`a town with ${imported} hazards of a table and 6 more, on ${town.url}`)
}

async function first() {
  const town = await Town.start()
  try {
    admin(town, ['accounts', 'add', '--login', 'li', '--name', '李督导', '--role', 'supervisor', '--grids', '*'])
    admin(town, ['accounts', 'password', 'li'], `${PASSWORD}\n`)
    const phone = town.person('chief', '网格长甲')
    fill(town, phone)
    const ca = join(town.folder, 'ca.pem')
    writeFileSync(ca, admin(town, ['ca']))
    // What the phone holds is what GDAL is to find: another program of ours, by another way.
    const held = join(town.folder, 'held.geojson')
    phone('export', 'hazards', '--format', 'geojson', '--out', held)
    const walks = join(town.folder, 'walks.geojson')
    phone('export', 'patrols', '--format', 'geojson', '--out', walks)
    const { token } = phone('token')
    const env = {
      ...process.env, NODE_EXTRA_CA_CERTS: ca,
      INTEROP: JSON.stringify({ url: town.url, token, folder: town.folder, ca, held, walks, login: 'li', password: PASSWORD }),
    }
    return spawnSync(process.execPath, [import.meta.filename], { env, stdio: 'inherit' }).status
  } finally {
    await town.stop()
  }
}

async function second(at) {
  let passed = 0
  let failed = 0
  for (const [name, check] of Object.entries({ ...gdal, ...tables, ...files })) {
    try {
      const said = await check(at)
      passed += 1
      console.log(`ok    ${name}${said ? `: ${said}` : ''}`)
    } catch (error) {
      failed += 1
      console.log(`FAIL  ${name}\n${error.stack ?? error}`)
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed ? 1 : 0
}

process.exitCode = process.env.INTEROP ? await second(JSON.parse(process.env.INTEROP)) : await first()
