import { importX } from 'eslint-plugin-import-x'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import tseslint from 'typescript-eslint'

/** Which folder may not import which: the layers drawn in ARCHITECTURE.md. */
const forbiddenImports = [
  { target: './machine', from: './main', message: 'machine/ is a pure library: it imports nothing above it.' },
  { target: './machine', from: './renderer', message: 'machine/ is a pure library: it imports nothing above it.' },
  { target: './machine', from: './labs', message: 'labs/ is data to machine/.' },
  { target: './main', from: './renderer', message: 'The renderer is reached through main/protocol only.' },
  { target: './renderer', from: './machine', message: 'The renderer imports main/protocol only.' },
  { target: './renderer', from: './labs', message: 'The renderer imports main/protocol only.' },
  { target: './renderer', from: './main', except: ['./protocol'], message: 'The renderer imports main/protocol only.' },
  { target: './machine/isa', from: './machine', except: ['./isa'], message: 'isa imports nothing.' },
  { target: './machine/device', from: './machine/toolchain', message: 'Devices never import the toolchain.' },
  { target: './machine/hart', from: './machine/toolchain', message: 'The hart never imports the toolchain.' },
  { target: './machine/jit', from: './machine/toolchain', message: 'The JIT never imports the toolchain.' },
  { target: './machine/toolchain', from: './machine/board', message: 'The toolchain never imports the board.' },
]

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'out/',
      'node_modules/',
      'machine/hart/core/',
      'machine/toolchain/runtime/',
      'machine/bench/toolchain/programs/',
      'labs/os/',
      'labs/experiments/',
      'labs/[0-9]*/',
    ],
  },
  ...tseslint.configs.recommended,
  {
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones: forbiddenImports }],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'electron', message: 'Only main/index.ts and main/preload.ts import electron.' }] },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Tests may bring parts together that the product keeps apart.
    files: ['**/*.spec.ts', '**/*.test-support.ts', 'machine/hart/differential/*.ts', 'machine/testing/**', 'machine/bench/**'],
    rules: { 'import-x/no-restricted-paths': 'off' },
  },
  { files: ['main/index.ts', 'main/preload.ts'], rules: { 'no-restricted-imports': 'off' } },
)
