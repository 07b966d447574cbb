/* Owns waiting for several descriptors (user/c/posix.c). */
#pragma once
#include <sys/types.h>

#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32

struct pollfd {
  int fd;
  short events, revents;
};

/* Milliseconds; below 0 waits for ever. */
int poll(struct pollfd *entries, unsigned count, int milliseconds);
