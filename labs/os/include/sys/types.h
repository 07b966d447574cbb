/* Owns the types of the calls. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int pid_t;
typedef long ssize_t;
typedef long long off_t;
typedef unsigned mode_t;
typedef long long time_t;
