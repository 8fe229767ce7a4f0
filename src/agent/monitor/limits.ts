/** Entries of nonReadyStatus and modifiedStatus (spec 1.5). */
export const STATUS_LIST_LIMIT = 10

/** The longest patch of a modified object and the longest message of one that is not ready, in characters. */
export const STATUS_TEXT_LIMIT = 16 * 1_024

/** Size of status.resources in bytes of JSON. A BundleDeployment holds its options twice besides, and may take 1.5 MiB in all. */
export const RESOURCES_BYTES = 384 * 1_024

/** Live objects that are compared at the same time. */
export const COMPARE_LIMIT = 8
