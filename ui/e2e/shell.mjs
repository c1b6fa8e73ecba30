// The app in its own window. `--all` runs every case, else the part that fits `make test`.
import { enrolledApp } from './app.mjs'
import { Town } from './programs.mjs'
import { run } from './runner.mjs'
import { every, part } from './shell-cases.mjs'

const at = {
  town: await Town.start(),
  set(name, value) { at[name] = value },
  apps: [],
  async enrolled(...who) {
    const app = await enrolledApp(at.town, ...who)
    at.apps.push(app)
    return app
  },
  async end() {
    for (const { phone } of at.apps) await phone.kill()
    await at.town.stop()
  },
}
process.exit(await run(process.argv.includes('--all') ? every : part, at))
