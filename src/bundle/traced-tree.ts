// Tells of each look at a repository, and of what comes from elsewhere: together that is all that bundles are made of.
import type { TraceRecorder } from '../source/read-trace.ts'
import type { ChartSource } from './charts.ts'
import { cleanPath, type RepoTree } from './repo-tree.ts'

/** Like the tree. A path that leads out has the same answer in every commit, and is not told. */
export function tracedTree(tree: RepoTree, trace: TraceRecorder): RepoTree {
  async function noted<T>(path: string, within: string, work: () => Promise<T>): Promise<T> {
    try {
      const content = await work()
      const [clean, border] = [cleanPath(path), cleanPath(within)]
      if (clean === undefined || border === undefined) trace.spoil('a path that leads out of the repository')
      else trace.content(clean, border)
      return content
    } catch (error) {
      trace.spoil('a file that cannot be read')
      throw error
    }
  }

  return {
    async kind(path) {
      const [answer, clean] = [await tree.kind(path), cleanPath(path)]
      if (clean !== undefined) trace.kind(clean, answer)
      return answer
    },
    async list(path) {
      const [answer, clean] = [await tree.list(path), cleanPath(path)]
      if (clean !== undefined) trace.list(clean, answer)
      return answer
    },
    read: (path, maxBytes, within) => noted(path, within ?? '.', () => tree.read(path, maxBytes, within)),
    readText: (path, maxBytes) => noted(path, '.', () => tree.readText(path, maxBytes)),
    onDisk(path) {
      trace.spoil('a tool that reads files by itself')
      return tree.onDisk(path)
    },
  }
}

/** Like the source. What it downloads may be another thing tomorrow under the same name and version, so each commit asks for it again, as upstream does. */
export function tracedCharts(source: ChartSource, trace: TraceRecorder): ChartSource {
  const spoil = (): void => trace.spoil('charts that are not in the repository')
  return {
    download(request, context) {
      spoil()
      return source.download(request, context)
    },
    async dependencies(tree, folder, context) {
      const change = await source.dependencies(tree, folder, context)
      if (change.added.length + change.removed.length > 0) spoil()
      return change
    },
  }
}
