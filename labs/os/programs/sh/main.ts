// The shell: `sh` reads lines from the console with editing, `sh FILE` from a file, `sh -c TEXT` runs a text. Ends with the last status.
import { complain, flush } from '../../user/console'
import { failed } from '../../user/errors'
import { LineReader, currentDirectory, open } from '../../user/files'
import { arenaBegin, arenaEnd } from '../../user/memory'
import { programArguments } from '../../user/process'
import { fromBytes } from '../../user/text'
import { ENDS } from './builtins'
import { line, readLine, setPrompt } from './editor'
import { reapJobs } from './jobs'
import { Parser } from './parse'
import { runAll } from './run'
import { openTerminal, setRaw } from './terminal'

export * from '../../user/hooks'

function runLine(text: string, status: i64, interactive: bool): i64 {
  const parser = new Parser(text, status)
  const pipelines = parser.parse()
  if (parser.problem != '') {
    complain('sh: ' + parser.problem)
    return 2
  }
  return runAll(pipelines, status, interactive)
}

/** Everything a line needs comes from an arena, so that a shell that runs for days stays small. */
function interactive(): i64 {
  let status: i64 = 0
  for (;;) {
    reapJobs()
    arenaBegin()
    setPrompt('pollen:' + currentDirectory() + '$ ')
    arenaEnd()
    setRaw(true)
    const bytes = readLine()
    setRaw(false)
    if (bytes < 0) break
    arenaBegin()
    status = runLine(fromBytes(line, bytes), status, true)
    flush()
    arenaEnd()
    if (status >= ENDS) return status - ENDS
  }
  return status
}

function fromFile(descriptor: i32): i64 {
  let status: i64 = 0
  const reader = new LineReader(descriptor)
  for (;;) {
    arenaBegin()
    const text = reader.next()
    if (text == null) return status
    status = runLine(text, status, false)
    flush()
    arenaEnd()
    if (status >= ENDS) return status - ENDS
  }
  return status
}

export function main(): i32 {
  const args = programArguments()
  if (args.length > 2 && args[1] == '-c') {
    const status = runLine(args[2], 0, false)
    return <i32>(status >= ENDS ? status - ENDS : status)
  }
  if (args.length > 1) {
    const file = open(args[1])
    if (file < 0) return failed('sh', args[1], file)
    return <i32>fromFile(<i32>file)
  }
  return <i32>(openTerminal() ? interactive() : fromFile(0))
}
