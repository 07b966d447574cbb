/** The parts of Monaco that the window uses. */
import * as monaco from 'monaco-editor/editor'
import 'monaco-editor/features/register.all'
import 'monaco-editor/languages/definitions/cpp/register'
import 'monaco-editor/languages/definitions/typescript/register'
import { registerRiscvAssembly } from './riscv'

registerRiscvAssembly(monaco)

export { monaco }
