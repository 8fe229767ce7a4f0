/** Entries of nonReadyStatus and modifiedStatus (spec 1.5). */
export const STATUS_LIST_LIMIT = 10

/** Live objects that are compared at the same time. */
export const COMPARE_LIMIT = 8
