// The supervisors' console: built into dist/console, served by the town below /console/.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: at('./src/console'),
  base: '/console/',
  plugins: [vue()],
  resolve: { alias: { '@shared': at('./src/shared') } },
  // The content security policy knows no inline script: no preload polyfill, no inlined asset.
  build: {
    outDir: at('./dist/console'), emptyOutDir: true, target: 'chrome100', chunkSizeWarningLimit: 1500,
    assetsInlineLimit: 0, modulePreload: { polyfill: false },
  },
})
