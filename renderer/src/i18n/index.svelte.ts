/** The chosen language; every text is read through `i18n.t`, so that a change shows at once. */
import type { Locale, Localised } from '../../../main/protocol'
import { en, type Messages } from './en'
import { zhCN } from './zh-CN'

const messages: Record<Locale, Messages> = { en, 'zh-CN': zhCN }

class I18n {
  locale = $state<Locale>('en')

  get t(): Messages {
    return messages[this.locale]
  }

  pick(text: Localised): string {
    return text[this.locale]
  }
}

export const i18n = new I18n()
export const languageNames: Record<Locale, string> = { en: en.language, 'zh-CN': zhCN.language }

const groups = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** 1422093118 to 1,422,093,118. */
export function grouped(value: number): string {
  return groups.format(value)
}

/** 24000 to 24 k: labels of axes. */
export function short(value: number): string {
  const scale = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const
  const found = scale.find(([size]) => Math.abs(value) >= size)
  if (!found) return String(Math.round(value * 100) / 100)
  return `${Math.round((value / found[0]) * 100) / 100}${found[1]}`
}
