// What every browser journey stands on. Import `test` and `expect` from here, never from @playwright/test:
//
//   import { expect, test } from "../fixtures";
//
//   test("a labeler draws a box", async ({ limn, admin, page, signIn, a11y, shots }) => {
//     const project = await limn.api(admin.token).post("/api/v1/projects", { name: "Raccoons", ... });
//     const lena = limn.createUser("lena@example.org", "labeler");
//     await signIn(page, lena);   // nothing is open yet
//     await page.goto("/");
//     await hydrated(page);            // wait until the page's code runs, before the first click
//     ...
//     await a11y(page);                // fails on serious or critical axe findings
//     await shots(page, "label-box");  // four pictures, only when LIMN_SHOTS names a folder
//   });
//
// Fixtures
//   limn    one server per worker and project (sqlite; postgres too when LIMN_TEST_PG is set): its own data
//           directory, port and database. Tests of a file share it, so name what you make uniquely (`unique`).
//             limn.baseURL            http://127.0.0.1:PORT (page.goto("/...") uses it)
//             limn.api(token)         get/post/put/patch/delete(path, body?) -> parsed JSON; throws on status >= 400
//                                     with the body; .raw(method, path, body?) -> Response
//             limn.createUser(email, role, password?) -> User {email, password, role, token}
//             limn.admin([...]) / limn.cli([...], token)   the command line on / against this server
//             limn.restart()          SIGTERM and start again, same data and port
//             limn.kill9() + limn.launchAgain()            a crash
//   ownLimn the same, but started for this one test: take it where you restart, kill or fill the server, or want other
//           settings (`test.use({ env: { LIMN__SECTION__KEY: "..." } })`).
//           page.goto("/...") does not know it: go to `${ownLimn.baseURL}/...`.
//   admin   the administrator (User) of `limn`.
//   signIn(page, user, baseURL?)  gives the page's context a session, as the sign-in page does; no page is opened.
//   a11y(page, {exclude?: [selectors]})   axe; fails on impact serious or critical.
//   shots(page, name)  NAME-{desktop,phone}-{light,dark}.png: 1440x900 and 390x844 in both themes.
//   Every page fails its test on an uncaught script error or a console error (see `quiet`; allow with
//   `test.use({ allowErrors: [/pattern/] })`).
//
// Functions: hydrated(page), unique(name), signInByForm(page, user) on the sign-in page.
// Run one file against an already built server: cd end2end && npx playwright test specs/smoke.spec.ts
// (LIMN_CHROMIUM=/usr/bin/chromium unless Playwright's own browser is installed).
import { test as base, expect as plain, type Page } from "@playwright/test";
import type axe from "axe-core";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { LimnServer, type User } from "./server";

export type { Role, User } from "./server";

const poll: typeof plain.poll = (actual, options) =>
  plain.poll(actual, { intervals: [50, 100, 150, 200, 400], ...(typeof options === "string" ? { message: options } : options) });

/** Playwright's own, except that a poll asks again sooner: what is waited for here mostly takes some hundred milliseconds. */
export const expect = new Proxy(plain, {
  get: (of, name) => (name === "poll" ? poll : Reflect.get(of, name)),
});

/** What looks for barriers, as a script for the page. */
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export type LimnOptions = {
  /** Which database the project's server runs on. */
  database: "sqlite" | "postgres";
};

/** JSON over the public API, as one token. */
export class Api {
  constructor(
    private readonly baseURL: () => string,
    private readonly token: string,
  ) {}

  async raw(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    let payload: BodyInit | undefined;
    if (body instanceof FormData || body instanceof Uint8Array || body instanceof Blob) payload = body as BodyInit;
    else if (body !== undefined) {
      headers["content-type"] = "application/json";
      payload = JSON.stringify(body);
    }
    return fetch(this.baseURL() + path, { method, headers, body: payload });
  }

  private async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.raw(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  get = <T = any>(path: string) => this.json<T>("GET", path);
  post = <T = any>(path: string, body?: unknown) => this.json<T>("POST", path, body);
  put = <T = any>(path: string, body?: unknown) => this.json<T>("PUT", path, body);
  patch = <T = any>(path: string, body?: unknown) => this.json<T>("PATCH", path, body);
  delete = <T = any>(path: string, body?: unknown) => this.json<T>("DELETE", path, body);
}

/** A running server with the helpers that tests use. */
export type Limn = LimnServer & { api(token: string): Api };

async function start(database: LimnOptions["database"], env: Record<string, string> = {}): Promise<Limn> {
  const server = await LimnServer.start(database, env);
  return Object.assign(server, { api: (token: string) => new Api(() => server.baseURL, token) });
}

/** A name no other test on this server uses. */
export function unique(name: string): string {
  return `${name} ${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;
}

/** Waits until the page's code runs: a click before that is lost. The app sets this mark when it is mounted. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
}

/** Waits, a second at most, for what is appearing or changing its colour: it is too pale for a moment. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const changed = async () => {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const changing = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity);
      await Promise.allSettled(changing.map((a) => a.finished));
    };
    await Promise.race([changed(), new Promise((done) => setTimeout(done, 1_000))]);
  });
}

/** Signs in on the sign-in page, which is open; leaves the page that comes then. */
export async function signInByForm(page: Page, user: User): Promise<void> {
  await page.getByLabel("Email").fill(user.email);
  await page.getByLabel("Password", { exact: true }).fill(user.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  await hydrated(page);
}

const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;

type TestFixtures = {
  ownLimn: Limn;
  signIn: (page: Page, user: User, baseURL?: string) => Promise<void>;
  a11y: (page: Page, options?: { exclude?: string[] }) => Promise<void>;
  shots: (page: Page, name: string) => Promise<void>;
  allowErrors: RegExp[];
  /** Settings of `ownLimn`. */
  env: Record<string, string>;
  quiet: void;
};
type WorkerFixtures = LimnOptions & { limn: Limn; admin: User };

export const test = base.extend<TestFixtures, WorkerFixtures>({
  database: ["sqlite", { option: true, scope: "worker" }],

  limn: [
    async ({ database }, use) => {
      const limn = await start(database);
      await use(limn);
      await limn.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  admin: [
    async ({ limn }, use) => {
      await use(limn.createUser("admin@example.org", "admin"));
    },
    { scope: "worker" },
  ],

  ownLimn: async ({ database, context, env }, use, info) => {
    const limn = await start(database, env);
    await use(limn);
    // Pages that still poll would complain of the server's end. After a failure their picture is worth more.
    if (info.status === info.expectedStatus) for (const page of context.pages()) await page.close();
    await limn.stop();
  },

  baseURL: async ({ limn }, use) => {
    await use(limn.baseURL);
  },

  signIn: async ({ limn }, use) => {
    await use(async (page, user, baseURL = limn.baseURL) => {
      const response = await page.context().request.post(`${baseURL}/api/v1/session`, {
        data: { email: user.email, password: user.password },
        headers: { origin: baseURL },
      });
      expect(response.status(), "signing in").toBe(200);
    });
  },

  a11y: async ({}, use) => {
    await use(async (page, options = {}) => {
      if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
      // In the page itself, and without a list of all that passes: that takes as long as the looking.
      await settled(page);
      const violations = await page.evaluate(async (exclude) => {
        const there = window as unknown as { axe: typeof axe };
        return (await there.axe.run({ include: [], exclude }, { resultTypes: ["violations"] })).violations;
      }, options.exclude ?? []);
      const bad = violations
        .filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.impact} ${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.target.join(" ")}: ${n.html.slice(0, 200)}`).join("\n")}`);
      expect(bad, `accessibility of ${page.url()}`).toEqual([]);
    });
  },

  shots: async ({}, use, info) => {
    await use(async (page, name) => {
      const folder = process.env.LIMN_SHOTS;
      if (!folder || info.project.name !== "sqlite") return;
      mkdirSync(folder, { recursive: true });
      const before = page.viewportSize();
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        for (const theme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
          await page.waitForTimeout(150);
          await settled(page);
          await page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) });
        }
      }
      await page.emulateMedia({ colorScheme: null, reducedMotion: null });
      if (before) await page.setViewportSize(before);
    });
  },

  allowErrors: [[], { option: true }],
  env: [{}, { option: true }],

  quiet: [
    async ({ context, limn, allowErrors }, use, info) => {
      const heard: string[] = [];
      const note = (text: string) => {
        if (!allowErrors.some((pattern) => pattern.test(text))) heard.push(text);
      };
      context.on("weberror", (e) => note(`uncaught: ${e.error().message}`));
      context.on("console", (m) => {
        if (m.type() === "error") note(`console: ${m.text()} (${m.location().url})`);
      });
      await use();
      if (info.status !== info.expectedStatus) await info.attach("server.log", { body: limn.log, contentType: "text/plain" });
      expect(heard, "errors in the browser").toEqual([]);
    },
    { auto: true },
  ],
});
