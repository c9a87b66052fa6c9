// `cargo xtask bench canvas`: the label page with thousands of polygons, beside an SVG page of the same shapes.
import base from "./playwright.config";
import { defineConfig } from "@playwright/test";
import type { LimnOptions } from "./fixtures";

export default defineConfig<LimnOptions>({
  ...base,
  testDir: "bench",
  testMatch: "*.bench.ts",
  workers: 1,
  timeout: 600_000,
  // A trace looks through the whole page at every step, on the thread that is measured.
  use: { ...base.use, trace: "off", screenshot: "off" },
  projects: [{ name: "sqlite", use: { database: "sqlite" } }],
});
