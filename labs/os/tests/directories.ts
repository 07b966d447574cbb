// Directories: making, removing, renaming, listing, working directory, paths with dots.
import { OpenFlag } from '../kernel/abi'
import {
  Stat, changeDirectory, close, currentDirectory, isDirectory, listDirectory, makeDirectory, open, removeDirectory, removeFile, rename,
  statPath,
} from '../user/files'
import { sysCurrent, sysList, sysRead, sysRename } from '../user/system'
import { toKernel } from '../user/text'
import { check, equal, equalText, fails, finish, test, works } from '../user/test'

export * from '../user/hooks'

const ROOT = '/tmp/tree'
const MAKE: u32 = OpenFlag.readWrite | OpenFlag.create
const stat = changetype<Stat>(memory.data(128, 8))
const buffer = memory.data(1024, 8)

function touch(path: string): void {
  close(works(open(path, MAKE), 'create'))
}

export function main(): i32 {
  equal(makeDirectory(ROOT), 0, 'mkdir')
  test('a directory is made once', () => {
    equal(makeDirectory('/tmp/tree/a'), 0, 'mkdir')
    check(isDirectory('/tmp/tree/a'), 'it is no directory')
    fails(makeDirectory('/tmp/tree/a'), 17, 'mkdir again')
    fails(makeDirectory('/'), 17, 'mkdir of the root')
    equal(removeDirectory('/tmp/tree/a'), 0, 'rmdir')
    fails(statPath('/tmp/tree/a', stat), 2, 'stat')
  })
  test('only empty directories are removed', () => {
    makeDirectory('/tmp/tree/a')
    touch('/tmp/tree/a/x')
    fails(removeDirectory('/tmp/tree/a'), 39, 'rmdir')
    equal(removeFile('/tmp/tree/a/x'), 0, 'unlink')
    equal(removeDirectory('/tmp/tree/a'), 0, 'rmdir')
  })
  test('files and directories are removed each in their own way', () => {
    makeDirectory('/tmp/tree/a')
    touch('/tmp/tree/x')
    fails(removeFile('/tmp/tree/a'), 21, 'unlink of a directory')
    fails(removeDirectory('/tmp/tree/x'), 20, 'rmdir of a file')
    removeFile('/tmp/tree/x')
    removeDirectory('/tmp/tree/a')
  })
  test('what is not there is not removed', () => {
    fails(removeFile('/tmp/tree/none'), 2, 'unlink')
    fails(removeDirectory('/tmp/tree/none'), 2, 'rmdir')
    fails(removeFile('/tmp/none/none'), 2, 'unlink below nothing')
  })
  test('a listing has all names, in order here', () => {
    for (let index = 0; index < 60; index++) touch('/tmp/tree/file' + (100 + index).toString())
    const names = listDirectory(ROOT).names
    equal(names.length, 60, 'how many')
    equalText(names[0], 'file100', 'the first')
    equalText(names[59], 'file159', 'the last')
  })
  test('a listing goes on where it was while files are removed', () => {
    const directory = <i32>works(open(ROOT), 'open')
    let seen = 0
    for (;;) {
      const count = works(sysList(directory, buffer, 200), 'getdents64')
      if (count <= 0) break
      for (let at: u32 = 0; at < <u32>count; at += load<u16>(buffer + at, 16)) seen++
      if (seen < 10) for (let index = 40; index < 60; index++) removeFile('/tmp/tree/file' + (100 + index).toString())
    }
    close(directory)
    // "." and ".." too.
    equal(seen, 42, 'how many were seen')
    for (let index = 0; index < 40; index++) removeFile('/tmp/tree/file' + (100 + index).toString())
    equal(listDirectory(ROOT).names.length, 0, 'how many are left')
  })
  test('a file is no directory to list', () => {
    const file = <i32>open('/bin/sh')
    fails(sysList(file, buffer, 200), 20, 'getdents64')
    close(file)
    const directory = <i32>open('/')
    fails(sysRead(directory, buffer, 200), 21, 'read of a directory')
    fails(sysList(directory, buffer, 3), 22, 'too little room')
    fails(sysList(directory, 8, 200), 14, 'a bad address')
    close(directory)
    fails(open('/', OpenFlag.writeOnly), 21, 'open to write')
    fails(open('/bin/sh', OpenFlag.directory), 20, 'open as a directory')
  })
  test('a file is renamed', () => {
    touch('/tmp/tree/x')
    statPath('/tmp/tree/x', stat)
    const number = stat.number
    equal(rename('/tmp/tree/x', '/tmp/tree/y'), 0, 'rename')
    fails(statPath('/tmp/tree/x', stat), 2, 'the old name')
    equal(statPath('/tmp/tree/y', stat), 0, 'the new name')
    equal(stat.number, number, 'its number')
    removeFile('/tmp/tree/y')
  })
  test('a rename takes the place of a file', () => {
    touch('/tmp/tree/x')
    touch('/tmp/tree/y')
    equal(rename('/tmp/tree/x', '/tmp/tree/y'), 0, 'rename')
    equal(listDirectory(ROOT).names.length, 1, 'files left')
    removeFile('/tmp/tree/y')
  })
  test('a rename can refuse to take a place', () => {
    touch('/tmp/tree/x')
    touch('/tmp/tree/y')
    fails(sysRename(toKernel('/tmp/tree/x'), toKernel('/tmp/tree/y'), 1), 17, 'rename')
    fails(sysRename(toKernel('/tmp/tree/x'), toKernel('/tmp/tree/y'), 2), 22, 'an unknown flag')
    removeFile('/tmp/tree/x')
    removeFile('/tmp/tree/y')
  })
  test('a directory is renamed with what is in it', () => {
    makeDirectory('/tmp/tree/a')
    touch('/tmp/tree/a/x')
    equal(rename('/tmp/tree/a', '/tmp/tree/b'), 0, 'rename')
    equal(statPath('/tmp/tree/b/x', stat), 0, 'stat')
    equal(statPath('/tmp/tree/b/../b/x', stat), 0, 'stat by way of the parent')
    removeFile('/tmp/tree/b/x')
    removeDirectory('/tmp/tree/b')
  })
  test('a directory is not moved into itself', () => {
    makeDirectory('/tmp/tree/a')
    makeDirectory('/tmp/tree/a/b')
    fails(rename('/tmp/tree/a', '/tmp/tree/a/b/c'), 22, 'rename')
    removeDirectory('/tmp/tree/a/b')
    removeDirectory('/tmp/tree/a')
  })
  test('a directory does not take the place of a file, nor of a full one', () => {
    makeDirectory('/tmp/tree/a')
    makeDirectory('/tmp/tree/b')
    touch('/tmp/tree/b/x')
    touch('/tmp/tree/y')
    fails(rename('/tmp/tree/a', '/tmp/tree/b'), 39, 'rename to a full one')
    fails(rename('/tmp/tree/a', '/tmp/tree/y'), 20, 'rename to a file')
    fails(rename('/tmp/tree/y', '/tmp/tree/a'), 21, 'rename of a file to a directory')
    removeFile('/tmp/tree/b/x')
    removeFile('/tmp/tree/y')
    removeDirectory('/tmp/tree/b')
    removeDirectory('/tmp/tree/a')
  })
  test('the working directory is where relative paths begin', () => {
    const before = currentDirectory()
    makeDirectory('/tmp/tree/a')
    equal(changeDirectory('/tmp/tree'), 0, 'chdir')
    equalText(currentDirectory(), '/tmp/tree', 'the directory')
    equal(statPath('a', stat), 0, 'stat')
    equal(changeDirectory('a'), 0, 'chdir')
    equalText(currentDirectory(), '/tmp/tree/a', 'the directory')
    equal(changeDirectory('../..'), 0, 'chdir')
    equalText(currentDirectory(), '/tmp', 'the directory')
    changeDirectory(before)
    removeDirectory('/tmp/tree/a')
  })
  test('the working directory must be one', () => {
    fails(changeDirectory('/bin/sh'), 20, 'chdir to a file')
    fails(changeDirectory('/none'), 2, 'chdir to nothing')
    fails(sysCurrent(buffer, 0), 34, 'getcwd without room')
    fails(sysCurrent(8, 100), 14, 'getcwd to a bad address')
  })
  test('dots and slashes in paths mean what they should', () => {
    touch('/tmp/tree/x')
    equal(statPath('/tmp/tree/./x', stat), 0, 'a dot')
    equal(statPath('//tmp///tree/x', stat), 0, 'many slashes')
    equal(statPath('/../../tmp/tree/x', stat), 0, 'above the root')
    equal(statPath('/tmp/tree/', stat), 0, 'a slash behind a directory')
    fails(statPath('/tmp/tree/x/', stat), 20, 'a slash behind a file')
    fails(statPath('/tmp/tree/x/..', stat), 20, 'above a file')
    fails(statPath('', stat), 2, 'no path')
    removeFile('/tmp/tree/x')
  })
  test('a directory that was removed holds nothing new', () => {
    makeDirectory('/tmp/tree/a')
    const before = currentDirectory()
    changeDirectory('/tmp/tree/a')
    equal(removeDirectory('/tmp/tree/a'), 0, 'rmdir')
    fails(open('x', MAKE), 2, 'create')
    changeDirectory(before)
  })
  test('deep trees work', () => {
    const before = currentDirectory()
    changeDirectory(ROOT)
    for (let depth = 0; depth < 40; depth++) {
      equal(makeDirectory('deep'), 0, 'mkdir')
      equal(changeDirectory('deep'), 0, 'chdir')
    }
    check(currentDirectory().length > 200, 'the path is short')
    for (let depth = 0; depth < 40; depth++) {
      changeDirectory('..')
      equal(removeDirectory('deep'), 0, 'rmdir')
    }
    changeDirectory(before)
  })
  removeDirectory(ROOT)
  return finish()
}
