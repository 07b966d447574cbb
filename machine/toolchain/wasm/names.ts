import { ByteReader } from './bytes.ts'
import { WasmError, type WasmModule } from './types.ts'

/** What the `name` custom section says. A broken section is ignored, as the specification asks of custom sections. */
export interface ModuleNames {
  readonly functions: ReadonlyMap<number, string>
  readonly locals: ReadonlyMap<number, ReadonlyMap<number, string>>
  readonly globals: ReadonlyMap<number, string>
}

/** Reads function, local and global names. */
export function readNames(module: WasmModule): ModuleNames {
  const functions = new Map<number, string>()
  const locals = new Map<number, Map<number, string>>()
  const globals = new Map<number, string>()
  const section = module.customs.find((custom) => custom.name === 'name')
  if (!section) return { functions, locals, globals }
  const readMap = (reader: ByteReader, into: Map<number, string>): void => {
    const count = reader.count()
    for (let index = 0; index < count; index++) into.set(reader.u32(), reader.name())
  }
  try {
    const reader = new ByteReader(section.bytes)
    while (!reader.done) {
      const id = reader.byte()
      const size = reader.u32()
      const sub = new ByteReader(section.bytes, reader.offset, Math.min(reader.offset + size, reader.end))
      if (id === 1) readMap(sub, functions)
      else if (id === 2) {
        const count = sub.count()
        for (let index = 0; index < count; index++) {
          const names = new Map<number, string>()
          locals.set(sub.u32(), names)
          readMap(sub, names)
        }
      } else if (id === 7) readMap(sub, globals)
      reader.offset += size
    }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error
  }
  return { functions, locals, globals }
}
