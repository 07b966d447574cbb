/** The parts of Monaco that the window uses. */
import * as monaco from 'monaco-editor/editor'
import 'monaco-editor/features/register.all'
import 'monaco-editor/languages/definitions/cpp/register'
import 'monaco-editor/languages/definitions/typescript/register'
import { getTypeScriptWorker, typescriptDefaults } from 'monaco-editor/languages/features/typescript/register'
import { configureGuestTypeScript } from './guest-typescript'
import { registerRiscvAssembly } from './riscv'

registerRiscvAssembly(monaco)
configureGuestTypeScript(typescriptDefaults)

export { getTypeScriptWorker, monaco, typescriptDefaults }
