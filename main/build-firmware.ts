/** Compiles labs/os/firmware, what `--bios builtin` boots, with the toolchain of this project. */
import { readFile as readText, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buildProgram, type ProgramConfiguration } from '../machine/toolchain/build.ts'
import { programLayouts } from '../machine/toolchain/build/layouts.ts'
import { programFolder } from './workbench/program-folder.ts'

/** What takes the place of which file for which board, and where the firmware lies. */
const BOARDS = {
  virt: { replaced: new Map<string, string>(), layout: undefined },
  /** In the 128 KiB below the payload, as firmware for this chip does. */
  k210: {
    replaced: new Map([
      ['board-virt.ts', 'board-k210.ts'],
      ['privileged.ts', 'privileged-1.9.ts'],
    ]),
    layout: { ...programLayouts.firmware, name: 'firmware-k210', data: 0x8001_0000, length: 0x2_0000n },
  },
} as const

export type FirmwareBoard = keyof typeof BOARDS

/** @throws Error with the compiler's messages when it does not compile. */
export async function buildFirmware(folder: string, board: FirmwareBoard, outFile: string): Promise<void> {
  const { replaced, layout } = BOARDS[board]
  const { readFile } = programFolder(folder)
  const configuration = JSON.parse(await readText(path.join(folder, 'pollen.json'), 'utf8')) as ProgramConfiguration
  const { elf, diagnostics } = await buildProgram({
    configuration,
    readFile: (name) => readFile(replaced.get(name) ?? name),
    ...(layout ? { layout } : {}),
  })
  const messages = diagnostics.map(({ file, line, severity, message }) => `${path.join(folder, file)}:${line}: ${severity}: ${message}\n`)
  if (!elf) throw new Error(`${outFile}: the firmware does not compile\n${messages.join('')}`)
  if (messages.length) process.stderr.write(messages.join(''))
  await writeFile(outFile, elf)
}
