/** Everything the window can do by name: what the palette lists, what keys do, what a menu asks for. */
import { locales, themes } from '../../../main/protocol'
import { i18n, languageNames } from '../i18n/index.svelte'
import type { SideView, Workbench } from './workbench.svelte'

export interface Command {
  readonly id: string
  readonly title: string
  /** As shown; the first key of `keys` in readable form. */
  readonly keys?: readonly string[]
  readonly run: () => unknown
}

/** What only the page can do. */
export interface PageActions {
  palette(): void
  help(): void
  nextPanel(step: 1 | -1): void
  find(): void
  breakpointAtCursor(): void
  toggleTabMoves(): void
  format(): void
  definition(): void
  save(): void
}

export const SIDE_VIEWS: readonly SideView[] = ['guide', 'labs', 'files', 'search', 'board', 'debug', 'settings']

/** The commands that make sense now. */
export function commands(app: Workbench, page: PageActions): Command[] {
  const { t } = i18n
  const list: Command[] = []
  const add = (when: boolean, id: string, title: string, run: () => unknown, ...keys: string[]) => {
    if (when) list.push({ id, title, run, keys })
  }
  const { phase } = app.status
  const lab = app.lab !== undefined
  add(lab && !app.running, 'run', t.commands.run, () => app.runOrContinue(), 'F5')
  add(app.running, 'pause', t.commands.pause, () => app.pause(), 'F5')
  add(lab, 'restart', t.commands.restart, () => app.start(), 'Ctrl+F5')
  add(app.on || phase === 'crashed', 'stop', t.commands.stop, () => app.stop(), 'Shift+F5')
  add(lab, 'build', t.commands.build, () => app.buildNow(), 'Ctrl+Shift+B')
  add(app.building, 'cancel-build', t.commands.cancelBuild, () => app.cancelBuild())
  const paused = phase === 'paused'
  add(paused, 'step-over', t.commands.stepOver, () => app.step('over'), 'F10')
  add(paused, 'step-line', t.commands.stepInto, () => app.step('line'), 'F11')
  add(paused, 'step-out', t.commands.stepOut, () => app.step('out'), 'Shift+F11')
  add(paused, 'step-instruction', t.commands.stepInstruction, () => app.step('instruction'), 'Alt+F11')
  add(app.on, 'snapshot', t.commands.snapshot, () => app.snapshot())
  add(app.status.snapshot !== undefined, 'restore', t.commands.restore, () => app.restore())
  add(app.active !== undefined, 'breakpoint', t.commands.breakpoint, () => page.breakpointAtCursor(), 'F9')
  add(lab && !app.checking, 'check', t.commands.check, () => app.check(), 'Ctrl+Shift+Enter')
  add(app.checking, 'cancel-checks', t.commands.cancelChecks, () => app.host.call('checks.cancel', {}))
  add(true, 'palette', t.commands.palette, () => page.palette(), 'Ctrl+Shift+P', 'F1')
  add(true, 'help', t.commands.help, () => page.help(), '?')
  add(true, 'next-panel', t.commands.nextPanel, () => page.nextPanel(1), 'F6')
  add(true, 'previous-panel', t.commands.previousPanel, () => page.nextPanel(-1), 'Shift+F6')
  add(app.active !== undefined, 'find', t.commands.find, () => page.find(), 'Ctrl+F')
  add(lab, 'find-in-files', t.commands.findInFiles, () => app.layout({ side: 'search', sideOpen: true }), 'Ctrl+Shift+F')
  add(app.active !== undefined, 'save', t.commands.save, () => page.save(), 'Ctrl+S')
  add(app.active !== undefined, 'definition', t.commands.definition, () => page.definition(), 'F12')
  add(app.active !== undefined, 'format', t.commands.format, () => page.format(), 'Shift+Alt+F')
  add(app.active !== undefined, 'tab-moves', t.commands.tabMoves, () => page.toggleTabMoves(), 'Ctrl+M')
  add(true, 'toggle-side', t.commands.toggleSide, () => app.layout({ sideOpen: !app.settings.layout.sideOpen }), 'Ctrl+B')
  add(lab, 'toggle-stage', t.commands.toggleStage, () => app.layout({ stage: !app.settings.layout.stage }))
  for (const kind of ['wasm', 'ir', 'asm'] as const)
    add(lab, `stage-${kind}`, t.commands.stage(t.stage.kinds[kind]), () => app.layout({ stage: true, stageKind: kind }))
  for (const view of SIDE_VIEWS)
    add(true, `view-${view}`, t.commands.openView(t.views[view]), () => app.layout({ side: view, sideOpen: true }))
  for (const theme of themes)
    add(app.settings.theme !== theme, `theme-${theme}`, t.commands.theme(t.settings.themes[theme]), () => app.set({ theme }))
  for (const locale of locales)
    add(i18n.locale !== locale, `locale-${locale}`, t.commands.locale(languageNames[locale]), () => app.set({ locale }))
  for (const { id, title } of app.labs) {
    add(app.lab?.definition.id !== id, `lab-${id}`, t.commands.openLab(i18n.pick(title)), () => app.openLab(id))
  }
  return list
}

/** `Ctrl+Shift+P` for an event; Command counts as Ctrl on a Mac. */
export function keyOf(event: KeyboardEvent): string {
  const parts: string[] = []
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl')
  if (event.altKey) parts.push('Alt')
  if (event.shiftKey && event.key.length > 1) parts.push('Shift')
  else if (event.shiftKey && /[a-z]/i.test(event.key)) parts.push('Shift')
  parts.push(event.key.length === 1 ? event.key.toUpperCase() : event.key)
  return parts.join('+')
}
