// ImageScan: looks for new versions of an image, to write them back to git.
import { duration, flag, int64, kind, object, type Static, text, time } from './schema.ts'
import { conditions } from './status.ts'

const ImageScanSpec = object(
  {
    tagName: text('Name by which files refer to the scan.'),
    gitrepoName: text('The GitRepo to write to.'),
    image: text('Image without tag.'),
    interval: duration('How often to look.'),
    secretRef: object({ name: text('Its name.') }, 'Secret with credentials of the registry.', { 'x-kubernetes-map-type': 'atomic' }),
    suspend: flag('Do not look.'),
    policy: object(
      {
        semver: object({ range: text('Range of versions.') }, 'The highest version of a range.'),
        alphabetical: object(
          { order: text('DESC or empty takes the greatest tag, anything else the smallest.') },
          'The first or last tag in the order of the alphabet.',
        ),
        numerical: object(
          { order: text('DESC or empty takes the greatest number, ASC the smallest.') },
          'The greatest or smallest tag that is a number. Alone, without another policy.',
        ),
        newest: object({}, 'The tag whose image was made last, as its configuration says. Alone, without another policy.'),
      },
      'Which tag is the newest. Without any: the highest version.',
    ),
    filterTags: object(
      {
        pattern: text('Regular expression (RE2) that the whole tag has to match.'),
        extract: text('What the policy goes by in place of the tag, with $1 or $name for groups of the pattern.'),
      },
      'Which tags count.',
    ),
  },
  'What to look for.',
  { required: ['image', 'interval'] },
)
/** What to look for. */
export type ImageScanSpec = Static<typeof ImageScanSpec>

const ImageScanStatus = object(
  {
    conditions,
    lastScanTime: time('When it last looked.'),
    latestImage: text('The newest image with its tag.'),
    latestTag: text('The newest tag.'),
    latestDigest: text('Digest of the newest image.'),
    observedGeneration: int64('The generation that this status is about.'),
    canonicalImageName: text('The image with its registry spelled out.'),
  },
  'What was found.',
)
/** What was found. */
export type ImageScanStatus = Static<typeof ImageScanStatus>

export const ImageScan = kind({ spec: ImageScanSpec, status: ImageScanStatus }, 'Looks for new versions of an image.', ['spec'])
/** Looks for new versions of an image. */
export type ImageScan = Static<typeof ImageScan>
