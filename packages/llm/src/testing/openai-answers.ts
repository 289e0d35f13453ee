/** Pieces of the provider's answers as they go on the wire, for tests. */
export const usage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 100, cache_write_tokens: 0 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 150,
}
export const response = (more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  model: 'test-1-2026-03-05',
  status: 'completed',
  service_tier: 'default',
  output: [message({ type: 'output_text', text: '{"a":1}', annotations: [] })],
  usage,
  incomplete_details: null,
  error: null,
  ...more,
})
export const message = (...content: object[]) => ({ type: 'message', role: 'assistant', content })
export const delta = (text: string) => ({ type: 'response.output_text.delta', delta: text })
export const completed = (more: object = {}) => ({
  type: 'response.completed',
  response: response(more),
})

export const error = (code: string | null, type = 'some_error') => ({
  error: { code, type, message: 'No.', param: null },
})
export const failedWith = (code: string) => ({
  type: 'response.failed',
  response: response({
    status: 'failed',
    output: [],
    usage: null,
    error: { code, message: 'No.' },
  }),
})
export const chunk = (choice: object | undefined, more: object = {}) => ({
  id: 'chatcmpl_1',
  object: 'chat.completion.chunk',
  model: 'local-model',
  choices: choice ? [{ index: 0, delta: {}, finish_reason: null, ...choice }] : [],
  ...more,
})
export const said = (content: string) => chunk({ delta: { content } })
export const stop = chunk({ finish_reason: 'stop' })
export const chatUsage = chunk(undefined, {
  usage: {
    prompt_tokens: 120,
    prompt_tokens_details: { cached_tokens: 100 },
    completion_tokens: 30,
  },
})
