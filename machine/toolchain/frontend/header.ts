/** `pollen.h`: the intrinsics for C and C++, and the task control block. */
import { libraryFiles, traceNamespace } from './library.ts'

const types: Record<string, string> = {
  u8: 'unsigned char',
  u16: 'unsigned short',
  u32: 'unsigned',
  u64: 'unsigned long long',
  i64: 'long long',
  i32: 'int',
  usize: 'void *',
  void: 'void',
}

/** One declaration per intrinsic of the TypeScript library, so that the two cannot differ. */
function declarations(): string {
  const pattern = /@external\("(cpu|co|trace)", "(\w+)"\) export declare function \w+\(([^)]*)\): (\w+);/g
  return [...(libraryFiles.pollen + traceNamespace).matchAll(pattern)]
    .map(([, module, name, params, result]) => {
      const list = params
        .split(',')
        .map((param) => param.trim())
        .filter((param) => param !== '')
        .map((param) => {
          const [id, type] = param.split(':').map((part) => part.trim())
          return `${types[type]} ${id}`
        })
      return `__attribute__((import_module("${module}"), import_name("${name}"))) ${types[result]} ${module}_${name}(${list.join(', ') || 'void'});`
    })
    .join('\n')
}

export const pollenHeader = `#ifndef POLLEN_H
#define POLLEN_H
#ifdef __cplusplus
extern "C" {
#endif
/* The task control block (contracts.md, "Task control block"). */
struct pollen_task {
  unsigned resume;
  unsigned char state, priority;
  unsigned short flags;
  unsigned owner, continuation;
  unsigned long long request, result;
  unsigned frame_type, queue_link;
  unsigned short home_hart, reserved;
  unsigned saved_stack;
};
${declarations()}
#ifdef __cplusplus
}
#endif
#endif
`
