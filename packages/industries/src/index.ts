export { checkIndustry, type IndustryCheck } from './check.ts'
export {
  createMatcher,
  matchEvidence,
  type Matchable,
  type MatchedKeys,
  type Matcher,
} from './match.ts'
export { plainText, plainTitle } from './plain-text.ts'
export {
  findIndustry,
  findIndustryByHash,
  getIndustry,
  industries,
  industryHash,
  installIndustry,
  scopedCatalogue,
} from './registry.ts'
export { createScopeScanner, type OutOfScopeTerm, type ScopeScanner } from './scope-scanner.ts'
