/**
 * The one contract between workbench and window: every endpoint and every event, with the schema of what enters.
 * Both hosts serve this table, so a host that misses an endpoint does not compile.
 */
import { z } from 'zod'
import {
  MOST_WATCHPOINTS,
  boardStatus,
  buildResult,
  chartFrame,
  consoleChunk,
  interruptView,
  listingLine,
  pageWalk,
  registerFile,
  requestRow,
  stackFrame,
  stageRow,
  watchpoint,
} from './board.ts'
import { empty, filePath, hex, labId, locale } from './common.ts'
import { boardOptions, checkResult, labDefinition, labSummary, requestClass } from './lab.ts'
import { settings, settingsPatch } from './settings.ts'

export * from './board.ts'
export * from './common.ts'
export * from './lab.ts'
export * from './settings.ts'

/** Text of a file is at most this long. */
export const MOST_TEXT = 4_000_000
const text = z.string().max(MOST_TEXT)

const inLab = z.object({ lab: labId })
const file = z.object({ lab: labId, path: filePath })

export const openLab = z.object({
  definition: labDefinition,
  guide: z.object({ en: z.string(), 'zh-CN': z.string() }),
  files: z.array(z.string()),
})
export type OpenLab = z.infer<typeof openLab>

export const endpoints = {
  'workbench.info': { request: empty, response: z.object({ version: z.string(), host: z.enum(['electron', 'browser']), locale }) },
  'settings.get': { request: empty, response: settings },
  'settings.set': { request: z.object({ patch: settingsPatch }), response: settings },

  'labs.list': { request: empty, response: z.array(labSummary) },
  'labs.open': { request: inLab, response: openLab },

  'files.read': { request: file, response: z.object({ text: z.string(), version: z.string() }) },
  'files.write': { request: file.extend({ text, version: z.string().optional() }), response: z.object({ version: z.string() }) },
  'files.create': { request: file, response: z.object({ version: z.string() }) },
  'files.remove': { request: file, response: empty },
  'files.list': { request: inLab, response: z.array(z.string()) },
  /** The file as the lab hands it out; `null` where the lab has none. */
  'files.original': { request: file.extend({ of: z.enum(['start', 'solution']) }), response: z.object({ text: z.string().nullable() }) },
  'files.search': {
    request: inLab.extend({ query: z.string().min(1).max(200), regular: z.boolean(), matchCase: z.boolean() }),
    response: z.object({
      matches: z.array(z.object({ path: z.string(), line: z.number(), column: z.number(), length: z.number(), text: z.string() })),
      truncated: z.boolean(),
    }),
  },

  /** Declarations of the guest dialect for the editor's language service. */
  'editor.declarations': { request: empty, response: z.object({ text: z.string() }) },

  'build.run': { request: inLab, response: buildResult },
  /** Gives up the build under way, which then fails as cancelled. */
  'build.cancel': { request: empty, response: empty },
  'build.last': { request: inLab, response: buildResult.nullable() },
  'build.listing': { request: inLab, response: z.object({ build: z.number(), lines: z.array(listingLine) }) },

  /** By function; assembly has no such stages. */
  'build.stage': {
    request: inLab.extend({ stage: z.enum(['wasm', 'ir']) }),
    response: z.object({ build: z.number(), functions: z.array(z.array(stageRow)) }),
  },

  'board.start': { request: inLab.extend({ options: boardOptions, paused: z.boolean().optional() }), response: boardStatus },
  'board.run': { request: empty, response: boardStatus },
  'board.pause': { request: empty, response: boardStatus },
  'board.step': {
    request: z.object({ unit: z.enum(['instruction', 'line', 'over', 'out']), hart: z.number().int().min(0).max(7) }),
    response: boardStatus,
  },
  'board.stop': { request: empty, response: boardStatus },
  'board.pace': { request: z.object({ paced: z.boolean() }), response: boardStatus },
  'board.attach': {
    request: empty,
    response: z.object({
      status: boardStatus,
      console: consoleChunk,
      charts: chartFrame,
      breakpoints: z.array(file.extend({ line: z.number() })),
      watchpoints: z.array(watchpoint),
    }),
  },
  'board.input': { request: z.object({ text: z.string().min(1).max(65_536) }), response: empty },
  'board.breakpoints': {
    request: z.object({ lab: labId, breakpoints: z.array(z.object({ path: filePath, line: z.number().int().min(1) })).max(32) }),
    response: z.array(z.object({ path: z.string(), line: z.number(), address: hex.nullable() })),
  },
  'board.watchpoints': {
    request: z.object({ watchpoints: z.array(watchpoint).max(MOST_WATCHPOINTS) }),
    response: z.array(watchpoint),
  },
  'board.stack': { request: z.object({ hart: z.number().int().min(0).max(7) }), response: z.array(stackFrame) },
  'board.walk': { request: z.object({ hart: z.number().int().min(0).max(7), address: hex }), response: pageWalk },
  'board.interrupts': { request: empty, response: interruptView },
  /** Keeps the whole machine as it is, in the place of the snapshot before. */
  'board.snapshot': { request: empty, response: boardStatus },
  'board.restore': { request: empty, response: boardStatus },
  'board.registers': { request: z.object({ hart: z.number().int().min(0).max(7) }), response: registerFile },
  'board.writeRegister': {
    request: z.object({ hart: z.number().int().min(0).max(7), name: z.string().max(20), value: hex }),
    response: registerFile,
  },
  'board.memory': {
    request: z.object({ hart: z.number().int().min(0).max(7), address: hex, length: z.number().int().min(1).max(4096) }),
    response: z.object({ address: hex, bytes: z.array(z.number().nullable()) }),
  },
  'board.writeMemory': {
    request: z.object({
      hart: z.number().int().min(0).max(7),
      address: hex,
      bytes: z.array(z.number().int().min(0).max(255)).min(1).max(64),
    }),
    response: empty,
  },
  'board.requests': {
    request: z.object({ class: requestClass, from: z.number(), to: z.number() }),
    response: z.object({ total: z.number(), rows: z.array(requestRow) }),
  },

  'checks.run': { request: inLab, response: z.array(checkResult) },
  'checks.cancel': { request: empty, response: empty },
  'checks.last': { request: inLab, response: z.array(checkResult) },
} as const

export const events = {
  'settings.changed': settings,
  'files.changed': z.object({ lab: labId, path: z.string(), version: z.string().nullable() }),
  /** A build has come to this stage; `null` when it is over. */
  'build.progress': z.object({ lab: labId, stage: z.string().nullable() }),
  'build.done': z.object({ lab: labId, result: buildResult }),
  'board.status': boardStatus,
  'board.console': consoleChunk,
  /** A new run: everything shown of the one before is history. */
  'board.restarted': boardStatus,
  'board.charts': chartFrame,
  'board.watchpoints': z.array(watchpoint),
  'checks.changed': z.object({ lab: labId, results: z.array(checkResult) }),
  /** A menu entry or another part of the host asks the window to do something by the name of its command. */
  'host.command': z.object({ command: z.string() }),
} as const

export type Endpoints = typeof endpoints
export type EndpointName = keyof Endpoints
export type Request<N extends EndpointName> = z.infer<Endpoints[N]['request']>
export type Response<N extends EndpointName> = z.infer<Endpoints[N]['response']>

export type Events = typeof events
export type EventName = keyof Events
export type EventPayload<N extends EventName> = z.infer<Events[N]>

/** What each host serves. */
export type Handlers = { readonly [N in EndpointName]: (request: Request<N>) => Promise<Response<N>> }

/** Codes of errors that the window can do something about. */
export const errorCodes = [
  'bad-request',
  'not-found',
  'outside-workspace',
  'changed-on-disk',
  'build-failed',
  'board-off',
  'crashed',
  'cancelled',
  'failed',
] as const
export type ErrorCode = (typeof errorCodes)[number]

/** What travels. */
export const clientMessage = z.union([
  z.object({ kind: z.literal('call'), id: z.number().int(), endpoint: z.string(), request: z.unknown().optional() }).strict(),
  /** The window has handled this many events: the host may send more. */
  z.object({ kind: z.literal('seen'), events: z.number().int().min(0) }).strict(),
])
export type ClientMessage = z.infer<typeof clientMessage>

export const hostMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('result'), id: z.number().int(), value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: z.number().int(), code: z.enum(errorCodes), message: z.string() }),
  z.object({ kind: z.literal('event'), event: z.string(), payload: z.unknown() }),
])
export type HostMessage = z.infer<typeof hostMessage>
