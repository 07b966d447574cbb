// Owns what the end of a process does to its rings.
import { Process } from '../task/process'
import { Activity } from '../task/task'

export async function closeRings(process: Process, activity: Activity): Promise<void> {}
