/* Owns printing (user/c/stdio.c): standard output in a buffer, standard error at once. printf knows d i u x X o c s p % with h, l, ll, z,
   width, precision, 0 and -; no floats. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int dprintf(int descriptor, const char *format, ...) __attribute__((format(printf, 2, 3)));
int snprintf(char *to, size_t bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t bytes, const char *format, va_list list);
int puts(const char *text);
int putchar(int character);
int getchar(void);
/* Writes what is still in the buffer of standard output. */
int fflush_stdout(void);
void perror(const char *what);
