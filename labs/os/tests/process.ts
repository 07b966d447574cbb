// Processes: spawn, wait, exit, kill, groups, what a child gets and what is left of it.
import { sysExit, sysKill, sysProcessId, sysSetGroup, sysSleep, sysSpawn, sysWait, sysYield, call0, call1, call2 } from '../user/system'
import { Call } from '../kernel/abi'
import { blockSleep } from '../user/executor'
import { close, currentDirectory, open, changeDirectory, removeFile } from '../user/files'
import { Ended, Pipe, kill, makePipe, programArguments, run, spawn, wait } from '../user/process'
import { fromBytes, toKernel } from '../user/text'
import { check, equal, equalText, fails, finish, part, runPart, test, works } from '../user/test'
import { sysRead, sysWrite, sysTasks } from '../user/system'
import { TASK_BYTES, TaskEntry, readTasks } from '../user/inspect'
import { give } from '../user/memory'

export * from '../user/hooks'

const ended = changetype<Ended>(memory.data(16, 8))
const pipe = changetype<Pipe>(memory.data(8, 8))
const buffer = memory.data(256, 8)

function self(): string {
  return programArguments()[0]
}

function start(name: string): i64 {
  return spawn(self(), [self(), name])
}

function child(name: string): void {
  if (name == 'forever') for (;;) blockSleep(1000)
  if (name == 'spin') for (;;) cpu.fence()
  if (name == 'count') sysExit(programArguments().length)
  if (name == 'directory') sysExit(currentDirectory() == '/tmp' ? 0 : 1)
  if (name == 'descriptors') {
    // 3 and up must be closed.
    let open = 0
    for (let descriptor = 3; descriptor < 16; descriptor++) if (call1(Call.dup, descriptor) >= 0) open++
    sysExit(open)
  }
  if (name == 'orphan') {
    start('brief')
    sysExit(0)
  }
  if (name == 'brief') {
    blockSleep(20)
    sysExit(0)
  }
  if (name == 'parent') sysExit(<i32>call0(Call.getppid) & 0xff)
  if (name.startsWith('status ')) sysExit(I32.parseInt(name.substring(7)))
  sysExit(99)
}

export function main(): i32 {
  if (part() != '') child(part())

  test('a child ends with its status', () => {
    equal(runPart('status 0'), 0, 'status')
    equal(runPart('status 1'), 1, 'status')
    equal(runPart('status 255'), 255, 'status')
  })
  test('a status has eight bits', () => {
    equal(runPart('status 258'), 2, 'status')
  })
  test('arguments arrive', () => {
    equal(run(self(), [self(), 'count', 'a', '', 'ü c']), 5, 'how many')
  })
  test('a child has another number, and knows its parent', () => {
    const pid = sysProcessId()
    check(works(start('parent'), 'spawn') != pid, 'the child has our number')
    wait(-1, ended)
    equal(ended.code, pid & 0xff, 'its parent')
  })
  test('wait takes the child that is asked for', () => {
    const first = start('status 1')
    const second = start('status 2')
    equal(wait(second, ended), second, 'wait')
    equal(ended.code, 2, 'status')
    equal(wait(first, ended), first, 'wait')
    equal(ended.code, 1, 'status')
  })
  test('wait without children fails', () => {
    fails(wait(-1, ended), 10, 'wait')
    fails(sysWait(<i32>sysProcessId(), 0, 0), 10, 'wait for oneself')
  })
  test('wait can look without waiting', () => {
    const pid = start('forever')
    equal(wait(pid, ended, true), 0, 'wait')
    kill(<i32>pid, 9)
    equal(wait(pid, ended), pid, 'wait after kill')
    equal(ended.code, 128 + 9, 'status')
  })
  test('kill ends a process that sleeps', () => {
    const pid = start('forever')
    blockSleep(5)
    equal(kill(<i32>pid, 15), 0, 'kill')
    wait(pid, ended)
    equal(ended.status & 0x7f, 15, 'signal')
  })
  test('kill ends a process that computes', () => {
    const pid = start('spin')
    blockSleep(5)
    equal(kill(<i32>pid, 2), 0, 'kill')
    wait(pid, ended)
    equal(ended.status & 0x7f, 2, 'signal')
  })
  test('signal 0 only asks', () => {
    const pid = start('forever')
    equal(kill(<i32>pid, 0), 0, 'kill')
    equal(wait(pid, ended, true), 0, 'wait')
    kill(<i32>pid, 9)
    wait(pid, ended)
    fails(kill(<i32>pid, 0), 3, 'kill of one that is gone')
  })
  test('signals that nobody handles and that mean nothing do nothing', () => {
    const pid = start('forever')
    kill(<i32>pid, 17)
    kill(<i32>pid, 28)
    blockSleep(2)
    equal(wait(pid, ended, true), 0, 'wait')
    kill(<i32>pid, 9)
    wait(pid, ended)
  })
  test('a number that is no signal is refused', () => {
    fails(sysKill(<i32>sysProcessId(), 65), 22, 'kill')
    fails(kill(99999, 9), 3, 'kill of nobody')
  })
  test('a group is killed together', () => {
    const first = start('forever')
    const second = start('forever')
    equal(sysSetGroup(<u32>first, 0), 0, 'setpgid')
    equal(sysSetGroup(<u32>second, <u32>first), 0, 'setpgid')
    equal(call1(Call.getpgid, second), first, 'group')
    equal(kill(-(<i32>first), 9), 0, 'kill')
    wait(first, ended)
    equal(ended.code, 137, 'first')
    wait(second, ended)
    equal(ended.code, 137, 'second')
  })
  test('only children can be put into groups', () => {
    fails(sysSetGroup(1, 0), 3, 'setpgid of the first process')
  })
  test('an orphan is buried by the first process', () => {
    equal(runPart('orphan'), 0, 'status')
    fails(wait(-1, ended), 10, 'wait')
    blockSleep(40)
  })
  test('a child begins where its parent is', () => {
    const before = currentDirectory()
    equal(changeDirectory('/tmp'), 0, 'chdir')
    equal(runPart('directory'), 0, 'the child is elsewhere')
    changeDirectory(before)
  })
  test('a child gets only the descriptors it is given', () => {
    const extra = works(open('/'), 'open')
    equal(runPart('descriptors'), 0, 'how many it has')
    close(extra)
  })
  test('descriptors are placed as the list says', () => {
    works(makePipe(pipe), 'pipe')
    const text = toKernel('/bin/echo')
    const pid = works(spawn('/bin/echo', ['echo', 'through'], 0, pipe.writer, 2), 'spawn')
    close(pipe.writer)
    const count = sysRead(pipe.reader, buffer, 100)
    equalText(count < 0 ? '' : fromBytes(buffer, <u32>count), 'through\n', 'what the child printed')
    equal(sysRead(pipe.reader, buffer, 100), 0, 'read at the end')
    close(pipe.reader)
    wait(pid, ended)
    give(text)
  })
  test('what is no program does not start', () => {
    fails(spawn('/bin/none', ['none']), 2, 'spawn of nothing')
    fails(spawn('/bin', ['bin']), 13, 'spawn of a directory')
    const file = works(open('/tmp/text', 0o1101), 'open')
    sysWrite(<i32>file, buffer, 100)
    close(file)
    fails(spawn('/tmp/text', ['text']), 8, 'spawn of a text')
    removeFile('/tmp/text')
  })
  test('bad pointers to spawn are refused', () => {
    const path = toKernel('/bin/true')
    fails(sysSpawn(8, 0, 0, 0, 0), 14, 'path')
    fails(sysSpawn(path, 8, 0, 0, 0), 14, 'arguments')
    fails(sysSpawn(path, 0, 0, 8, 3), 14, 'files')
    fails(sysSpawn(path, 0, 0, buffer, 17), 22, 'too many files')
    store<i32>(buffer, 200)
    fails(sysSpawn(path, 0, 0, buffer, 1), 9, 'a file that is not open')
    give(path)
  })
  test('arguments that are too long are refused', () => {
    const args: string[] = [self(), 'count', 'x'.repeat(20000)]
    fails(spawn(self(), args), 7, 'spawn')
  })
  test('a program without arguments starts', () => {
    const path = toKernel('/bin/true')
    const pid = works(sysSpawn(path, 0, 0, 0, 0), 'spawn')
    wait(pid, ended)
    equal(ended.code, 0, 'status')
    give(path)
  })
  test('thirty children at once', () => {
    let sum: i64 = 0
    for (let index = 0; index < 30; index++) works(start('status ' + index.toString()), 'spawn')
    for (let index = 0; index < 30; index++) {
      works(wait(-1, ended), 'wait')
      sum += ended.code
    }
    equal(sum, 435, 'sum of the statuses')
  })
  test('giving way lets others run', () => {
    const pid = start('status 3')
    let turns = 0
    while (wait(pid, ended, true) == 0 && turns < 1000000) {
      sysYield()
      turns++
    }
    equal(ended.code, 3, 'status')
  })
  test('the task list has this process, with its name', () => {
    const count = memory.data(8, 8)
    const entries = readTasks(count)
    const pid = <u32>sysProcessId()
    let found = false
    for (let index: u32 = 0; index < load<u32>(count); index++) {
      const entry = changetype<TaskEntry>(entries + index * TASK_BYTES)
      if (entry.pid != pid) continue
      found = true
      equalText(entry.name, 'process', 'name')
      equal(entry.state, 0, 'state')
      check(entry.frames > 4, 'it has no memory')
    }
    check(found, 'it is not in the list')
    give(entries)
    fails(sysTasks(8, 1280), 14, 'a bad address')
  })
  test('what a task awaits is told', () => {
    const pid = start('forever')
    blockSleep(5)
    const count = memory.data(8, 8)
    const entries = readTasks(count)
    for (let index: u32 = 0; index < load<u32>(count); index++) {
      const entry = changetype<TaskEntry>(entries + index * TASK_BYTES)
      if (entry.pid != <u32>pid) continue
      equal(entry.state, 1, 'state')
      equalText(entry.chain(entry.chainLength - 1), 'runThread', 'the outermost')
    }
    give(entries)
    kill(<i32>pid, 9)
    wait(pid, ended)
  })
  test('unknown calls are refused', () => {
    fails(call0(999), 38, 'call 999')
    fails(call0(65536), 38, 'call 65536')
    fails(call2(<u32>-1, 1, 2), 38, 'call -1')
  })
  test('sleep refuses what is no time', () => {
    fails(sysSleep(8), 14, 'a bad address')
    store<i64>(buffer, -1)
    store<i64>(buffer, 0, 8)
    fails(sysSleep(buffer), 22, 'negative seconds')
    store<i64>(buffer, 0)
    store<i64>(buffer, 1000000000, 8)
    fails(sysSleep(buffer), 22, 'too many nanoseconds')
  })
  return finish()
}
