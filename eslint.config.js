import tseslint from 'typescript-eslint';

/** Arrows point one way: coordinator, worker, cli -> shared (docs/architecture.md). */
const never = (files, patterns, message) => ({
  files,
  rules: {
    '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ regex: patterns, message }] }],
  },
});

export default tseslint.config(
  { ignores: ['dist/**', '.build/**', 'node_modules/**', 'runs/**'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  never(['shared/**/*.ts'], '/(coordinator|worker|cli)/', 'shared/ stands below coordinator, worker and cli'),
  never(['worker/**/*.ts'], '/(coordinator|cli)/', 'worker/ imports only shared/'),
  never(['coordinator/**/*.ts'], '/(worker|cli)/', 'coordinator/ imports only shared/'),
  never(['cli/**/*.ts'], '/(coordinator|worker)/', 'cli/ imports only shared/'),
  never(
    ['shared/{method,networks}/**/*.ts'],
    '/(engine|protocol|checkpoint|model)/',
    'networks and method know no engine',
  ),
  never(
    ['shared/engine/**/*.ts'],
    '/(method|model|protocol|data|checkpoint|config)/',
    'the engine knows no ARDM',
  ),
  never(
    ['shared/protocol/**/*.ts'],
    '/(method|model|networks|engine|data)/',
    'protocol knows names and bytes only',
  ),
);
