/** All services behind the one contract. Hosts connect windows to it; it knows nothing of how they talk. */
import path from 'node:path'
import { watch, type FSWatcher } from 'node:fs'
import { editorDeclarations } from '../../machine/toolchain/frontend/editor.ts'
import type { BoardStatus, CheckResult, EventName, EventPayload, Handlers, Locale } from '../protocol/index.ts'
import { BoardService } from './board-service.ts'
import { BuildService } from './build-service.ts'
import { notBuilt, runChecks, waiting, type CheckRun } from './check-service.ts'
import { WorkbenchError } from './errors.ts'
import { LabStore } from './lab-store.ts'
import { searchTexts } from './search.ts'
import { SettingsStore } from './settings-store.ts'
import { Toolchain } from './toolchain.ts'
import { Workspace, versionOf, type StoredText } from './workspace.ts'

export interface WorkbenchOptions {
  /** Holds one folder a lab, and the settings. */
  readonly root: string
  readonly host: 'electron' | 'browser'
  readonly version: string
  /** The language of the system, until the user chooses. */
  readonly locale: Locale
  readonly labs?: LabStore
  /** One that is warm already; it stays open. */
  readonly toolchain?: Toolchain
}

/** A window: resolves when it has taken the event. */
export type Listener = <N extends EventName>(event: N, payload: EventPayload<N>) => Promise<void>

export class Workbench {
  readonly handlers: Handlers
  readonly board: BoardService
  private readonly listeners = new Set<Listener>()
  private readonly labs: LabStore
  private readonly workspace: Workspace
  private readonly settings: SettingsStore
  private readonly toolchain: Toolchain
  private readonly builds: BuildService
  private readonly checks = new Map<string, CheckResult[]>()
  private checkRun: CheckRun | undefined
  private watcher: { lab: string; watcher: FSWatcher } | undefined

  constructor(private readonly options: WorkbenchOptions) {
    this.labs = options.labs ?? new LabStore()
    this.toolchain = options.toolchain ?? new Toolchain()
    this.workspace = new Workspace(options.root)
    this.settings = new SettingsStore(path.join(options.root, '.pollen', 'settings.json'))
    this.builds = new BuildService(
      this.workspace,
      this.labs,
      this.toolchain,
      (lab, result) => void this.emit('build.done', { lab, result }),
      (lab, stage) => void this.emit('build.progress', { lab, stage }),
    )
    this.board = new BoardService(this.builds, (event, payload) => this.emit(event, payload))
    this.handlers = this.makeHandlers()
  }

  /** Adds a window; the result removes it. */
  connect(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Resolves when every window has taken the event. */
  async emit<N extends EventName>(event: N, payload: EventPayload<N>): Promise<void> {
    await Promise.all([...this.listeners].map((listener) => listener(event, payload)))
  }

  async close(): Promise<void> {
    this.watcher?.watcher.close()
    this.checkRun?.cancel()
    await this.board.stop()
    if (!this.options.toolchain) await this.toolchain.close()
  }

  private makeHandlers(): Handlers {
    const { labs, workspace, settings, builds, board } = this
    return {
      'workbench.info': async () => ({ version: this.options.version, host: this.options.host, locale: this.options.locale }),
      'settings.get': () => settings.get(),
      'settings.set': async ({ patch }) => {
        const next = await settings.set(patch)
        void this.emit('settings.changed', next)
        return next
      },

      'labs.list': async () =>
        Promise.all(
          (await labs.ids()).map(async (id) => {
            const { title, minutes, checks } = await labs.definition(id)
            return { id, title, minutes, points: checks.reduce((sum, check) => sum + check.points, 0), started: await workspace.has(id) }
          }),
        ),
      'labs.open': async ({ lab }) => {
        const definition = await labs.definition(lab)
        await workspace.addMissing(lab, labs.start(lab))
        this.toolchain.warm()
        this.watch(lab)
        // An operating system takes a while the first time: while the guide is read.
        if (definition.base) void builds.current(lab).catch(() => {})
        return { definition, guide: await labs.guide(lab), files: await this.list(lab) }
      },

      'files.list': ({ lab }) => this.list(lab),
      'files.read': ({ lab, path: file }) => this.read(lab, file),
      'files.write': async ({ lab, path: file, text, version }) => ({
        version: this.changed(lab, file, await workspace.write(lab, file, text, version)),
      }),
      'files.create': async ({ lab, path: file }) => {
        if ((await labs.base(lab)).has(file)) throw new WorkbenchError('failed', `${file} is there already`)
        return { version: this.changed(lab, file, await workspace.create(lab, file)) }
      },
      'files.remove': async ({ lab, path: file }) => {
        await workspace.remove(lab, file)
        // What lay underneath shows again.
        const base = (await labs.base(lab)).get(file)
        void this.emit('files.changed', { lab, path: file, version: base === undefined ? null : versionOf(base) })
        return {}
      },
      'files.original': async ({ lab, path: file, of }) => {
        if (of === 'solution' && !this.allPassed(lab))
          throw new WorkbenchError('bad-request', 'the solution opens when all checks have passed')
        return { text: await labs.original(lab, file, of) }
      },
      'files.search': async ({ lab, ...query }) =>
        searchTexts(new Map([...(await labs.base(lab)), ...(await workspace.readAll(lab))]), query),

      'editor.declarations': async () => ({ text: editorDeclarations() }),

      'build.run': async ({ lab }) => (await builds.current(lab)).result,
      'build.cancel': async () => {
        await this.toolchain.cancel()
        return {}
      },
      'build.last': async ({ lab }) => builds.lastResult(lab),
      'build.listing': async ({ lab }) => builds.listing(lab, board.attach().status.options.timing),

      'build.stage': ({ lab, stage }) => builds.stage(lab, stage),

      'board.start': async (request) => board.start(request, (await settings.get()).paced),
      'board.run': () => board.run(),
      'board.pause': () => board.pause(),
      'board.step': (request) => board.step(request),
      'board.stop': () => board.stop(),
      'board.pace': async ({ paced }): Promise<BoardStatus> => {
        const next = await settings.set({ paced })
        void this.emit('settings.changed', next)
        return board.pace(paced)
      },
      'board.attach': async () => board.attach(),
      'board.input': async ({ text }) => {
        await board.input(text)
        return {}
      },
      'board.breakpoints': (request) => board.setBreakpoints(request),
      'board.watchpoints': ({ watchpoints }) => board.setWatchpoints(watchpoints),
      'board.stack': ({ hart }) => board.stack(hart),
      'board.walk': (request) => board.walk(request),
      'board.interrupts': () => board.interrupts(),
      'board.snapshot': () => board.snapshot(),
      'board.restore': () => board.restore(),
      'board.registers': ({ hart }) => board.registers(hart),
      'board.writeRegister': (request) => board.writeRegister(request),
      'board.memory': (request) => board.memory(request),
      'board.writeMemory': async (request) => {
        await board.writeMemory(request)
        return {}
      },
      'board.requests': (request) => board.requests(request),

      'checks.run': ({ lab }) => this.check(lab),
      'checks.cancel': async () => {
        this.checkRun?.cancel()
        return {}
      },
      'checks.last': async ({ lab }) => this.checks.get(lab) ?? (await labs.definition(lab)).checks.map(waiting),
    }
  }

  /** Own files first, then those underneath. */
  private async list(lab: string): Promise<string[]> {
    return [...new Set([...(await this.workspace.list(lab)), ...[...(await this.labs.base(lab)).keys()].sort()])]
  }

  /** A file of the lab's base reads as it is until the learner writes it: then the lab has one of its own. */
  private async read(lab: string, file: string): Promise<StoredText> {
    try {
      return await this.workspace.read(lab, file)
    } catch (error) {
      const text = error instanceof WorkbenchError && error.code === 'not-found' ? (await this.labs.base(lab)).get(file) : undefined
      if (text === undefined) throw error
      return { text, version: versionOf(text) }
    }
  }

  private changed(lab: string, file: string, version: string): string {
    void this.emit('files.changed', { lab, path: file, version })
    return version
  }

  private async check(lab: string): Promise<CheckResult[]> {
    this.checkRun?.cancel()
    const definition = await this.labs.definition(lab)
    const build = await this.builds.current(lab)
    const show = (results: CheckResult[]) => {
      this.checks.set(lab, results)
      void this.emit('checks.changed', { lab, results })
    }
    if (!build.elf) {
      show(
        notBuilt(
          definition,
          build.result.diagnostics.filter((diagnostic) => diagnostic.severity === 'error'),
        ),
      )
      return this.checks.get(lab)!
    }
    const run = runChecks(definition, { name: lab, bytes: build.elf }, show)
    this.checkRun = run
    return run.results
  }

  private allPassed(lab: string): boolean {
    const results = this.checks.get(lab)
    return results !== undefined && results.every((result) => result.state === 'passed')
  }

  /** Tells windows about changes by other programs. */
  private watch(lab: string): void {
    if (this.watcher?.lab === lab) return
    this.watcher?.watcher.close()
    const folder = this.workspace.folder(lab)
    const watcher = watch(folder, { recursive: true }, (_kind, changed) => {
      if (!changed || /(^|[\\/])\./.test(changed)) return
      const name = changed.split(path.sep).join('/')
      void this.read(lab, name).then(
        ({ version }) => this.emit('files.changed', { lab, path: name, version }),
        () => this.emit('files.changed', { lab, path: name, version: null }),
      )
    })
    watcher.on('error', () => watcher.close())
    watcher.unref()
    this.watcher = { lab, watcher }
  }
}
