/* Owns the calls of POSIX that Pollen has (user/c/posix.c). There is no fork and no exec: spawn (spawn.h) makes processes. */
#pragma once
#include <sys/types.h>

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

ssize_t read(int descriptor, void *buffer, size_t bytes);
ssize_t write(int descriptor, const void *buffer, size_t bytes);
ssize_t pread(int descriptor, void *buffer, size_t bytes, off_t offset);
ssize_t pwrite(int descriptor, const void *buffer, size_t bytes, off_t offset);
int close(int descriptor);
off_t lseek(int descriptor, off_t offset, int whence);
int fsync(int descriptor);
int ftruncate(int descriptor, off_t bytes);
int pipe(int ends[2]);
int dup(int descriptor);
int dup2(int descriptor, int target);
int unlink(const char *path);
int rmdir(const char *path);
int rename(const char *from, const char *to);
int chdir(const char *path);
char *getcwd(char *buffer, size_t bytes);
pid_t getpid(void);
pid_t getppid(void);
int kill(pid_t pid, int signal);
int usleep(unsigned microseconds);
unsigned sleep(unsigned seconds);
int sched_yield(void);
void _exit(int status) __attribute__((noreturn));

/* Any system call by its number: a result, or -errno. */
long long syscall6(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
