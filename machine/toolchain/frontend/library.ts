/**
 * What the guest dialect has beyond AssemblyScript: the intrinsics, the runtime, coroutines. Texts in AssemblyScript;
 * the compiler's library table gets them under the given names. Files without a slash are visible everywhere.
 */
import { continuations } from '../coroutine/task.ts'

const intrinsics = `
// Every function here is one instruction, or a few (toolchain.md, "Intrinsics").
/** The hart: control and status registers, fences, traps, ordered access to devices. */
export namespace cpu {
  /** Reads a CSR. The number is a constant. */
  @external("cpu", "csrRead") export declare function csrRead(csr: u32): u64;
  /** Writes a CSR. */
  @external("cpu", "csrWrite") export declare function csrWrite(csr: u32, value: u64): void;
  /** Sets the bits of \`value\` in a CSR. */
  @external("cpu", "csrSet") export declare function csrSet(csr: u32, value: u64): void;
  /** Clears the bits of \`value\` in a CSR. */
  @external("cpu", "csrClear") export declare function csrClear(csr: u32, value: u64): void;
  /** Writes a CSR and gives its old value. */
  @external("cpu", "csrSwap") export declare function csrSwap(csr: u32, value: u64): u64;
  /** Sets bits in a CSR and gives its old value. */
  @external("cpu", "csrReadSet") export declare function csrReadSet(csr: u32, value: u64): u64;
  /** Clears bits in a CSR and gives its old value. */
  @external("cpu", "csrReadClear") export declare function csrReadClear(csr: u32, value: u64): u64;
  /** Orders all earlier memory and device accesses before all later ones. */
  @external("cpu", "fence") export declare function fence(): void;
  /** Makes stores visible to instruction fetch. */
  @external("cpu", "fenceI") export declare function fenceI(): void;
  /** Forgets translations of one address in one address space (0 = all). */
  @external("cpu", "sfenceVma") export declare function sfenceVma(address: usize, space: u64): void;
  /** Forgets all translations. */
  @external("cpu", "sfenceAll") export declare function sfenceAll(): void;
  /** Waits for an interrupt. */
  @external("cpu", "wfi") export declare function wfi(): void;
  @external("cpu", "ebreak") export declare function ebreak(): void;
  @external("cpu", "sret") export declare function sret(): void;
  @external("cpu", "mret") export declare function mret(): void;
  @external("cpu", "uret") export declare function uret(): void;
  /** Environment call: a7, a6, a0..a5; gives a0. */
  @external("cpu", "ecall") export declare function ecall(a7: u64, a6: u64, a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64): i64;
  /** The same call, but gives a1 (the SBI's value). */
  @external("cpu", "ecallSecond") export declare function ecallSecond(a7: u64, a6: u64, a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64): i64;
  @external("cpu", "cycle") export declare function cycle(): u64;
  @external("cpu", "time") export declare function time(): u64;
  @external("cpu", "instret") export declare function instret(): u64;
  /** The thread pointer; by convention the hart's number in the kernel. */
  @external("cpu", "hartId") export declare function hartId(): u64;
  @external("cpu", "threadPointer") export declare function threadPointer(): u64;
  @external("cpu", "setThreadPointer") export declare function setThreadPointer(value: u64): void;
  @external("cpu", "stackPointer") export declare function stackPointer(): u64;
  /** The C stack of this thread (clang's shadow stack). */
  @external("cpu", "shadowStack") export declare function shadowStack(): u64;
  @external("cpu", "setShadowStack") export declare function setShadowStack(value: u64): void;
  @external("cpu", "uipiSend") export declare function uipiSend(index: u64): void;
  @external("cpu", "uipiRead") export declare function uipiRead(): u64;
  @external("cpu", "uipiWrite") export declare function uipiWrite(value: u64): void;
  @external("cpu", "uipiActivate") export declare function uipiActivate(): void;
  @external("cpu", "uipiDeactivate") export declare function uipiDeactivate(): void;
  /** Device registers: never merged, never moved, in program order. */
  @external("cpu", "load8") export declare function load8(address: usize): u8;
  @external("cpu", "load16") export declare function load16(address: usize): u16;
  @external("cpu", "load32") export declare function load32(address: usize): u32;
  @external("cpu", "load64") export declare function load64(address: usize): u64;
  @external("cpu", "store8") export declare function store8(address: usize, value: u32): void;
  @external("cpu", "store16") export declare function store16(address: usize, value: u32): void;
  @external("cpu", "store32") export declare function store32(address: usize, value: u32): void;
  @external("cpu", "store64") export declare function store64(address: usize, value: u64): void;
}

/** Coroutines, as the compiler makes them of async functions; schedulers use these, other code has no need to. */
export namespace co {
  /** The running coroutine's frame. */
  @external("co", "frame") export declare function frame(): usize;
  /** Returns to whoever resumed this coroutine; continues here when it is resumed. */
  @external("co", "suspend") export declare function suspend(): void;
  /**
   * Suspends as \`suspend\` does, then makes this coroutine the one that goes on when \`task\` ends, in one atomic step; goes on at once
   * when it has ended.
   */
  @external("co", "suspendUntil") export declare function suspendUntil(task: usize): void;
  /** Exchanges who goes on at the end of \`task\`, or a mark that stands for that, in one atomic step; gives what it was. */
  @external("co", "exchange") export declare function exchange(task: usize, next: u32): usize;
  /** Continues a suspended coroutine until it suspends again or completes. */
  @external("co", "resume") export declare function resume(frame: usize): void;
  /** Where the code of a function is, by its index in this module's table: what other languages can call, too. */
  @external("co", "code") export declare function code(index: u32): u32;
  /** Calls a function of one pointer by where its code is. */
  @external("co", "call") export declare function call(code: usize, context: usize): void;
}
`

/** Takes the place of AssemblyScript's own `trace`, which the name belongs to otherwise. */
export const traceNamespace = `
export namespace trace {
  /** Writes one trace event: a constant kind, and its operand. Costs no cycle. */
  @external("trace", "emit") export declare function emit(kind: u32, value: u64): void;
}
`

const coroutine = `
/** State of a task: what \`state\` of its control block holds. */
export namespace TaskState {
  @inline export const running: u8 = 0;
  @inline export const waiting: u8 = 1;
  @inline export const done: u8 = 2;
  @inline export const cancelled: u8 = 3;
}

/** What an async function gives: its task control block (contracts.md, "Task control block"). */
@unmanaged export class Promise<T> {
  resume: u32;
  state: u8;
  priority: u8;
  flags: u16;
  owner: u32;
  continuation: u32;
  request: u64;
  result: u64;
  frameType: u32;
  queueLink: u32;
  homeHart: u16;
  reserved: u16;
  savedStack: u32;
}

// Called when a task that somebody awaits has ended: the program may put the awaiter into a queue instead.
@external("env", "__wake") declare function wake(task: usize): void;
// Called when a suspended task is cancelled: the program takes it out of the queue it may stand in.
@external("env", "__forget") declare function forget(task: usize): void;
// Called by blockOn when there is nothing to do but let others run: the program resumes what is ready, or waits for an interrupt.
@external("env", "__idle") declare function idle(): void;
@external("env", "__coroutine_free") declare function free(task: usize): void;
@external("env", "__allocate") declare function allocate(size: usize): usize;
@external("env", "__release") declare function release(address: usize): void;

// What follows is the protocol between tasks, which header.ts spells for C and C++.
// While a task runs its result is not there yet, and the field holds the latest deferred call and the task it awaits.
const DEFERRED: usize = 24;
const AWAITED: usize = 28;
// What stands for an awaiter (coroutine/task.ts tells the protocol).
const CONTINUATION: usize = 12;
const ENDED_AT_ONCE: u32 = ${continuations.endedAtOnce};
const ENDED: u32 = ${continuations.ended};
const DETACHED: u32 = ${continuations.detached};

// Names that start with two underscores are no variables of the user's, and debuggers do not show them.
@inline export function __await<T>(__promise: Promise<T>): T {
  const __task = changetype<usize>(__promise);
  if (load<u32>(__task, CONTINUATION) != ENDED_AT_ONCE) {
    store<u32>(co.frame(), <u32>__task, AWAITED);
    co.suspendUntil(__task);
    store<u32>(co.frame(), 0, AWAITED);
  }
  if (isVoid<T>()) {
    free(__task);
    return;
  } else {
    const __result = load<T>(__task, 24);
    free(__task);
    return __result;
  }
}

@inline export function __coReturn<T>(__value: T): Promise<T> {
  const __task = co.frame();
  if (load<u32>(__task, DEFERRED)) __runDeferred(__task);
  store<T>(__task, __value, 24);
  complete(__task);
  return changetype<Promise<T>>(__task);
}

@inline export function __coReturnVoid(): Promise<void> {
  const __task = co.frame();
  if (load<u32>(__task, DEFERRED)) __runDeferred(__task);
  complete(__task);
  return changetype<Promise<void>>(__task);
}

@inline export function __coReturnNothing<T>(): Promise<T> {
  unreachable();
  return changetype<Promise<T>>(0);
}

@inline function complete(__task: usize): void {
  store<u8>(__task, 2, 4);
  // It has no resume address: nobody has ever been told of it.
  if (load<u32>(__task) == 0) store<u32>(__task, ENDED_AT_ONCE, CONTINUATION);
  else __ended(__task);
}

export function __ended(task: usize): void {
  const next = co.exchange(task, ENDED);
  if (next > DETACHED) {
    store<u32>(task, <u32>next, CONTINUATION);
    wake(next);
  } else if (next == DETACHED) free(task);
}

// A deferred call: the one before it, the function's code, its context. header.ts has the same for C.
export function __defer(task: usize, fn: usize, context: usize): void {
  const call = allocate(16);
  store<u32>(call, load<u32>(task, DEFERRED));
  // A function is an object that holds its index.
  store<u32>(call, co.code(load<u32>(fn)), 4);
  store<u32>(call, <u32>context, 8);
  store<u32>(task, <u32>call, DEFERRED);
}

export function __undefer(task: usize, run: bool): void {
  const call: usize = load<u32>(task, DEFERRED);
  if (call == 0) return;
  store<u32>(task, load<u32>(call), DEFERRED);
  const code = load<usize>(call, 4);
  const context = load<usize>(call, 8);
  release(call);
  if (run) co.call(code, context);
}

export function __runDeferred(task: usize): void {
  while (load<u32>(task, DEFERRED)) __undefer(task, true);
}

export function __cancel(task: usize): void {
  const state = load<u8>(task, 4);
  if (state >= 2) {
    if (load<u32>(task, CONTINUATION) <= DETACHED) free(task);
    return;
  }
  const awaited: usize = load<u32>(task, AWAITED);
  forget(task);
  if (awaited != 0) {
    store<u32>(awaited, 0, CONTINUATION);
    __cancel(awaited);
  }
  __runDeferred(task);
  store<u64>(task, 0, 24);
  store<u8>(task, 3, 4);
  if (load<u32>(task, CONTINUATION) > DETACHED) __ended(task);
  else free(task);
}

/**
 * Calls \`fn(context)\` when the running task ends, however it ends: by returning or by being cancelled. The latest comes first.
 * Only in async functions; \`context\` is a pointer, an object or a 32-bit number.
 */
@inline export function defer<T>(fn: (context: T) => void, context: T): void {
  if (sizeof<T>() != 4) ERROR("the context of defer is a pointer or a 32-bit number");
  __defer(co.frame(), changetype<usize>(fn), isReference<T>() ? changetype<usize>(context) : <usize>context);
}

/** Takes the latest deferred call back; makes it now unless \`run\` is false. */
@inline export function undefer(run: bool = true): void {
  __undefer(co.frame(), run);
}

/**
 * Ends a suspended task, and whatever it awaits, without resuming it: deferred calls run, frames are freed. Somebody who awaits
 * the task gets zero; where nobody does, the promise is gone. A task that is done is freed.
 */
export function cancel<T>(promise: Promise<T>): void {
  __cancel(changetype<usize>(promise));
}

/** Lets a task go on by itself: it frees itself at its end, and the promise must not be used any more. */
export function detach<T>(promise: Promise<T>): void {
  const task = changetype<usize>(promise);
  const next = co.exchange(task, DETACHED);
  if (next != 0) free(task);
}

/** Waits in ordinary code until a task has ended, and gives its result; others run meanwhile. */
export function blockOn<T>(promise: Promise<T>): T {
  const task = changetype<usize>(promise);
  for (;;) {
    const next = atomic.load<u32>(task, CONTINUATION);
    if (next == ENDED || next == ENDED_AT_ONCE) break;
    idle();
  }
  if (isVoid<T>()) {
    free(task);
    return;
  } else {
    const result = load<T>(task, 24);
    free(task);
    return result;
  }
}
`

const stub = `
// The program's allocator: __allocate and __free are the program's own or the start-up code's.
import { OBJECT, BLOCK_OVERHEAD, OBJECT_OVERHEAD } from "./common";

@external("env", "__allocate") declare function allocate(size: usize): usize;
@external("env", "__release") declare function release(address: usize): void;

@unsafe @global export function __alloc(size: usize): usize {
  const block = allocate(BLOCK_OVERHEAD + size);
  store<usize>(block, size);
  return block + BLOCK_OVERHEAD;
}
@unsafe @global export function __realloc(ptr: usize, size: usize): usize {
  const old = load<usize>(ptr - BLOCK_OVERHEAD);
  if (size <= old) return ptr;
  const next = __alloc(size);
  memory.copy(next, ptr, old);
  __free(ptr);
  return next;
}
@unsafe @global export function __free(ptr: usize): void {
  release(ptr - BLOCK_OVERHEAD);
}
@unsafe @global export function __reset(): void {}
@unsafe @global export function __new(size: usize, id: u32): usize {
  const ptr = __alloc(OBJECT_OVERHEAD + size);
  const object = changetype<OBJECT>(ptr - BLOCK_OVERHEAD);
  object.gcInfo = 0;
  object.gcInfo2 = 0;
  object.rtId = id;
  object.rtSize = <u32>size;
  memory.fill(ptr + OBJECT_OVERHEAD, 0, size);
  return ptr + OBJECT_OVERHEAD;
}
@unsafe @global export function __renew(oldPtr: usize, size: usize): usize {
  const newPtr = __realloc(oldPtr - OBJECT_OVERHEAD, OBJECT_OVERHEAD + size);
  changetype<OBJECT>(newPtr - BLOCK_OVERHEAD).rtSize = <u32>size;
  return newPtr + OBJECT_OVERHEAD;
}
@global @unsafe export function __link(parentPtr: usize, childPtr: usize, expectMultiple: bool): void {}
@global @unsafe export function __pin(ptr: usize): usize { return ptr; }
@global @unsafe export function __unpin(ptr: usize): void {}
@global @unsafe function __visit(ptr: usize, cookie: u32): void {}
@global @unsafe export function __collect(): void {}
`

/** Library file texts by the compiler's name for them. */
export const libraryFiles: Readonly<Record<string, string>> = { pollen: intrinsics, coroutine, 'rt/stub': stub }
