/** What variables of TypeScript are, for debuggers: AssemblyScript knows it of its locals, globals and fields by name. */
import type { FunctionDebug } from '../codegen/describe.ts'
import type { EmittedFunction } from '../codegen/emit.ts'
import type { ObjectBuilder } from '../codegen/object-builder.ts'
import { irType } from '../ir/build.ts'
import type { DebugType } from '../object.ts'
import type { ModuleNames } from '../wasm/names.ts'
import type { WasmModule } from '../wasm/types.ts'

/** The compiler's own objects, as far as they are looked at. */
interface AscType {
  readonly kind: number
  readonly size: number
  readonly classReference: AscClass | null
}
interface AscClass {
  readonly internalName: string
  readonly nextMemoryOffset: number
  /** Prototypes of properties; a field has its property as `instance`, at an offset. */
  readonly members: ReadonlyMap<string, { readonly instance?: { readonly memoryOffset?: number; readonly type?: AscType } | null }> | null
}
interface AscElement {
  readonly kind: number
  readonly type?: AscType
  readonly localsByIndex?: readonly { readonly name: string; readonly type: AscType }[]
}
export interface AscProgram {
  readonly instancesByName: ReadonlyMap<string, AscElement>
  readonly filesByName: ReadonlyMap<
    string,
    { readonly members: ReadonlyMap<string, AscElement & { readonly internalName: string }> | null }
  >
}

/** TypeKind, from 0 on; what comes behind are references, which are not in memory. */
const kinds = ['bool', 'i8', 'i16', 'i32', 'i64', 'isize', 'u8', 'u16', 'u32', 'u64', 'usize', 'f32', 'f64']
const GLOBAL_ELEMENT = 0

export class SourceTypes {
  private readonly locals = new Map<string, ReadonlyMap<string, AscType>>()
  private readonly globals = new Map<string, AscType>()
  private readonly structures = new Map<AscClass, number>()

  /** Takes over what the compiler knows after it has compiled. */
  constructor(program: AscProgram) {
    for (const [name, { localsByIndex }] of program.instancesByName)
      if (localsByIndex?.length && !name.startsWith('~'))
        this.locals.set(name, new Map(localsByIndex.map((local) => [local.name, local.type])))
    for (const { members } of program.filesByName.values())
      for (const { kind, type, internalName } of members?.values() ?? [])
        if (kind === GLOBAL_ELEMENT && type) this.globals.set(internalName, type)
  }

  /** The variables of a compiled function, by the name that the module has for it. */
  describe(builder: ObjectBuilder, code: EmittedFunction, name: string): FunctionDebug {
    const known = this.locals.get(name)
    return {
      variables: code.variables.map(({ name: variable, type, parameter, ranges }) => {
        const source = known?.get(variable)
        // Another variable of that name, in an inner block or an inlined function, may have another type.
        const fits = source && kinds[source.kind] !== undefined && machineType(source) === type
        return { parameter, variable: { name: variable, type: fits ? this.type(builder, source) : plain(builder, type), location: ranges } }
      }),
    }
  }

  /** Adds the program's module variables. */
  describeGlobals(builder: ObjectBuilder, module: WasmModule, names: ModuleNames, prefix: string, leaveOut: ReadonlySet<number>): void {
    for (const [index, name] of names.globals) {
      const source = this.globals.get(name)
      if (!source || !module.globals[index] || leaveOut.has(index) || kinds[source.kind] === undefined) continue
      if (machineType(source) !== irType(module.globals[index].type.type)) continue
      builder.variables.push({
        name: name.slice(name.lastIndexOf('/') + 1),
        type: this.type(builder, source),
        location: { kind: 'symbol', symbol: `${prefix}global.${index}`, offset: 0 },
      })
    }
  }

  private type(builder: ObjectBuilder, { kind, classReference }: AscType): number {
    if (classReference) return builder.type({ kind: 'pointer', target: this.structure(builder, classReference), size: 4 })
    return plain(builder, kinds[kind])
  }

  private structure(builder: ObjectBuilder, source: AscClass): number {
    const known = this.structures.get(source)
    if (known !== undefined) return known
    return builder.selfType((number): DebugType => {
      this.structures.set(source, number)
      const members = [...(source.members ?? [])].flatMap(([name, { instance }]) => {
        const { memoryOffset: offset = -1, type } = instance ?? {}
        return type && offset >= 0 && kinds[type.kind] !== undefined ? [{ name, offset, type: this.type(builder, type) }] : []
      })
      const name = source.internalName.slice(source.internalName.lastIndexOf('/') + 1)
      return { kind: 'struct', name, size: source.nextMemoryOffset, members }
    })
  }
}

function machineType({ kind }: AscType): string {
  const name = kinds[kind]
  return name[0] === 'f' ? name : name.endsWith('64') ? 'i64' : 'i32'
}

function plain(builder: ObjectBuilder, name: string): number {
  const size = name === 'bool' ? 1 : name.endsWith('size') ? 4 : Number(name.slice(1)) / 8
  const encoding = name === 'bool' ? 'boolean' : name[0] === 'f' ? 'float' : name[0] === 'u' ? 'unsigned' : 'signed'
  return builder.type({ kind: 'base', name, encoding, size })
}
