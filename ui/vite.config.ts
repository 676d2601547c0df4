import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  build: {
    // The web views that Tauri 2 supports; older ones do not start it at all.
    target: ["safari16.4", "chrome111"],
    // The grid is one package of its own, loaded when a table is first opened.
    chunkSizeWarningLimit: 1_200,
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
