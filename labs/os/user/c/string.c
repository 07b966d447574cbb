// Owns texts and blocks of bytes. memcpy, memmove and memset become the toolchain's block instructions.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t bytes) { return __builtin_memcpy(to, from, bytes); }
void *memmove(void *to, const void *from, size_t bytes) { return __builtin_memmove(to, from, bytes); }
void *memset(void *at, int byte, size_t bytes) { return __builtin_memset(at, byte, bytes); }

int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *first = a, *second = b;
  for (size_t index = 0; index < bytes; index++)
    if (first[index] != second[index]) return first[index] - second[index];
  return 0;
}

void *memchr(const void *at, int byte, size_t bytes) {
  const unsigned char *from = at;
  for (size_t index = 0; index < bytes; index++)
    if (from[index] == (unsigned char)byte) return (void *)(from + index);
  return NULL;
}

size_t strlen(const char *text) {
  size_t count = 0;
  while (text[count]) count++;
  return count;
}

int strncmp(const char *a, const char *b, size_t most) {
  for (size_t index = 0; index < most; index++) {
    if (a[index] != b[index]) return (unsigned char)a[index] - (unsigned char)b[index];
    if (!a[index]) break;
  }
  return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, (size_t)-1); }

char *strncpy(char *to, const char *from, size_t bytes) {
  size_t index = 0;
  for (; index < bytes && from[index]; index++) to[index] = from[index];
  for (; index < bytes; index++) to[index] = 0;
  return to;
}

char *strcpy(char *to, const char *from) { return memcpy(to, from, strlen(from) + 1); }

char *strcat(char *to, const char *from) {
  strcpy(to + strlen(to), from);
  return to;
}

char *strchr(const char *text, int character) {
  for (;; text++) {
    if (*text == (char)character) return (char *)text;
    if (!*text) return NULL;
  }
}

char *strrchr(const char *text, int character) {
  char *last = NULL;
  for (;; text++) {
    if (*text == (char)character) last = (char *)text;
    if (!*text) return last;
  }
}

char *strstr(const char *text, const char *part) {
  size_t bytes = strlen(part);
  for (; *text || !bytes; text++)
    if (strncmp(text, part, bytes) == 0) return (char *)text;
  return NULL;
}

char *strdup(const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = malloc(bytes);
  return copy ? memcpy(copy, text, bytes) : NULL;
}

static const struct {
  int number;
  const char *text;
} errors[] = {
    {0, "no error"},
    {EPERM, "not permitted"},
    {ENOENT, "no such file or directory"},
    {ESRCH, "no such process"},
    {EINTR, "interrupted"},
    {EIO, "input/output error"},
    {E2BIG, "arguments too long"},
    {ENOEXEC, "not a program for this machine"},
    {EBADF, "bad file descriptor"},
    {ECHILD, "no such child"},
    {EAGAIN, "try again"},
    {ENOMEM, "out of memory"},
    {EACCES, "permission denied"},
    {EFAULT, "bad address"},
    {EBUSY, "busy"},
    {EEXIST, "exists already"},
    {EXDEV, "on another file system"},
    {ENOTDIR, "not a directory"},
    {EISDIR, "is a directory"},
    {EINVAL, "invalid argument"},
    {EMFILE, "too many open files"},
    {ENOSPC, "no space left"},
    {ESPIPE, "cannot seek"},
    {EROFS, "read-only file system"},
    {EPIPE, "nobody reads the other end"},
    {ENAMETOOLONG, "name too long"},
    {ENOSYS, "no such system call"},
    {ENOTEMPTY, "directory not empty"},
    {ETIME, "timed out"},
    {ECANCELED, "cancelled"},
};

char *strerror(int number) {
  for (size_t index = 0; index < sizeof errors / sizeof *errors; index++)
    if (errors[index].number == number) return (char *)errors[index].text;
  return "unknown error";
}
