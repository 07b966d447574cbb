/** `npm run bench:os`: every experiment of Pollen OS as a table, and how its figures stand to their goals. Virtual cycles, so the same everywhere. */
import { listExperiments, runExperiment } from './workbench/experiments.ts'

for (const { id, title } of listExperiments()) {
  const { board, series, findings } = await runExperiment(id)
  console.log(`\n## ${title} (${id}; ${board.harts} harts, ${board.timing})\n`)
  if (series.length) {
    console.log('| cycles | p50 | p90 | p99 | p99.9 | max |\n| --- | ---: | ---: | ---: | ---: | ---: |')
    for (const one of series) console.log(`| ${[one.name, one.p50, one.p90, one.p99, one.p999, one.max].join(' | ')} |`)
    console.log('')
  }
  for (const { name, value, goal, met } of findings)
    console.log(
      `- ${name}: ${value < 100 ? value.toFixed(3) : Math.round(value)}${goal === undefined ? '' : ` (goal at most ${goal}: ${met ? 'met' : 'not met'})`}`,
    )
}
