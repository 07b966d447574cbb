// Owns rings for C. Adding and taking are the vDSO's functions, which never trap.
#include <errno.h>
#include <ring.h>
#include <string.h>
#include <unistd.h>

#define SETUP_IO 1010
#define RING_ENTER 1011
#define RING_CLOSE_CALL 1012
#define REGISTER_BUFFERS 1013
#define ADDRESS(pointer) ((uint64_t)(uintptr_t)(pointer))

long long vdso_ring_submit(char *header, const void *entry);
long long vdso_ring_take(char *header, struct ring_completion *into);
unsigned long long vdso_ring_wakes(char *header);

struct setup {
  uint32_t entries, completion_entries, access, flags, number, bytes;
  uint64_t address;
  char rest[96];
};

struct entry {
  uint16_t number;
  uint8_t flags, priority;
  uint16_t buffer, spare;
  uint64_t token, arguments[6];
};

int ring_open(struct ring *ring, unsigned entries, unsigned access) {
  struct setup setup;
  memset(&setup, 0, sizeof setup);
  setup.entries = entries;
  setup.access = access;
  long long result = syscall6(SETUP_IO, ADDRESS(&setup), 0, 0, 0, 0, 0);
  if (result < 0) return (int)result;
  ring->number = setup.number;
  ring->header = (char *)(uintptr_t)setup.address;
  return 0;
}

int ring_add_entry(struct ring *ring, unsigned operation, unsigned flags, uint64_t token, const uint64_t arguments[6]) {
  struct entry entry = {(uint16_t)operation, (uint8_t)flags, 0, 0, 0, token, {0}};
  memcpy(entry.arguments, arguments, sizeof entry.arguments);
  long long result = vdso_ring_submit(ring->header, &entry);
  if (result == 0 && vdso_ring_wakes(ring->header)) ring_enter(ring, 0, 0);
  return (int)result;
}

int ring_take(struct ring *ring, struct ring_completion *into) { return (int)vdso_ring_take(ring->header, into); }

int ring_wait(struct ring *ring, struct ring_completion *into) {
  while (!ring_take(ring, into)) {
    long long result = ring_enter(ring, 1, 0);
    if (result < 0) return (int)result;
  }
  return 1;
}

long long ring_enter(struct ring *ring, unsigned least, uint64_t nanoseconds) {
  return syscall6(RING_ENTER, ring->number, 0, least, nanoseconds, 0, 0);
}

int ring_register(struct ring *ring, const struct ring_buffer *buffers, unsigned count) {
  return (int)syscall6(REGISTER_BUFFERS, ring->number, ADDRESS(buffers), count, 0, 0, 0);
}

int ring_close(struct ring *ring) { return (int)syscall6(RING_CLOSE_CALL, ring->number, 0, 0, 0, 0, 0); }
