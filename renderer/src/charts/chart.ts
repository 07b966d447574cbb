/** Chart.js with what the charts share: colours from the tokens, dashes, markers, percentile lines. */
import {
  BarController,
  BarElement,
  Chart,
  LineController,
  LineElement,
  LinearScale,
  PointElement,
  type ChartConfiguration,
  type Plugin,
} from 'chart.js'
import { token } from '../app/theme'

Chart.register(BarController, BarElement, LineController, LineElement, LinearScale, PointElement)

export { Chart, type ChartConfiguration, type Plugin }

/** p50 circle solid, p90 square dashed, p99 triangle dotted: never colour alone. */
export const PERCENTILES = [
  { key: 'p50', colour: '--series-1', dash: [], point: 'circle' },
  { key: 'p90', colour: '--series-2', dash: [6, 3], point: 'rect' },
  { key: 'p99', colour: '--series-3', dash: [2, 2], point: 'triangle' },
] as const

export const baseOptions = {
  animation: false,
  parsing: false,
  normalized: true,
  responsive: true,
  maintainAspectRatio: false,
  events: ['mousemove', 'mouseout', 'click'],
  interaction: { mode: 'nearest', axis: 'x', intersect: false },
  scales: { x: { type: 'linear' }, y: { type: 'linear' } },
  plugins: { legend: { display: false }, tooltip: { enabled: false } },
} as const

export function axis(label: (value: number) => string) {
  return {
    type: 'linear' as const,
    border: { color: token('--line-strong') },
    grid: { color: token('--grid'), tickLength: 4 },
    ticks: {
      color: token('--text-3'),
      font: { size: 11 },
      maxRotation: 0,
      minRotation: 0,
      autoSkipPadding: 12,
      callback: (value: string | number) => label(Number(value)),
    },
  }
}

export function uiFont(weight = 400): string {
  return `${weight} 11px ${token('--font-ui')}`
}
