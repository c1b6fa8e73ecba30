import { describe, expect, it } from 'vitest'
import zh from './locales/zh.json'
import types from './types/field.ts?raw'

describe('error codes', () => {
  it('have words for each that the phone can give', () => {
    const codes = /export type ErrorCode = ([^;]+);/.exec(types)?.[1]?.match(/\w+/g) ?? []
    expect(codes.length).toBeGreaterThan(20)
    expect(codes.filter((code) => !(code in zh.error))).toEqual([])
  })
})
