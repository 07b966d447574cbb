/** The verbs of the toolchain: build, aot, disasm. */
import { Option, type Command } from 'commander'
import type { BuildOptions } from './build.ts'

const optimisation = () => new Option('-O <level>', 'how hard to optimise').choices(['0', '2']).default('2')

export function addToolchainCommands(program: Command): void {
  program
    .command('build')
    .argument('<file|dir>', 'a source file (.ts .c .cpp .S), or a folder with a pollen.json')
    .description('compile TypeScript, C, C++ and assembly for the board')
    .option('-o, --output <file>', 'where the program (or the stage) goes')
    .addOption(
      new Option('--format <form>', 'an ELF file, or the raw bytes for the flash of a real board')
        .choices(['elf', 'bin'])
        .default('elf')
        .conflicts('emit'),
    )
    .addOption(new Option('--emit <stage>', 'write a stage instead').choices(['wasm', 'ir', 'asm', 'map']))
    .addOption(optimisation())
    .action(async (target: string, options: BuildOptions) => {
      const { build } = await import('./build.ts')
      process.exitCode = await build(target, options)
    })
  program
    .command('aot')
    .argument('<module.wasm>')
    .description('compile a WebAssembly module; the program answers lines of calls on its console')
    .option('-o, --output <file>', 'where the ELF file goes')
    .addOption(
      new Option('--target <name>', 'bare (the board) or linux-user (qemu-riscv64)').choices(['bare', 'linux-user']).default('bare'),
    )
    .addOption(optimisation())
    .action(async (file: string, options: { output?: string; target: 'bare' | 'linux-user'; O: '0' | '2' }) => {
      const { aot } = await import('./aot.ts')
      process.exitCode = aot(file, options)
    })
  program
    .command('disasm')
    .argument('<elf>')
    .description('list the instructions of an ELF file with symbols and source lines')
    .option('--no-aliases', 'show instructions under their own names only')
    .option('--no-source', 'leave out source lines')
    .action(async (file: string, options: { aliases: boolean; source: boolean }) => {
      const { disasm } = await import('./disasm.ts')
      process.exitCode = await disasm(file, { noAliases: !options.aliases, noSource: !options.source })
    })
}
