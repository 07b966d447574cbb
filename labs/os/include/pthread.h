/* Owns threads (user/c/thread.c): those of the kernel, with a stack of 64 KiB and a C stack of 32 KiB each. */
#pragma once
#include <sys/types.h>

typedef struct pollen_thread *pthread_t;
typedef struct {
  unsigned word;
} pthread_mutex_t;
#define PTHREAD_MUTEX_INITIALIZER {0}

/* `attributes` must be NULL. These give 0 or the error's number, as POSIX has it. */
int pthread_create(pthread_t *thread, const void *attributes, void *(*body)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
pthread_t pthread_self(void);
/* Spins a little, then gives way. */
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
