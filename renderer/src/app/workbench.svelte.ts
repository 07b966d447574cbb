/** What the window knows, and what it can ask for. Components read its state and call its methods; nothing else talks to the host. */
import {
  settings as settingsSchema,
  withPatch,
  type BoardOptions,
  type BoardStatus,
  type BuildResult,
  type ChartFrame,
  type CheckResult,
  type ConsoleChunk,
  type LabSummary,
  type ListingLine,
  type OpenLab,
  type Settings,
  type SettingsPatch,
  type StageRow,
  type Watchpoint,
} from '../../../main/protocol'
import { Documents } from '../editor/documents.svelte'
import { loadMonaco } from '../editor/monaco'
import { HostError, type Host } from '../host'
import { i18n } from '../i18n/index.svelte'
import { applyTheme } from './theme'

export type SideView = Settings['layout']['side']
export type StepUnit = 'over' | 'line' | 'out' | 'instruction'
export type BottomView = Settings['layout']['bottom']

export interface Notice {
  readonly text: string
  readonly kind: 'bad' | 'warn'
  /** Offered beside the text. */
  readonly again?: () => unknown
}

export interface Breakpoint {
  readonly path: string
  readonly line: number
  /** Null when no instruction comes from this line; undefined before a build. */
  readonly address?: string | null
}

export type StageKind = Settings['layout']['stageKind']

/** A line of the stage beside the source. */
export interface ShownRow {
  readonly text: string
  readonly file?: string
  readonly line?: number
  /** Of machine code only. */
  readonly address?: string
  readonly cycles?: number
  readonly symbol?: string
}

const OFF: BoardStatus = {
  phase: 'off',
  options: { kind: 'virt', harts: 1, timing: 'rocket100', ramMiB: 32 },
  ...{ build: 0, seconds: 0, cycles: 0, mips: 0, compiled: 0, harts: [], paced: true },
}

export class Workbench {
  connected = $state(true)
  ready = $state(false)
  /** The remembered settings are here: before that nothing is drawn that could write over them. */
  settled = $state(false)
  version = $state('')
  settings = $state.raw<Settings>(settingsSchema.parse({}))
  labs = $state.raw<LabSummary[]>([])
  lab = $state.raw<OpenLab>()
  files = $state.raw<string[]>([])
  tabs = $state.raw<string[]>([])
  active = $state<string>()
  documents = $state.raw<Documents>()
  build = $state.raw<BuildResult | null>(null)
  building = $state(false)
  /** What the build under way is at, in the toolchain's words. */
  buildStage = $state<string | null>(null)
  listing = $state.raw<{ build: number; lines: ListingLine[] }>({ build: 0, lines: [] })
  stage = $state.raw<{ kind: StageKind; build: number; functions: StageRow[][] }>({ kind: 'asm', build: 0, functions: [] })
  /** What the stage shows of the active file, and by what the editor colours its lines. */
  readonly rows: readonly ShownRow[] = $derived.by(() => {
    const { active } = this
    if (this.settings.layout.stageKind === 'asm') return this.listing.lines.filter((row) => row.file === active)
    if (this.stage.kind !== this.settings.layout.stageKind) return []
    return this.stage.functions.filter((rows) => rows.some((row) => row.file === active)).flat()
  })
  /** Line of the active file that the cursor is on. */
  cursorLine = $state(0)
  status = $state.raw<BoardStatus>(OFF)
  options = $state.raw<BoardOptions>(OFF.options)
  charts = $state.raw<ChartFrame>({ seconds: 0, classes: [] })
  checks = $state.raw<CheckResult[]>([])
  breakpoints = $state.raw<Breakpoint[]>([])
  watchpoints = $state.raw<Watchpoint[]>([])
  notice = $state.raw<Notice>()
  /** Where the editor should go. */
  reveal = $state.raw<{ path: string; line: number; column: number; again: number }>()
  compare = $state.raw<{ path: string; of: 'start' | 'solution'; text: string }>()
  /** The console component takes these; see `attachConsole`. */
  private consoleSink: ((chunk: ConsoleChunk, fresh: boolean) => Promise<void>) | undefined
  private missedConsole: ConsoleChunk | undefined
  private settingsTimer: ReturnType<typeof setTimeout> | undefined
  private pendingPatch: SettingsPatch = {}
  private readonly sending: SettingsPatch[] = []

  constructor(readonly host: Host) {
    host.onConnection((connected) => {
      this.connected = connected
      if (connected) void this.attach().catch((error: Error) => this.fail(error))
    })
    host.on('settings.changed', (settings) => this.takeSettings(settings))
    host.on('files.changed', async ({ lab, path, version }) => {
      if (lab !== this.lab?.definition.id) return
      await this.documents?.changedOnDisk(path, version)
      if (version === null || !this.files.includes(path)) this.files = await host.call('files.list', { lab })
    })
    host.on('build.done', ({ lab, result }) => {
      if (lab === this.lab?.definition.id) void this.takeBuild(result)
    })
    host.on('build.progress', ({ lab, stage }) => {
      if (lab === this.lab?.definition.id) this.buildStage = stage
    })
    host.on('board.status', (status) => void (this.status = status))
    host.on('board.charts', (charts) => void (this.charts = charts))
    host.on('board.restarted', async (status) => {
      this.status = status
      this.charts = { seconds: 0, classes: [] }
      await this.consoleSink?.({ offset: 0, text: '', lines: [] }, true)
    })
    host.on('board.console', (chunk) => this.consoleSink?.(chunk, false))
    host.on('board.watchpoints', (watchpoints) => void (this.watchpoints = watchpoints))
    host.on('checks.changed', ({ lab, results }) => {
      if (lab === this.lab?.definition.id) this.checks = results
    })
  }

  get running(): boolean {
    return this.status.phase === 'running' || this.status.phase === 'idle'
  }

  get on(): boolean {
    return this.running || this.status.phase === 'paused' || this.status.phase === 'stopped'
  }

  get checking(): boolean {
    return this.checks.some((check) => check.state === 'running')
  }

  get errors(): number {
    return this.build?.diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length ?? 0
  }

  /** First words with the host, and again after the connection was lost. */
  private async attach(): Promise<void> {
    const info = await this.host.call('workbench.info', {})
    this.version = info.version
    const settings = await this.host.call('settings.get', {})
    if (!settings.locale) settings.locale = info.locale
    this.takeSettings(settings)
    this.settled = true
    this.labs = await this.host.call('labs.list', {})
    const attached = await this.host.call('board.attach', {})
    this.status = attached.status
    this.charts = attached.charts
    this.watchpoints = attached.watchpoints
    if (this.consoleSink) await this.consoleSink(attached.console, true)
    else this.missedConsole = attached.console
    if (!this.lab) {
      const wanted = this.labs.find((lab) => lab.id === settings.lab) ?? this.labs[0]
      if (wanted) await this.openLab(wanted.id)
      this.breakpoints = attached.breakpoints.filter((breakpoint) => breakpoint.lab === wanted?.id)
    } else await this.documents?.saveAll()
    this.ready = true
  }

  attachConsole(sink: (chunk: ConsoleChunk, fresh: boolean) => Promise<void>): () => void {
    this.consoleSink = sink
    if (this.missedConsole) void sink(this.missedConsole, true)
    else if (this.ready) void this.host.call('board.attach', {}).then(({ console }) => sink(console, true))
    this.missedConsole = undefined
    return () => {
      if (this.consoleSink === sink) this.consoleSink = undefined
    }
  }

  // ---- labs and files ----

  async openLab(id: string): Promise<void> {
    await this.documents?.saveAll()
    const lab = await this.host.call('labs.open', { lab: id })
    this.documents?.dispose()
    this.documents = new Documents(this.host, loadMonaco(i18n.locale), id, (error) => this.fail(error))
    this.compare = undefined
    this.lab = lab
    this.files = lab.files
    this.options = this.status.phase === 'off' ? lab.definition.board : { ...lab.definition.board, ...this.status.options }
    const remembered = (this.settings.tabs[id] ?? []).filter((path) => lab.files.includes(path))
    this.tabs = remembered.length ? [...remembered].sort((a, b) => lab.files.indexOf(a) - lab.files.indexOf(b)) : lab.definition.open
    this.active = remembered[0] ?? lab.definition.open[0]
    this.breakpoints = []
    this.checks = await this.host.call('checks.last', { lab: id })
    this.build = await this.host.call('build.last', { lab: id })
    this.listing = await this.host.call('build.listing', { lab: id })
    if (this.settings.lab !== id) this.set({ lab: id })
    this.labs = await this.host.call('labs.list', {})
  }

  openFile(path: string, line?: number, column = 1): void {
    if (!this.files.includes(path)) return
    if (!this.tabs.includes(path)) this.tabs = [...this.tabs, path]
    this.active = path
    this.compare = undefined
    if (line !== undefined) this.reveal = { path, line, column, again: (this.reveal?.again ?? 0) + 1 }
    this.rememberTabs()
  }

  closeFile(path: string): void {
    const index = this.tabs.indexOf(path)
    this.tabs = this.tabs.filter((tab) => tab !== path)
    void this.documents?.save(path)
    if (this.active === path) this.active = this.tabs[Math.min(index, this.tabs.length - 1)]
    this.rememberTabs()
  }

  private rememberTabs(): void {
    const { lab, active, tabs } = this
    if (!lab) return
    const order = active ? [active, ...tabs.filter((tab) => tab !== active)] : tabs
    this.set({ tabs: { ...this.settings.tabs, [lab.definition.id]: order } })
  }

  async compareWith(path: string, of: 'start' | 'solution'): Promise<void> {
    await this.attempt(async () => {
      const { text } = await this.host.call('files.original', { lab: this.lab!.definition.id, path, of })
      this.openFile(path)
      this.compare = { path, of, text: text ?? '' }
    })
  }

  // ---- build and run ----

  async buildNow(): Promise<boolean> {
    const { lab } = this
    if (!lab || this.building) return false
    this.building = true
    this.notice = undefined
    try {
      await this.documents?.saveAll()
      const result = await this.host.call('build.run', { lab: lab.definition.id })
      await this.takeBuild(result)
      if (!result.ok) this.showBuildErrors()
      return result.ok
    } catch (error) {
      if (error instanceof HostError && error.code === 'cancelled') return false
      this.fail(error as Error)
      // Its thread is gone; the next build starts another.
      if (error instanceof HostError && error.code === 'crashed') this.notice = { ...this.notice!, again: () => this.buildNow() }
      return false
    } finally {
      this.building = false
    }
  }

  async cancelBuild(): Promise<void> {
    await this.attempt(async () => void (await this.host.call('build.cancel', {})))
  }

  private showBuildErrors(): void {
    this.layout({ bottom: 'problems' })
    const first = this.build?.diagnostics.find((diagnostic) => diagnostic.severity === 'error')
    if (first) this.openFile(first.file, first.line, first.column)
  }

  private async takeBuild(result: BuildResult): Promise<void> {
    if (this.build?.number === result.number) return
    this.build = result
    if (result.ok && this.lab) this.listing = await this.host.call('build.listing', { lab: this.lab.definition.id })
  }

  async start(paused = false): Promise<void> {
    const { lab } = this
    if (!lab || !(await this.buildNow())) return
    // The problems it was opened for are gone.
    if (this.settings.layout.bottom === 'problems') this.layout({ bottom: 'console' })
    await this.attempt(async () => {
      await this.sendBreakpoints()
      this.status = await this.host.call('board.start', { lab: lab.definition.id, options: this.options, paused })
      await this.sendBreakpoints()
      this.listing = await this.host.call('build.listing', { lab: lab.definition.id })
    })
  }

  /** F5. */
  async runOrContinue(): Promise<void> {
    if (this.status.phase === 'paused') await this.attempt(async () => void (this.status = await this.host.call('board.run', {})))
    else if (!this.running) await this.start()
  }

  async pause(): Promise<void> {
    await this.attempt(async () => {
      this.status = await this.host.call('board.pause', {})
      this.showStop()
    })
  }

  async setWatchpoints(watchpoints: Watchpoint[]): Promise<void> {
    await this.attempt(async () => void (this.watchpoints = await this.host.call('board.watchpoints', { watchpoints })))
  }

  async snapshot(): Promise<void> {
    await this.attempt(async () => void (this.status = await this.host.call('board.snapshot', {})))
  }

  async restore(): Promise<void> {
    await this.attempt(async () => {
      this.status = await this.host.call('board.restore', {})
      this.showStop()
    })
  }

  async step(unit: StepUnit): Promise<void> {
    await this.attempt(async () => {
      this.status = await this.host.call('board.step', { unit, hart: this.status.stop?.hart ?? 0 })
      this.showStop()
    })
  }

  async stop(): Promise<void> {
    await this.attempt(async () => void (this.status = await this.host.call('board.stop', {})))
  }

  showStop(): void {
    const { stop } = this.status
    if (stop?.file && stop.line) this.openFile(stop.file, stop.line)
  }

  async toggleBreakpoint(path: string, line: number): Promise<void> {
    const there = this.breakpoints.some((breakpoint) => breakpoint.path === path && breakpoint.line === line)
    this.breakpoints = there
      ? this.breakpoints.filter((breakpoint) => breakpoint.path !== path || breakpoint.line !== line)
      : [...this.breakpoints, { path, line }]
    await this.attempt(() => this.sendBreakpoints())
  }

  private async sendBreakpoints(): Promise<void> {
    if (!this.lab) return
    const breakpoints = this.breakpoints.map(({ path, line }) => ({ path, line }))
    this.breakpoints = await this.host.call('board.breakpoints', { lab: this.lab.definition.id, breakpoints })
  }

  async check(): Promise<void> {
    const { lab } = this
    if (!lab || this.checking) return
    await this.attempt(async () => {
      await this.documents?.saveAll()
      this.checks = await this.host.call('checks.run', { lab: lab.definition.id })
    })
  }

  // ---- settings ----

  /** Choices are sent at once; what changes many times a second, such as a size, when it has come to rest. */
  set(patch: SettingsPatch, atRest = false): void {
    this.pendingPatch = withPatch(this.pendingPatch, patch)
    this.takeSettings(this.settings)
    clearTimeout(this.settingsTimer)
    if (atRest) this.settingsTimer = setTimeout(() => this.sendSettings(), 250)
    else this.sendSettings()
  }

  /** The page goes: what waits is sent now. */
  leave(event: Event): void {
    this.sendSettings()
    // A page that is closed within the moment before a save would take the last words with it: the browser asks.
    if (this.documents?.dirty.size) event.preventDefault()
    void this.documents?.saveAll()
  }

  private sendSettings(): void {
    clearTimeout(this.settingsTimer)
    const patch = this.pendingPatch
    if (Object.keys(patch).length === 0) return
    this.pendingPatch = {}
    this.sending.push(patch)
    this.host
      .call('settings.set', { patch })
      .catch((error: Error) => this.fail(error))
      .finally(() => this.sending.splice(this.sending.indexOf(patch), 1))
  }

  layout(patch: Partial<Settings['layout']>, atRest = false): void {
    this.set({ layout: patch }, atRest)
  }

  private takeSettings(settings: Settings): void {
    // What was chosen here counts until the host has it: what it says meanwhile is older.
    this.settings = [...this.sending, this.pendingPatch].reduce<Settings>(withPatch, settings)
    if (this.settings.locale) i18n.locale = this.settings.locale
    document.documentElement.lang = i18n.locale
    applyTheme(this.settings.theme)
  }

  fail(error: Error): void {
    this.notice = { kind: 'bad', text: error.message }
  }

  private async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.fail(error as Error)
    }
  }
}
