/** What the parser gets instead of async and await: the same length, and only the keywords replaced. */
import { expect, test } from 'vitest'
import { rewriteAsync } from './async-rewrite.ts'

test('await on the line after a property without a semicolon is a keyword', () => {
  const { text, awaits } = rewriteAsync('const a = node.parent\nawait later()')
  expect(text).toBe('const a = node.parent\n~     later()')
  expect([...awaits]).toEqual([22])
})

test('a property of that name is none', () => {
  const source = 'x.await\ny.async\nfunction f(): void {}'
  expect(rewriteAsync(source)).toEqual({ text: source, awaits: new Set() })
})
