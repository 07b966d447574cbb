// Rings from C, by the functions of the vDSO.
#include <errno.h>
#include <fcntl.h>
#include <ring.h>
#include <stdio.h>
#include <string.h>
#include <test.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS(pointer) ((uint64_t)(uintptr_t)(pointer))
static struct ring ring;
static struct ring_completion done;
static char buffer[4096];

static void expect(uint64_t token, long long result, const char *what) {
  equal(ring_wait(&ring, &done), 1, what);
  equal((long long)done.token, (long long)token, "the token");
  equal(done.result, result, what);
}

TEST(nop, "a request goes in and comes out") {
  equal(ring_open(&ring, 8, RING_CACHED), 0, "ring_open");
  equal(ring_add(&ring, RING_NOP, 0, 0x123456789abcdef0, 0), 0, "ring_add");
  expect(0x123456789abcdef0, 0, "nop");
  equal(ring_take(&ring, &done), 0, "ring_take of nothing");
  equal(ring_close(&ring), 0, "ring_close");
}

TEST(files, "a file is written and read") {
  int file = open("/tmp/c-ring", O_RDWR | O_CREAT | O_TRUNC);
  equal(ring_open(&ring, 8, RING_CACHED), 0, "ring_open");
  memset(buffer, 'x', 1000);
  ring_add(&ring, RING_WRITE, RING_LINK, 1, (uint64_t)file, ADDRESS(buffer), 1000);
  ring_add(&ring, RING_PREAD, RING_LINK, 2, (uint64_t)file, ADDRESS(buffer + 2000), 1000, 0);
  ring_add(&ring, RING_FSYNC, RING_LINK, 3, (uint64_t)file);
  ring_add(&ring, RING_CLOSE, 0, 4, (uint64_t)file);
  expect(1, 1000, "write");
  expect(2, 1000, "pread");
  expect(3, 0, "fsync");
  expect(4, 0, "close");
  check(memcmp(buffer, buffer + 2000, 1000) == 0, "other bytes were read");
  ring_close(&ring);
  unlink("/tmp/c-ring");
}

TEST(many, "a thousand requests come back in their number") {
  unsigned sent = 0, got = 0, sum = 0;
  equal(ring_open(&ring, 16, RING_CACHED), 0, "ring_open");
  while (got < 1000) {
    while (sent < 1000 && ring_add(&ring, RING_NOP, 0, sent, 0) == 0) sent++;
    if (ring_wait(&ring, &done) != 1) break;
    do {
      got++;
      sum += (unsigned)done.token;
    } while (ring_take(&ring, &done));
  }
  equal(got, 1000, "completions");
  equal(sum, 499500, "the sum of the tokens");
  ring_close(&ring);
}

TEST(cancel, "what waits is cancelled, and times run out") {
  int ends[2];
  pipe(ends);
  equal(ring_open(&ring, 8, RING_SWITCH), 0, "ring_open");
  ring_add(&ring, RING_READ, 0, 1, (uint64_t)ends[0], ADDRESS(buffer), 10);
  ring_add(&ring, RING_TIMEOUT, 0, 2, 2000000);
  expect(2, -ETIME, "the timeout");
  ring_add(&ring, RING_CANCEL, RING_SILENT, 3, 1);
  expect(1, -ECANCELED, "the read");
  equal(ring_enter(&ring, 1, 1000000), -ETIME, "ring_enter for nothing");
  ring_close(&ring);
  close(ends[0]);
  close(ends[1]);
}

TEST(buffers, "registered memory is reached by offsets") {
  static char memory[8192] __attribute__((aligned(4096)));
  struct ring_buffer list = {ADDRESS(memory), sizeof memory};
  int file = open("/bin/sh", O_RDONLY);
  equal(ring_open(&ring, 8, RING_TRANSLATE), 0, "ring_open");
  equal(ring_register(&ring, &list, 1), 0, "ring_register");
  ring_add(&ring, RING_PREAD, RING_FIXED_BUFFER, 1, (uint64_t)file, 4000, 1000, 0);
  expect(1, 1000, "pread");
  check(memcmp(memory + 4000, "\177ELF", 4) == 0, "other bytes were read");
  ring_add(&ring, RING_PREAD, RING_FIXED_BUFFER, 2, (uint64_t)file, 8000, 1000, 0);
  expect(2, -EFAULT, "pread beyond the buffer");
  ring_close(&ring);
  close(file);
}

TEST(full, "a full queue says so") {
  int result = 0;
  equal(ring_open(&ring, 4, RING_CACHED), 0, "ring_open");
  /* The server takes them meanwhile: only that it never takes more than there is room for. */
  for (unsigned index = 0; index < 100 && result == 0; index++) result = ring_add(&ring, RING_TIMEOUT, 0, index, 1000000);
  check(result == 0 || result == -EAGAIN, "another error");
  ring_close(&ring);
  equal(ring_open(&ring, 5, RING_CACHED), -EINVAL, "ring_open of 5 entries");
}

unsigned long long vdso_clock(unsigned long long id);

TEST(clock, "the clock of the vDSO is that of the library") {
  struct timespec now;
  unsigned long long first = vdso_clock(1);
  clock_gettime(CLOCK_MONOTONIC, &now);
  unsigned long long second = vdso_clock(1), between = (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
  check(first <= between + 1000 && between <= second + 1000, "they differ");
}

int main(void) {
  RUN(nop);
  RUN(files);
  RUN(many);
  RUN(cancel);
  RUN(buffers);
  RUN(full);
  RUN(clock);
  return finish();
}
