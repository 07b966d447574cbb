/** Shapes shared by several parts of the contract. */
import { z } from 'zod'

export const locales = ['en', 'zh-CN'] as const
export const locale = z.enum(locales)
export type Locale = z.infer<typeof locale>

/** The same text in every language. */
export const localised = z.object({ en: z.string(), 'zh-CN': z.string() })
export type Localised = z.infer<typeof localised>

/** An address or register value: hexadecimal with `0x`, since JSON numbers cannot hold 64 bits. */
export const hex = z.string().regex(/^0x[0-9a-f]{1,16}$/)

export const labId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/)

/** A path inside a lab's folder of the workspace: relative, `/` between names. Confinement is checked again on disk. */
export const filePath = z
  .string()
  .min(1)
  .max(300)
  .refine(
    (path) => !path.includes('\\') && !path.includes('\0') && !path.split('/').some((part) => part === '' || part === '.' || part === '..'),
    {
      message: 'a path inside the workspace, such as src/main.ts',
    },
  )

export const empty = z.object({})

export const diagnostic = z.object({
  file: z.string(),
  line: z.number().int(),
  column: z.number().int(),
  end: z.object({ line: z.number().int(), column: z.number().int() }),
  severity: z.enum(['error', 'warning', 'note']),
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
})
export type Diagnostic = z.infer<typeof diagnostic>
