// What a person sees in the real window, asked for in the words that Playwright uses, so that one set of
// cases runs in both. Only what the cases need.

/** Runs in the page: the elements that a chain of steps finds, visible ones alone. */
function find(steps) {
  const squeeze = (text) => (text ?? '').replace(/\s+/g, ' ').trim()
  const fits = (text, { value, exact, regex }) => {
    if (regex) return new RegExp(regex).test(squeeze(text))
    return exact ? squeeze(text) === value : squeeze(text).toLowerCase().includes(value.toLowerCase())
  }
  const seen = (el) => el.getClientRects().length > 0 && getComputedStyle(el).visibility !== 'hidden'
  const all = (scopes, css) => [...new Set(scopes.flatMap((scope) => [...scope.querySelectorAll(css)]))]
  const named = (el) => {
    const by = el.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)?.textContent).join(' ')
    return el.getAttribute('aria-label') ?? by ?? (el.labels?.[0] ?? el).textContent
  }
  const roles = { button: 'button, [role=button]', link: 'a[href]', radio: '[role=radio], input[type=radio]', dialog: '[role=dialog], dialog', heading: 'h1, h2, h3' }
  const take = {
    text: (scopes, step) => {
      const hits = all(scopes, '*').filter((el) => !/^(script|style)$/i.test(el.tagName) && fits(el.textContent, step))
      return hits.filter((el) => !hits.some((other) => other !== el && el.contains(other)))
    },
    role: (scopes, step) => all(scopes, roles[step.role]).filter((el) => step.value === undefined || fits(named(el), step)),
    label: (scopes, step) => all(scopes, 'input, textarea, select').filter((el) => fits(named(el), step)),
    placeholder: (scopes, step) => all(scopes, '[placeholder]').filter((el) => fits(el.placeholder, step)),
    css: (scopes, step) => all(scopes, step.css).filter((el) => !step.value || fits(el.textContent, step)),
    nth: (scopes, step) => scopes.slice(step.at).slice(0, 1),
    or: (scopes, step) => [...scopes, ...run([document], step.steps)],
  }
  function run(scopes, steps) {
    return steps.reduce((now, step) => take[step.by](now, step).filter(seen), scopes)
  }
  return run([document], steps)
}

/** Runs in the page. */
function choose(input, files) {
  const chosen = new DataTransfer()
  for (const { name, type, base64 } of files) chosen.items.add(new File([Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))], name, { type }))
  input.files = chosen.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

const words = (value, exact) => (value instanceof RegExp ? { regex: value.source } : { value, exact: exact ?? false })
const PAUSE_MS = 100

export class Locator {
  constructor(page, steps) {
    Object.assign(this, { page, steps })
  }
  step(step) { return new Locator(this.page, [...this.steps, step]) }
  getByText(text, { exact } = {}) { return this.step({ by: 'text', ...words(text, exact) }) }
  getByRole(role, { name, exact } = {}) { return this.step({ by: 'role', role, ...(name === undefined ? {} : words(name, exact)) }) }
  getByLabel(name, { exact } = {}) { return this.step({ by: 'label', ...words(name, exact) }) }
  getByPlaceholder(name) { return this.step({ by: 'placeholder', ...words(name) }) }
  locator(css, { hasText } = {}) { return this.step({ by: 'css', css, ...(hasText ? words(hasText) : {}) }) }
  first() { return this.nth(0) }
  last() { return this.nth(-1) }
  nth(at) { return this.step({ by: 'nth', at }) }
  or(other) { return this.step({ by: 'or', steps: other.steps }) }

  found() { return this.page.driver.run(find.toString(), this.steps) }

  /** Until `work` gives something; a page that is being drawn anew is no failure. */
  async until(what, work, seconds = 60) {
    let last = 'nothing was found'
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((done) => setTimeout(done, PAUSE_MS))) {
      try {
        const given = await work(await this.found())
        if (given) return given
      } catch (error) {
        last = error
      }
    }
    throw new Error(`not within ${seconds} s: ${what} ${JSON.stringify(this.steps)}: ${last}`)
  }
  waitFor({ state = 'visible' } = {}) {
    return this.until(state, (found) => (state === 'visible' ? found.length > 0 : found.length === 0))
  }
  /** In the middle of the window nothing that sticks to an edge lies over it. */
  click() {
    return this.until('click', async ([el]) => {
      if (!el) return false
      await this.page.driver.run(`(el) => el.scrollIntoView({ block: 'center' })`, el)
      await this.page.driver.of(el, 'click')
      return true
    })
  }
  fill(text) {
    return this.until('fill', async ([el]) => {
      if (!el) return false
      await this.page.driver.of(el, 'clear')
      await this.page.driver.of(el, 'value', { text })
      return (await this.inputValue()) === text
    })
  }
  /** As the dialog does that chooses them. */
  setInputFiles(files) {
    const chosen = files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, base64: buffer.toString('base64') }))
    return this.until('choose', async ([el]) => {
      if (!el) return false
      await this.page.driver.run(choose.toString(), el, chosen)
      return true
    })
  }
  inputValue() {
    return this.until('value', async ([el]) => el && { value: await this.page.driver.run('(el) => el.value', el) }).then(({ value }) => value)
  }
}

/** The window, as cases know a page. */
export class Page extends Locator {
  constructor(app) {
    super(null, [])
    this.page = this
    this.app = app
  }
  /** Another one after every start of the app. */
  get driver() { return this.app.driver }
  goto(url) { return this.driver.goto(url) }
  evaluate(work, input) {
    return this.driver.runAsync(`(input, done) => { (${work})(input).then(done) }`, input)
  }
  screenshot() { return this.driver.screenshot() }
  async waitForTimeout(ms) { await new Promise((done) => setTimeout(done, ms)) }
}
