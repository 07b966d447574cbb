import { describe, expect, it } from 'vitest'
import { TapReader } from './tap.ts'

function read(text: string): TapReader {
  const reader = new TapReader()
  // In whatever pieces it comes.
  for (let at = 0; at < text.length; at += 7) reader.add(text.slice(at, at + 7))
  return reader
}

describe('what guest tests print', () => {
  it('is told test by test, with the evidence of failures', () => {
    const { tests, ended } = read(
      'boot\r\n# files\r\nok 1 - open\r\nnot ok 2 - read # gave 3, not 4\r\n1..2\r\nok - files leaves nothing behind\r\n# programs: 1\r\n',
    )
    expect(tests).toEqual([
      { program: 'files', name: 'open', ok: true, evidence: undefined },
      { program: 'files', name: 'read', ok: false, evidence: 'gave 3, not 4' },
      { program: 'files', name: 'files leaves nothing behind', ok: true, evidence: undefined },
    ])
    expect(ended).toBe(true)
  })

  it('counts against a program that stops before its plan', () => {
    const { tests, ended } = read('# a\nok 1 - x\n1..3\n# b\nok 1 - y\n1..1\n')
    expect(tests.filter(({ ok }) => !ok)).toEqual([{ program: 'a', name: 'all tests ran', ok: false, evidence: 'planned 3, ran 1' }])
    expect(ended).toBe(false)
  })

  it('is not taken from half a line, nor from words that begin alike', () => {
    expect(read('okay\nokra - no\nok 1 - never ended').tests).toEqual([])
  })
})
