/** The verb `pollen sd`: images of SD cards, made, listed, filled and emptied without mounting anything. */
import { InvalidArgumentError, type Command } from 'commander'
import type { CreateOptions } from './sd.ts'

const DEFAULT_SIZE = '64M'
/** A file system needs some sectors, and SDHC ends at 32 GiB. */
const [LEAST, MOST] = [128 * 1024, 32 * 2 ** 30]

export function addSdCommand(program: Command): void {
  const sd = program.command('sd').description('images of SD cards (FAT): make, list, fill and empty them')
  sd.command('create')
    .argument('<image>', 'the file to make')
    .option('--size <size>', `size of the card (default: ${DEFAULT_SIZE})`, parseSize)
    .option('--no-mbr', 'without a partition table: the file system fills the card')
    .option('--force', 'over an existing file', false)
    .description('make an image with an empty file system: FAT32 from 33M on')
    .action(async (image: string, options: Omit<CreateOptions, 'size'> & { size?: number }) => {
      const { create } = await import('./sd.ts')
      await create(image, { ...options, size: options.size ?? parseSize(DEFAULT_SIZE) })
    })
  sd.command('ls')
    .argument('<image>')
    .argument('[path]', 'a directory on the card', '/')
    .option('--json', 'for programs', false)
    .description('list a directory')
    .action(async (image: string, where: string, { json }: { json: boolean }) => {
      const { list } = await import('./sd.ts')
      await list(image, where, json)
    })
  sd.command('put')
    .argument('<image>')
    .argument('<from>', 'a file or directory here')
    .argument('[to]', 'its place on the card; a directory for it when it ends in /', '/')
    .description('copy a file, or a directory with all it holds, onto the card')
    .action(async (image: string, from: string, to: string) => {
      const { putFiles } = await import('./sd.ts')
      await putFiles(image, from, to)
    })
  sd.command('get')
    .argument('<image>')
    .argument('<from>', 'a file or directory on the card')
    .argument('[to]', 'its place here', '.')
    .description('copy a file, or a directory with all it holds, from the card')
    .action(async (image: string, from: string, to: string) => {
      const { getFiles } = await import('./sd.ts')
      await getFiles(image, from, to)
    })
}

/** `64M`, `1G`, `512K` or a number of bytes, in whole sectors. */
function parseSize(text: string): number {
  const match = /^(\d+)([KMG]?)(i?B)?$/i.exec(text)
  const unit = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match?.[2].toUpperCase() ?? ''] ?? 1
  const bytes = match ? Number(match[1]) * unit : NaN
  if (!(bytes >= LEAST && bytes <= MOST) || bytes % 512 !== 0) {
    throw new InvalidArgumentError('It must be a size such as 64M, from 128K to 32G, in whole sectors of 512 bytes.')
  }
  return bytes
}
