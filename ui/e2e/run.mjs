// The app in a browser. Closing line: N passed, N failed.
import { cases, enrolled } from './cases.mjs'
import { launch } from './browser.mjs'
import { peopleCases } from './people.mjs'
import { Town } from './programs.mjs'
import { run } from './runner.mjs'

const at = {
  town: await Town.start(),
  browser: await launch(),
  set(name, value) { at[name] = value },
  enrolled: (...who) => enrolled(at.town, at.browser, ...who),
  async end() {
    await at.browser.close()
    for (const one of [at.a, at.b]) await one?.phone.kill()
    await at.shared?.kill()
    await at.reset?.phone.kill()
    await at.town.stop()
  },
}
process.exit(await run({ ...cases, ...peopleCases }, at))
