// Owns printing for C.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char output[1024];
static size_t filled;

static int write_all(int descriptor, const char *from, size_t bytes) {
  while (bytes) {
    ssize_t count = write(descriptor, from, bytes);
    if (count <= 0) return EOF;
    from += count;
    bytes -= (size_t)count;
  }
  return 0;
}

int fflush_stdout(void) {
  size_t count = filled;
  filled = 0;
  return write_all(STDOUT_FILENO, output, count);
}

int putchar(int character) {
  if (filled == sizeof output && fflush_stdout() == EOF) return EOF;
  output[filled++] = (char)character;
  return (unsigned char)character;
}

int puts(const char *text) {
  while (*text) putchar(*text++);
  return putchar('\n');
}

int getchar(void) {
  unsigned char character;
  fflush_stdout();
  return read(STDIN_FILENO, &character, 1) == 1 ? character : EOF;
}

/* Where formatted characters go: into `to` while there is room, or to standard output. */
struct sink {
  char *to;
  size_t room, count;
};

static void put(struct sink *sink, char character) {
  if (!sink->to) putchar(character);
  else if (sink->count < sink->room) sink->to[sink->count] = character;
  sink->count++;
}

static void pad(struct sink *sink, int count, char with) {
  while (count-- > 0) put(sink, with);
}

static void put_number(struct sink *sink, unsigned long long value, unsigned base, char ten, const char *sign, int width, int precision, int left, int zeros) {
  char digits[24];
  int count = 0, length = (int)strlen(sign);
  for (; value || count == 0; value /= base) {
    unsigned digit = (unsigned)(value % base);
    digits[count++] = (char)(digit < 10 ? '0' + digit : ten + digit - 10);
  }
  if (precision < 0 && zeros && !left) precision = width - length;
  int leading = precision > count ? precision - count : 0;
  if (!left) pad(sink, width - length - leading - count, ' ');
  while (*sign) put(sink, *sign++);
  pad(sink, leading, '0');
  for (int index = count; index > 0;) put(sink, digits[--index]);
  if (left) pad(sink, width - length - leading - count, ' ');
}

static void format_to(struct sink *sink, const char *format, va_list list) {
  for (; *format; format++) {
    if (*format != '%') {
      put(sink, *format);
      continue;
    }
    int left = 0, zeros = 0, width = 0, precision = -1, size = 0;
    for (format++; *format == '-' || *format == '0'; format++) {
      if (*format == '-') left = 1;
      else zeros = 1;
    }
    if (*format == '*') {
      width = va_arg(list, int);
      format++;
    }
    while (*format >= '0' && *format <= '9') width = width * 10 + *format++ - '0';
    if (*format == '.') {
      precision = 0;
      if (*++format == '*') {
        precision = va_arg(list, int);
        format++;
      }
      while (*format >= '0' && *format <= '9') precision = precision * 10 + *format++ - '0';
    }
    for (; *format == 'l' || *format == 'h' || *format == 'z'; format++) size += *format == 'l';
    switch (*format) {
      case 'd':
      case 'i': {
        long long value = size > 1 ? va_arg(list, long long) : va_arg(list, int);
        put_number(sink, value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value, 10, 'a', value < 0 ? "-" : "", width, precision, left, zeros);
        break;
      }
      case 'u':
      case 'x':
      case 'X':
      case 'o': {
        unsigned long long value = size > 1 ? va_arg(list, unsigned long long) : va_arg(list, unsigned);
        put_number(sink, value, *format == 'u' ? 10 : *format == 'o' ? 8 : 16, *format == 'X' ? 'A' : 'a', "", width, precision, left, zeros);
        break;
      }
      case 'p':
        put_number(sink, (uintptr_t)va_arg(list, void *), 16, 'a', "0x", width, precision, left, zeros);
        break;
      case 'c':
        if (!left) pad(sink, width - 1, ' ');
        put(sink, (char)va_arg(list, int));
        if (left) pad(sink, width - 1, ' ');
        break;
      case 's': {
        const char *text = va_arg(list, const char *);
        if (!text) text = "(null)";
        int length = 0;
        while ((precision < 0 || length < precision) && text[length]) length++;
        if (!left) pad(sink, width - length, ' ');
        for (int index = 0; index < length; index++) put(sink, text[index]);
        if (left) pad(sink, width - length, ' ');
        break;
      }
      case 0:
        return;
      default:
        put(sink, *format);
    }
  }
}

int vsnprintf(char *to, size_t bytes, const char *format, va_list list) {
  char none;
  struct sink sink = {bytes ? to : &none, bytes ? bytes - 1 : 0, 0};
  format_to(&sink, format, list);
  if (bytes) to[sink.count < bytes ? sink.count : bytes - 1] = 0;
  return (int)sink.count;
}

int snprintf(char *to, size_t bytes, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int count = vsnprintf(to, bytes, format, list);
  va_end(list);
  return count;
}

int printf(const char *format, ...) {
  struct sink sink = {NULL, 0, 0};
  va_list list;
  va_start(list, format);
  format_to(&sink, format, list);
  va_end(list);
  return (int)sink.count;
}

int dprintf(int descriptor, const char *format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  int count = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  fflush_stdout();
  return write_all(descriptor, text, count < (int)sizeof text ? (size_t)count : sizeof text - 1) == EOF ? -1 : count;
}

void perror(const char *what) { dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno)); }
