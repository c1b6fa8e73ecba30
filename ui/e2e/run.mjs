// Runs the cases in their order. Closing line: N passed, N failed.
import { cases } from './cases.mjs'
import { peopleCases } from './people.mjs'
import { launch } from './browser.mjs'
import { Town } from './programs.mjs'

const begun = Date.now()
const at = { town: await Town.start(), browser: await launch(), set(name, value) { this_[name] = value } }
const this_ = at
let [passed, failed] = [0, 0]
for (const [name, work] of Object.entries({ ...cases, ...peopleCases }).filter(([name]) => !process.env.CASE || name.includes(process.env.CASE))) {
  const from = Date.now()
  try {
    await work(at)
    passed += 1
    console.log(`ok    ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed += 1
    console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split('\n').slice(0, 60).join('\n      ')}`)
    for (const one of [at.a, at.b]) await one?.page.screenshot({ path: `/tmp/yaoguan-e2e-${passed + failed}-${one === at.a ? 'a' : 'b'}.png` }).catch(() => undefined)
  }
}
await at.browser.close()
for (const one of [at.a, at.b]) await one?.phone.kill()
await at.shared?.kill()
await at.town.stop()
console.log(`${passed} passed, ${failed} failed in ${((Date.now() - begun) / 1000).toFixed(1)} s`)
process.exit(failed === 0 ? 0 : 1)
