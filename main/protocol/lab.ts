/** lab.json, version 1, and what a lab's checks say. */
import { z } from 'zod'
import { filePath, labId, localised } from './common.ts'

export const timing = z.enum(['ideal', 'rocket100', 'k210'])
export type Timing = z.infer<typeof timing>

export const boardOptions = z.object({
  kind: z.enum(['virt']),
  harts: z.number().int().min(1).max(8),
  timing,
  ramMiB: z.number().int().min(8).max(2048),
})
export type BoardOptions = z.infer<typeof boardOptions>

/** The number of a request class (operand of `request-begin`), or the values of `sample` events. */
export const requestClass = z.union([z.literal('sample'), z.number().int().min(0)])
export type RequestClass = z.infer<typeof requestClass>

export const metric = z.object({
  class: requestClass,
  /** 0..100; the mean where absent. */
  percentile: z.number().min(0).max(100).optional(),
  /** Divide by the same statistic of another class. */
  over: requestClass.optional(),
})

export const check = z
  .object({
    id: z.string().regex(/^[a-z0-9-]+$/),
    title: localised,
    points: z.number().int().min(1),
    /** Virtual seconds after which the check fails. */
    limit: z.number().positive().max(600),
    board: boardOptions.partial().optional(),
    /** Typed into the console from the start. */
    input: z.string().optional(),
    /** Texts that must appear, in this order. */
    console: z.array(z.string().min(1)).optional(),
    /** Name of a guest test that must pass: the console says `ok N - NAME` (Test Anything Protocol). */
    test: z.string().min(1).optional(),
    /** Texts that must not appear before the run ends. */
    absent: z.array(z.string().min(1)).optional(),
    metric: metric.optional(),
    /** Cycles, or a ratio where the metric has `over`. */
    max: z.number().optional(),
    min: z.number().optional(),
    /** Fewer samples than this fail the check. */
    samples: z.number().int().min(1).optional(),
  })
  .strict()
  .refine((value) => value.console || value.absent || value.metric || value.test, {
    message: 'a check names console, test, absent or metric',
  })
  .refine((value) => !value.metric || value.max !== undefined || value.min !== undefined, { message: 'a metric has max or min' })
export type Check = z.infer<typeof check>

export const labChart = z.object({ class: requestClass, title: localised })
export type LabChart = z.infer<typeof labChart>

export const labDefinition = z
  .object({
    version: z.literal(1),
    id: labId,
    title: localised,
    minutes: z.number().int().positive(),
    /** What the lab is laid over: its files replace those of Pollen OS, or come on top. Without it, it is a program of its own. */
    base: z.enum(['os']).optional(),
    board: boardOptions,
    /** Files the learner changes. */
    edit: z.array(filePath).min(1),
    /** Files open at first. */
    open: z.array(filePath).min(1),
    charts: z.array(labChart),
    checks: z.array(check).min(1),
  })
  .strict()
export type LabDefinition = z.infer<typeof labDefinition>

export const labSummary = z.object({
  id: labId,
  title: localised,
  minutes: z.number(),
  points: z.number(),
  started: z.boolean(),
})
export type LabSummary = z.infer<typeof labSummary>

/** A quotation that shows why a check passed or failed. */
export const evidence = z.object({
  source: z.enum(['console', 'trace', 'build']),
  /** Virtual seconds. */
  seconds: z.number().optional(),
  request: z.string().optional(),
  text: z.string(),
})
export type Evidence = z.infer<typeof evidence>

/** Why a check failed; the window and the command say it in the user's language. */
export const failure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('missing-text'), text: z.string() }),
  z.object({ kind: z.literal('forbidden-text'), text: z.string() }),
  z.object({ kind: z.literal('test-failed'), test: z.string() }),
  z.object({ kind: z.literal('test-missing'), test: z.string() }),
  z.object({ kind: z.literal('too-high'), measured: z.number(), limit: z.number(), count: z.number() }),
  z.object({ kind: z.literal('too-low'), measured: z.number(), limit: z.number(), count: z.number() }),
  z.object({ kind: z.literal('too-few-samples'), count: z.number(), wanted: z.number() }),
  z.object({ kind: z.literal('build'), errors: z.number() }),
  z.object({ kind: z.literal('crash'), reason: z.string() }),
])
export type Failure = z.infer<typeof failure>

export const checkResult = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'passed', 'failed', 'cancelled']),
  points: z.number(),
  earned: z.number(),
  /** Virtual seconds run and allowed. */
  progress: z.number(),
  limit: z.number(),
  /** Passed with a metric: what was measured. */
  measured: z.object({ value: z.number(), count: z.number() }).optional(),
  failure: failure.optional(),
  evidence: z.array(evidence),
})
export type CheckResult = z.infer<typeof checkResult>
