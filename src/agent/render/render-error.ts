/** What is wrong with the contents of a bundle. */
export type RenderProblem =
  | 'broken-yaml'
  | 'broken-chart'
  | 'invalid-manifest'
  | 'missing-base'
  | 'patch'
  | 'cluster-scoped'
  | 'unknown-kind'
  | 'remote-base'
  | 'too-large'

/** The contents cannot be rendered. The message names the file or object. */
export class RenderError extends Error {
  readonly problem: RenderProblem

  constructor(message: string, problem: RenderProblem, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'RenderError'
    this.problem = problem
  }
}
