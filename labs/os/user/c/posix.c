// Owns the calls of POSIX for C: each is one trap, gives -1 after an error, and sets errno.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pollen.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HERE ((uint64_t)-100)
#define ADDRESS(pointer) ((uint64_t)(uintptr_t)(pointer))

// Offset in the thread block that tp points to (user/executor.ts draws it).
#define ERRNO 96

int *pollen_errno(void) { return (int *)(uintptr_t)(cpu_threadPointer() + ERRNO); }

long long syscall6(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  return cpu_ecall(number, 0, a, b, c, d, e, f);
}

static long long result(long long value) {
  if (value >= 0 || value < -4095) return value;
  errno = (int)-value;
  return -1;
}

static long long call(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return result(cpu_ecall(number, 0, a, b, c, d, 0, 0));
}

int open(const char *path, int flags, ...) { return (int)call(56, HERE, ADDRESS(path), (unsigned)flags, 0644); }
ssize_t read(int descriptor, void *buffer, size_t bytes) { return (ssize_t)call(63, (uint64_t)descriptor, ADDRESS(buffer), bytes, 0); }
ssize_t write(int descriptor, const void *buffer, size_t bytes) { return (ssize_t)call(64, (uint64_t)descriptor, ADDRESS(buffer), bytes, 0); }
ssize_t pread(int descriptor, void *buffer, size_t bytes, off_t offset) {
  return (ssize_t)call(67, (uint64_t)descriptor, ADDRESS(buffer), bytes, (uint64_t)offset);
}
ssize_t pwrite(int descriptor, const void *buffer, size_t bytes, off_t offset) {
  return (ssize_t)call(68, (uint64_t)descriptor, ADDRESS(buffer), bytes, (uint64_t)offset);
}
int close(int descriptor) { return (int)call(57, (uint64_t)descriptor, 0, 0, 0); }
off_t lseek(int descriptor, off_t offset, int whence) { return call(62, (uint64_t)descriptor, (uint64_t)offset, (unsigned)whence, 0); }
int fsync(int descriptor) { return (int)call(82, (uint64_t)descriptor, 0, 0, 0); }
int ftruncate(int descriptor, off_t bytes) { return (int)call(46, (uint64_t)descriptor, (uint64_t)bytes, 0, 0); }
int pipe(int ends[2]) { return (int)call(59, ADDRESS(ends), 0, 0, 0); }
int dup(int descriptor) { return (int)call(23, (uint64_t)descriptor, 0, 0, 0); }

int dup2(int descriptor, int target) {
  if (descriptor != target) return (int)call(24, (uint64_t)descriptor, (uint64_t)target, 0, 0);
  return call(25, (uint64_t)descriptor, 1, 0, 0) < 0 ? -1 : target;
}

int unlink(const char *path) { return (int)call(35, HERE, ADDRESS(path), 0, 0); }
int rmdir(const char *path) { return (int)call(35, HERE, ADDRESS(path), 0x200, 0); }
int rename(const char *from, const char *to) { return (int)call(276, HERE, ADDRESS(from), HERE, ADDRESS(to)); }
int mkdir(const char *path, mode_t mode) { return (int)call(34, HERE, ADDRESS(path), mode, 0); }
int stat(const char *path, struct stat *into) { return (int)call(79, HERE, ADDRESS(path), ADDRESS(into), 0); }
int fstat(int descriptor, struct stat *into) { return (int)call(80, (uint64_t)descriptor, ADDRESS(into), 0, 0); }
int chdir(const char *path) { return (int)call(49, ADDRESS(path), 0, 0, 0); }
char *getcwd(char *buffer, size_t bytes) { return call(17, ADDRESS(buffer), bytes, 0, 0) < 0 ? NULL : buffer; }

pid_t getpid(void) { return (pid_t)call(172, 0, 0, 0, 0); }
pid_t getppid(void) { return (pid_t)call(173, 0, 0, 0, 0); }
int kill(pid_t pid, int signal) { return (int)call(129, (uint64_t)pid, (unsigned)signal, 0, 0); }
int sched_yield(void) { return (int)call(124, 0, 0, 0, 0); }
pid_t waitpid(pid_t pid, int *status, int options) { return (pid_t)call(260, (uint64_t)pid, ADDRESS(status), (unsigned)options, 0); }

void _exit(int status) {
  for (;;) call(94, (unsigned)status, 0, 0, 0);
}

uint64_t *program_vector_at(void);

char **pollen_environment(void) { return (char **)(uintptr_t)program_vector_at()[2]; }

/* The kernel's vectors have 64-bit pointers. */
static uint64_t *wide(char *const texts[]) {
  size_t count = 0;
  while (texts && texts[count]) count++;
  uint64_t *vector = malloc((count + 1) * 8);
  for (size_t index = 0; vector && index < count; index++) vector[index] = ADDRESS(texts[index]);
  if (vector) vector[count] = 0;
  return vector;
}

pid_t spawn(const char *path, char *const argv[], char *const envp[], const int *files, unsigned count) {
  uint64_t *arguments = wide(argv), *environment = wide(envp);
  long long pid = -ENOMEM;
  if (arguments && environment) pid = cpu_ecall(1000, 0, ADDRESS(path), ADDRESS(arguments), ADDRESS(environment), ADDRESS(files), count, 0);
  free(arguments);
  free(environment);
  return (pid_t)result(pid);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int descriptor, off_t offset) {
  long long at = result(cpu_ecall(222, 0, ADDRESS(address), bytes, (unsigned)protection, (unsigned)flags, (uint64_t)descriptor, (uint64_t)offset));
  return at < 0 ? MAP_FAILED : (void *)(uintptr_t)at;
}
int munmap(void *address, size_t bytes) { return (int)call(215, ADDRESS(address), bytes, 0, 0); }

int poll(struct pollfd *entries, unsigned count, int milliseconds) {
  struct timespec limit = {milliseconds / 1000, (long long)(milliseconds % 1000) * 1000000};
  return (int)call(73, ADDRESS(entries), count, milliseconds < 0 ? 0 : ADDRESS(&limit), 0);
}

// The shared data page: nanoseconds since 1970 at tick 0, and nanoseconds a tick as 32.32 fixed point (ABI.md, "vDSO").
#define REALTIME_BASE (*(const uint64_t *)0x7f001010)
#define NANOSECONDS_PER_TICK (*(const uint64_t *)0x7f001018)

int clock_gettime(int clock, struct timespec *into) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
    errno = EINVAL;
    return -1;
  }
  uint64_t ticks = cpu_time(), factor = NANOSECONDS_PER_TICK, low = ticks & 0xffffffff;
  uint64_t now = (ticks >> 32) * factor + ((low * (factor & 0xffffffff)) >> 32) + low * (factor >> 32);
  if (clock == CLOCK_REALTIME) now += REALTIME_BASE;
  into->tv_sec = (time_t)(now / 1000000000);
  into->tv_nsec = (long long)(now % 1000000000);
  return 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left) { return (int)call(101, ADDRESS(wanted), ADDRESS(left), 0, 0); }

int usleep(unsigned microseconds) {
  struct timespec time = {microseconds / 1000000, (long long)(microseconds % 1000000) * 1000};
  return nanosleep(&time, NULL);
}

unsigned sleep(unsigned seconds) {
  struct timespec time = {seconds, 0};
  return nanosleep(&time, NULL) < 0 ? seconds : 0;
}
