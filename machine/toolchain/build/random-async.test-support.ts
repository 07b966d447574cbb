/** Random async programs in the guest dialect, and executors for them: the guest's, and one in V8. */
import ts from 'typescript'

/** Numbers below a limit, the same for a seed. */
function numbers(seed: number): (limit: number) => number {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state % limit
  }
}

/** Async functions `task0` to `task5`; each calls those before it. */
export function randomAsyncProgram(seed: number): string {
  const random = numbers(seed)
  const pick = <Choice>(choices: readonly Choice[]): Choice => choices[random(choices.length)]
  let names: string[] = []
  let fresh = 0
  let self = 0

  const expression = (depth: number): string => {
    if (depth <= 0) return random(2) && names.length ? pick(names) : String(random(200) - 100)
    const [a, b] = [expression(depth - 1), expression(depth - 1)]
    switch (random(9)) {
      case 0:
        return `(${a} + ${b} | 0)`
      case 1:
        return `(${a} - ${b} | 0)`
      case 2:
        return `mul(${a}, ${b})`
      case 3:
        return `(${a} ^ ${b})`
      case 4:
        return `(${a} >> ${random(31)})`
      case 5:
        return `(${a} < ${b} ? ${expression(depth - 1)} : ${expression(depth - 1)})`
      case 6:
        return `(await sleep(${a}))`
      case 7:
        return self > 0 ? `(await task${random(self)}(${a}))` : a
      default:
        return a
    }
  }
  const block = (depth: number, indent: string): string => {
    const outer = names.slice()
    const lines = Array.from({ length: 1 + random(3) }, () => statement(depth - 1, indent + '  '))
    names = outer
    return `{\n${lines.join('')}${indent}}`
  }
  const statement = (depth: number, indent: string): string => {
    const choice = random(depth > 0 ? 8 : 4)
    switch (choice) {
      case 0:
        return `${indent}log(${expression(2)});\n`
      case 1: {
        const value = expression(2)
        const name = `v${fresh++}`
        names.push(name)
        return `${indent}let ${name}: i32 = ${value};\n`
      }
      case 2:
      case 3: {
        // Loop counters are not assigned: loops end.
        const targets = names.filter((name) => !name.startsWith('i'))
        return targets.length ? `${indent}${pick(targets)} = ${expression(2)};\n` : ''
      }
      case 4:
        return `${indent}if (${expression(1)} < ${expression(1)}) ${block(depth, indent)} else ${block(depth, indent)}\n`
      case 5: {
        const name = `i${fresh++}`
        const leave = random(2) ? `${indent}  if (${name} > ${random(3)}) ${pick(['break', 'continue'])};\n` : ''
        names.push(name)
        const body = block(depth, indent)
        names.pop()
        return `${indent}for (let ${name}: i32 = 0; ${name} < ${1 + random(3)}; ${name}++) {\n${leave}${indent}  ${body}\n${indent}}\n`
      }
      default: {
        if (self === 0) return `${indent}log(await sleep(${expression(1)}));\n`
        // Both run before either is awaited.
        const [p, q] = [`p${fresh++}`, `p${fresh++}`]
        const start = `${indent}const ${p} = task${random(self)}(${expression(1)});\n${indent}const ${q} = task${random(self)}(${expression(1)});\n`
        return `${start}${indent}log(((await ${q}) + mul(3, (await ${p}))) | 0);\n`
      }
    }
  }
  let text = ''
  for (self = 0; self < 6; self++) {
    names = ['a']
    fresh = 0
    const body = Array.from({ length: 3 + random(4) }, () => statement(self > 3 ? 1 : 2, '  ')).join('')
    text += `async function task${self}(a: i32): Promise<i32> {\n  if (budget() < 0) return a;\n${body}  return ${expression(1)};\n}\n`
  }
  return text
}

/** Starts a task at a time below which no new ones do anything, so that every program ends soon. */
const tasks = 300

/** The guest: sleepers stand in a queue, and are resumed in its order. Prints `logged checksum`. */
export function guestProgram(program: string): string {
  return `
const UART: usize = 0x10000000;
function print(x: i32): void { if (x < 0) { cpu.store8(UART, 45); print(-(x / 10)); cpu.store8(UART, <u8>(48 - x % 10)); return; } if (x >= 10) print(x / 10); cpu.store8(UART, <u8>(48 + x % 10)); }
let live: i32 = 0;
let next: usize = 0x80800000;
export function __allocate(size: usize): usize { live++; const at = next; next += (size + 15) & ~15; return at; }
export function __release(address: usize): void { live--; memory.fill(address, 0xee, 32); }
let first: usize = 0;
let last: usize = 0;
async function sleep(x: i32): Promise<i32> {
  const self = co.frame();
  store<u32>(self, 0, 36);
  if (last != 0) store<u32>(last, <u32>self, 36); else first = self;
  last = self;
  co.suspend();
  return x ^ 0x55;
}
export function __idle(): void {
  const task = first;
  first = load<u32>(task, 36);
  if (first == 0) last = 0;
  co.resume(task);
}
let left: i32 = ${tasks};
function budget(): i32 { return --left; }
let count: i32 = 0;
let sum: i32 = 0;
function log(x: i32): void { count++; sum = sum * 31 + x; }
function mul(a: i32, b: i32): i32 { return a * b; }
${program}
export function main(): i32 {
  for (let i = 0; i < 3; i++) log(blockOn(task5(i * 7)));
  print(count); cpu.store8(UART, 32); print(sum); cpu.store8(UART, 32); print(live);
  return 0;
}
`
}

/** A task of the host's executor: like the guest's, it goes on at once when what it awaits is there already. */
interface HostTask {
  done: boolean
  value: number
  awaiter: Generator<HostTask, number, number> | undefined
}

/** What the guest must print, found by V8: tasks are generators, and `await` is `yield`. */
export function hostResult(program: string): string {
  let count = 0
  let sum = 0
  let left = tasks
  const sleepers: HostTask[] = []
  const of = new Map<Generator<HostTask, number, number>, HostTask>()
  const finish = (task: HostTask, value: number): void => {
    task.done = true
    task.value = value
    if (task.awaiter) go(task.awaiter, value)
  }
  const go = (generator: Generator<HostTask, number, number>, value: number): void => {
    for (;;) {
      const step = generator.next(value)
      if (step.done) return finish(of.get(generator)!, step.value)
      if (!step.value.done) {
        step.value.awaiter = generator
        return
      }
      value = step.value.value
    }
  }
  const newTask = (): HostTask => ({ done: false, value: 0, awaiter: undefined })
  const spawn = (make: (a: number) => Generator<HostTask, number, number>) => (a: number) => {
    const generator = make(a)
    const task = newTask()
    of.set(generator, task)
    go(generator, 0)
    return task
  }
  const log = (x: number): void => {
    count++
    sum = (Math.imul(sum, 31) + x) | 0
  }
  const sleep = (x: number): HostTask => {
    const task = newTask()
    task.value = x ^ 0x55
    sleepers.push(task)
    return task
  }
  const script = ts
    .transpileModule(program, { compilerOptions: { target: ts.ScriptTarget.ES2022 } })
    .outputText.replace(/async function (\w+)\(/g, 'const $1 = spawn($1$$)\nfunction* $1$$(')
    .replace(/\bawait\b/g, 'yield')

  const make = new Function('log', 'sleep', 'mul', 'budget', 'spawn', `${script}; return task5`) as (
    ...args: unknown[]
  ) => (a: number) => HostTask
  const root = make(log, sleep, Math.imul, () => --left, spawn)
  for (let i = 0; i < 3; i++) {
    const task = root(i * 7)
    while (!task.done) {
      const sleeper = sleepers.shift()!
      finish(sleeper, sleeper.value)
    }
    log(task.value)
  }
  return `${count} ${sum} 0`
}
