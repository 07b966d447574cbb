/** Where the window was. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomically } from '../workbench/atomic-write.ts'
import type { Rectangle, WindowLike } from './electron-api.ts'

const stored = z.object({ x: z.number(), y: z.number(), width: z.number().min(200), height: z.number().min(200), maximized: z.boolean() })
export type WindowState = Partial<Rectangle> & { width: number; height: number; maximized: boolean }

const FIRST: WindowState = { width: 1440, height: 900, maximized: false }
/** Pixels of the title bar that must be on some display for the user to take hold of. */
const GRIP = 40

export function readWindowState(file: string, displays: readonly Rectangle[]): WindowState {
  try {
    const state = stored.parse(JSON.parse(readFileSync(file, 'utf8')))
    const seen = displays.some(
      ({ x, y, width, height }) =>
        state.x + state.width > x + GRIP && state.x < x + width - GRIP && state.y >= y && state.y < y + height - GRIP,
    )
    return seen ? state : { width: state.width, height: state.height, maximized: state.maximized }
  } catch {
    return FIRST
  }
}

/** Remembers the window's place when it closes. */
export function keepWindowState(window: WindowLike, file: string): void {
  window.on('close', () => {
    const { x, y, width, height } = window.getNormalBounds()
    const state = { x, y, width, height, maximized: window.isMaximized() }
    writeFileAtomically(file, JSON.stringify(state)).catch(() => {
      // Next time the window opens where it opens.
    })
  })
}
