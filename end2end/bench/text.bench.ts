// A document of a megabyte with 2,000 spans: how long it takes to open, and how fluid it is. Beside it a plain page that puts the same text
// into one <pre>, measured in the same run. Prints lines of a table; `cargo xtask bench --text` shows them.
import { makeTextProject, TextPage } from "../pages/text";
import { expect, test, unique } from "../fixtures";
import type { CDPSession, Page } from "@playwright/test";

const WORDS = "the quick brown fox jumps over a lazy dog while Ana Lopez of Köln writes letters to Rome 😀 and back".split(" ");

function document(bytes: number): string {
  let seed = 3;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const lines: string[] = [];
  for (let size = 0; size < bytes; ) {
    const line = Array.from({ length: 8 + Math.floor(random() * 60) }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ") + ".";
    lines.push(line);
    size += Buffer.byteLength(line) + 1;
  }
  return lines.join("\n");
}

const frame = (page: Page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

async function work(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find((m) => m.name === "TaskDuration")!.value * 1000;
}

/** Milliseconds from one frame to the next while an element scrolls through all of its text in two seconds: median, 95th percentile. */
async function scroll(page: Page, selector: string): Promise<[number, number]> {
  const gaps = await page.evaluate(async (selector) => {
    const el = document.querySelector(selector)!;
    const gaps: number[] = [];
    const began = performance.now();
    let last = began;
    for (;;) {
      const now = await new Promise<number>((done) => requestAnimationFrame(() => done(performance.now())));
      gaps.push(now - last);
      last = now;
      if (now - began > 2_000) return gaps.slice(1);
      el.scrollTop = ((now - began) / 2_000) * el.scrollHeight;
    }
  }, selector);
  gaps.sort((a, b) => a - b);
  return [gaps[Math.floor(gaps.length / 2)], gaps[Math.floor(gaps.length * 0.95)]];
}

test("a megabyte with 2,000 spans", async ({ limn, admin, page, signIn }) => {
  const text = document(1_040_000);
  const api = limn.api(admin.token);
  const project = await makeTextProject(api, unique("Long"), "entities", ["PER", "LOC"], { "long.txt": text, "short.txt": "Nothing." });
  const { rows } = await api.get(`/api/v1/projects/${project}/items`);
  const item = rows.map((r: any) => r.item).find((i: any) => i.name === "long.txt");
  const categories = await api.get(`/api/v1/projects/${project}/categories`);
  const length = [...text].length;
  const upserts = Array.from({ length: 2_000 }, (_, n) => {
    const start = Math.floor((n / 2_000) * (length - 40));
    return { id: `00000000-0000-7000-8000-${(n + 1).toString(16).padStart(12, "0")}`, category_id: categories[n % 2].id, kind: "span", start, end: start + 5 + (n % 17), z: n };
  });
  await api.put(`/api/v1/items/${item.id}/annotations`, { change_id: "10000000-0000-7000-8000-000000000001", base_revision: 0, upserts });
  await signIn(page, admin);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const label = new TextPage(page);
  const times: number[] = [];
  for (let n = 0; n < 4; n++) {
    await page.goto("about:blank");
    const began = Date.now();
    await page.goto(`/projects/${project}/label/${item.id}`);
    await page.waitForFunction(() => document.querySelectorAll(".label-text__block .label-text__mark").length >= 2_000, undefined, { timeout: 60_000, polling: "raf" });
    await frame(page);
    times.push(Date.now() - began);
  }
  await expect.poll(() => label.count()).toBe(2_000);
  const opened = times.slice(1).sort((a, b) => a - b)[1];
  const [median, worst] = await scroll(page, ".label-text__scroll");
  await page.evaluate(() => (document.querySelector(".label-text__scroll")!.scrollTop = 0));
  await frame(page);
  await label.double_click("quick", 30);
  await label.saved();
  const before = await work(cdp);
  for (let n = 31; n < 41; n++) {
    await label.double_click("quick", n);
    await frame(page);
  }
  const marking = (await work(cdp)) - before;
  await label.saved();
  expect(await label.count()).toBe(2_011);

  const plain = await page.context().newPage();
  const began = Date.now();
  await plain.setContent('<style>body{margin:0}#s{height:100vh;overflow-y:auto}pre{white-space:pre-wrap;max-width:78ch;margin:auto}</style><div id="s"><pre></pre></div>');
  await plain.evaluate((text) => (document.querySelector("pre")!.textContent = text), text);
  await frame(plain);
  const put = Date.now() - began;
  const [plainMedian, plainWorst] = await scroll(plain, "#s");
  const ms = (v: number) => v.toFixed(0);
  console.log(`| Limn, 2,000 spans | ${ms(opened)} | ${ms(median)} | ${ms(worst)} | ${(marking / 10).toFixed(1)} |`);
  console.log(`| a page with the text in one \`<pre>\`, without spans | ${ms(put)} | ${ms(plainMedian)} | ${ms(plainWorst)} | |`);
});
