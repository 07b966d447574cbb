/** `.if` and its relatives. */

/** One open `.if`. */
interface Branch {
  /** The text between is assembled. */
  active: boolean
  /** Some branch was or is taken, or the whole block is being skipped. */
  settled: boolean
  sawElse: boolean
}

export class Conditionals {
  readonly #open: Branch[] = []

  /** True when statements are assembled here. */
  get active(): boolean {
    return this.#open.at(-1)?.active ?? true
  }

  get depth(): number {
    return this.#open.length
  }

  /** `condition` is asked only where the block is not skipped anyway. */
  begin(condition: () => boolean): void {
    const outer = this.active
    const branch: Branch = { active: false, settled: true, sawElse: false }
    // Pushed first: a condition that cannot be evaluated still has its `.endif`.
    this.#open.push(branch)
    if (!outer) return
    branch.active = condition()
    branch.settled = branch.active
  }

  /** @returns a complaint, or undefined. */
  otherwise(condition: (() => boolean) | undefined): string | undefined {
    const branch = this.#open.at(-1)
    if (!branch) return 'there is no open .if'
    if (branch.sawElse) return 'the .if already has its .else'
    branch.sawElse = condition === undefined
    const taken = branch.settled
    branch.active = false
    if (taken) return undefined
    branch.active = condition ? condition() : true
    branch.settled = branch.active
    return undefined
  }

  /** @returns a complaint, or undefined. */
  end(): string | undefined {
    return this.#open.pop() ? undefined : 'there is no open .if'
  }
}
