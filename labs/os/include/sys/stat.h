/* Owns what is told of a file (user/c/posix.c): struct stat as Linux has it for riscv64. */
#pragma once
#include <sys/types.h>

struct stat {
  uint64_t st_dev, st_ino;
  uint32_t st_mode, st_nlink, st_uid, st_gid;
  uint64_t st_rdev, spare;
  int64_t st_size;
  int32_t st_blksize, spare2;
  int64_t st_blocks, st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
  uint64_t spare3;
};

#define S_ISDIR(mode) (((mode) & 0170000) == 0040000)
#define S_ISREG(mode) (((mode) & 0170000) == 0100000)

int stat(const char *path, struct stat *into);
int fstat(int descriptor, struct stat *into);
int mkdir(const char *path, mode_t mode);
