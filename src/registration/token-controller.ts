import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { type Condition, type ConditionUpdate, formatTime, setCondition, trueCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { refOf } from '../lib/kube/paths.ts'
import { accountOf, accountToken } from './account-token.ts'
import { failedCondition } from './failed-condition.ts'
import { managedSet } from './informers.ts'
import { carryOut, planSet } from './object-set.ts'
import { recordedOwner } from './set-identity.ts'
import type { RegistrationDeps } from './settings.ts'
import { TOKEN_SET, type TokenLife, tokenAccount, tokenLife, tokenRights, tokenValuesSecret } from './token.ts'

const READY = 'Ready'

/** Gives registration tokens their account, rights and values, keeps these as they should be, and ends tokens in time (spec 3.3). */
export function createTokenController(deps: RegistrationDeps): Controller {
  const { client, clock, config, events, informers, settings, statuses, workers, metrics } = deps
  const { tokens, managed, accountTokens } = informers
  const log = deps.log.child({ controller: 'clusterregistrationtoken' })

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name, namespace } = parseKey(key)
    const token = tokens.get(name, namespace)
    if (!token || token.metadata.deletionTimestamp) return undefined
    try {
      return await bringUpToDate(token)
    } catch (error) {
      const failed = failedCondition(READY, token, error, clock.now())
      if (failed) await statuses.write(token, { conditions: conditionsWith(token, failed) }, { owned: ['conditions'] })
      throw error
    }
  }

  async function bringUpToDate(token: ClusterRegistrationToken): Promise<ReconcileResult | undefined> {
    const life = tokenLife(token, settings.tokenTtlRequired, clock.now())
    if (life.state === 'refused' || life.state === 'expired') return end(token, life)
    await provide(token)
    const expires = 'expires' in life ? { expires: formatTime(life.expires) } : {}
    const next = { secretName: token.metadata.name, ...expires, conditions: conditionsWith(token, trueCondition(READY)) }
    await statuses.write(token, next, { owned: ['secretName', 'expires', 'conditions'] })
    return life.state === 'good' ? { requeueAfterMs: life.expires - clock.now() + 1 } : undefined
  }

  function conditionsWith(token: ClusterRegistrationToken, update: ConditionUpdate): Condition[] {
    return setCondition(statuses.latest(token).status?.conditions, update, clock.now())
  }

  async function provide(token: ClusterRegistrationToken): Promise<void> {
    const hub = config.current()
    if (!hub) throw new WaitingError('waits for a configuration that can be read: see ConfigMap fleet-controller')
    const account = tokenAccount(token)
    const live = managed.ServiceAccount.get(account.name, account.namespace)
    const set = { id: TOKEN_SET, owner: token }
    const rights = tokenRights(token)
    if (!live) await carryOut(client, planSet(set, rights, { ...managedSet(informers, set), members: [] }))
    const secret = tokenValuesSecret(token, await accountToken(client, informers, live, account), hub, settings.systemNamespace)
    await carryOut(client, planSet(set, [...rights, secret], managedSet(informers, set)))
  }

  async function end(token: ClusterRegistrationToken, life: TokenLife): Promise<undefined> {
    const { uid } = token.metadata
    await client.delete(refOf(token), uid ? { uid } : {})
    const isExpired = life.state === 'expired'
    const because = isExpired ? 'its time is over' : 'tokens must have a ttl here, and it has none'
    log.info({ token: keyOf(token), because }, 'registration token deleted')
    const note = `the registration token is deleted: ${because}; agents that hold it need another one to register`
    events.event(token, {
      type: isExpired ? 'Normal' : 'Warning',
      reason: isExpired ? 'Expired' : 'TTLRequired',
      action: 'DeleteToken',
      note,
    })
    return undefined
  }

  const controller = createController({ name: 'clusterregistrationtoken', workers, reconcile, clock, log: deps.log, metrics })
  controller.watch(tokens)
  for (const members of [managed.ServiceAccount, managed.Secret, managed.Role, managed.RoleBinding]) {
    controller.watch(members, ({ object }) => {
      const owner = recordedOwner(object)
      return owner?.kind === 'ClusterRegistrationToken' ? [keyOf(owner)] : []
    })
  }
  controller.watch(accountTokens, ({ object }) => {
    const account = managed.ServiceAccount.get(accountOf(object) ?? '', object.metadata.namespace)
    const owner = account && recordedOwner(account)
    return owner?.kind === 'ClusterRegistrationToken' ? [keyOf(owner)] : []
  })
  config.onChange(() => {
    for (const token of tokens.list()) controller.enqueue(keyOf(token))
  })
  return controller
}
