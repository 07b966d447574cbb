import { describe, expect, it } from 'vitest'
import { parseRam, parseSdFault } from './run-options.ts'

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

describe('--sd-fault', () => {
  it('names what fails, and where or when', () => {
    const all = ['crc', 'timeout@2048', 'removed@1.5s', 'read@0x10', 'write@3s'].reduce<readonly unknown[]>(
      (faults, text) => parseSdFault(text, faults as ReturnType<typeof parseSdFault>),
      [],
    )
    expect(all).toEqual([
      { kind: 'checksum' },
      { kind: 'timeout', sector: 2048 },
      { kind: 'removed', seconds: 1.5 },
      { kind: 'read', sector: 16 },
      { kind: 'write', seconds: 3 },
    ])
  })

  it('refuses anything else', () => {
    for (const text of ['', 'fire', 'crc@', 'crc@x', 'crc@-1', 'removed@1.5', 'crc@1s2', '@5'])
      expect(() => parseSdFault(text)).toThrow('It must be crc')
  })
})
