/** What the workbench needs to know of the machine it runs on. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import type { Locale } from '../protocol/index.ts'
import { projectRoot } from './worker-thread.ts'

export function workspaceRoot(chosen?: string): string {
  return path.resolve(chosen ?? process.env.POLLEN_WORKSPACE ?? path.join(homedir(), 'Pollen'))
}

/** @throws Error saying how to build the window when it is not there. */
export function rendererFolder(): string {
  const folder = path.join(projectRoot(), 'out/renderer')
  if (!existsSync(path.join(folder, 'index.html'))) throw new Error('the window is not built: run "npm run build:renderer"')
  return folder
}

export function version(): string {
  return (JSON.parse(readFileSync(path.join(projectRoot(), 'package.json'), 'utf8')) as { version: string }).version
}

export function systemLocale(tag = Intl.DateTimeFormat().resolvedOptions().locale): Locale {
  return /^zh\b/i.test(tag) && !/hant|-(tw|hk|mo)\b/i.test(tag) ? 'zh-CN' : 'en'
}
