/** The TypeScript language service over the guest dialect: hover, completion, definitions. Errors are our compiler's alone. */
import type { Monaco } from './monaco'
import type { typescriptDefaults } from 'monaco-editor/languages/features/typescript/register'

/** Where the declarations of the dialect stand beside the lab's files. */
export const DECLARATIONS = 'file:///pollen.d.ts'

const NODE_RESOLUTION = 2
const LATEST = 99

/** Until the declarations are here the service knows only the lab's own names. */
export function configureGuestTypeScript(defaults: typeof typescriptDefaults): void {
  defaults.setCompilerOptions({
    noLib: true,
    target: LATEST,
    experimentalDecorators: true,
    allowNonTsExtensions: true,
    moduleResolution: NODE_RESOLUTION,
    types: [],
  })
  defaults.setModeConfiguration({
    completionItems: true,
    hovers: true,
    documentSymbols: true,
    definitions: true,
    references: true,
    documentHighlights: true,
    rename: true,
    signatureHelp: true,
    documentRangeFormattingEdits: true,
    onTypeFormattingEdits: true,
    // Decorators on functions and operators on classes are mistakes to plain TypeScript and right in the dialect.
    diagnostics: false,
    codeActions: false,
    inlayHints: false,
  })
}

/** Definitions in another file open it in a tab; what is not a file of the lab is peeked at. */
export function openDefinitionsWith(
  monaco: typeof Monaco,
  open: (path: string, line: number, column: number) => boolean,
): { dispose(): void } {
  return monaco.editor.registerEditorOpener({
    openCodeEditor: (source, resource, selection) => {
      const path = resource.path.split('/').slice(2).join('/')
      const line = selection && 'startLineNumber' in selection ? selection.startLineNumber : (selection?.lineNumber ?? 1)
      const column = selection && 'startColumn' in selection ? selection.startColumn : (selection?.column ?? 1)
      if (resource.scheme === 'file' && open(path, line, column)) return true
      source.trigger('definition', 'editor.action.peekDefinition', null)
      return true
    },
  })
}
