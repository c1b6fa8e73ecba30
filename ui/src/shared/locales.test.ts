import { describe, expect, it } from 'vitest'
import adminEn from '../console/admin/locales/en.json'
import adminZh from '../console/admin/locales/zh.json'
import consoleEn from '../console/locales/en.json'
import consoleZh from '../console/locales/zh.json'
import appEn from './locales/en.json'
import appZh from './locales/zh.json'

const en = { ...appEn, console: consoleEn, admin: adminEn }
const zh = { ...appZh, console: consoleZh, admin: adminZh }

function keys(node: object, path = ''): string[] {
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'object' ? keys(value, `${path}${key}.`) : [`${path}${key}`],
  )
}

describe('locales', () => {
  it('have the same keys in Chinese and English', () => {
    expect(keys(en).sort()).toEqual(keys(zh).sort())
  })
  it('have words for every key', () => {
    const empty = [...Object.entries({ zh, en })].flatMap(([lang, all]) =>
      keys(all).filter((key) => {
        const value = key.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], all)
        return typeof value !== 'string' || value.trim() === ''
      }).map((key) => `${lang}:${key}`),
    )
    expect(empty).toEqual([])
  })
  it('use the same placeholders', () => {
    const flat = (node: object, path = ''): [string, string][] =>
      Object.entries(node).flatMap(([key, value]) =>
        typeof value === 'object' ? flat(value, `${path}${key}.`) : [[`${path}${key}`, value as string]],
      )
    const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join()
    const english = new Map(flat(en))
    expect(flat(zh).filter(([key, text]) => places(text) !== places(english.get(key) ?? ''))).toEqual([])
  })
})
