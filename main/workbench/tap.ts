/** Reads what guest tests print (Test Anything Protocol): a header `# NAME` for each program, one line a test, a plan at its end. */

export interface GuestTest {
  /** The program, and what its test is called. */
  readonly program: string
  readonly name: string
  readonly ok: boolean
  /** What the test says of its failure. */
  readonly evidence?: string
}

const LINE = /^(not )?ok\b *(\d+)? *(?:- )?(.*)$/

/** Takes console text as it comes; tells each test once its line is complete. */
export class TapReader {
  readonly tests: GuestTest[] = []
  /** The runner's last line was seen. */
  ended = false
  private rest = ''
  private program = ''
  private numbered = 0

  constructor(private readonly onTest: (test: GuestTest) => void = () => {}) {}

  add(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop()!
    for (const line of lines) this.line(line.replace(/\r$/, ''))
  }

  private line(line: string): void {
    const result = LINE.exec(line)
    if (result) {
      const [, not, number, what] = result
      if (number !== undefined) this.numbered++
      const mark = what.indexOf(' # ')
      const evidence = mark < 0 ? undefined : what.slice(mark + 3)
      return this.tell({ program: this.program, name: mark < 0 ? what : what.slice(0, mark), ok: not === undefined, evidence })
    }
    const plan = /^1\.\.(\d+)$/.exec(line)
    if (plan && Number(plan[1]) !== this.numbered) {
      const evidence = `planned ${plan[1]}, ran ${this.numbered}`
      this.tell({ program: this.program, name: 'all tests ran', ok: false, evidence })
    }
    if (/^# (total|programs:) /.test(line)) this.ended = true
    else if (/^# [\w./-]+$/.test(line)) {
      this.program = line.slice(2)
      this.numbered = 0
    }
  }

  private tell(test: GuestTest): void {
    this.tests.push(test)
    this.onTest(test)
  }
}
