/** The toolchain's front door: programs from sources, and stand-alone programs from WebAssembly modules. */
export { compileAot, type AotOptions, type AotResult, type AotTarget } from './build/aot.ts'
export { buildImage, type BuiltFile, type CachedProgram, type ImageResult, type ProgramCache } from './build/image.ts'
export { buildProgram, programIr, programSchema, type BuildInput, type BuildResult, type ProgramConfiguration } from './build/program.ts'
export { programLayouts, type ProgramLayout } from './build/layouts.ts'
export { programStage, type Stage, type StageLine } from './build/stages.ts'
export type { CodeCache } from './build/module-object.ts'
export { editorDeclarations } from './frontend/editor.ts'
