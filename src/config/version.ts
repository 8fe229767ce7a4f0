declare const __FLEET_VERSION__: string | undefined

/** The version of this build, as the chart's appVersion; `dev` when the tree runs unbuilt. */
export const VERSION: string = typeof __FLEET_VERSION__ === 'string' ? __FLEET_VERSION__ : 'dev'

/** Where the git worker thread of the built programs starts, beside their chunks; undefined when the tree runs unbuilt. */
export const GIT_WORKER_ENTRY: URL | undefined =
  typeof __FLEET_VERSION__ === 'string' ? new URL('./git-worker.mjs', import.meta.url) : undefined
