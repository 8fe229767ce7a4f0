import { encodeExactJson } from '../json/exact-json.ts'

/** What a server-side apply is sent as. */
export const APPLY_TYPE = 'application/apply-patch+yaml'

/** Characters that JSON allows as they are, and YAML does not, or takes for the end of a line. */
const ODD_IN_YAML = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/** The JSON of a request body. The API server reads what is applied as YAML, which would fold lines at odd characters within strings. */
export function encodeBody(body: unknown, contentType: string): string {
  const text = encodeExactJson(body)
  return contentType === APPLY_TYPE ? text.replace(ODD_IN_YAML, escaped) : text
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
