/* Owns the time (user/c/posix.c). */
#pragma once
#include <sys/types.h>

struct timespec {
  time_t tv_sec;
  long long tv_nsec;
};

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

/* Without a trap, from the page that the kernel shares. */
int clock_gettime(int clock, struct timespec *into);
int nanosleep(const struct timespec *wanted, struct timespec *left);
