// A program whose clock is wrong by a fixed time: for stories about hours that are months away.

/**
 * The environment in which Node.js runs a program with another time than ours; the difference is in milliseconds. Only `Date.now()` is changed, which is all
 * that our programs ask; what the API server writes has the real time.
 */
export function clockOffset(differenceMs: number): Record<string, string> {
  const script = `const now=Date.now.bind(Date);Date.now=()=>now()+(${Math.round(differenceMs)})`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }
}
