// Owns the language: words, quotes, pipes, redirection, lists. Text in, commands out; nothing is run here.
//
//   line     = pipeline { (";" | "&" | "&&" | "||") pipeline }
//   pipeline = command { "|" command }
//   command  = { word | "<" word | ">" word | ">>" word | "2>" word }
//
// 'quotes' keep everything, "quotes" all but $? and \, a backslash the next character. * and ? outside quotes match names; # begins a comment.

export class Command {
  words: string[] = []
  input: string = ''
  output: string = ''
  append: bool = false
  errors: string = ''
}

/** When a pipeline runs, by the one before it. */
export namespace After {
  export const always = 0
  export const success = 1
  export const failure = 2
}

export class Pipeline {
  commands: Command[] = []
  background: bool = false
  after: i32 = After.always
}

/** Stand for * and ? that were not quoted, in Unicode's private area. */
export const MANY: i32 = 0xe000
export const ONE: i32 = 0xe001

export class Parser {
  private at: i32 = 0
  /** What is wrong with the line; empty when nothing is. */
  problem: string = ''

  constructor(
    private text: string,
    private status: i64,
  ) {}

  parse(): Pipeline[] {
    const pipelines: Pipeline[] = []
    let after = After.always
    for (;;) {
      this.skipSpace()
      if (this.atEnd()) break
      const pipeline = this.pipeline()
      pipeline.after = after
      if (this.problem != '') return pipelines
      pipelines.push(pipeline)
      this.skipSpace()
      after = After.always
      if (this.take('&&')) after = After.success
      else if (this.take('||')) after = After.failure
      else if (this.take('&')) pipeline.background = true
      else if (!this.take(';') && !this.take('\n') && !this.atEnd()) this.problem = 'unexpected ' + this.text.charAt(this.at)
      if (this.problem != '') return pipelines
    }
    if (after != After.always) this.problem = 'a command is missing at the end'
    return pipelines
  }

  private atEnd(): bool {
    return this.at >= this.text.length || this.text.charAt(this.at) == '#'
  }

  private skipSpace(): void {
    while (this.at < this.text.length && (this.text.charCodeAt(this.at) == 32 || this.text.charCodeAt(this.at) == 9)) this.at++
  }

  private take(operator: string): bool {
    if (!this.text.startsWith(operator, this.at)) return false
    this.at += operator.length
    return true
  }

  private pipeline(): Pipeline {
    const pipeline = new Pipeline()
    do {
      const command = this.command()
      if (this.problem == '' && command.words.length == 0) this.problem = 'a command is missing'
      if (this.problem != '') return pipeline
      pipeline.commands.push(command)
      this.skipSpace()
    } while (!this.text.startsWith('||', this.at) && this.take('|'))
    return pipeline
  }

  private command(): Command {
    const command = new Command()
    while (this.problem == '') {
      this.skipSpace()
      if (this.atEnd()) break
      if (this.take('2>')) command.errors = this.target()
      else if (this.take('>>')) {
        command.output = this.target()
        command.append = true
      } else if (this.take('>')) {
        command.output = this.target()
        command.append = false
      } else if (this.take('<')) command.input = this.target()
      else if (isOperator(this.text.charCodeAt(this.at))) break
      else command.words.push(this.word())
    }
    return command
  }

  private target(): string {
    this.skipSpace()
    if (this.atEnd() || isOperator(this.text.charCodeAt(this.at))) {
      this.problem = 'a file name is missing'
      return ''
    }
    return this.word()
  }

  private word(): string {
    let result = ''
    let quote = 0
    for (; this.at < this.text.length; this.at++) {
      const character = this.text.charCodeAt(this.at)
      if (quote == 0 && (character == 32 || character == 9 || isOperator(character))) break
      if (character == quote) quote = 0
      else if (quote == 0 && (character == 34 || character == 39)) quote = character
      else if (quote != 39 && character == 92 && this.at + 1 < this.text.length) result += this.text.charAt(++this.at)
      else if (quote != 39 && this.text.startsWith('$?', this.at)) {
        result += this.status.toString()
        this.at++
      } else if (quote == 0 && character == 42) result += String.fromCharCode(MANY)
      else if (quote == 0 && character == 63) result += String.fromCharCode(ONE)
      else result += this.text.charAt(this.at)
    }
    if (quote != 0) this.problem = 'a quote is not closed'
    return result
  }
}

function isOperator(character: i32): bool {
  return character == 124 || character == 38 || character == 59 || character == 60 || character == 62 || character == 10
}
