// Owns the list of all threads with what they wait for, printed by the kernel itself: Ctrl-T on the console, for when nothing else answers.
import { hartMask, hartAt } from '../hart'
import { print, printNumber, printText, putCharacter } from '../print'
import { printTask } from '../panic'
import { Ring, unread, waiting } from '../ring/ring'
import { Process, Thread, firstProcess, nameOf } from './process'
import { DETACHED, Task } from './task'

/** Takes no locks: it may be asked for while one is held that will never be given back. */
export function reportTasks(): void {
  for (let number: u32 = 0; number < 8; number++) {
    if ((hartMask & (1 << number)) == 0) continue
    print('\nhart ')
    printNumber(number)
    print(': ready ')
    printNumber(hartAt(number).ready)
    print(', timers ')
    printNumber(hartAt(number).timerCount)
  }
  let following: Process | null = firstProcess()
  while (following != null) {
    const process = following
    following = process.next
    print('\n')
    printNumber(process.pid)
    putCharacter(32)
    printText(nameOf(process))
    if (process.ended) print(', ended')
    else if (process.killed) print(', being killed')
    reportThreads(process)
    reportRings(process)
  }
  print('\n')
}

function reportThreads(process: Process): void {
  let following: Thread | null = process.threads
  while (following != null) {
    const thread = following
    following = thread.next
    print('\n  thread ')
    printNumber(thread.tid)
    print(thread.ended ? ', ended' : thread.activity.task != 0 ? ', waits in' : ', runs or is ready')
    reportChain(thread.activity.task)
  }
}

function reportChain(first: u32): void {
  let depth = 0
  for (let at = first; at > DETACHED && depth < 16; at = changetype<Task>(at).continuation) {
    print('\n    ')
    printTask(changetype<Task>(at))
    depth++
  }
}

function reportRings(process: Process): void {
  let following = changetype<Ring | null>(<usize>process.rings)
  while (following != null) {
    const ring = following
    following = ring.next
    print('\n  ring ')
    printNumber(ring.id)
    print(': ')
    printNumber(waiting(ring))
    print(' submitted, ')
    printNumber(ring.inFlight)
    print(' in flight, ')
    printNumber(unread(ring))
    print(' completed, ')
    print(ring.overflowHead ? 'overflow, ' : '')
    print(ring.closing ? 'closing, ' : '')
    print(ring.server.task ? 'server waits in' : 'server runs')
    reportChain(ring.server.task)
    let request = ring.requests
    while (request != null) {
      print('\n   request ')
      printNumber(request.userData)
      print(request.cancelled ? ' cancelled' : '')
      reportChain(request.task)
      request = request.following
    }
  }
}
