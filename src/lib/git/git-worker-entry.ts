// Where a worker thread of the unbundled program starts.
import { runGitWorker } from './git-worker.ts'

await runGitWorker()
