import { azure } from './azure.ts'
import { bitbucket } from './bitbucket.ts'
import { bitbucketServer } from './bitbucket-server.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { gogs } from './gogs.ts'
import type { Provider } from './types.ts'

/** In the order in which they are tried: Gitea sends GitHub's headers too, and Bitbucket Cloud those of Bitbucket Server (spec 8.4). */
export const PROVIDERS: readonly Provider[] = [gogs, github, gitlab, bitbucket, bitbucketServer, azure]
