/** Monaco, loaded once and in the user's language: what is imported, its worker, its languages. */
import type * as Monaco from 'monaco-editor/editor'
import workerUrl from 'monaco-editor/editor/editor.worker?worker&url'
import type { Locale } from '../../../main/protocol'

export type { Monaco }

interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown }
}

/** The only script URL that this window mints: without a policy Monaco falls back to the main thread. */
function trustedWorkerUrl(): string {
  const url = new URL(workerUrl, location.href).href
  const factory = (window as { trustedTypes?: TrustedTypesFactory }).trustedTypes
  if (!factory) return url
  const policy = factory.createPolicy('pollen-worker', {
    createScriptURL: (given) => {
      if (given !== url) throw new TypeError('not the editor’s worker')
      return given
    },
  })
  return policy.createScriptURL(url) as string
}

let loading: Promise<typeof Monaco> | undefined

/** Workers that started; a test looks at it. */
export const editorWorkers = { started: 0 }

export function loadMonaco(locale: Locale): Promise<typeof Monaco> {
  return (loading ??= load(locale))
}

async function load(locale: Locale): Promise<typeof Monaco> {
  const url = trustedWorkerUrl()
  ;(self as { MonacoEnvironment?: unknown }).MonacoEnvironment = {
    getWorker: () => {
      const worker = new Worker(url, { type: 'module', name: 'editor' })
      editorWorkers.started++
      document.documentElement.dataset.editorWorkers = String(editorWorkers.started)
      return worker
    },
  }
  // It must be there before Monaco: it reads its texts when its modules load.
  if (locale === 'zh-CN') await import('monaco-editor/nls/lang/zh-cn')
  const { monaco } = await import('./monaco-features')
  return monaco
}
