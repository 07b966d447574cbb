// Owns running what was parsed: redirections, pipes, processes, groups, waiting for them.
import { OpenFlag } from '../../kernel/abi'
import { complain, flush, print, printNumber, putByte } from '../../user/console'
import { failed } from '../../user/errors'
import { close, open } from '../../user/files'
import { Ended, Pipe, makePipe, spawn, wait } from '../../user/process'
import { sysDuplicate, sysDuplicateTo, sysSetGroup } from '../../user/system'
import { NOT_BUILTIN, runBuiltin } from './builtins'
import { expand, plain } from './expand'
import { addJob } from './jobs'
import { After, Command, Pipeline } from './parse'
import { setForeground } from './terminal'

const ended = changetype<Ended>(memory.data(16, 8))
const pipe = changetype<Pipe>(memory.data(8, 8))

/** The files of one command: -1 where it has none of its own. */
class Files {
  input: i64 = -1
  output: i64 = -1
  errors: i64 = -1

  /** Opens what the command names; false after a complaint. */
  open(command: Command): bool {
    if (command.input != '' && (this.input = this.openOne(command.input, OpenFlag.readOnly)) < 0) return false
    const how = OpenFlag.writeOnly | OpenFlag.create | (command.append ? OpenFlag.append : OpenFlag.truncate)
    if (command.output != '' && (this.output = this.openOne(command.output, how)) < 0) return false
    const fresh = OpenFlag.writeOnly | OpenFlag.create | OpenFlag.truncate
    return command.errors == '' || (this.errors = this.openOne(command.errors, fresh)) >= 0
  }

  private openOne(name: string, flags: u32): i64 {
    const result = open(plain(name), flags)
    if (result < 0) failed('sh', plain(name), result)
    return result
  }

  close(): void {
    if (this.input >= 0) close(this.input)
    if (this.output >= 0) close(this.output)
    if (this.errors >= 0) close(this.errors)
  }
}

/** Runs a line's pipelines in order; the status of the last, or ENDS + status. */
export function runAll(pipelines: Pipeline[], status: i64, interactive: bool): i64 {
  for (let index = 0; index < pipelines.length; index++) {
    const pipeline = pipelines[index]
    if ((pipeline.after == After.success && status != 0) || (pipeline.after == After.failure && status == 0)) continue
    status = runPipeline(pipeline, status, interactive)
    if (status > 0xff) break
  }
  return status
}

function runPipeline(pipeline: Pipeline, status: i64, interactive: bool): i64 {
  const commands = pipeline.commands
  for (let index = 0; index < commands.length; index++) {
    const words: string[] = []
    for (let at = 0; at < commands[index].words.length; at++) expand(commands[index].words[at], words)
    commands[index].words = words
  }
  if (commands.length == 1 && !pipeline.background) {
    const result = runHere(commands[0], status)
    if (result != NOT_BUILTIN) return result
  }
  const pids: i64[] = []
  let input: i64 = -1
  let last: i64 = 127
  for (let index = 0; index < commands.length; index++) {
    const files = new Files()
    files.input = input
    input = -1
    if (index + 1 < commands.length) {
      const result = makePipe(pipe)
      if (result < 0) {
        failed('sh', 'pipe', result)
        files.close()
        break
      }
      files.output = pipe.writer
      input = pipe.reader
    }
    const own = new Files()
    last = own.open(commands[index]) ? start(commands[index], files, own) : -1
    files.close()
    own.close()
    if (last > 0) {
      // One group, so that Ctrl-C reaches all of it.
      sysSetGroup(<u32>last, pids.length == 0 ? 0 : <u32>pids[0])
      pids.push(last)
      if (pids.length == 1 && !pipeline.background && interactive) setForeground(<u32>last)
    }
  }
  if (input >= 0) close(input)
  if (pids.length == 0) return 127
  if (pipeline.background) return tellJob(pids)
  for (let index = 0; index < pids.length; index++) {
    wait(pids[index], ended)
    // The last command's status counts; one that did not start has 127.
    status = pids[index] == last ? ended.code : 127
  }
  if (interactive) setForeground(0)
  return status
}

function tellJob(pids: i64[]): i64 {
  const job = addJob(pids)
  if (job == 0) {
    complain('sh: too many jobs; this one is not listed')
    return 1
  }
  putByte(91)
  printNumber(job)
  print('] ')
  printNumber(pids[0])
  putByte(10)
  return 0
}

/** Starts a program: by path, or by its name in /bin. Its number, or -1 after a complaint. */
function start(command: Command, files: Files, own: Files): i64 {
  const name = command.words[0]
  flush()
  const input = own.input >= 0 ? own.input : files.input >= 0 ? files.input : 0
  const output = own.output >= 0 ? own.output : files.output >= 0 ? files.output : 1
  const errors = own.errors >= 0 ? own.errors : 2
  const path = name.includes('/') ? name : '/bin/' + name
  const pid = spawn(path, command.words, <i32>input, <i32>output, <i32>errors)
  if (pid >= 0) return pid
  if (pid == -2 && !name.includes('/')) complain('sh: ' + name + ': there is no such command; help lists what the shell knows, ls /bin the rest')
  else failed('sh', name, pid)
  return -1
}

/** A command of the shell's own, with its files in the shell's place for the time. */
function runHere(command: Command, status: i64): i64 {
  const own = new Files()
  if (!own.open(command)) {
    own.close()
    return 1
  }
  flush()
  const redirected = own.output >= 0
  const kept = redirected ? sysDuplicate(1) : -1
  if (redirected) sysDuplicateTo(<i32>own.output, 1)
  const result = runBuiltin(command.words, status)
  flush()
  if (redirected) {
    sysDuplicateTo(<i32>kept, 1)
    close(kept)
  }
  own.close()
  return result
}
