/** A patch that does not fit its document, or is none. The message says where. */
export class PatchError extends Error {
  override readonly name = 'PatchError'
}
