// Lists directories and files: `-l` with type, size and names under each other, `-a` hidden ones too.
import { print, printColumn, printLine, printNumber, putByte } from '../user/console'
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { Stat, joinPath, listDirectory, statPath } from '../user/files'
import { programArguments } from '../user/process'

export * from '../user/hooks'

const SCREEN = 80
const stat = changetype<Stat>(memory.data(128, 8))

function printLong(name: string): void {
  print(stat.isDirectory ? 'd' : (stat.mode & 0o170000) == 0o020000 ? 'c' : (stat.mode & 0o170000) == 0o010000 ? 'p' : '-')
  printNumber(stat.size, 10)
  print('  ')
  printLine(name)
}

/** Columns as wide as the longest name. */
function printColumns(names: string[]): void {
  let width = 1
  for (let index = 0; index < names.length; index++) width = max(width, names[index].length + 2)
  const columns = max(1, SCREEN / width)
  const rows = (names.length + columns - 1) / columns
  for (let row = 0; row < rows; row++) {
    for (let index = row; index < names.length; index += rows) {
      if (index + rows < names.length) printColumn(names[index], width)
      else print(names[index])
    }
    putByte(10)
  }
}

export function main(): i32 {
  const args = programArguments()
  let long = false
  let all = false
  let status = 0
  const paths: string[] = []
  for (let index = 1; index < args.length; index++) {
    const argument = args[index]
    if (!argument.startsWith('-')) paths.push(argument)
    else
      for (let at = 1; at < argument.length; at++) {
        if (argument.charAt(at) == 'l') long = true
        else if (argument.charAt(at) == 'a') all = true
        else {
          complain('ls: no option -' + argument.charAt(at) + '; there are -l and -a')
          return 2
        }
      }
  }
  if (paths.length == 0) paths.push('.')
  for (let index = 0; index < paths.length; index++) {
    const path = paths[index]
    const result = statPath(path, stat)
    if (result < 0) {
      status = failed('ls', path, result)
      continue
    }
    if (!stat.isDirectory) {
      if (long) printLong(path)
      else printLine(path)
      continue
    }
    const listing = listDirectory(path)
    if (listing.problem < 0) status = failed('ls', path, listing.problem)
    if (paths.length > 1) printLine(path + ':')
    const names: string[] = []
    for (let at = 0; at < listing.names.length; at++) {
      const name = listing.names[at]
      if (name.startsWith('.') && !all) continue
      const found = statPath(joinPath(path, name), stat) == 0
      if (!long) names.push(found && stat.isDirectory ? name + '/' : name)
      else if (found) printLong(name)
    }
    if (!long) printColumns(names)
  }
  return status
}
