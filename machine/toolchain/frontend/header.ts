/**
 * The headers of C and C++: `pollen.h` has the intrinsics, the task control block and the protocol between tasks as library.ts has
 * it for TypeScript; `pollen.hpp` maps C++20's coroutines onto the control block; `coroutine` is as much of the standard's header
 * as a compiler needs.
 */
import { continuations } from '../coroutine/task.ts'
import { libraryFiles, traceNamespace } from './library.ts'

const types: Record<string, string> = {
  u8: 'unsigned char',
  u16: 'unsigned short',
  u32: 'unsigned',
  u64: 'unsigned long long',
  i64: 'long long',
  i32: 'int',
  usize: 'void *',
  void: 'void',
}

/** One declaration per intrinsic of the TypeScript library, so that the two cannot differ. */
function declarations(): string {
  const pattern = /@external\("(cpu|co|trace)", "(\w+)"\) export declare function \w+\(([^)]*)\): (\w+);/g
  return [...(libraryFiles.pollen + traceNamespace).matchAll(pattern)]
    .map(([, module, name, params, result]) => {
      const list = params
        .split(',')
        .map((param) => param.trim())
        .filter((param) => param !== '')
        .map((param) => {
          const [id, type] = param.split(':').map((part) => part.trim())
          return `${types[type]} ${id}`
        })
      // What suspends, or knows its frame, must not be inlined into another coroutine: clang never inlines what returns twice.
      const twice = name === 'suspend' || name === 'frame' ? ', returns_twice' : ''
      return `__attribute__((import_module("${module}"), import_name("${name}")${twice})) ${types[result]} ${module}_${name}(${list.join(', ') || 'void'});`
    })
    .join('\n')
}

const pollenHeader = `#ifndef POLLEN_H
#define POLLEN_H
#ifdef __cplusplus
extern "C" {
#endif
/* The task control block (contracts.md, "Task control block"). While a task runs, result holds the latest deferred call (low half)
   and the task that it awaits (high half). */
typedef struct pollen_task {
  unsigned resume;
  unsigned char state, priority;
  unsigned short flags;
  unsigned owner, continuation;
  unsigned long long request, result;
  unsigned frame_type, queue_link;
  unsigned short home_hart, reserved;
  unsigned saved_stack;
} pollen_task;
enum { POLLEN_RUNNING, POLLEN_WAITING, POLLEN_DONE, POLLEN_CANCELLED };
/* Marks in continuation, where there is no awaiter (see the compiler's coroutine/task.ts). */
enum { POLLEN_ENDED_AT_ONCE = ${continuations.endedAtOnce}, POLLEN_ENDED = ${continuations.ended}, POLLEN_DETACHED = ${continuations.detached} };
${declarations()}

/* The program's own, or the runtime's. */
void *__allocate(unsigned bytes);
void __release(void *address);
void __coroutine_free(pollen_task *task);
void __wake(pollen_task *task);
void __forget(pollen_task *task);
void __idle(void);

#define POLLEN_INLINE static inline __attribute__((always_inline, unused))
struct pollen_call {
  struct pollen_call *before;
  unsigned code;
  void *context;
};
POLLEN_INLINE unsigned *pollen_deferred(pollen_task *task) { return (unsigned *)&task->result; }
POLLEN_INLINE unsigned *pollen_awaited(pollen_task *task) { return (unsigned *)&task->result + 1; }

/* Makes self, which has suspended, the awaiter of a task; 0 when the task has ended already. Self may go on elsewhere meanwhile. */
POLLEN_INLINE int pollen_link(pollen_task *task, pollen_task *self) {
  *pollen_awaited(self) = (unsigned)task;
  return co_exchange(task, (unsigned)self) == 0;
}
/* The result of a task that has ended; frees it. */
POLLEN_INLINE unsigned long long pollen_take(pollen_task *task) {
  unsigned long long result = task->result;
  __coroutine_free(task);
  return result;
}
static inline void pollen_ended(pollen_task *task) {
  void *next = co_exchange(task, POLLEN_ENDED);
  if ((unsigned)next > POLLEN_DETACHED) {
    task->continuation = (unsigned)next;
    __wake((pollen_task *)next);
  } else if ((unsigned)next == POLLEN_DETACHED) __coroutine_free(task);
}
/* Ends a task: whoever awaits it goes on. One that has no resume address yet is known to nobody but its caller. */
POLLEN_INLINE void pollen_complete(pollen_task *task, unsigned long long result) {
  task->result = result;
  *(volatile unsigned char *)&task->state = POLLEN_DONE;
  if (*(volatile unsigned *)&task->resume == 0) task->continuation = POLLEN_ENDED_AT_ONCE;
  else pollen_ended(task);
}
/* Whether a task has ended. Once it has, its result may be taken. */
POLLEN_INLINE int pollen_has_ended(pollen_task *task) {
  unsigned next = __atomic_load_n(&task->continuation, __ATOMIC_SEQ_CST);
  return next == POLLEN_ENDED || next == POLLEN_ENDED_AT_ONCE;
}
static inline void pollen_defer_in(pollen_task *task, void (*fn)(void *), void *context) {
  struct pollen_call *call = (struct pollen_call *)__allocate(sizeof(struct pollen_call));
  call->before = (struct pollen_call *)*pollen_deferred(task);
  call->code = co_code((unsigned)fn);
  call->context = context;
  *pollen_deferred(task) = (unsigned)call;
}
static inline void pollen_undefer_in(pollen_task *task, int run) {
  struct pollen_call *call = (struct pollen_call *)*pollen_deferred(task);
  if (!call) return;
  *pollen_deferred(task) = (unsigned)call->before;
  unsigned code = call->code;
  void *context = call->context;
  __release(call);
  if (run) co_call((void *)code, context);
}
static inline void pollen_run_deferred(pollen_task *task) {
  while (*pollen_deferred(task)) pollen_undefer_in(task, 1);
}

/* Ends a suspended task, and whatever it awaits, without resuming it: deferred calls run, frames are freed. Who awaits it gets zero. */
static inline void pollen_cancel(pollen_task *task) {
  if (task->state >= POLLEN_DONE) {
    if (task->continuation <= POLLEN_DETACHED) __coroutine_free(task);
    return;
  }
  pollen_task *awaited = (pollen_task *)*pollen_awaited(task);
  __forget(task);
  if (awaited) {
    awaited->continuation = 0;
    pollen_cancel(awaited);
  }
  pollen_run_deferred(task);
  task->result = 0;
  *(volatile unsigned char *)&task->state = POLLEN_CANCELLED;
  if (task->continuation > POLLEN_DETACHED) pollen_ended(task);
  else __coroutine_free(task);
}
/* Lets a task go on by itself: it frees itself at its end. */
static inline void pollen_detach(pollen_task *task) {
  if (co_exchange(task, POLLEN_DETACHED)) __coroutine_free(task);
}
/* Waits in ordinary code until a task has ended, and gives its result. */
static inline unsigned long long pollen_block_on(pollen_task *task) {
  while (!pollen_has_ended(task)) __idle();
  return pollen_take(task);
}

/* In C: a function that contains these is a coroutine. It gives its task, to its caller at the first await and at its end:
     pollen_task *twice(pollen_task *number) { return pollen_return(2 * pollen_await(number)); } */
POLLEN_INLINE __attribute__((returns_twice)) unsigned long long pollen_await(pollen_task *task) {
  if (*(volatile unsigned *)&task->continuation != POLLEN_ENDED_AT_ONCE) {
    *pollen_awaited((pollen_task *)co_frame()) = (unsigned)task;
    co_suspendUntil(task);
    *pollen_awaited((pollen_task *)co_frame()) = 0;
  }
  return pollen_take(task);
}
POLLEN_INLINE __attribute__((returns_twice)) pollen_task *pollen_return(unsigned long long result) {
  pollen_task *self = (pollen_task *)co_frame();
  pollen_run_deferred(self);
  pollen_complete(self, result);
  return self;
}
/* Calls fn(context) when the running coroutine ends, however it ends; the latest comes first. */
POLLEN_INLINE __attribute__((returns_twice)) void pollen_defer(void (*fn)(void *), void *context) { pollen_defer_in((pollen_task *)co_frame(), fn, context); }
/* Takes the latest deferred call back; makes it now unless run is 0. */
POLLEN_INLINE __attribute__((returns_twice)) void pollen_undefer(int run) { pollen_undefer_in((pollen_task *)co_frame(), run); }
#ifdef __cplusplus
}
#endif
#endif
`

const coroutineHeader = `#ifndef POLLEN_COROUTINE
#define POLLEN_COROUTINE
namespace std {
template <class T, class...> struct __pollen_promise { using type = typename T::promise_type; };
template <class T, class... A> struct coroutine_traits { using promise_type = typename __pollen_promise<T, A...>::type; };
template <class P = void> struct coroutine_handle;
template <> struct coroutine_handle<void> {
  void *frame = nullptr;
  constexpr coroutine_handle() noexcept = default;
  static coroutine_handle from_address(void *address) noexcept {
    coroutine_handle handle;
    handle.frame = address;
    return handle;
  }
  void *address() const noexcept { return frame; }
  explicit operator bool() const noexcept { return frame; }
  bool done() const { return __builtin_coro_done(frame); }
  void resume() const { __builtin_coro_resume(frame); }
  void operator()() const { resume(); }
  void destroy() const { __builtin_coro_destroy(frame); }
};
template <class P> struct coroutine_handle {
  void *frame = nullptr;
  constexpr coroutine_handle() noexcept = default;
  static coroutine_handle from_address(void *address) noexcept {
    coroutine_handle handle;
    handle.frame = address;
    return handle;
  }
  static coroutine_handle from_promise(P &promise) noexcept {
    return from_address(__builtin_coro_promise((void *)&promise, alignof(P), true));
  }
  void *address() const noexcept { return frame; }
  explicit operator bool() const noexcept { return frame; }
  bool done() const { return __builtin_coro_done(frame); }
  void resume() const { __builtin_coro_resume(frame); }
  void operator()() const { resume(); }
  void destroy() const { __builtin_coro_destroy(frame); }
  P &promise() const { return *static_cast<P *>(__builtin_coro_promise(frame, alignof(P), false)); }
  operator coroutine_handle<>() const noexcept { return coroutine_handle<>::from_address(frame); }
};
struct suspend_never {
  bool await_ready() const noexcept { return true; }
  void await_suspend(coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};
struct suspend_always {
  bool await_ready() const noexcept { return false; }
  void await_suspend(coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};
}
#endif
`

const pollenPlusPlus = `#ifndef POLLEN_HPP
#define POLLEN_HPP
#include <coroutine>
#include <pollen.h>
/* A C++ coroutine that returns pollen::task<T> is a task like every other: TypeScript and C await it as a pollen_task, and it awaits
   theirs. Its control block lies right in front of clang's frame. T is void or has at most eight bytes and no constructor to speak of. */
extern "C" unsigned __cpp_entry(void);
extern "C" pollen_task *__cpp_allocate(unsigned bytes);
extern "C" __attribute__((weak)) void __cpp_resume(void *frame) { __builtin_coro_resume(frame); }
namespace pollen {
inline constexpr unsigned control_block = sizeof(pollen_task);
static_assert(sizeof(pollen_task) == 48, "contracts.md, Task control block");
inline pollen_task *block_of(void *frame) { return (pollen_task *)((char *)frame - control_block); }
inline void destroy_frame(void *frame) { __builtin_coro_destroy(frame); }

/* Runs when the coroutine ends: its variables are gone, the block stays for whoever awaits it. */
struct final_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class P> void await_suspend(std::coroutine_handle<P> handle) const noexcept {
    pollen_task *block = block_of(handle.address());
    unsigned long long result = handle.promise().result;
    // The deferred call that would have destroyed the frame, had the task been cancelled.
    pollen_undefer_in(block, 0);
    handle.destroy();
    pollen_complete(block, result);
  }
  void await_resume() const noexcept {}
};

template <class T> struct awaiter {
  pollen_task *block;
  pollen_task *self = nullptr;
  bool await_ready() const noexcept { return *(volatile unsigned *)&block->continuation == POLLEN_ENDED_AT_ONCE; }
  template <class P> bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    self = block_of(handle.address());
    return pollen_link(block, self);
  }
  T await_resume() const noexcept {
    if (self) *pollen_awaited(self) = 0;
    unsigned long long bits = pollen_take(block);
    if constexpr (!__is_void(T)) {
      static_assert(sizeof(T) <= 8, "a task's result has at most eight bytes");
      T value;
      __builtin_memcpy(&value, &bits, sizeof(T));
      return value;
    }
  }
};

struct promise_base {
  unsigned long long result = 0;
  static void *operator new(__SIZE_TYPE__ bytes) noexcept {
    pollen_task *block = __cpp_allocate(control_block + bytes);
    block->resume = __cpp_entry();
    return block + 1;
  }
  static void operator delete(void *, __SIZE_TYPE__) noexcept {}
  std::suspend_never initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() const noexcept { __builtin_trap(); }
};

template <class T> struct value_promise : promise_base {
  void return_value(T value) noexcept {
    static_assert(sizeof(T) <= 8, "a task's result has at most eight bytes");
    __builtin_memcpy(&result, &value, sizeof(T));
  }
};
template <> struct value_promise<void> : promise_base {
  void return_void() noexcept {}
};

/* A task's pointer with the type of its result. */
template <class T = void> struct task {
  pollen_task *block;
  struct promise_type : value_promise<T> {
    task get_return_object() noexcept {
      void *frame = std::coroutine_handle<promise_type>::from_promise(*this).address();
      pollen_task *block = block_of(frame);
      pollen_defer_in(block, destroy_frame, frame);
      return {block};
    }
  };
  awaiter<T> operator co_await() const noexcept { return {block}; }
};

/* co_await suspended(p): stores the running task at p and stops until somebody resumes it (co_resume). */
struct suspended {
  pollen_task *&where;
  bool await_ready() const noexcept { return false; }
  template <class P> void await_suspend(std::coroutine_handle<P> handle) const noexcept { where = block_of(handle.address()); }
  void await_resume() const noexcept {}
};

template <class T> void cancel(task<T> task) { pollen_cancel(task.block); }
template <class T> void detach(task<T> task) { pollen_detach(task.block); }
template <class T> T block_on(task<T> task) {
  while (!pollen_has_ended(task.block)) __idle();
  return awaiter<T>{task.block}.await_resume();
}
}
#endif
`

/** The headers by their path. */
export const headers: Readonly<Record<string, string>> = {
  'include/pollen.h': pollenHeader,
  'include/pollen.hpp': pollenPlusPlus,
  'include/coroutine': coroutineHeader,
}

/**
 * How a task of C++ is resumed: the control block in a0, the frame behind it to the function that the header defines.
 * `__cpp_entry` gives the address, which C++ has no name for. `__coroutine_allocate` gives a host address; `__cpp_allocate` a pointer.
 */
export const cppEntry = `    .section .text.cpp, "ax"
    .globl __cpp_entry
__cpp_entry:
    la a0, 1f
    sext.w a0, a0
    ret
1:  addiw a0, a0, 48
    tail __cpp_resume
    .globl __cpp_allocate
__cpp_allocate:
    addi sp, sp, -16
    sd ra, 8(sp)
    call __coroutine_allocate
    sext.w a0, a0
    ld ra, 8(sp)
    addi sp, sp, 16
    ret
`
