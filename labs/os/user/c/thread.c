// Owns threads for C. A thread's block is what tp points to (user/executor.ts draws it).
#include <errno.h>
#include <pollen.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define C_STACK 32768

struct pollen_thread {
  uint64_t spare, c_stack;
  char executor[24];
  void *(*body)(void *);
  uint64_t argument;
  unsigned number;
  char *stack;
  char rest[312];
};

unsigned thread_entry(void);

int pthread_create(pthread_t *thread, const void *attributes, void *(*body)(void *), void *argument) {
  if (attributes) return EINVAL;
  struct pollen_thread *block = calloc(1, sizeof *block);
  char *stack = malloc(C_STACK);
  if (!block || !stack) {
    free(block);
    free(stack);
    return ENOMEM;
  }
  block->body = body;
  block->argument = (uintptr_t)argument;
  block->stack = stack;
  block->c_stack = (uintptr_t)stack + C_STACK;
  long long number = syscall6(1001, thread_entry(), (uintptr_t)block, 0, 0, 0, 0);
  if (number < 0) {
    free(stack);
    free(block);
    return (int)-number;
  }
  block->number = (unsigned)number;
  *thread = block;
  return 0;
}

/* What assembly calls on the new thread. */
long long thread_main(struct pollen_thread *block) { return (long long)(uintptr_t)block->body((void *)(uintptr_t)block->argument); }

int pthread_join(pthread_t thread, void **result) {
  long long value = 0;
  long long problem = syscall6(1003, thread->number, (uintptr_t)&value, 0, 0, 0, 0);
  if (problem < 0) return (int)-problem;
  if (result) *result = (void *)(uintptr_t)value;
  free(thread->stack);
  free(thread);
  return 0;
}

pthread_t pthread_self(void) { return (pthread_t)(uintptr_t)cpu_threadPointer(); }

int pthread_mutex_trylock(pthread_mutex_t *mutex) { return __atomic_exchange_n(&mutex->word, 1, __ATOMIC_ACQUIRE) ? EBUSY : 0; }

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  for (unsigned turn = 0; pthread_mutex_trylock(mutex); turn++)
    if (turn >= 100) sched_yield();
  return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  __atomic_store_n(&mutex->word, 0, __ATOMIC_RELEASE);
  return 0;
}
