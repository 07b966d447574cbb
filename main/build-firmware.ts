/** Compiles labs/os/firmware, what `--bios builtin` boots, with the toolchain of this project. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buildProgram, type ProgramConfiguration } from '../machine/toolchain/build.ts'
import { programFolder } from './workbench/program-folder.ts'

/** @throws Error with the compiler's messages when it does not compile. */
export async function buildFirmware(folder: string, outFile: string): Promise<void> {
  const configuration = JSON.parse(await readFile(path.join(folder, 'pollen.json'), 'utf8')) as ProgramConfiguration
  const { elf, diagnostics } = await buildProgram({ configuration, readFile: programFolder(folder).readFile })
  const messages = diagnostics.map(({ file, line, severity, message }) => `${path.join(folder, file)}:${line}: ${severity}: ${message}\n`)
  if (!elf) throw new Error(`${outFile}: the firmware does not compile\n${messages.join('')}`)
  if (messages.length) process.stderr.write(messages.join(''))
  await writeFile(outFile, elf)
}
