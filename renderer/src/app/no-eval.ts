/** Schemas compile themselves to functions where they may; under this window's policy they may not, and even asking is refused aloud. */
import { config } from 'zod'

config({ jitless: true })
