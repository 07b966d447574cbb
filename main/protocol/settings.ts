/** What is remembered between starts. Unknown keys of an older or newer version are dropped, wrong values replaced. */
import { z } from 'zod'
import { locale } from './common.ts'

export const themes = ['system', 'light', 'dark', 'high-contrast'] as const
export const theme = z.enum(themes)
export type Theme = z.infer<typeof theme>

export const layout = z.object({
  /** Widths and heights in per cent of their group, by the group's name. */
  sizes: z.record(z.string(), z.array(z.number().min(0).max(100)).max(8)).catch({}),
  side: z.enum(['guide', 'labs', 'files', 'search', 'board', 'settings']).catch('guide'),
  sideOpen: z.boolean().catch(true),
  bottom: z.enum(['console', 'problems', 'inspector']).catch('console'),
  stage: z.boolean().catch(true),
})

export const settings = z.object({
  locale: locale.catch('en').optional(),
  theme: theme.catch('system'),
  fontSize: z.number().int().min(9).max(28).catch(12),
  paced: z.boolean().catch(true),
  timestamps: z.boolean().catch(true),
  lab: z.string().optional().catch(undefined),
  /** Open tabs by lab, the active one first. */
  tabs: z.record(z.string(), z.array(z.string()).max(40)).catch({}),
  step: z.record(z.string(), z.number().int().min(0)).catch({}),
  layout: layout.catch({ sizes: {}, side: 'guide', sideOpen: true, bottom: 'console', stage: true }),
})
export type Settings = z.infer<typeof settings>

export const settingsPatch = settings.partial()
export type SettingsPatch = z.infer<typeof settingsPatch>
