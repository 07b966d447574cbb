/** How long builds take in a process of their own, and what memory they need; printed as one line of JSON. */
import { buildProgram, type CodeCache } from '../../toolchain/build.ts'
import { largeProgram } from './large-program.ts'

export interface CompileFigures {
  readonly lines: number
  /** Milliseconds. */
  readonly cold: number
  readonly warm: number
  readonly oneLineChange: number
  readonly helloCold: number
  readonly helloWarm: number
  /** Bytes. */
  readonly peakMemory: number
}

const hello = (text: string): string =>
  `static void put(char c) { *(volatile char *)0x10000000 = c; }\nint main(void) { for (const char *s = "${text}"; *s; s++) put(*s); return 0; }\n`

async function measure(): Promise<CompileFigures> {
  const cache: CodeCache = new Map()
  const timed = async (path: string, text: string): Promise<number> => {
    const start = performance.now()
    const { elf, diagnostics } = await buildProgram({
      configuration: { version: 1, kind: 'firmware', layout: 'bare', sources: [path] },
      readFile: (name) => (name === path ? text : undefined),
      cache,
    })
    if (!elf) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
    return performance.now() - start
  }
  const large = largeProgram(227)
  const cold = await timed('main.ts', large)
  const warm = Math.min(await timed('main.ts', large), await timed('main.ts', large))
  const changes = [1, 2].map((n) => large.replace('sum = sum * ', `sum = ${n} + sum * `))
  const oneLineChange = Math.min(await timed('main.ts', changes[0]), await timed('main.ts', changes[1]))
  const helloCold = await timed('main.c', hello('hello'))
  const helloWarm = Math.min(await timed('main.c', hello('hello, you')), await timed('main.c', hello('hello, all')))
  const peakMemory = process.resourceUsage().maxRSS * 1024
  return { lines: large.split('\n').length, cold, warm, oneLineChange, helloCold, helloWarm, peakMemory }
}

console.log(JSON.stringify(await measure()))
