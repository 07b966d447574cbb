// Owns C's heap: blocks of powers of two with free lists, from mappings of 64 KiB; large ones are mappings of their own. Any thread may
// call it. A block has 16 bytes in front: its class, and for large ones the bytes mapped.
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER 16
#define SMALLEST 4
#define LARGEST 15
#define CHUNK 0x10000
#define LARGE 99

struct block {
  unsigned class;
  unsigned bytes;
  struct block *next;
  unsigned spare;
};

static unsigned heap_lock;
static struct block *lists[LARGEST + 1];
static char *chunk, *chunk_end;

static void lock(void) {
  while (__atomic_exchange_n(&heap_lock, 1, __ATOMIC_ACQUIRE)) sched_yield();
}
static void unlock(void) { __atomic_store_n(&heap_lock, 0, __ATOMIC_RELEASE); }

static void *map(size_t bytes) {
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? NULL : at;
}

/* Fresh bytes; call with the lock held. What is left of a chunk is smaller than one block, and lost. */
static struct block *fresh(size_t bytes) {
  if ((size_t)(chunk_end - chunk) < bytes) {
    chunk = map(CHUNK);
    chunk_end = chunk ? chunk + CHUNK : NULL;
    if (!chunk) return NULL;
  }
  struct block *block = (struct block *)chunk;
  chunk += bytes;
  return block;
}

void *malloc(size_t bytes) {
  if (bytes > 0x70000000) return NULL;
  size_t whole = bytes + HEADER;
  unsigned class = SMALLEST + 1;
  while (class <= LARGEST && ((size_t)1 << class) < whole) class++;
  struct block *block;
  if (class > LARGEST) {
    whole = (whole + 4095) & ~(size_t)4095;
    block = map(whole);
    if (!block) return NULL;
    block->class = LARGE;
    block->bytes = whole;
    return (char *)block + HEADER;
  }
  lock();
  block = lists[class];
  if (block) lists[class] = block->next;
  else block = fresh((size_t)1 << class);
  unlock();
  if (!block) return NULL;
  block->class = class;
  return (char *)block + HEADER;
}

void free(void *at) {
  if (!at) return;
  struct block *block = (struct block *)((char *)at - HEADER);
  if (block->class == LARGE) {
    munmap(block, block->bytes);
    return;
  }
  lock();
  block->next = lists[block->class];
  lists[block->class] = block;
  unlock();
}

void *calloc(size_t count, size_t bytes) {
  if (bytes && count > SIZE_MAX / bytes) return NULL;
  void *block = malloc(count * bytes);
  return block ? memset(block, 0, count * bytes) : NULL;
}

void *realloc(void *at, size_t bytes) {
  if (!at) return malloc(bytes);
  struct block *block = (struct block *)((char *)at - HEADER);
  size_t room = (block->class == LARGE ? block->bytes : (size_t)1 << block->class) - HEADER;
  if (bytes <= room) return at;
  void *next = malloc(bytes);
  if (!next) return NULL;
  memcpy(next, at, room);
  free(at);
  return next;
}

void exit(int status) {
  fflush_stdout();
  _exit(status);
}

void abort(void) { _exit(134); }

long strtol(const char *text, char **end, int base) {
  const char *at = text;
  while (*at == ' ' || (*at >= '\t' && *at <= '\r')) at++;
  int negative = *at == '-';
  if (*at == '-' || *at == '+') at++;
  if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 32) == 'x') {
    at += 2;
    base = 16;
  }
  if (base == 0) base = *at == '0' ? 8 : 10;
  long long value = 0;
  const char *digits = at;
  for (;; at++) {
    int digit = *at >= '0' && *at <= '9' ? *at - '0' : (*at | 32) >= 'a' && (*at | 32) <= 'z' ? (*at | 32) - 'a' + 10 : 99;
    if (digit >= base) break;
    if (value <= LONG_MAX) value = value * base + digit;
  }
  if (end) *end = (char *)(at == digits ? text : at);
  if (negative) return value > (long long)LONG_MAX + 1 ? LONG_MIN : (long)-value;
  return value > LONG_MAX ? LONG_MAX : (long)value;
}

int atoi(const char *text) { return (int)strtol(text, NULL, 10); }
int abs(int value) { return value < 0 ? -value : value; }

static void swap(char *a, char *b, size_t bytes) {
  for (size_t index = 0; index < bytes; index++) {
    char byte = a[index];
    a[index] = b[index];
    b[index] = byte;
  }
}

/* Heapsort: no recursion, no worst case. */
void qsort(void *items, size_t count, size_t bytes, int (*compare)(const void *, const void *)) {
  char *base = items;
  for (size_t start = count / 2, end = count; end > 1;) {
    if (start > 0) start--;
    else swap(base, base + --end * bytes, bytes);
    for (size_t root = start;;) {
      size_t child = 2 * root + 1;
      if (child >= end) break;
      if (child + 1 < end && compare(base + child * bytes, base + (child + 1) * bytes) < 0) child++;
      if (compare(base + root * bytes, base + child * bytes) >= 0) break;
      swap(base + root * bytes, base + child * bytes, bytes);
      root = child;
    }
  }
}
