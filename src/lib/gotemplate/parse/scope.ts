/** The variables that are known at a place of the template; the argument `$` always is. */
export class Scope {
  readonly #names: string[] = []
  readonly #counts = new Map([['$', 1]])

  has(name: string): boolean {
    return (this.#counts.get(name) ?? 0) > 0
  }

  add(name: string): void {
    this.#names.push(name)
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** What to give to `endAt` later. */
  get mark(): number {
    return this.#names.length
  }

  /** Forgets what was added since the mark was taken. */
  endAt(mark: number): void {
    for (const name of this.#names.splice(mark)) this.#counts.set(name, (this.#counts.get(name) ?? 1) - 1)
  }
}
