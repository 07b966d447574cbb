// Owns the texts of errors.
import { Errno } from '../kernel/abi'
import { complain } from './console'

export function errorText(result: i64): string {
  switch (<i32>-result) {
    case Errno.EPERM:
      return 'not permitted'
    case Errno.ENOENT:
      return 'no such file or directory'
    case Errno.ESRCH:
      return 'no such process'
    case Errno.EINTR:
      return 'interrupted'
    case Errno.EIO:
      return 'input/output error'
    case Errno.E2BIG:
      return 'arguments too long'
    case Errno.ENOEXEC:
      return 'not a program for this machine'
    case Errno.EBADF:
      return 'bad file descriptor'
    case Errno.ECHILD:
      return 'no such child'
    case Errno.EAGAIN:
      return 'try again'
    case Errno.ENOMEM:
      return 'out of memory'
    case Errno.EACCES:
      return 'permission denied'
    case Errno.EFAULT:
      return 'bad address'
    case Errno.EBUSY:
      return 'busy'
    case Errno.EEXIST:
      return 'exists already'
    case Errno.EXDEV:
      return 'on another file system'
    case Errno.ENODEV:
      return 'no such device'
    case Errno.ENOTDIR:
      return 'not a directory'
    case Errno.EISDIR:
      return 'is a directory'
    case Errno.EINVAL:
      return 'invalid argument'
    case Errno.ENFILE:
    case Errno.EMFILE:
      return 'too many open files'
    case Errno.ENOTTY:
      return 'not a terminal'
    case Errno.EFBIG:
      return 'file too large'
    case Errno.ENOSPC:
      return 'no space left'
    case Errno.ESPIPE:
      return 'cannot seek'
    case Errno.EROFS:
      return 'read-only file system'
    case Errno.EPIPE:
      return 'nobody reads the other end'
    case Errno.ERANGE:
      return 'out of range'
    case Errno.ENAMETOOLONG:
      return 'name too long'
    case Errno.ENOSYS:
      return 'no such system call'
    case Errno.ENOTEMPTY:
      return 'directory not empty'
    case Errno.ETIME:
      return 'timed out'
    case Errno.ECANCELED:
      return 'cancelled'
  }
  return 'error ' + (-result).toString()
}

/** `program: what: why` on standard error; gives 1, the status of failure. */
export function failed(program: string, what: string, result: i64): i32 {
  complain(program + ': ' + what + ': ' + errorText(result))
  return 1
}
