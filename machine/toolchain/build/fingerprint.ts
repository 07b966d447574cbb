/** What a function's machine code depends on, as a hash: its body with indices replaced by what they mean, and the options. */
import { createHash } from 'node:crypto'
import type { CodeOptions } from '../codegen/compile.ts'
import type { ModuleContext } from '../codegen/select.ts'
import { ByteReader } from '../wasm/bytes.ts'
import { InstructionReader } from '../wasm/instruction.ts'
import type { WasmModule } from '../wasm/types.ts'

/** Changes when the code generator's output may: part of every fingerprint. */
const version = 3

/** A fingerprint of function `index`. */
export function fingerprintOf(module: WasmModule, index: number, options: CodeOptions, context: ModuleContext): string {
  const { typeIndex, body } = module.functions[index]
  const hash = createHash('sha256')
  hash.update(
    `${version} ${options.model} ${options.level} ${options.farCalls} ${options.interrupts?.has(index) ?? false} ${options.kept?.get(index)} ${JSON.stringify(module.types[typeIndex])} ${body!.locals.join()}`,
  )
  hash.update(module.bytes.subarray(body!.start, body!.end))
  const at = new InstructionReader(new ByteReader(module.bytes, body!.start, body!.end))
  // Its own name is in a coroutine's frame type, the variables' names in what debuggers read.
  const meanings = [options.functionSymbols[index], JSON.stringify([...(options.variables?.get(index) ?? [])])]
  while (at.reader.offset < body!.end) {
    switch (at.read().immediate) {
      case 'function':
        meanings.push(
          context.functionSymbol(at.index),
          JSON.stringify(context.functionSignature(at.index)),
          options.intrinsics.get(at.index) ?? '',
        )
        break
      case 'type-table':
        meanings.push(JSON.stringify(context.signature(at.index)), String(context.signatureId(at.index)), context.tableSymbol(at.index2))
        break
      case 'global':
        meanings.push(
          context.globalSymbol(at.index),
          String(context.globalRegister(at.index)),
          String(context.isPerHart(at.index)),
          module.globals[at.index].type.type,
        )
        break
      case 'block':
        if (typeof at.blockType === 'number') meanings.push(JSON.stringify(module.types[at.blockType]))
    }
  }
  return hash.update(meanings.join('\n')).digest('base64')
}
