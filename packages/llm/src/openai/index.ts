export { openAiEmbeddingPrices, openAiPrices } from '../price-rows.ts'
export {
  parsePriceRows,
  priceAt,
  priceRow,
  withOwnPrices,
  type PriceRow,
  type PriceTier,
} from '../prices.ts'
export { countTokens } from '../tokens.ts'
export { createOpenAiEmbedder } from './embedder.ts'
export { createOpenAiEngine, type OpenAiEngine } from './engine.ts'
export type { EndpointProbe, ProbedEndpoint } from './probe.ts'
export { recallProbe, type ProbeStore, type RecalledProbe } from './recall-probe.ts'
export { sentBody } from './request-body.ts'
export { callLimits, type OpenAiOptions } from './settings.ts'
