// Main-thread milliseconds a frame with thousands of polygons on one image: ours, and an SVG page of the same shapes.
// Prints lines of a table; `cargo xtask bench canvas` shows them.
import { finished, makeProject, png } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Browser, CDPSession, Page } from "@playwright/test";
import { readFileSync } from "node:fs";

const SIZE = { width: 4000, height: 3000 };
const FRAMES = 60;

/** Star-shaped polygons of 12 corners in a grid that fills the image; the same each time. */
function polygons(count: number): number[][] {
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const columns = Math.ceil(Math.sqrt((count * SIZE.width) / SIZE.height));
  const rows = Math.ceil(count / columns);
  const [w, h] = [SIZE.width / columns, SIZE.height / rows];
  return Array.from({ length: count }, (_, n) => {
    const [cx, cy] = [((n % columns) + 0.5) * w, (Math.floor(n / columns) + 0.5) * h];
    return Array.from({ length: 12 }, (_, k) => {
      const [a, r] = [(k / 12) * 2 * Math.PI, 0.3 + 0.2 * random()];
      return [cx + Math.cos(a) * r * w * 0.95, cy + Math.sin(a) * r * h * 0.95].map((v) => Math.round(v * 100) / 100);
    }).flat();
  });
}

/** Seconds of processor time that the page's main thread has worked so far. */
async function metrics(cdp: CDPSession): Promise<{ task: number }> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return { task: metrics.find((m) => m.name === "TaskDuration")!.value };
}

const frame = (page: Page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Main-thread milliseconds a step. */
async function cost(page: Page, cdp: CDPSession, steps: number, step: (n: number) => Promise<void>): Promise<number> {
  await step(0);
  await frame(page);
  const before = await metrics(cdp);
  for (let n = 1; n <= steps; n++) {
    await step(n);
    await frame(page);
  }
  const after = await metrics(cdp);
  return ((after.task - before.task) * 1000) / steps;
}

/** What a zoom costs once it rests, until all is drawn anew: the most of one step of two frames, and how many steps work. */
async function rest(page: Page, cdp: CDPSession): Promise<string> {
  let [most, busy] = [0, 0];
  let before = await metrics(cdp);
  for (let n = 0; n < 150; n++) {
    await frame(page);
    const after = await metrics(cdp);
    const took = (after.task - before.task) * 1000;
    most = Math.max(most, took);
    if (took > 4) busy++;
    before = after;
  }
  return `${ms(most)}, ${busy}`;
}

/** The most that one of these steps of two frames costs. */
async function dearest(page: Page, cdp: CDPSession, steps: number, step: (n: number) => Promise<void>): Promise<number> {
  let most = 0;
  for (let n = 0; n < steps; n++) {
    const before = await metrics(cdp);
    await step(n);
    await frame(page);
    most = Math.max(most, ((await metrics(cdp)).task - before.task) * 1000);
  }
  return most;
}

async function session(page: Page): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  return cdp;
}

const ms = (v: number) => v.toFixed(1);

/** Resident megabytes of all processes that hold pages or draw them: WebAssembly's memory, canvases and pictures with them. */
async function resident(browser: Browser): Promise<number> {
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  await cdp.detach();
  const kib = processInfo
    .filter((p) => ["renderer", "GPU"].includes(p.type))
    .map((p) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${p.id}/status`, "utf8"))?.[1] ?? 0));
  return kib.reduce((a, b) => a + b, 0) / 1024;
}

// The graphics card is one that the browser pretends to have: its work is another process's, what is counted is the page's.
const ways = [
  ["Limn", "never"],
  ["Limn, graphics card", "always"],
] as const;

for (const count of [1_000, 10_000, 50_000]) {
  test(`${count} polygons`, async ({ limn, admin, page, signIn }) => {
    const shapes = polygons(count);
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Bench"), { task: "segmentation", items: 0 });
    const picture = new Uint8Array(png(1, SIZE.width, SIZE.height));
    await api.raw("POST", `/api/v1/projects/${project.id}/items?name=big.png`, picture);
    const [row] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
    const labels = shapes.map((ring, n) => ({
      id: `00000000-0000-7000-8000-${(n + 1).toString(16).padStart(12, "0")}`,
      category_id: project.categories[n % 2].id,
      kind: "polygon",
      parts: [[Array.from({ length: 12 }, (_, k) => [ring[2 * k], ring[2 * k + 1]])]],
      z: n,
    }));
    for (let from = 0, revision = 0; from < count; from += 10_000, revision++) {
      await api.put(`/api/v1/items/${row.item.id}/annotations`, {
        change_id: `10000000-0000-7000-8000-${from.toString(16).padStart(12, "0")}`,
        base_revision: revision,
        upserts: labels.slice(from, from + 10_000),
      });
    }
    await signIn(page, admin);
    const browser = page.context().browser()!;
    let held = 0;
    for (const [way, card] of ways) {
      const label = new LabelPage(page);
      await page.goto("/");
      await page.evaluate((card) => localStorage.setItem("limn-look", JSON.stringify({ card })), card);
      await page.goto("about:blank");
      const empty = await resident(browser);
      const opening = Date.now();
      await label.open(project.id);
      await expect.poll(() => label.count(), { timeout: 120_000 }).toBe(count);
      const opened = Date.now() - opening;
      await page.keyboard.press("v");
      const cdp = await session(page);
      const area = (await label.stage.boundingBox())!;
      const [cx, cy] = [area.x + area.width / 2, area.y + area.height / 2];
      await page.mouse.move(cx, cy);
      // Zoomed in a bit, so that there is somewhere to pan to.
      await page.mouse.wheel(0, -200);
      await frame(page);
      const hand = async (on: boolean) => (on ? page.keyboard.down("Space") : page.keyboard.up("Space"));
      await hand(true);
      await page.mouse.down();
      const pan = await cost(page, cdp, FRAMES, (n) => page.mouse.move(cx + 2 * n, cy + n));
      await page.mouse.up();
      await hand(false);
      const zoom = await cost(page, cdp, FRAMES / 2, (n) => page.mouse.wheel(0, n % 2 ? -120 : 120));
      await page.mouse.wheel(0, -120);
      const rested = await rest(page, cdp);
      // Further than the stretched picture reaches, there and back.
      const near = await dearest(page, cdp, 16, (n) => page.mouse.wheel(0, n < 8 ? -90 : 90));
      await page.waitForTimeout(2_000);
      await hand(true);
      await page.mouse.down();
      const wide = await dearest(page, cdp, 40, (n) => page.mouse.move(cx + 25 * (n < 20 ? n : 40 - n), cy + 10));
      await page.mouse.up();
      await hand(false);
      const far = Math.max(near, wide);
      await page.waitForTimeout(2_000);
      const hover = await cost(page, cdp, FRAMES, (n) => page.mouse.move(cx - 200 + 7 * n, cy - 100 + 3 * n));
      // One shape, dragged as a whole.
      await page.keyboard.press("Tab");
      await page.keyboard.press("c");
      await frame(page);
      await page.keyboard.press("z");
      await frame(page);
      await page.mouse.move(cx, cy);
      await page.mouse.down();
      const drag = await cost(page, cdp, FRAMES / 2, (n) => page.mouse.move(cx + 2 * n, cy + n));
      const saving = await metrics(cdp);
      await page.mouse.up();
      await label.saved();
      const saved = await metrics(cdp);
      held = await resident(browser);
      console.log(
        `| ${way} | ${count} | ${ms(pan)} | ${ms(zoom)} | ${rested} | ${ms(far)} | ${ms(hover)} | ${ms(drag)} | ${ms((saved.task - saving.task) * 1000)} | ${ms(held - empty)} | ${opened} |`,
      );
      await cdp.detach();
    }

    // The same shapes as an SVG page draws them: a path each, in a group that is moved.
    const svg = await page.context().newPage();
    const paths = shapes.map((r, n) => `<path d="M${r.join(" ")}z" class="c${n % 2}"/>`).join("");
    const loading = Date.now();
    await svg.setContent(
      `<style>body{margin:0;overflow:hidden}svg{width:100vw;height:100vh}path{stroke-width:1.5;fill-opacity:.1;vector-effect:non-scaling-stroke}path:hover{fill-opacity:.3}.c0{fill:#3e63dd;stroke:#3e63dd}.c1{fill:#e5484d;stroke:#e5484d}</style><svg><g id="g">${paths}</g></svg>`,
    );
    await frame(svg);
    const loaded = Date.now() - loading;
    const svgCdp = await session(svg);
    const move = (x: number, y: number, k: number) =>
      svg.evaluate(([x, y, k]) => document.getElementById("g")!.setAttribute("transform", `translate(${x} ${y}) scale(${k})`), [x, y, k]);
    await move(0, 0, 0.35);
    await frame(svg);
    const svgPan = await cost(svg, svgCdp, FRAMES / 4, (n) => move(2 * n, n, 0.35));
    const svgZoom = await cost(svg, svgCdp, FRAMES / 4, (n) => move(0, 0, n % 2 ? 0.4 : 0.35));
    const svgHover = await cost(svg, svgCdp, FRAMES / 4, (n) => svg.mouse.move(400 + 7 * n, 300 + 3 * n));
    const svgDrag = await cost(svg, svgCdp, FRAMES / 4, (n) =>
      svg.evaluate((n) => document.querySelector("path:nth-child(400)")!.setAttribute("transform", `translate(${2 * n} ${n})`), n),
    );
    const more = (await resident(browser)) - held;
    console.log(
      `| SVG page | ${count} | ${ms(svgPan)} | ${ms(svgZoom)} | | | ${ms(svgHover)} | ${ms(svgDrag)} | | ${ms(more)} | ${loaded} |`,
    );
  });
}
