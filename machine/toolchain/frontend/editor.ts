/**
 * Declarations for a TypeScript language service, so that hover, completion and definitions work on the guest dialect. Its own
 * validation stays off (decorators on functions and operator overloads are errors to it): our diagnostics are the markers.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { libraryFiles, traceNamespace } from './library.ts'

const decorators = `
/** Every hart has its own copy of this module variable. It may be touched between \`pin()\` and \`unpin()\`, in \`@pinned\` and in \`@interrupt\` functions. */
declare function perHart(...args: any[]): any
/** This module variable may only be touched while \`lock\` is held. */
declare function guardedBy(lock: any): (...args: any[]) => any
/** This module variable is written only by its initialiser and in \`@init\` functions. */
declare function readOnly(...args: any[]): any
/** Entered by an interrupt: saves every integer register it changes, ends in sret. It must not await, allocate or take a lock that sleeps. */
declare function interrupt(...args: any[]): any
/** Runs before other harts do: module state may be written freely. */
declare function init(...args: any[]): any
/** Whoever calls this function stays on the hart meanwhile. */
declare function pinned(...args: any[]): any
/** Whoever calls this function holds \`lock\`. */
declare function holds(lock: any): (...args: any[]) => any
`

/** The namespaces of intrinsics as they are in the library, without bodies. */
function namespaces(text: string): string {
  return text
    .replace(/^\/\/.*\n/gm, '')
    .replace(/^export namespace/gm, 'declare namespace')
    .replace(/@external\("\w+", "\w+"\) export declare function/g, 'function')
    .replace(/ @inline export const/g, ' const')
}

/** A documented function of the library: its comment and signature. */
function signatures(text: string): string {
  const found = text.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)(?:@inline )?export function ((?!__)\w+[^{]*) \{\n/g)
  return [...found].map(([, comment, signature]) => `${comment}declare function ${signature}\n`).join('')
}

function taskTypes(text: string): string {
  const [promise] = /\/\*\*[^*]*\*\/\n@unmanaged export class Promise<T> \{[^}]*\}\n/.exec(text)!
  const [states] = /\/\*\*[^*]*\*\/\nexport namespace TaskState \{[^}]*\}\n/.exec(text)!
  return (
    namespaces(states).replace(/const (\w+): u8 = \d+;/g, 'const $1: u8;') + promise.replace('@unmanaged export class', 'declare class')
  )
}

/** The whole text: AssemblyScript's own declarations, the intrinsics, the coroutine library, the decorators. Use `noLib`. */
export function editorDeclarations(): string {
  const path = createRequire(import.meta.url).resolve('assemblyscript/std/assembly/index.d.ts')
  const base = readFileSync(path, 'utf8').replace(/^(\/\*\*[^\n]*\n)?declare function trace\([^)]*\)[^\n]*\n/gm, '')
  const { pollen, coroutine } = libraryFiles
  return [base, namespaces(pollen + traceNamespace), taskTypes(coroutine), signatures(coroutine), decorators].join('\n')
}
