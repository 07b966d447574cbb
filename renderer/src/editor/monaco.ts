/** Monaco, loaded once and in the user's language: what is imported, its worker, its languages. */
import type * as Monaco from 'monaco-editor/editor'
import editorWorker from 'monaco-editor/editor/editor.worker?worker&url'
import typescriptWorker from 'monaco-editor/languages/features/typescript/ts.worker?worker&url'
import type { Locale } from '../../../main/protocol'
import { DECLARATIONS } from './guest-typescript'

export type { Monaco }

interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown }
}

/** The only script URLs that this window mints: without a policy Monaco falls back to the main thread. */
function trustedWorkerUrls(): (label: string) => string {
  const urls = [editorWorker, typescriptWorker].map((worker) => new URL(worker, location.href).href)
  const factory = (window as { trustedTypes?: TrustedTypesFactory }).trustedTypes
  const policy = factory?.createPolicy('pollen-worker', {
    createScriptURL: (given) => {
      if (!urls.includes(given)) throw new TypeError('not a worker of the editor')
      return given
    },
  })
  return (label) => {
    const url = urls[label === 'typescript' ? 1 : 0]
    return policy ? (policy.createScriptURL(url) as string) : url
  }
}

let loading: Promise<typeof Monaco> | undefined

/** Workers that started; a test looks at it. */
export const editorWorkers = { started: 0 }

export function loadMonaco(locale: Locale): Promise<typeof Monaco> {
  return (loading ??= load(locale))
}

async function load(locale: Locale): Promise<typeof Monaco> {
  const urlOf = trustedWorkerUrls()
  ;(self as { MonacoEnvironment?: unknown }).MonacoEnvironment = {
    getWorker: (_module: string, label: string) => {
      const worker = new Worker(urlOf(label), { type: 'module', name: label })
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

/** Gives the language service the declarations of the guest dialect, and models that it would not see before they are shown. */
export async function teachLanguageService(declarations: string, models: readonly Monaco.editor.ITextModel[]): Promise<void> {
  const { getTypeScriptWorker, typescriptDefaults } = await import('./monaco-features')
  typescriptDefaults.addExtraLib(declarations, DECLARATIONS)
  const worker = await getTypeScriptWorker()
  await worker(...models.map(({ uri }) => uri))
}
