/** `pollen build`: a program or a single source file to an ELF file or a raw image, or one of the stages on the way to it. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { disassembleElf } from '../../machine/toolchain/disassembler/index.ts'
import { rawImage, readElf } from '../../machine/toolchain/elf/index.ts'
import { buildImage, programIr, programSchema, type ProgramConfiguration } from '../../machine/toolchain/build.ts'
import { DiskProgramCache } from '../workbench/program-cache.ts'
import { programFolder } from '../workbench/program-folder.ts'
import { BAD_ARGUMENTS } from './exit-status.ts'
import { complain, fileReason, formatDiagnostic } from './report.ts'

export interface BuildOptions {
  readonly output?: string
  readonly emit?: 'wasm' | 'ir' | 'asm' | 'map'
  /** Of the program itself. */
  readonly format: 'elf' | 'bin'
  readonly O: '0' | '2'
}

const SOURCE = /\.(ts|c|cpp|cc|S|s)$/

/** Builds; returns the exit status: 1 for errors in the sources, 125 for files that cannot be used. */
export async function build(target: string, options: BuildOptions): Promise<number> {
  const level = options.O === '0' ? 0 : 2
  let folder: string
  let configuration: ProgramConfiguration
  try {
    ;({ folder, configuration } = readConfiguration(target))
  } catch (error) {
    complain(error instanceof ConfigurationError ? error.message : fileReason(target, error))
    return BAD_ARGUMENTS
  }
  const result = await buildImage({ configuration, ...programFolder(folder), programs: new DiskProgramCache(folder), level })
  for (const diagnostic of result.diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
  if (!result.elf) return 1
  const name = path.basename(path.resolve(target)).replace(SOURCE, '')
  try {
    switch (options.emit) {
      case undefined:
        write(options.output ?? `${name}.${options.format}`, options.format === 'bin' ? rawImage(readElf(result.elf)).bytes : result.elf)
        return 0
      case 'map':
        return emitText(options.output, result.map)
      case 'asm':
        return emitText(options.output, disassembleElf(readElf(result.elf), {}))
      case 'ir':
        return emitText(options.output, programIr(result, configuration, level))
      case 'wasm': {
        const only = result.modules.length === 1
        if (result.modules.length === 0) complain('there is no wasm stage: the program is assembly alone')
        result.modules.forEach(({ name: module, wasm }) => {
          const stem = path.basename(module).replace(SOURCE, '')
          write(only && options.output ? options.output : `${options.output ?? name}${only ? '' : `.${stem}`}.wasm`, wasm)
        })
        return result.modules.length === 0 ? BAD_ARGUMENTS : 0
      }
    }
  } catch (error) {
    complain(fileReason(options.output ?? name, error))
    return BAD_ARGUMENTS
  }
}

class ConfigurationError extends Error {}

function readConfiguration(target: string): { folder: string; configuration: ProgramConfiguration } {
  if (!statSync(target).isDirectory()) {
    if (!SOURCE.test(target)) throw new ConfigurationError(`${target}: is no source file; there are .ts, .c, .cpp and .S`)
    return {
      folder: path.dirname(target),
      configuration: { version: 1, kind: 'firmware', layout: 'bare', sources: [path.basename(target)] },
    }
  }
  const file = path.join(target, 'pollen.json')
  if (!existsSync(file)) throw new ConfigurationError(`${target}: has no pollen.json`)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigurationError(`${file}: ${(error as Error).message}`)
  }
  const parsed = programSchema.safeParse(json)
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0]
    throw new ConfigurationError(`${file}: ${where.join('.') || 'the file'}: ${message}`)
  }
  return { folder: target, configuration: json as ProgramConfiguration }
}

/** An interrupted build leaves the old file or the new one, never half of either. */
function write(file: string, bytes: Uint8Array | string): void {
  const partial = `${file}.partial`
  writeFileSync(partial, bytes)
  renameSync(partial, file)
}

function emitText(output: string | undefined, text: string): number {
  if (output === undefined) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  else write(output, text)
  return 0
}
