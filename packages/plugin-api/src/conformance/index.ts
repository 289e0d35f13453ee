export type { Check } from './check.ts'
export { delivererConformance, sampleDelivery, type DelivererCase } from './deliverer.ts'
export { engineConformance, sampleRequests } from './engine.ts'
export { exporterConformance } from './exporter.ts'
export { judgeConformance } from './judge.ts'
export { kindConformance, type KindSample } from './kind.ts'
export { metricConformance } from './metric.ts'
export {
  mergeConformance,
  sampleMerge,
  terminationConformance,
  variantConformance,
} from './refinement.ts'
export { sampleDocuments, type Sample } from './samples.ts'
