/** The call stack of a paused hart, from a program's debug information; where it has none, from the return address register. */
import type { RegisterValues } from '../../machine/board/session.ts'
import type { DebugInfo, MachineState, TypeInfo, UnwoundFrame, VariableInfo } from '../../machine/toolchain/dwarf/index.ts'

export interface StackFrame {
  readonly pc: bigint
  readonly function: string
  readonly file?: string
  readonly line?: number
  /** The stack pointer of this frame's function as it is at the call; undefined when not known. */
  readonly stack: bigint | undefined
  /** Not unwound: the return address register says so, which holds until the function calls another. */
  readonly guessed: boolean
  readonly variables: readonly { readonly name: string; readonly type: string; readonly value: string }[]
}

export interface StackSource {
  readonly debug: DebugInfo
  readonly registers: RegisterValues
  /** Bytes from the stack pointer on. */
  readonly stack: readonly (number | undefined)[]
  /** The symbol at or before an address; undefined before the program. */
  readonly symbolAt: (address: bigint) => string | undefined
}

/** Bytes of the stack that are read for a call stack. */
export const STACK_BYTES = 32_768
const RETURN_ADDRESS = 1
const STACK_POINTER = 2
const MOST_FRAMES = 64
/** Frames whose variables are read. */
const MOST_DETAILED = 16

export function callStack({ debug, registers, stack, symbolAt }: StackSource): StackFrame[] {
  const machine = machineState(registers, stack)
  const unwound = debug.unwind(registers.pc, machine, MOST_FRAMES)
  const frames = unwound.map((frame, index): StackFrame =>
    describe(frame, index, unwound[index - 1]?.cfa ?? machine.register(STACK_POINTER)),
  )
  const [only] = unwound
  const link = machine.register(RETURN_ADDRESS)
  const here = symbolAt(registers.pc)
  const caller = link === undefined ? undefined : symbolAt(link)
  if (unwound.length === 1 && only.cfa === undefined && link !== undefined && caller !== undefined && caller !== here) {
    const position = debug.lineAt(link - 1n)
    frames.push({
      pc: link,
      function: caller,
      file: position?.file,
      line: position?.line,
      stack: machine.register(STACK_POINTER),
      guessed: true,
      variables: [],
    })
  }
  return frames

  function describe(frame: UnwoundFrame, index: number, stackPointer: bigint | undefined): StackFrame {
    const { pc, position } = frame
    const name = frame.function?.name || symbolAt(index === 0 ? pc : pc - 1n) || ''
    const variables = index < MOST_DETAILED ? variablesOf(frame, index) : []
    return { pc, function: name, file: position?.file, line: position?.line, stack: stackPointer, guessed: false, variables }
  }
}

function machineState({ integer, float }: RegisterValues, stack: readonly (number | undefined)[]): MachineState {
  const values = [...integer, ...float].map(([, value]) => value)
  const base = integer[STACK_POINTER][1]
  return {
    register: (number) => values[number],
    readMemory: (address, size) => {
      const from = Number(address - base)
      if (from < 0 || from + size > stack.length) return undefined
      let value = 0n
      for (let at = from + size - 1; at >= from; at--) {
        const byte = stack[at]
        if (byte === undefined) return undefined
        value = (value << 8n) | BigInt(byte)
      }
      return value
    },
  }
}

function variablesOf(frame: UnwoundFrame, index: number): StackFrame['variables'] {
  const pc = index === 0 ? frame.pc : frame.pc - 1n
  return (frame.function?.variablesAt(pc) ?? [])
    .filter(({ name }) => name !== '')
    .map((variable) => ({ name: variable.name, type: typeName(variable.type), value: valueOf(variable, pc, frame) }))
}

/** Empty where the value is not known at this place, as for one that is in no register yet. */
function valueOf({ locate, type }: VariableInfo, pc: bigint, frame: UnwoundFrame): string {
  const place = locate(pc, frame)
  if (!place) return ''
  const size = sizeOf(type)
  if (place.kind === 'constant') return text(place.value, type)
  if (place.kind === 'register') {
    const value = frame.register(place.register)
    return value === undefined ? '' : text(value, type)
  }
  if (type?.kind !== 'base' && type?.kind !== 'pointer' && type?.kind !== 'enumeration') return `at 0x${place.address.toString(16)}`
  const value = frame.readMemory(place.address, size)
  return value === undefined ? `at 0x${place.address.toString(16)}` : text(value, type)
}

function text(bits: bigint, type: TypeInfo | undefined): string {
  if (type?.kind === 'enumeration') return type.values.find(({ value }) => value === bits)?.name ?? String(bits)
  if (type?.kind !== 'base') return `0x${BigInt.asUintN(64, bits).toString(16)}`
  const width = type.size * 8
  if (type.encoding === 'float') {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt.asUintN(64, bits), true)
    return String(type.size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true))
  }
  if (type.encoding === 'boolean') return BigInt.asUintN(width, bits) === 0n ? 'false' : 'true'
  return String(/^signed/.test(type.encoding) ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits))
}

function sizeOf(type: TypeInfo | undefined): number {
  return type && 'size' in type && type.size <= 8 ? type.size : 8
}

function typeName(type: TypeInfo | undefined, depth = 0): string {
  if (!type || depth > 4) return ''
  if (type.kind === 'pointer') return `${typeName(type.target(), depth + 1) || 'void'} *`
  if (type.kind === 'array') return `${typeName(type.element(), depth + 1)}[${type.count ?? ''}]`
  return type.name
}
