/** What a program is between source and machine code, line by line, each with the source line it came from: for the stage view. */
import type { AddressModel } from '../codegen/lower.ts'
import { readWasmLines } from '../frontend/wasm-lines.ts'
import { decodeModule } from '../wasm/decode.ts'
import { functionTexts } from '../wasm/text.ts'
import type { PositionReader } from '../frontend/source-map.ts'
import type { WasmModule } from '../wasm/types.ts'
import { programLayouts } from './layouts.ts'
import { functionIrs } from './module-object.ts'
import type { BuildResult, BuiltModule, ProgramConfiguration } from './program.ts'

export type Stage = 'wasm' | 'ir'

export interface StageLine {
  readonly text: string
  readonly file?: string
  readonly line?: number
}

/** The functions of a built program. Modules of assembly have no such stages and give nothing. */
export function programStage(result: BuildResult, configuration: ProgramConfiguration, stage: Stage): StageLine[][] {
  const { model } = programLayouts[configuration.layout ?? configuration.kind]
  return result.modules.flatMap((built) => {
    const module = decodeModule(built.wasm)
    const position = built.position ?? readWasmLines(module)
    return stage === 'wasm' ? wasmFunctions(module, position) : irFunctions(module, { ...built, position }, model)
  })
}

function wasmFunctions(module: WasmModule, position: PositionReader): StageLine[][] {
  return [...functionTexts(module)].map(([index, lines]) =>
    lines.map(({ text, offset }) => placed(text, offset === undefined ? undefined : position(offset, module.functions[index].body!.start))),
  )
}

function irFunctions(
  module: WasmModule,
  { name, position, attributes }: BuiltModule & { position: PositionReader },
  model: AddressModel,
): StageLine[][] {
  return [...functionIrs(module, { name, model, level: 2, attributes })].map(([index, text]) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => {
        // The printer ends a line with the byte of the module that it stands for.
        const mark = / @(\d+)$/.exec(line)
        if (!mark) return { text: line }
        return placed(line.slice(0, mark.index), position(Number(mark[1]), module.functions[index].body!.start))
      }),
  )
}

function placed(text: string, at: { file: string; line: number } | undefined): StageLine {
  return at ? { text, file: at.file, line: at.line } : { text }
}
