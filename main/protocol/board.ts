/** What the workbench says about the board. Times are virtual seconds unless a name says otherwise. */
import { z } from 'zod'
import { diagnostic, hex } from './common.ts'
import { boardOptions, requestClass } from './lab.ts'

export const boardPhase = z.enum(['off', 'running', 'paused', 'idle', 'stopped', 'crashed'])
export type BoardPhase = z.infer<typeof boardPhase>

export const hartShare = z.object({
  user: z.number(),
  kernel: z.number(),
  idle: z.number(),
})

export const boardStatus = z.object({
  phase: boardPhase,
  options: boardOptions,
  /** Number of the build that was loaded, 0 when none. */
  build: z.number(),
  seconds: z.number(),
  cycles: z.number(),
  /** Million instructions per wall-clock second, lately. */
  mips: z.number(),
  /** Part of the instructions lately, 0 to 1, that ran as compiled code. */
  compiled: z.number(),
  harts: z.array(hartShare),
  paced: z.boolean(),
  /** Status the guest ended with. */
  exit: z.number().optional(),
  /** Where a paused board stands. */
  stop: z
    .object({
      hart: z.number(),
      pc: hex,
      file: z.string().optional(),
      line: z.number().optional(),
      reason: z.enum(['pause', 'step', 'breakpoint', 'watchpoint', 'restore']),
      /** What a watched access was about to use. */
      address: hex.optional(),
    })
    .optional(),
  crash: z.string().optional(),
  /** Virtual seconds of the snapshot that can be restored. */
  snapshot: z.number().optional(),
})
export type BoardStatus = z.infer<typeof boardStatus>

/** Output of the guest; a line's time is that of its first byte. */
export const consoleChunk = z.object({
  /** Position of the first character in everything this run has printed. */
  offset: z.number(),
  text: z.string(),
  /** For each line that begins in `text`: index into it, and when its first byte was sent. */
  lines: z.array(z.object({ at: z.number(), seconds: z.number() })),
})
export type ConsoleChunk = z.infer<typeof consoleChunk>

export const latencyClass = z.object({
  class: requestClass,
  count: z.number(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  /** Buckets of virtual time, oldest first. */
  series: z.object({
    seconds: z.array(z.number()),
    p50: z.array(z.number()),
    p90: z.array(z.number()),
    p99: z.array(z.number()),
    max: z.array(z.number()),
    count: z.array(z.number()),
  }),
  /** Bars from `start`, each `width` cycles wide. */
  histogram: z.object({ start: z.number(), width: z.number(), counts: z.array(z.number()) }),
})
export type LatencyClass = z.infer<typeof latencyClass>

export const chartFrame = z.object({ seconds: z.number(), classes: z.array(latencyClass) })
export type ChartFrame = z.infer<typeof chartFrame>

export const requestRow = z.object({ id: z.string(), seconds: z.number(), cycles: z.number() })
export type RequestRow = z.infer<typeof requestRow>

export const register = z.object({ name: z.string(), value: hex })
export const registerFile = z.object({
  hart: z.number(),
  pc: hex,
  privilege: z.enum(['U', 'S', 'M']),
  integer: z.array(register),
  float: z.array(register),
  csrs: z.array(register),
})
export type RegisterFile = z.infer<typeof registerFile>

export const stackFrame = z.object({
  pc: hex,
  function: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  /** From the return address register, not from debug information. */
  guessed: z.boolean(),
  variables: z.array(z.object({ name: z.string(), type: z.string(), value: z.string() })),
})
export type StackFrame = z.infer<typeof stackFrame>

export const watchpoint = z.object({
  address: hex,
  length: z.number().int().min(1).max(4096),
  access: z.enum(['read', 'write', 'access']),
})
export type Watchpoint = z.infer<typeof watchpoint>
/** As many as the board can watch. */
export const MOST_WATCHPOINTS = 16

export const pageWalk = z.object({
  mode: z.enum(['bare', 'sv39', 'sv48']),
  levels: z.array(
    z.object({ level: z.number(), table: hex, index: z.number(), entry: hex.nullable(), flags: z.string(), target: hex.nullable() }),
  ),
  physical: hex.nullable(),
  pageSize: z.number().nullable(),
  problem: z.string().nullable(),
})
export type PageWalk = z.infer<typeof pageWalk>

export const interruptView = z.object({
  sources: z.array(
    z.object({
      number: z.number(),
      name: z.string(),
      priority: z.number(),
      level: z.boolean(),
      pending: z.boolean(),
      inService: z.boolean(),
      /** Names of the contexts. */
      enabled: z.array(z.string()),
    }),
  ),
  contexts: z.array(z.object({ name: z.string(), threshold: z.number() })),
  /** Ticks of mtime. */
  time: hex,
  harts: z.array(z.object({ software: z.boolean(), timerCompare: hex })),
})
export type InterruptView = z.infer<typeof interruptView>

export const listingLine = z.object({
  address: hex,
  /** Encoding, 4 or 8 hexadecimal digits. */
  word: z.string(),
  text: z.string(),
  /** Cycles it takes without waiting, in the chosen timing profile. */
  cycles: z.number(),
  file: z.string().optional(),
  line: z.number().optional(),
  symbol: z.string().optional(),
})
export type ListingLine = z.infer<typeof listingLine>

/** A line of a stage before machine code. */
export const stageRow = z.object({ text: z.string(), file: z.string().optional(), line: z.number().optional() })
export type StageRow = z.infer<typeof stageRow>

export const buildResult = z.object({
  number: z.number(),
  ok: z.boolean(),
  diagnostics: z.array(diagnostic),
  milliseconds: z.number(),
  bytes: z.number(),
  /** Text of each source as it was compiled, so that a view can tell what changed since. */
  sources: z.record(z.string(), z.string()),
})
export type BuildResult = z.infer<typeof buildResult>
