// The calls of POSIX from C: files, pipes, processes, threads, time.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <test.h>
#include <time.h>
#include <unistd.h>

#define PATH "/tmp/c-file"
static char *program;

TEST(files, "a file is written and read") {
  char text[16] = {0};
  int file = open(PATH, O_RDWR | O_CREAT | O_TRUNC, 0644);
  equal(write(file, "hello", 5), 5, "write");
  equal(lseek(file, 1, SEEK_SET), 1, "lseek");
  equal(read(file, text, 16), 4, "read");
  equal_text(text, "ello", "what was read");
  struct stat told;
  equal(fstat(file, &told), 0, "fstat");
  equal(told.st_size, 5, "its size");
  check(S_ISREG(told.st_mode), "it is no file");
  equal(ftruncate(file, 2), 0, "ftruncate");
  equal(pread(file, text, 16, 0), 2, "pread");
  equal(pwrite(file, "xyz", 3, 1), 3, "pwrite");
  equal(fsync(file), 0, "fsync");
  equal(close(file), 0, "close");
  equal(unlink(PATH), 0, "unlink");
}

TEST(errors, "errors are -1 and errno") {
  fails(open("/none", O_RDONLY), ENOENT, "open");
  fails(read(99, NULL, 1), EBADF, "read");
  fails(close(-1), EBADF, "close");
  fails(mkdir("/bin", 0755), EEXIST, "mkdir");
  fails(rmdir("/bin"), ENOTEMPTY, "rmdir");
  fails(write(1, (void *)8, 1), EFAULT, "write");
}

TEST(directories, "directories are made, entered and renamed") {
  char text[64];
  equal(mkdir("/tmp/c-folder", 0755), 0, "mkdir");
  equal(chdir("/tmp/c-folder"), 0, "chdir");
  equal_text(getcwd(text, sizeof text), "/tmp/c-folder", "getcwd");
  equal(chdir("/"), 0, "chdir");
  equal(rename("/tmp/c-folder", "/tmp/c-other"), 0, "rename");
  struct stat told;
  equal(stat("/tmp/c-other", &told), 0, "stat");
  check(S_ISDIR(told.st_mode), "it is no directory");
  equal(rmdir("/tmp/c-other"), 0, "rmdir");
}

TEST(pipes, "a pipe carries bytes, and poll sees them") {
  int ends[2];
  char byte;
  equal(pipe(ends), 0, "pipe");
  struct pollfd entry = {ends[0], POLLIN, 0};
  equal(poll(&entry, 1, 0), 0, "poll when empty");
  equal(write(ends[1], "x", 1), 1, "write");
  equal(poll(&entry, 1, -1), 1, "poll with a byte");
  equal(read(ends[0], &byte, 1), 1, "read");
  equal(byte, 'x', "the byte");
  int copy = dup(ends[1]);
  check(copy > ends[1], "dup gave a number that was taken");
  equal(dup2(ends[1], 40), 40, "dup2");
  equal(dup2(40, 40), 40, "dup2 to itself");
  close(40);
  close(copy);
  close(ends[0]);
  close(ends[1]);
}

static int run(const char *part) {
  char *const argv[] = {program, (char *)part, NULL};
  int status = 0;
  pid_t pid = spawn(program, argv, environ, NULL, 0);
  if (pid < 0) return -1;
  if (waitpid(pid, &status, 0) != pid) return -2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(processes, "processes are started and waited for") {
  equal(run("seven"), 7, "status");
  equal(run("fault"), 128 + 11, "status of one that faults");
  equal(run("kill"), 128 + 9, "status of one that kills itself");
  fails(waitpid(-1, NULL, 0), ECHILD, "waitpid");
  char *const argv[] = {"none", NULL};
  fails(spawn("/bin/none", argv, environ, NULL, 0), ENOENT, "spawn");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned sum;

static void *add(void *argument) {
  for (int turn = 0; turn < 500; turn++) {
    pthread_mutex_lock(&mutex);
    unsigned value = sum;
    if (turn % 50 == 0) sched_yield();
    sum = value + 1;
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

TEST(threads, "threads share memory under a mutex") {
  pthread_t threads[4];
  sum = 0;
  for (int index = 0; index < 4; index++) equal(pthread_create(&threads[index], NULL, add, &threads[index]), 0, "pthread_create");
  for (int index = 0; index < 4; index++) {
    void *result;
    equal(pthread_join(threads[index], &result), 0, "pthread_join");
    check(result == &threads[index], "another result");
  }
  equal(sum, 2000, "the sum");
}

static void *set_errno(void *argument) {
  (void)argument;
  errno = 77;
  return NULL;
}

TEST(thread_errno, "each thread has an errno") {
  pthread_t thread;
  errno = 5;
  pthread_create(&thread, NULL, set_errno, NULL);
  pthread_join(thread, NULL);
  equal(errno, 5, "errno");
}

static void *fill_stack(void *argument) {
  volatile char block[8000];
  for (unsigned index = 0; index < sizeof block; index++) block[index] = (char)(uintptr_t)argument;
  sched_yield();
  for (unsigned index = 0; index < sizeof block; index++)
    if (block[index] != (char)(uintptr_t)argument) return (void *)1;
  return NULL;
}

TEST(thread_stacks, "each thread has a C stack") {
  pthread_t threads[5];
  for (long index = 0; index < 5; index++) pthread_create(&threads[index], NULL, fill_stack, (void *)(index + 1));
  for (int index = 0; index < 5; index++) {
    void *wrong;
    pthread_join(threads[index], &wrong);
    check(wrong == NULL, "a stack was overwritten");
  }
}

TEST(memory, "memory is mapped and given back") {
  char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(at != MAP_FAILED, "mmap failed");
  at[8191] = 1;
  equal(munmap(at, 8192), 0, "munmap");
  check(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, "writable code was mapped");
  equal(errno, EACCES, "errno");
}

TEST(times, "time passes, asleep and awake") {
  struct timespec before, after;
  equal(clock_gettime(CLOCK_MONOTONIC, &before), 0, "clock_gettime");
  equal(usleep(5000), 0, "usleep");
  clock_gettime(CLOCK_MONOTONIC, &after);
  long long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
  check(passed >= 5000000 && passed < 50000000, "5 ms took another time");
  fails(clock_gettime(9, &before), EINVAL, "a clock that is not there");
}

int main(int argc, char **argv) {
  program = argv[0];
  if (argc > 1) {
    if (strcmp(argv[1], "seven") == 0) return 7;
    if (strcmp(argv[1], "fault") == 0) *(volatile char *)8 = 1;
    if (strcmp(argv[1], "kill") == 0) kill(getpid(), 9);
    return 99;
  }
  RUN(files);
  RUN(errors);
  RUN(directories);
  RUN(pipes);
  RUN(processes);
  RUN(threads);
  RUN(thread_errno);
  RUN(thread_stacks);
  RUN(memory);
  RUN(times);
  return finish();
}
