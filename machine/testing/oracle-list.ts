/** Which programs tests compare with, where they are, and which Debian package has them. */
import { existsSync } from 'node:fs'
import path from 'node:path'

/** Program to Debian package. */
export const ORACLES = {
  'qemu-system-riscv64': 'qemu-system-misc',
  'qemu-riscv64': 'qemu-user',
  'riscv64-unknown-elf-gcc': 'gcc-riscv64-unknown-elf',
  'riscv64-unknown-elf-as': 'binutils-riscv64-unknown-elf',
  'riscv64-unknown-elf-ld': 'binutils-riscv64-unknown-elf',
  'riscv64-unknown-elf-ar': 'binutils-riscv64-unknown-elf',
  'riscv64-unknown-elf-objdump': 'binutils-riscv64-unknown-elf',
  'riscv64-unknown-elf-readelf': 'binutils-riscv64-unknown-elf',
  'riscv64-unknown-elf-objcopy': 'binutils-riscv64-unknown-elf',
  'gdb-multiarch': 'gdb-multiarch',
  chromium: 'chromium',
  'fsck.fat': 'dosfstools',
  'mkfs.fat': 'dosfstools',
  mcopy: 'mtools',
  dtc: 'device-tree-compiler',
  'opensbi/generic/fw_jump.elf': 'opensbi',
  'opensbi/generic/fw_dynamic.elf': 'opensbi',
  'u-boot/qemu-riscv64_smode/u-boot.bin': 'u-boot-qemu',
} as const

export type OracleName = keyof typeof ORACLES

const FILES: Partial<Record<OracleName, string>> = {
  'opensbi/generic/fw_jump.elf': '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf',
  'opensbi/generic/fw_dynamic.elf': '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf',
  'u-boot/qemu-riscv64_smode/u-boot.bin': '/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin',
}

/** The path of a program or firmware file, or undefined when it is not on this machine. */
export function findOracle(name: OracleName): string | undefined {
  const candidates = FILES[name] ? [FILES[name]] : searchPath().map((directory) => path.join(directory, name))
  return candidates.find((candidate) => existsSync(candidate))
}

/** The command that installs what is missing. */
export function installLine(missing: readonly OracleName[]): string {
  return `apt-get install ${[...new Set(missing.map((name) => ORACLES[name]))].join(' ')}`
}

/** Debian keeps administration tools such as fsck.fat outside of users' paths. */
function searchPath(): string[] {
  return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin']
}
