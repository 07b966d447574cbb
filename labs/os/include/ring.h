/* Owns rings for C (user/c/ring.c): requests to the kernel through shared memory, without a trap while both sides are busy. ABI.md, "Rings",
   says what the numbers mean. A ring is used by one thread at a time.

     struct ring ring;
     ring_open(&ring, 64, RING_CACHED);
     ring_add(&ring, RING_READ, 0, 7, file, (uintptr_t)buffer, 100);
     struct ring_completion done;
     ring_wait(&ring, &done);              done.token is 7, done.result as read() of the kernel gives it
     ring_close(&ring);
*/
#pragma once
#include <stdint.h>

/* How the kernel reaches memory that is not registered. */
#define RING_TRANSLATE 0
#define RING_CACHED 1
#define RING_SWITCH 2

/* Operations of rings alone; all others are numbers of system calls. */
#define RING_NOP 0xffff
#define RING_TIMEOUT 0xfffe
#define RING_CANCEL 0xfffd
#define RING_POLL 0xfffc
#define RING_READ 63
#define RING_WRITE 64
#define RING_PREAD 67
#define RING_PWRITE 68
#define RING_OPENAT 56
#define RING_CLOSE 57
#define RING_FSYNC 82

#define RING_LINK 1
#define RING_DRAIN 2
#define RING_HARD_LINK 4
#define RING_FIXED_BUFFER 8
#define RING_SILENT 16

struct ring {
  unsigned number;
  char *header;
};

struct ring_completion {
  uint64_t token;
  int64_t result;
};

struct ring_buffer {
  uint64_t address, bytes;
};

/* Results are 0 or more, or -errno, as everywhere in this file. */
int ring_open(struct ring *ring, unsigned entries, unsigned access);
/* Shows the kernel a request, and wakes the server if it sleeps: 0, or -EAGAIN when the queue is full. Up to six arguments follow. */
#define ring_add(ring, operation, flags, token, ...) \
  ring_add_entry(ring, operation, flags, token, (const uint64_t[6]){__VA_ARGS__})
int ring_add_entry(struct ring *ring, unsigned operation, unsigned flags, uint64_t token, const uint64_t arguments[6]);
/* Takes a completion: 1, or 0 when there is none. */
int ring_take(struct ring *ring, struct ring_completion *into);
/* Waits for a completion and takes it: 1. */
int ring_wait(struct ring *ring, struct ring_completion *into);
/* Waits until that many completions are there, nanoseconds at most (0: no limit); gives how many are. */
long long ring_enter(struct ring *ring, unsigned least, uint64_t nanoseconds);
/* Holds memory for requests with RING_FIXED_BUFFER, whose addresses are then offsets; count 0 lets it go. */
int ring_register(struct ring *ring, const struct ring_buffer *buffers, unsigned count);
/* Waits for all requests; the ring is gone then. */
int ring_close(struct ring *ring);
