/**
 * The lab's texts in Monaco, saved as they are typed, and what happens when another program changes them. With the first source
 * that opens, all others are loaded too: definitions and completion reach across files.
 */
import { SvelteMap } from 'svelte/reactivity'
import { HostError, type Host } from '../host'
import { teachLanguageService, type Monaco } from './monaco'
import { languageOf } from './riscv'

const SAVE_AFTER = 400
/** Sources loaded for the language service. */
const MOST_SOURCES = 500

export interface OpenDocument {
  readonly path: string
  readonly model: Monaco.editor.ITextModel
  version: string
  /** Alternative version id of the model's text that is on disk. */
  savedAt: number
  timer?: ReturnType<typeof setTimeout>
  saving?: Promise<void>
}

export class Documents {
  readonly open = new SvelteMap<string, OpenDocument>()
  /** Paths with text that is not on disk yet. */
  readonly dirty = new SvelteMap<string, true>()
  /** Paths that another program changed while there was unsaved text. */
  readonly conflicts = new SvelteMap<string, { text: string; version: string }>()
  /** Counts changes of any text: what depends on texts reads it. */
  edits = $state(0)
  private project: Promise<void> | undefined

  constructor(
    private readonly host: Host,
    private readonly monaco: Promise<typeof Monaco>,
    readonly lab: string,
    private readonly onError: (error: Error) => void,
  ) {}

  async load(path: string): Promise<OpenDocument> {
    const known = this.open.get(path)
    if (known) return known
    const [monaco, { text, version }] = await Promise.all([this.monaco, this.host.call('files.read', { lab: this.lab, path })])
    const again = this.open.get(path)
    if (again) return again
    const uri = monaco.Uri.from({ scheme: 'file', path: `/${this.lab}/${path}` })
    monaco.editor.getModel(uri)?.dispose()
    const model = monaco.editor.createModel(text, languageOf(path), uri)
    model.updateOptions({ tabSize: /\.(s|S)$/.test(path) ? 8 : 2, insertSpaces: true })
    const opened: OpenDocument = { path, model, version, savedAt: model.getAlternativeVersionId() }
    model.onDidChangeContent(() => this.changed(opened))
    this.open.set(path, opened)
    if (model.getLanguageId() !== 'plaintext') this.project ??= this.loadProject().catch(this.onError)
    return opened
  }

  private async loadProject(): Promise<void> {
    const paths = await this.host.call('files.list', { lab: this.lab })
    const sources = paths.filter((path) => languageOf(path) !== 'plaintext').slice(0, MOST_SOURCES)
    // One that is gone meanwhile is not missed.
    for (const path of sources) await this.load(path).catch(() => undefined)
    const models = [...this.open.values()].map(({ model }) => model).filter((model) => model.getLanguageId() === 'typescript')
    if (models.length) await teachLanguageService((await this.host.call('editor.declarations', {})).text, models)
  }

  text(path: string): string | undefined {
    return this.open.get(path)?.model.getValue()
  }

  /** The file is gone: what was typed last goes with it. */
  forget(path: string): void {
    const document = this.open.get(path)
    if (!document) return
    clearTimeout(document.timer)
    this.open.delete(path)
    this.dirty.delete(path)
    this.conflicts.delete(path)
    document.model.dispose()
  }

  dispose(): void {
    for (const { model, timer } of this.open.values()) {
      clearTimeout(timer)
      model.dispose()
    }
    this.open.clear()
  }

  async saveAll(): Promise<void> {
    await Promise.all([...this.dirty.keys()].map((path) => this.save(path)))
  }

  async save(path: string, over = false): Promise<void> {
    const document = this.open.get(path)
    if (!document || (this.conflicts.has(path) && !over)) return
    clearTimeout(document.timer)
    await document.saving
    if (!this.dirty.has(path)) return
    document.saving = this.write(document, over).finally(() => (document.saving = undefined))
    await document.saving
  }

  /** Another window or program wrote the file. */
  async changedOnDisk(path: string, version: string | null): Promise<void> {
    const document = this.open.get(path)
    if (!document && this.project && version !== null && languageOf(path) !== 'plaintext') await this.load(path).catch(() => undefined)
    if (!document || version === document.version || version === null) return
    await document.saving
    if (version === document.version) return
    const stored = await this.host.call('files.read', { lab: this.lab, path }).catch(() => undefined)
    if (!stored || stored.version === document.version) return
    if (stored.text === document.model.getValue()) this.settled(document, stored.version)
    else if (this.dirty.has(path)) this.conflicts.set(path, stored)
    else this.replace(document, stored)
  }

  /** Ends a conflict. */
  async resolve(path: string, keep: 'mine' | 'theirs'): Promise<void> {
    const theirs = this.conflicts.get(path)
    const document = this.open.get(path)
    if (!theirs || !document) return
    this.conflicts.delete(path)
    if (keep === 'theirs') this.replace(document, theirs)
    else {
      document.version = theirs.version
      await this.save(path, true)
    }
  }

  /** Puts a text in place of the whole file; it can be undone. */
  setText(path: string, text: string): void {
    const model = this.open.get(path)?.model
    model?.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null)
  }

  private replace(document: OpenDocument, { text, version }: { text: string; version: string }): void {
    this.setText(document.path, text)
    this.settled(document, version)
  }

  private settled(document: OpenDocument, version: string): void {
    clearTimeout(document.timer)
    document.version = version
    document.savedAt = document.model.getAlternativeVersionId()
    this.dirty.delete(document.path)
  }

  private changed(document: OpenDocument): void {
    this.edits++
    if (document.model.getAlternativeVersionId() === document.savedAt) {
      this.dirty.delete(document.path)
      return
    }
    this.dirty.set(document.path, true)
    clearTimeout(document.timer)
    document.timer = setTimeout(() => void this.save(document.path), SAVE_AFTER)
  }

  private async write(document: OpenDocument, over: boolean): Promise<void> {
    const { path, model } = document
    const at = model.getAlternativeVersionId()
    try {
      const version = over ? undefined : document.version
      const saved = await this.host.call('files.write', { lab: this.lab, path, text: model.getValue(), version })
      document.version = saved.version
      document.savedAt = at
      if (model.getAlternativeVersionId() === at) this.dirty.delete(path)
    } catch (error) {
      if (error instanceof HostError && error.code === 'changed-on-disk') {
        this.conflicts.set(path, await this.host.call('files.read', { lab: this.lab, path }))
      } else {
        // The text stays unsaved and is tried again with the next change, or when the connection is back.
        this.onError(error as Error)
      }
    }
  }
}
