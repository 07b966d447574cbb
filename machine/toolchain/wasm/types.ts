/** The shapes of a decoded WebAssembly module. Section numbers in comments are those of the core specification 2.0. */

export type NumberType = 'i32' | 'i64' | 'f32' | 'f64'
export type ReferenceType = 'funcref' | 'externref'
export type ValueType = NumberType | ReferenceType

export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export interface Limits {
  readonly minimum: number
  readonly maximum: number | undefined
  readonly shared: boolean
}

export interface TableType {
  readonly element: ReferenceType
  readonly limits: Limits
}

export interface GlobalType {
  readonly type: ValueType
  readonly mutable: boolean
}

export type ImportDescription =
  | { readonly kind: 'function'; readonly typeIndex: number }
  | { readonly kind: 'table'; readonly table: TableType }
  | { readonly kind: 'memory'; readonly memory: Limits }
  | { readonly kind: 'global'; readonly global: GlobalType }

export interface Import {
  readonly module: string
  readonly name: string
  readonly description: ImportDescription
  readonly offset: number
}

export interface Export {
  readonly name: string
  readonly kind: 'function' | 'table' | 'memory' | 'global'
  readonly index: number
}

/** A constant expression (3.3.10): what core 2.0 allows is exactly one instruction. */
export type ConstantExpression =
  | { readonly kind: 'i32' | 'i64'; readonly value: bigint }
  | { readonly kind: 'f32' | 'f64'; /** The bits. */ readonly value: bigint }
  | { readonly kind: 'global'; readonly index: number }
  | { readonly kind: 'ref.func'; readonly index: number }
  | { readonly kind: 'ref.null'; readonly type: ReferenceType }

export interface Global {
  readonly type: GlobalType
  readonly init: ConstantExpression
}

export interface ElementSegment {
  readonly mode: 'active' | 'passive' | 'declarative'
  readonly table: number
  readonly offset: ConstantExpression | undefined
  readonly type: ReferenceType
  readonly items: readonly ConstantExpression[]
}

export interface DataSegment {
  readonly mode: 'active' | 'passive'
  readonly memory: number
  readonly offset: ConstantExpression | undefined
  readonly bytes: Uint8Array
}

/** A function body: its declared locals (parameters not included) and where its expression lies in the module's bytes. */
export interface FunctionBody {
  readonly locals: readonly ValueType[]
  /** First byte of the expression. */
  readonly start: number
  /** One past the final `end`. */
  readonly end: number
}

export interface CustomSection {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface WasmFunction {
  readonly typeIndex: number
  /** Undefined for an import. */
  readonly body: FunctionBody | undefined
  readonly import: Import | undefined
}

/** Index spaces have imports first, as in the specification. */
export interface WasmModule {
  readonly bytes: Uint8Array
  readonly types: readonly FunctionType[]
  readonly imports: readonly Import[]
  readonly functions: readonly WasmFunction[]
  readonly tables: readonly TableType[]
  readonly memories: readonly Limits[]
  readonly globals: readonly {
    readonly type: GlobalType
    readonly init: ConstantExpression | undefined
    readonly import: Import | undefined
  }[]
  readonly exports: readonly Export[]
  readonly start: number | undefined
  readonly elements: readonly ElementSegment[]
  readonly data: readonly DataSegment[]
  readonly dataCount: number | undefined
  readonly customs: readonly CustomSection[]
  /** Functions that an element segment, an export or a global initialiser mentions: what `ref.func` may name. */
  readonly declaredFunctions: ReadonlySet<number>
  /** Byte offset of the code section's contents: DWARF in wasm counts from here. */
  readonly codeOffset: number
}

export type WasmErrorCode = 'wasm/malformed' | 'wasm/invalid' | 'wasm/unsupported'

/** Every way in which a module is refused; `offset` is the byte of the module it is about. */
export class WasmError extends Error {
  constructor(
    readonly code: WasmErrorCode,
    message: string,
    readonly offset: number,
  ) {
    super(`${message} (at byte 0x${offset.toString(16)})`)
    this.name = 'WasmError'
  }
}
