import { describe, expect, it } from 'vitest'
import { parseRam } from './run-options.ts'

describe('--ram', () => {
  it('takes every size that the board takes, with or without a unit', () => {
    const sizes = {
      '1M': 1 << 20,
      '6144K': 6 << 20,
      '128MiB': 128 << 20,
      '512m': 2 ** 29,
      '2G': 2 ** 31,
      '3G': 3 * 2 ** 30,
      '134217728': 2 ** 27,
    }
    for (const [text, bytes] of Object.entries(sizes)) expect(parseRam(text)).toBe(bytes)
  })

  it('refuses what is too little, too much, no whole pages or no size', () => {
    for (const text of ['1023K', '4G', '3073M', '1048577', '', 'M', '128X', '-1M', '1.5M'])
      expect(() => parseRam(text)).toThrow('from 1M to 3G')
  })
})
