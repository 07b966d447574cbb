/** What a language service says of kernel-style code with our declarations. */
import ts from 'typescript'
import { expect, test } from 'vitest'
import { editorDeclarations } from './editor.ts'

const source = `
@perHart let current: u32 = 0;
async function read(sector: u64): Promise<u32> { co.suspend(); return <u32>sector; }
async function work(): Promise<void> {
  const word = await read(5);
  cpu.csrWrite(0x100, word);
  defer<u32>(stop, word);
  trace.emit(3, word);
}
function stop(x: u32): void { current = x; }
`

function service(text: string): ts.LanguageService {
  const files: Record<string, string> = { 'main.ts': text, 'pollen.d.ts': editorDeclarations() }
  return ts.createLanguageService({
    getScriptFileNames: () => Object.keys(files),
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => (files[name] === undefined ? undefined : ts.ScriptSnapshot.fromString(files[name])),
    getCurrentDirectory: () => '',
    getCompilationSettings: () => ({ noLib: true, target: ts.ScriptTarget.ESNext, experimentalDecorators: true, types: [] }),
    getDefaultLibFileName: () => 'none.d.ts',
    fileExists: (name) => name in files,
    readFile: (name) => files[name],
  })
}

const language = service(source)

function hover(what: string): { type: string; documentation: string } {
  const info = language.getQuickInfoAtPosition('main.ts', source.indexOf(what))
  return { type: ts.displayPartsToString(info?.displayParts), documentation: ts.displayPartsToString(info?.documentation) }
}

test('the declarations themselves are sound', () => {
  expect(language.getSyntacticDiagnostics('pollen.d.ts')).toEqual([])
  expect(language.getSyntacticDiagnostics('main.ts')).toEqual([])
})

test('intrinsics, the library and decorators have types and documentation', () => {
  expect(hover('csrWrite')).toMatchObject({
    type: expect.stringContaining('csrWrite(csr: u32, value: u64): void') as string,
    documentation: 'Writes a CSR.',
  })
  expect(hover('defer<').documentation).toContain('however it ends')
  expect(hover('emit').documentation).toContain('Costs no cycle')
  expect(hover('perHart').documentation).toContain('Every hart has its own copy')
})

test('await gives the type of the result', () => {
  expect(hover('word = ').type).toMatch(/const word: (u32|number)/)
})

test('intrinsics are completed', () => {
  const entries = language.getCompletionsAtPosition('main.ts', source.indexOf('csrWrite'), undefined)?.entries.map(({ name }) => name)
  for (const name of ['csrRead', 'wfi', 'load32', 'uipiSend']) expect(entries).toContain(name)
})
