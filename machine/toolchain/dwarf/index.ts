/** DWARF: written for our own objects by the linker; read back from any program. */
export { DwarfError } from './cursor.ts'
export type { Place } from './expression-reader.ts'
export {
  DebugInfo,
  readDebugInfo,
  type FunctionInfo,
  type MachineState,
  type SourcePosition,
  type TypeInfo,
  type UnwoundFrame,
  type VariableInfo,
} from './reader.ts'
export {
  FrameTable,
  readFrames,
  type FrameType,
  type FrameVariable,
  type SuspendedFrame,
  type SuspensionPoint,
} from './suspended-frames.ts'
export { writeDebugSections, type DebugInput, type DebugSection } from './writer.ts'
