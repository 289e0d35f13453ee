import js from '@eslint/js'
import ts from 'typescript-eslint'

/** A vendor that only one package may import; each has its reason in docs/architecture.md. */
const onlyIn = (name, owner) => ({
  name,
  message: `only ${owner} imports ${name}; everything else goes through its ports.`,
})

export default ts.config(
  { ignores: ['**/node_modules/', '**/dist/', '.almanac/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A promise that nobody waits for is a lost error.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'only packages/runtime reads the environment.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            onlyIn('pg', 'packages/db'),
            onlyIn('kysely', 'packages/db'),
            onlyIn('bullmq', 'packages/queue'),
            onlyIn('ioredis', 'packages/queue'),
            onlyIn('openai', 'packages/llm'),
          ],
        },
      ],
    },
  },
  {
    files: [
      'packages/db/**',
      'packages/queue/**',
      'packages/llm/**',
      'apps/simulator/**',
      'test/**',
    ],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['packages/runtime/**', 'test/**', '**/*.test.ts', 'vitest.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['apps/cli/**', 'apps/simulator/src/main.ts', 'test/bench/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.test.ts', 'test/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
