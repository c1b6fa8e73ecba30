import { describe, expect, it } from 'vitest'
import en from './locales/en.json'
import zh from './locales/zh.json'

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
