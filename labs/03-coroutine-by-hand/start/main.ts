// Runs the same three walkers in every model and reports what they said. Nothing here is yours to change.
import { StepperFuture, FutureStepper } from './adapters'
import { walk } from './await'
import { print, printNumber, report } from './board'
import { CallbackWalker } from './callback'
import { expireTimers, runFutures, runSteppers } from './models'
import { PollWalker } from './poll'
import { allocateFrame, largestFrame, runTasks } from './tasks'
import { YieldWalker } from './yield'

const A: u8 = 97
const B: u8 = 98
const C: u8 = 99
/** Ticks: 700, 500 and 1,100 µs, so that no two walkers wake at once. */
const PAUSES: StaticArray<u64> = [7000, 5000, 11000]
const STEPS: StaticArray<i32> = [3, 4, 2]

function callbacks(): void {
  const walkers: StaticArray<CallbackWalker> = [
    new CallbackWalker(A, STEPS[0], PAUSES[0]),
    new CallbackWalker(B, STEPS[1], PAUSES[1]),
    new CallbackWalker(C, STEPS[2], PAUSES[2]),
  ]
  for (let i = 0; i < 3; i++) walkers[i].wake()
  while (!(walkers[0].done && walkers[1].done && walkers[2].done)) expireTimers()
  report('callback', walkers[0].total + walkers[1].total + walkers[2].total, 'calls', 12)
}

function yields(): void {
  const a = new YieldWalker(A, STEPS[0], PAUSES[0])
  const b = new YieldWalker(B, STEPS[1], PAUSES[1])
  const c = new YieldWalker(C, STEPS[2], PAUSES[2])
  const steps = runSteppers([a, b, c])
  report('yield', a.total + b.total + c.total, 'steps', steps)
}

function polls(): void {
  const a = new PollWalker(A, STEPS[0], PAUSES[0])
  const b = new PollWalker(B, STEPS[1], PAUSES[1])
  const c = new PollWalker(C, STEPS[2], PAUSES[2])
  const count = runFutures([a, b, c])
  report('poll', a.total + b.total + c.total, 'polls', count)
}

function stepperAsFuture(): void {
  const a = new PollWalker(A, STEPS[0], PAUSES[0])
  const b = new YieldWalker(B, STEPS[1], PAUSES[1])
  const c = new PollWalker(C, STEPS[2], PAUSES[2])
  const count = runFutures([a, new StepperFuture(b), c])
  report('yield in poll', a.total + b.total + c.total, 'polls', count)
}

function futureAsStepper(): void {
  const a = new PollWalker(A, STEPS[0], PAUSES[0])
  const b = new YieldWalker(B, STEPS[1], PAUSES[1])
  const c = new PollWalker(C, STEPS[2], PAUSES[2])
  const steps = runSteppers([new FutureStepper(a), b, new FutureStepper(c)])
  report('poll in yield', a.total + b.total + c.total, 'steps', steps)
}

function tasks(): void {
  const a = walk(A, STEPS[0], PAUSES[0])
  const b = walk(B, STEPS[1], PAUSES[1])
  const c = walk(C, STEPS[2], PAUSES[2])
  const resumes = runTasks()
  report('await', blockOn(a) + blockOn(b) + blockOn(c), 'resumes', resumes)
  print('await: the largest frame has ')
  printNumber(largestFrame())
  print(' bytes\n')
}

export function __coroutine_allocate(bytes: usize): usize {
  return allocateFrame(bytes)
}

export function main(): i32 {
  callbacks()
  yields()
  polls()
  stepperAsFuture()
  futureAsStepper()
  tasks()
  return 0
}
