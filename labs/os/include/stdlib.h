/* Owns the heap, the end, and numbers from texts (user/c/stdlib.c). */
#pragma once
#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void free(void *block);
/* Writes what stdio still holds, then ends the process. */
void exit(int status) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));
long strtol(const char *text, char **end, int base);
int atoi(const char *text);
int abs(int value);
void qsort(void *items, size_t count, size_t bytes, int (*compare)(const void *, const void *));
