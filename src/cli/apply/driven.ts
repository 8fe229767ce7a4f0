import { UsageError } from '../exit.ts'

/**
 * The bundles that arguments of a driven scan list: `base`, or `base<separator>options` with the options file relative to the base (spec 6.2).
 * Without arguments the working directory is the only one.
 */
export function drivenBundles(args: readonly string[], separator: string): { base: string; options?: string }[] {
  if (separator === '') throw new UsageError('--driven-scan-sep must not be empty')
  if (args.length === 0) return [{ base: '.' }]
  return args.map((arg) => {
    const [base = '', options, ...more] = arg.split(separator)
    if (more.length > 0) throw new UsageError(`${arg}: more than one ${separator}: choose another --driven-scan-sep`)
    return options ? { base, options } : { base }
  })
}
