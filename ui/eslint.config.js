import vue from 'eslint-plugin-vue'
import ts from 'typescript-eslint'

const han = /[\u3400-\u9fff\uf900-\ufaff]/u

// Words for people stand in the locale files alone.
const words = {
  rules: {
    'no-chinese': {
      create: (context) => ({
        Program() {
          context.sourceCode.lines.forEach((line, at) => {
            if (han.test(line)) context.report({ loc: { line: at + 1, column: 0 }, message: 'words belong into the locale files' })
          })
        },
      }),
    },
  },
}

export default ts.config(
  { ignores: ['dist/**', 'src/shared/types/**', 'node_modules/**'] },
  ...ts.configs.recommended,
  ...vue.configs['flat/recommended'],
  {
    files: ['src/**/*.{ts,vue}'],
    ignores: ['src/**/*.test.ts'],
    plugins: { words },
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      'words/no-chinese': 'error',
      'max-lines': ['error', 250],
      'vue/multi-word-component-names': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/attributes-order': 'off',
      'vue/require-default-prop': 'off',
      'no-undef': 'off',
    },
  },
)
