// Owns the commands that the shell does itself, because they are about the shell.
import { complain, print, printLine, printNumber } from '../../user/console'
import { failed } from '../../user/errors'
import { changeDirectory, currentDirectory } from '../../user/files'
import { parseNumber, fromKernel } from '../../user/text'
import { historyEnd, historyLine, historyStart } from './history'
import { listJobs, waitForJobs } from './jobs'

export function builtins(): string[] {
  return ['cd', 'exit', 'help', 'history', 'jobs', 'pwd', 'wait']
}

export const NOT_BUILTIN: i64 = -1
/** Added to the status that the shell is to end with. */
export const ENDS: i64 = 0x1000

/** Runs a command of the shell's own: its status, NOT_BUILTIN, or ENDS + status. */
export function runBuiltin(words: string[], status: i64): i64 {
  const name = words[0]
  if (name == 'cd') {
    const result = changeDirectory(words.length > 1 ? words[1] : '/')
    return result < 0 ? failed('cd', words[1], result) : 0
  }
  if (name == 'pwd') {
    printLine(currentDirectory())
    return 0
  }
  if (name == 'exit') {
    const code = words.length > 1 ? parseNumber(words[1]) : status
    if (code >= 0) return ENDS + (code & 0xff)
    complain('exit: ' + words[1] + ' is no number')
    return 2
  }
  if (name == 'history') {
    for (let index = historyStart(); index < historyEnd(); index++) {
      printNumber(index + 1, 5)
      print('  ')
      printLine(fromKernel(historyLine(index)))
    }
    return 0
  }
  if (name == 'jobs') {
    listJobs()
    return 0
  }
  if (name == 'wait') {
    waitForJobs()
    return 0
  }
  if (name == 'help') {
    printLine('cd [DIR]  exit [STATUS]  help  history  jobs  pwd  wait: the shell itself; all else is in /bin.')
    printLine('a | b   a > file   a >> file   a 2> file   a < file   a &   a ; b   a && b   a || b   * ?   "$?"')
    return 0
  }
  return NOT_BUILTIN
}
