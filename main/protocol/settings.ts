/** What is remembered between starts. Unknown keys of an older or newer version are dropped, wrong values replaced. */
import { z } from 'zod'
import { locale } from './common.ts'

export const themes = ['system', 'light', 'dark', 'high-contrast'] as const
export const theme = z.enum(themes)
export type Theme = z.infer<typeof theme>

const layoutShape = {
  /** Widths and heights in per cent of their group, by the group's name. */
  sizes: z.record(z.string(), z.array(z.number().min(0).max(100)).max(8)),
  side: z.enum(['guide', 'labs', 'files', 'search', 'board', 'debug', 'settings']),
  sideOpen: z.boolean(),
  bottom: z.enum(['console', 'problems', 'inspector']),
  stage: z.boolean(),
  stageKind: z.enum(['asm', 'ir', 'wasm']),
}
const FIRST_LAYOUT = { sizes: {}, side: 'guide', sideOpen: true, bottom: 'console', stage: true, stageKind: 'asm' } as const

const layout = z.object({
  sizes: layoutShape.sizes.catch(FIRST_LAYOUT.sizes),
  side: layoutShape.side.catch(FIRST_LAYOUT.side),
  sideOpen: layoutShape.sideOpen.catch(FIRST_LAYOUT.sideOpen),
  bottom: layoutShape.bottom.catch(FIRST_LAYOUT.bottom),
  stage: layoutShape.stage.catch(FIRST_LAYOUT.stage),
  stageKind: layoutShape.stageKind.catch(FIRST_LAYOUT.stageKind),
})

const shape = {
  theme,
  fontSize: z.number().int().min(9).max(28),
  paced: z.boolean(),
  timestamps: z.boolean(),
  /** Ctrl+S lays the file out; saving by itself never does. */
  formatOnSave: z.boolean(),
  /** Open tabs by lab, the active one first. */
  tabs: z.record(z.string(), z.array(z.string()).max(40)),
  step: z.record(z.string(), z.number().int().min(0)),
}

export const settings = z.object({
  locale: locale.optional().catch(undefined),
  lab: z.string().optional().catch(undefined),
  theme: shape.theme.catch('system'),
  fontSize: shape.fontSize.catch(12),
  paced: shape.paced.catch(true),
  timestamps: shape.timestamps.catch(true),
  formatOnSave: shape.formatOnSave.catch(true),
  tabs: shape.tabs.catch({}),
  step: shape.step.catch({}),
  layout: layout.catch({ ...FIRST_LAYOUT }),
})
export type Settings = z.infer<typeof settings>

/** What changes; without the defaults above, which would change the rest. */
export const settingsPatch = z.object({ ...shape, locale, lab: z.string(), layout: z.object(layoutShape).partial() }).partial()
export type SettingsPatch = z.infer<typeof settingsPatch>

/** Window and host merge alike; a member of the layout that a patch does not name stays as it is. */
export function withPatch<T extends Settings | SettingsPatch>(base: T, patch: SettingsPatch): T {
  const { layout, ...rest } = patch
  return { ...base, ...rest, ...(layout && { layout: { ...base.layout, ...layout } }) }
}
