export { changeTypes, type Change, type ChangeType, type Place } from './diff/changes.ts'
export { countChanges } from './diff/counts.ts'
export { applyDiff, diff, diffOutlines, type Diff } from './diff/diff.ts'
export type { Outlined } from './diff/outlined.ts'
export { renderDiffHtml } from './diff/render-html.ts'
export { renderDiffText } from './diff/render-text.ts'
export * from './guard/index.ts'
export { judgementOf, type Judgement } from './merge/judgement.ts'
export {
  merge,
  type Conflict,
  type LeftOut,
  type MergeOptions,
  type MergePorts,
  type Merged,
  type Variant,
} from './merge/merge.ts'
export { takeProposal, type MergeProposal } from './merge/proposal.ts'
export {
  semanticSimilarity,
  type Embed,
  type Similarity,
} from './similarity/semantic-similarity.ts'
export { tfidfSimilarity } from './similarity/tfidf.ts'
export { briefText, variantBriefs } from './strategies/briefs.ts'
export {
  createChildVersion,
  underLabelOf,
  type ChildVersion,
  type NewVersion,
  type Version,
  type VersionMetadata,
} from './versions/child-version.ts'
export { gainOf, type Gain, type Judged, type MetricGain } from './versions/gain.ts'
export { nextChildVersion, nextChildVersions } from './versions/labels.ts'
