// Runs cases in their order: what one has set the next ones find.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Closing line: N passed, N failed. Gives the exit code. */
export async function run(cases, at) {
  const begun = Date.now()
  let [passed, failed] = [0, 0]
  for (const [name, work] of Object.entries(cases)) {
    const from = Date.now()
    try {
      await work(at)
      passed += 1
      console.log(`ok    ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`)
    } catch (error) {
      failed += 1
      console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split('\n').slice(0, 60).join('\n      ')}`)
      for (const who of ['a', 'b']) await picture(at[who]?.page, join(tmpdir(), `yaoguan-e2e-${passed + failed}-${who}.png`))
    }
  }
  await at.end()
  console.log(`${passed} passed, ${failed} failed in ${((Date.now() - begun) / 1000).toFixed(1)} s`)
  return failed === 0 ? 0 : 1
}

async function picture(page, file) {
  const taken = await page?.screenshot().catch(() => undefined)
  if (taken) writeFileSync(file, taken)
}
