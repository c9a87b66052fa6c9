import { defineConfig, type Project } from "@playwright/test";
import type { LimnOptions } from "./fixtures";

// Started by `cargo xtask test`, which builds the server and says by environment where things are:
// LIMN_BIN (the server), LIMN_CHROMIUM (the browser), LIMN_TEST_PG and LIMN_PG_BIN (PostgreSQL).
const project = (name: string, database: LimnOptions["database"], grep?: RegExp): Project<LimnOptions> => ({
  name,
  use: { database },
  grep,
});

// The Rust tests run every service and every route on both databases. Through the browser, a second database needs only what they do not have:
// somebody who labels from the first box to the export, people who label at once, and a page whose server is killed. These tests have the tag.
const ON_BOTH = /@both/;

export default defineConfig<LimnOptions>({
  testDir: "specs",
  outputDir: "test-results",
  // Journeys on one server build on each other's state only inside a file.
  fullyParallel: false,
  workers: Number(process.env.LIMN_WORKERS ?? 2),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: !!process.env.CI,
  // A machine that is busy elsewhere must not fail a run of many minutes; what passed only the second time is named at the end.
  retries: 1,
  reporter: "list",
  // The short one first: a worker that changes over to the other database at the very end leaves the other one without work.
  projects: [
    ...(process.env.LIMN_TEST_PG ? [project("postgres", "postgres", ON_BOTH)] : []),
    project("sqlite", "sqlite"),
  ],
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    screenshot: "only-on-failure",
    // A trace of every test would be a good part of the work: it fetches each file of a page again, and looks through the page at every step.
    trace: "on-first-retry",
    launchOptions: {
      executablePath: process.env.LIMN_CHROMIUM || undefined,
      // Without a locale of UTF-8 the browser leaves out chosen files whose names are not ASCII.
      env: { ...(process.env as Record<string, string>), LC_ALL: "C.UTF-8" },
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
      ],
    },
  },
});
