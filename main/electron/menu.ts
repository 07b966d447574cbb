/** The native menus, in the window's language; what they do is done by the window's own commands. */
import type { Locale } from '../protocol/index.ts'
import type { MenuItem } from './electron-api.ts'

const en = {
  file: 'File',
  newWindow: 'New window',
  save: 'Save',
  close: 'Close window',
  quit: 'Quit Pollen',
  workspace: 'Open another workspace…',
  edit: 'Edit',
  undo: 'Undo',
  redo: 'Redo',
  cut: 'Cut',
  copy: 'Copy',
  paste: 'Paste',
  selectAll: 'Select all',
  find: 'Find',
  findInFiles: 'Search in all files',
  view: 'View',
  palette: 'Commands…',
  side: 'Side panel',
  stage: 'Assembly',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  zoomReset: 'Actual size',
  fullScreen: 'Full screen',
  run: 'Run',
  build: 'Build',
  runOrContinue: 'Run or continue',
  pause: 'Pause',
  stop: 'Switch the board off',
  stepOver: 'Step over',
  stepInto: 'Step into',
  stepOut: 'Step out',
  stepInstruction: 'Step instruction',
  check: 'Check the lab',
  help: 'Help',
  shortcuts: 'Keyboard shortcuts',
}
const zhCN: typeof en = {
  file: '文件',
  newWindow: '新建窗口',
  save: '保存',
  close: '关闭窗口',
  quit: '退出 Pollen',
  workspace: '打开另一个工作区…',
  edit: '编辑',
  undo: '撤销',
  redo: '重做',
  cut: '剪切',
  copy: '复制',
  paste: '粘贴',
  selectAll: '全选',
  find: '查找',
  findInFiles: '在所有文件中搜索',
  view: '视图',
  palette: '命令…',
  side: '侧边面板',
  stage: '汇编',
  zoomIn: '放大',
  zoomOut: '缩小',
  zoomReset: '实际大小',
  fullScreen: '全屏',
  run: '运行',
  build: '构建',
  runOrContinue: '运行或继续',
  pause: '暂停',
  stop: '关闭开发板',
  stepOver: '单步跳过',
  stepInto: '单步进入',
  stepOut: '单步跳出',
  stepInstruction: '单步一条指令',
  check: '检查实验',
  help: '帮助',
  shortcuts: '键盘快捷键',
}
export const menuTexts: Record<Locale, typeof en> = { en, 'zh-CN': zhCN }

export interface MenuActions {
  newWindow(): void
  openWorkspace(): void
  /** Asks the window in front to do something by the name of its command. */
  command(name: string): void
}

export function buildMenu(locale: Locale, platform: NodeJS.Platform, actions: MenuActions): MenuItem[] {
  const t = menuTexts[locale]
  const separator: MenuItem = { type: 'separator' }
  // No accelerators for these: the window itself listens to its keys, and each must act once.
  const command = (label: string, name: string): MenuItem => ({ label, click: () => actions.command(name) })
  const mac = platform === 'darwin'
  return [
    ...(mac ? [{ role: 'appMenu' }] : []),
    {
      label: t.file,
      submenu: [
        { label: t.newWindow, accelerator: 'CmdOrCtrl+Shift+N', click: actions.newWindow },
        { label: t.workspace, click: actions.openWorkspace },
        separator,
        command(t.save, 'save'),
        separator,
        { role: 'close', label: t.close },
        ...(mac ? [] : [{ role: 'quit', label: t.quit }]),
      ],
    },
    {
      label: t.edit,
      submenu: [
        { role: 'undo', label: t.undo },
        { role: 'redo', label: t.redo },
        separator,
        { role: 'cut', label: t.cut },
        { role: 'copy', label: t.copy },
        { role: 'paste', label: t.paste },
        { role: 'selectAll', label: t.selectAll },
        separator,
        command(t.find, 'find'),
        command(t.findInFiles, 'find-in-files'),
      ],
    },
    {
      label: t.view,
      submenu: [
        command(t.palette, 'palette'),
        separator,
        command(t.side, 'toggle-side'),
        command(t.stage, 'toggle-stage'),
        separator,
        { role: 'zoomIn', label: t.zoomIn },
        { role: 'zoomOut', label: t.zoomOut },
        { role: 'resetZoom', label: t.zoomReset },
        { role: 'togglefullscreen', label: t.fullScreen },
      ],
    },
    {
      label: t.run,
      submenu: [
        command(t.build, 'build'),
        command(t.runOrContinue, 'run'),
        command(t.pause, 'pause'),
        command(t.stop, 'stop'),
        separator,
        command(t.stepOver, 'step-over'),
        command(t.stepInto, 'step-line'),
        command(t.stepOut, 'step-out'),
        command(t.stepInstruction, 'step-instruction'),
        separator,
        command(t.check, 'check'),
      ],
    },
    { label: t.help, submenu: [command(t.shortcuts, 'help')] },
  ]
}
