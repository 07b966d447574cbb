/** Lists, at the end of a test run, the suites that were not run and what would let them. */
import type { Reporter, TestModule, TestSuite } from 'vitest/node'

export default class NotRunReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names: string[] = []
    const visit = (parent: TestModule | TestSuite) => {
      for (const suite of parent.children.suites()) {
        if (suite.options.mode === 'skip') names.push(suite.fullName)
        else visit(suite)
      }
    }
    modules.forEach(visit)
    if (names.length > 0) console.log(`\nNot run:\n${names.map((name) => `  ${name}`).join('\n')}`)
  }
}
