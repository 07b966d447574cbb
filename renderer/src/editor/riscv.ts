/** RISC-V assembly in GNU syntax for the editor: colours, comments, hover for registers. */
import { formatAssembly } from './format-assembly'
import type { Monaco } from './monaco'

const REGISTERS = 'zero|ra|sp|gp|tp|fp|t[0-6]|s\\d|s1[01]|a[0-7]|x[12]?\\d|x3[01]|ft\\d|ft1[01]|fs\\d|fs1[01]|fa[0-7]|f[12]?\\d|f3[01]'

/** What the calling convention says (psABI, "Register Convention"). */
const ROLES: readonly [RegExp, { en: string; zh: string }][] = [
  [/^zero$/, { en: 'always 0', zh: '恒为 0' }],
  [/^ra$/, { en: 'return address; a call overwrites it', zh: '返回地址；调用会覆盖它' }],
  [/^sp$/, { en: 'stack pointer, 16-byte aligned', zh: '栈指针，按 16 字节对齐' }],
  [/^gp$/, { en: 'global pointer', zh: '全局指针' }],
  [/^tp$/, { en: 'thread pointer', zh: '线程指针' }],
  [/^t[0-6]$/, { en: 'temporary: a call may change it', zh: '临时寄存器：调用可能改变它' }],
  [/^(s\d+|fp)$/, { en: 'saved: a function gives it back as it was', zh: '保存寄存器：函数返回前须恢复' }],
  [/^a[0-7]$/, { en: 'argument; a0 and a1 hold the result', zh: '参数；a0 和 a1 存放返回值' }],
]

export const RISCV = 'riscv'

export function registerRiscvAssembly(monaco: typeof Monaco): void {
  monaco.languages.register({ id: RISCV, extensions: ['.s', '.S', '.asm'], aliases: ['RISC-V assembly'] })
  monaco.languages.setLanguageConfiguration(RISCV, {
    comments: { lineComment: '#', blockComment: ['/*', '*/'] },
    brackets: [['(', ')']],
    autoClosingPairs: [
      { open: '(', close: ')' },
      { open: '"', close: '"', notIn: ['string'] },
    ],
    wordPattern: /[.\w$]+/,
  })
  monaco.languages.setMonarchTokensProvider(RISCV, {
    defaultToken: '',
    tokenizer: {
      root: [
        [/^\s*#\s*(include|define|undef|if|ifdef|ifndef|elif|else|endif|error)\b/, 'keyword.directive'],
        [/#.*$/, 'comment'],
        [/\/\/.*$/, 'comment'],
        [/\/\*/, 'comment', '@comment'],
        [/"/, 'string', '@string'],
        [/'(\\.|[^'\\])'?/, 'string'],
        [/^\s*[.\w$]+(?=\s*:)/, 'type.identifier'],
        [/\.[a-zA-Z_]\w*/, 'keyword.directive'],
        [/%[a-z_]+(?=\()/, 'function'],
        [/\b(0x[\da-fA-F]+|0b[01]+|\d+[fb]?)\b/, 'number'],
        [new RegExp(`\\b(${REGISTERS})\\b`), 'variable'],
        // The first word of a statement is its instruction.
        [/^(\s*)([a-z][a-z0-9.]*)(?=\s|$)/, ['', 'keyword']],
        [/(:\s*)([a-z][a-z0-9.]*)(?=\s|$)/, ['', 'keyword']],
        [/;\s*/, 'delimiter'],
        [/[\w.$]+/, 'identifier'],
      ],
      comment: [
        [/[^*]+/, 'comment'],
        [/\*\//, 'comment', '@pop'],
        [/\*/, 'comment'],
      ],
      string: [
        [/[^\\"]+/, 'string'],
        [/\\./, 'string.escape'],
        [/"/, 'string', '@pop'],
      ],
    },
  })
  monaco.languages.registerDocumentFormattingEditProvider(RISCV, {
    provideDocumentFormattingEdits: (model) => [{ range: model.getFullModelRange(), text: formatAssembly(model.getValue()) }],
  })
  monaco.languages.registerHoverProvider(RISCV, {
    provideHover: (model, position) => {
      const word = model.getWordAtPosition(position)
      const role = word && ROLES.find(([pattern]) => pattern.test(word.word))
      if (!word || !role) return null
      const text = document.documentElement.lang.startsWith('zh') ? role[1].zh : role[1].en
      return { contents: [{ value: `\`${word.word}\` — ${text}` }] }
    },
  })
  monaco.languages.registerDefinitionProvider(RISCV, {
    provideDefinition: (model, position) => {
      const word = model.getWordAtPosition(position)?.word
      if (!word) return null
      const label = `^\\s*${word.replace(/[.$]/g, '\\$&')}\\s*:`
      const equate = `^\\s*\\.(equ|set)\\s+${word.replace(/[.$]/g, '\\$&')}\\s*,`
      return monaco.editor
        .getModels()
        .filter((other) => other.getLanguageId() === RISCV && other.uri.scheme === 'file')
        .flatMap((other) =>
          other.findMatches(`${label}|${equate}`, false, true, true, null, false, 1).map(({ range }) => ({ uri: other.uri, range })),
        )
    },
  })
}

export function languageOf(path: string): string {
  if (/\.(s|S|asm)$/.test(path)) return RISCV
  if (/\.ts$/.test(path)) return 'typescript'
  if (/\.(c|h)$/.test(path)) return 'c'
  if (/\.(cpp|hpp|cc)$/.test(path)) return 'cpp'
  return 'plaintext'
}
