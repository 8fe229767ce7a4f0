declare const __FLEET_VERSION__: string | undefined

/** The version of this build, as the chart's appVersion; `dev` when the tree runs unbuilt. */
export const VERSION: string = typeof __FLEET_VERSION__ === 'string' ? __FLEET_VERSION__ : 'dev'

/** Whether this is the built file: worker threads then start it again instead of a file of the tree. */
export const IS_BUNDLED: boolean = typeof __FLEET_VERSION__ === 'string'
