import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

export default defineConfig({
  root: 'web',
  plugins: [react()],
  resolve: { conditions: ['@haip/source', ...defaultClientConditions] },
  build: { outDir: '../dist/web', emptyOutDir: true },
});
