// Versions and constraints on them.
import { type Constraint, ConstraintError, parseConstraint } from '../../semver/constraint.ts'
import { compareVersions, formatVersion, parseVersion, type Version } from '../../semver/version.ts'
import { fail } from '../errors.ts'
import { type GoFunction, GoObject, uint64, type Value } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'

const INVALID = 'Invalid Semantic Version'

/** Functions of versions. */
export const SEMVER: FunctionTable = {
  semver: define(['string'], (text) => new VersionValue(versionOf(text), text, '*semver.Version')),
  semverCompare: defineWith(['string', 'string'], (run, constraint, text) => {
    const matches = run.remember(`constraint ${constraint}`, () => constraintOf(constraint))
    return matches(versionOf(text))
  }),
}

function versionOf(text: string): Version {
  return parseVersion(text) ?? fail(INVALID)
}

function constraintOf(text: string): Constraint {
  try {
    return parseConstraint(text)
  } catch (error) {
    return error instanceof ConstraintError ? fail(`improper constraint: ${error.message}`) : fail(String(error))
  }
}

/** A version with Go's methods on it. What comes of one by a method is no pointer, and has only some of them. */
class VersionValue extends GoObject {
  readonly type: string
  readonly version: Version
  readonly original: string

  constructor(version: Version, original: string, type: '*semver.Version' | 'semver.Version') {
    super()
    this.version = version
    this.original = original
    this.type = type
  }

  get kind(): 'struct' | 'ptr' {
    return this.type.startsWith('*') ? 'ptr' : 'struct'
  }

  text(): string {
    return formatVersion(this.version)
  }

  fields(): readonly (readonly [string, Value])[] {
    const { major, minor, patch, pre, build } = this.version
    return [
      ['major', uint64(major)],
      ['minor', uint64(minor)],
      ['patch', uint64(patch)],
      ['pre', pre],
      ['metadata', build],
      ['original', this.original],
    ]
  }

  json(): Value {
    return this.text()
  }

  equals(other: GoObject): boolean {
    return other instanceof VersionValue && other.original === this.original && other.text() === this.text()
  }

  method(name: string): GoFunction | undefined {
    const own = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
    const called = own ?? (this.kind === 'ptr' && Object.hasOwn(POINTER_METHODS, name) ? POINTER_METHODS[name] : undefined)
    return called?.(this)
  }

  /** Another version, written as this one was: with or without a `v`. */
  changed(change: Partial<Version>): VersionValue {
    const version = { ...this.version, ...change }
    return new VersionValue(version, (this.original.startsWith('v') ? 'v' : '') + formatVersion(version), 'semver.Version')
  }
}

type Method = (receiver: VersionValue) => GoFunction

const METHODS: Readonly<Record<string, Method>> = {
  Major: ({ version }) => define([], () => uint64(version.major)),
  Minor: ({ version }) => define([], () => uint64(version.minor)),
  Patch: ({ version }) => define([], () => uint64(version.patch)),
  Prerelease: ({ version }) => define([], () => version.pre),
  Metadata: ({ version }) => define([], () => version.build),
  String: (receiver) => define([], () => receiver.text()),
  IncMajor: (receiver) =>
    define([], () => receiver.changed({ major: receiver.version.major + 1n, minor: 0n, patch: 0n, pre: '', build: '' })),
  IncMinor: (receiver) => define([], () => receiver.changed({ minor: receiver.version.minor + 1n, patch: 0n, pre: '', build: '' })),
  IncPatch: (receiver) => define([], () => receiver.changed(nextPatch(receiver.version))),
  SetPrerelease: (receiver) =>
    define(['string'], (pre) => {
      if (pre !== '' && !parseVersion(`1.0.0-${pre}`)) fail('Invalid Prerelease string')
      return receiver.changed({ pre })
    }),
  SetMetadata: (receiver) =>
    define(['string'], (build) => {
      if (build !== '' && !parseVersion(`1.0.0+${build}`)) fail('Invalid Metadata string')
      return receiver.changed({ build })
    }),
}

const POINTER_METHODS: Readonly<Record<string, Method>> = {
  Original: (receiver) => define([], () => receiver.original),
  Compare: (receiver) => define(['version'], (other) => BigInt(compared(receiver, other))),
  LessThan: (receiver) => define(['version'], (other) => compared(receiver, other) < 0),
  LessThanEqual: (receiver) => define(['version'], (other) => compared(receiver, other) <= 0),
  GreaterThan: (receiver) => define(['version'], (other) => compared(receiver, other) > 0),
  GreaterThanEqual: (receiver) => define(['version'], (other) => compared(receiver, other) >= 0),
  Equal: (receiver) => define(['version'], (other) => other !== null && compared(receiver, other) === 0),
}

/** A pre-release is followed by its release. */
function nextPatch({ patch, pre }: Version): Partial<Version> {
  return { patch: pre === '' ? patch + 1n : patch, pre: '', build: '' }
}

function compared(receiver: VersionValue, other: GoObject | null): number {
  if (!(other instanceof VersionValue)) fail('invalid memory address or nil pointer dereference')
  return Math.sign(compareVersions(receiver.version, other.version))
}
