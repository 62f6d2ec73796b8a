// Vite for the dashboard: the build that the control plane serves, and `npm run dev`, which passes the API on to a
// platform that runs (WRENN_URL, http://127.0.0.1:8080 when unset).
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { xtermUnderPolicy } from './build/xterm-under-policy.ts'

const platform = process.env['WRENN_URL'] ?? 'http://127.0.0.1:8080'
const api = ['/v1', '/health', '/docs', '/openapi.yaml']

// oxlint-disable-next-line import/no-default-export -- Vite takes no other
export default defineConfig({
  plugins: [react(), tailwind(), xtermUnderPolicy()],
  // Else the development server bundles it ahead of plugins.
  optimizeDeps: { exclude: ['@xterm/xterm'] },
  build: {
    target: 'es2022',
    // Else small files become data: URLs, which the policy refuses but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
  server: {
    proxy: Object.fromEntries(api.map((path) => [path, { target: platform, changeOrigin: true, ws: true }])),
  },
})
