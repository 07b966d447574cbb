/** Builds the hart core: generates its decoder from machine/isa, then compiles AssemblyScript to one wasm module. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import asc from 'assemblyscript/asc'
import { generateInterpreter } from './generate-interpreter.ts'
import { generateCsrs, generateDecoder } from './generate-decoder.ts'

const here = import.meta.dirname

/**
 * Writes `hart.wasm` into `outDirectory`.
 * @throws Error with the compiler's messages when it does not compile.
 */
export async function buildHart(outDirectory: string): Promise<void> {
  const generated = path.join(here, 'core/generated')
  await mkdir(generated, { recursive: true })
  await writeFile(path.join(generated, 'decoder.ts'), generateDecoder())
  await writeFile(path.join(generated, 'csrs.ts'), generateCsrs())
  await writeFile(path.join(generated, 'execute.ts'), generateInterpreter())
  const outFile = path.join(outDirectory, 'hart.wasm')
  const messages: string[] = []
  const sink = { write: (text: string | Uint8Array) => (messages.push(String(text)), true) }
  const result = await asc.main(
    [
      path.relative(here, path.join(here, 'core/index.ts')),
      ...['--outFile', 'hart.wasm'],
      ...['-O3', '--runtime', 'stub', '--noAssert', '--importMemory', '--exportTable', '--initialMemory', '64', '--memoryBase', '64'],
      ...['--enable', 'sign-extension', '--enable', 'bulk-memory', '--enable', 'mutable-globals', '--enable', 'nontrapping-f2i'],
      // wasm32 is the only target: pointers are 32 bits for good.
      ...['--use', 'abort=', '--disableWarning', '201'],
    ],
    {
      stdout: sink,
      stderr: sink,
      readFile: async (name, base) => readFile(path.join(here, base === '.' ? '' : base, name), 'utf8').catch(() => null),
      writeFile: async (name, contents) => {
        await mkdir(outDirectory, { recursive: true })
        await writeFile(path.join(outDirectory, path.basename(name)), contents)
      },
      listFiles: () => [],
    },
  )
  if (result.error) throw new Error(`${outFile}: the hart core does not compile\n${messages.join('')}`)
  if (messages.length) process.stderr.write(messages.join(''))
}
