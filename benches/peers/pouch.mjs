// PouchDB as its users run it: `server` is express-pouchdb over LevelDB, `client` a PouchDB over LevelDB. One JSON
// request a line on stdin, one JSON answer a line on stdout. LevelDB is written without an fsync for each
// save: PouchDB has no durable mode. `sqlite` saves with better-sqlite3 in WAL and FULL, unencrypted.
import { createServer } from 'node:http'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import express from 'express'
import expressPouchDB from 'express-pouchdb'
import PouchDB from 'pouchdb'
import findPlugin from 'pouchdb-find'
import Database from 'better-sqlite3'

// PouchDB's usual 100 is slower; from 1,000 on nothing is gained.
const REPLICATION = { batch_size: 1000, batches_limit: 10 }
const [mode, folder] = process.argv.slice(2)
const Pouch = PouchDB.plugin(findPlugin).defaults({ prefix: `${folder}/` })

const open = new Map()
const db = (name) => open.get(name) ?? (open.set(name, new Pouch(name)), open.get(name))
const docs = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
const now = () => Number(process.hrtime.bigint()) / 1e6
const bytes = (path) => (statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytes(join(path, name)), 0) : statSync(path).size)
const timed = async (work) => {
  const begun = now()
  const result = await work()
  return { ms: now() - begun, result }
}
const counted = ({ ms, result }) => {
  if (!result.ok || result.doc_write_failures > 0) throw new Error(JSON.stringify(result))
  return { ms, docs: result.docs_written }
}
const times = async (n, work) => {
  const list = []
  for (let at = 0; at < n; at += 1) list.push((await timed(() => work(at))).ms)
  return { times: list }
}

let requests = 0
function listen() {
  const app = express()
  app.use((_, __, next) => {
    requests += 1
    next()
  })
  app.use('/', expressPouchDB(Pouch, { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: join(folder, 'log.txt') }))
  return new Promise((done) => {
    const server = createServer(app).listen(0, '127.0.0.1', () => done({ port: server.address().port }))
  })
}

const operations = {
  listen,
  requests: () => {
    const count = requests
    requests = 0
    return { requests: count }
  },
  async fill({ name, file }) {
    const all = docs(file)
    for (let at = 0; at < all.length; at += 1000) await db(name).bulkDocs(all.slice(at, at + 1000))
    return {}
  },
  async saves({ name, file }) {
    const all = docs(file)
    return times(all.length, (at) => db(name).put(all[at]))
  },
  push: async ({ name, url }) => counted(await timed(() => db(name).replicate.to(url, REPLICATION))),
  pull: async ({ name, url }) => counted(await timed(() => db(name).replicate.from(url, REPLICATION))),
  async change({ name, ids, text }) {
    for (const id of ids) await db(name).put({ ...(await db(name).get(id)), description: text })
    return {}
  },
  async index({ name, fields }) {
    await db(name).createIndex({ index: { fields } })
    await db(name).find({ selector: { [fields[0]]: { $gt: null } }, limit: 1 })
    return {}
  },
  find: async ({ name, query, times: n }) => times(n, () => db(name).find(query)),
  async close({ name }) {
    await db(name).close()
    open.delete(name)
    return { bytes: bytes(join(folder, name)) }
  },
  opened: async ({ name }) => ({ ms: (await timed(() => db(name).info())).ms }),
  memory: () => ({ peak_kb: process.resourceUsage().maxRSS }),
  sqlite({ file }) {
    const path = join(folder, 'raw.db')
    const raw = new Database(path)
    raw.pragma('journal_mode = WAL')
    raw.pragma('synchronous = FULL')
    raw.exec('CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT')
    const insert = raw.prepare('INSERT OR REPLACE INTO record (id, body) VALUES (?, ?)')
    const list = docs(file).map((doc) => {
      const [id, body] = [doc._id, JSON.stringify(doc)]
      const begun = now()
      insert.run(id, body)
      return now() - begun
    })
    raw.close()
    return { times: list }
  },
}

// One request after the other.
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  try {
    console.log(JSON.stringify({ ok: true, ...(await operations[request.op](request)) }))
  } catch (error) {
    console.log(JSON.stringify({ ok: false, error: String(error?.stack ?? error) }))
  }
}
process.exit(0)
