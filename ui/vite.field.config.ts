// The field app: built into dist/field, served by the dev server now and by the shell later.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: at('./src/field'),
  base: '/',
  plugins: [vue()],
  resolve: { alias: { '@shared': at('./src/shared') } },
  // No plugin-legacy: what it adds are inline scripts, which the policy forbids, for WebViews without modules,
  // which have no WebGL2 for the map either. public/check.js tells those what to do.
  build: { outDir: at('./dist/field'), emptyOutDir: true, target: 'chrome100', chunkSizeWarningLimit: 1500 },
  server: { port: 5173, proxy: { '/api': 'http://127.0.0.1:8787' } },
  test: { root: at('./src'), environment: 'happy-dom', include: ['**/*.test.ts'] },
})
