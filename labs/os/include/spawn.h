/* Owns making processes (user/c/posix.c). */
#pragma once
#include <sys/types.h>

char **pollen_environment(void);
#define environ (pollen_environment())

/* Starts a program with `count` descriptors: files[n] is the parent's for the child's n, or -1. NULL hands on 0 to 2. The pid, or -1. */
pid_t spawn(const char *path, char *const argv[], char *const envp[], const int *files, unsigned count);
