/** The built-in firmware, which the build puts in dist/. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { BootFile } from '../../machine/board/boot.ts'
import { projectRoot } from './worker-thread.ts'

/** @throws Error saying how to make it when it is not there. */
export function loadFirmware(board: 'virt' | 'k210' = 'virt'): BootFile {
  try {
    return {
      name: 'the built-in firmware',
      bytes: readFileSync(path.join(projectRoot(), board === 'virt' ? 'dist/firmware.elf' : 'dist/firmware-k210.elf')),
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('the firmware is not built: run "npm run build"')
  }
}
