export { createDeterministicEngine } from './deterministic/engine.ts'
