// The model that learns while people label: turned on, fed with labels, its proposals accepted by the page, its curve watched.
import { drawn, type Project } from "../pages/data";
import { makeTextProject, TextPage } from "../pages/text";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";
import type { Page } from "@playwright/test";

const KINDS = ["disc", "square", "triangle"];

/** Numbers 0..1 that repeat. */
function random(seed: number) {
  let s = (seed * 2654435761) >>> 0;
  return () => {
    s = (Math.imul(s ^ (s >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    return ((s ^ (s >>> 13)) >>> 0) / 4294967296;
  };
}

/** A disc, a square or a triangle somewhere on a dark ground. */
function shape(kind: number, seed: number): Buffer {
  const r = random(seed * 3 + kind + 1);
  const [cx, cy, size, tint] = [32 + r() * 32, 32 + r() * 32, 18 + r() * 10, r() * 40];
  return drawn(96, 96, (x, y) => {
    const [dx, dy] = [x - cx, y - cy];
    const inside =
      kind === 0 ? dx * dx + dy * dy < size * size
      : kind === 1 ? Math.abs(dx) < size * 0.85 && Math.abs(dy) < size * 0.85
      : dy < size * 0.8 && dy > -size && Math.abs(dx) < (dy + size) * 0.6;
    const noise = r() * 14;
    return inside ? [200 + noise, 190 + noise, 150 + tint + noise] : [40 + noise, 46 + noise, 60 + noise];
  });
}

async function shapes(api: Api, name: string, items: number): Promise<Project> {
  const project = await api.post("/api/v1/projects", {
    name,
    task: "classification",
    categories: KINDS.map((c, i) => ({ name: c, hotkey: i + 1 })),
  });
  for (let n = 0; n < items; n++) {
    const kind = (n * 7 + Math.floor(n / 3)) % 3;
    const path = `/api/v1/projects/${project.id}/items?name=${encodeURIComponent(`${KINDS[kind]}-${n}.png`)}`;
    const response = await api.raw("POST", path, new Uint8Array(shape(kind, n)));
    if (!response.ok) throw new Error(await response.text());
  }
  return { id: project.id, name, categories: await api.get(`/api/v1/projects/${project.id}/categories`) };
}

/** Labels the cells of the page as their names say, by mouse and keys. */
async function labelPage(page: Page): Promise<number> {
  const cells = page.getByTestId("cell");
  const names = await cells.evaluateAll((all) => all.map((cell) => cell.getAttribute("aria-label") ?? ""));
  const n = names.length;
  for (const [k, kind] of KINDS.entries()) {
    await page.keyboard.press("Escape");
    const own = [...names.keys()].filter((i) => names[i].startsWith(kind));
    for (const [nth, i] of own.entries()) await cells.nth(i).click({ modifiers: nth ? ["ControlOrMeta"] : [] });
    if (own.length) await page.keyboard.press(String(k + 1));
  }
  await expect(page.getByTestId("grid-count")).toContainText(`${n} of ${n} labeled`);
  await page.keyboard.press("Enter");
  return n;
}

test("labels teach a model, whose proposals are accepted by the page", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(240_000);
  const api = limn.api(admin.token);
  const project = await shapes(api, unique("Assist"), 150);
  const assist = () => api.get(`/api/v1/projects/${project.id}/assist`);
  await signIn(page, admin);

  // Off at first; one button turns it on, and it looks at the pictures by itself.
  // Before anything was looked at, those like a picture are not to be had, and the page says how they are.
  const { item } = (await api.get(`/api/v1/projects/${project.id}/items?limit=1`)).rows[0];
  await page.goto(`/projects/${project.id}/items/${item.id}/similar`);
  await hydrated(page);
  await expect(page.getByRole("heading", { name: "These items cannot be compared yet" })).toBeVisible();
  await page.getByRole("link", { name: "Go to the assist" }).click();
  await expect(page.getByRole("heading", { name: "Let a model help" })).toBeVisible();
  await a11y(page);
  await shots(page, "assist-off");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Turn the assist on" }).click();
  await expect(page.getByTestId("assist-message")).toContainText("the model begins at 10", { timeout: 90_000 });
  expect((await assist()).items).toMatchObject({ seen: 150, prelabeled: 0 });
  expect((await assist()).items.clustered).toBeGreaterThan(0);
  await shots(page, "assist-waiting");
  await page.setViewportSize({ width: 1440, height: 900 });

  // Now the items say what looks like one of them, by a key, by a button of each, and from the label page.
  await page.goto(`/projects/${project.id}/items`);
  await hydrated(page);
  await page.locator("#item-0").focus();
  await page.keyboard.press("s");
  await page.waitForURL(/\/similar$/);
  const alike = page.getByRole("list", { name: "Similar items" });
  await expect(alike.getByRole("listitem")).toHaveCount(60);
  await expect(page.getByRole("heading", { name: `Most like ${item.name}` })).toBeVisible();
  await expect(alike.getByRole("listitem").first()).toContainText(/\d %/);
  await a11y(page);
  await shots(page, "items-alike");
  await page.setViewportSize({ width: 1440, height: 900 });
  const second = alike.getByRole("link", { name: /^Similar to / }).first();
  const name = (await second.getAttribute("aria-label"))!.replace("Similar to ", "");
  await second.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: `Most like ${name}` })).toBeVisible();
  await page.getByRole("link", { name: "All items" }).click();
  await expect(page.getByRole("list", { name: "Items", exact: true })).toBeVisible();
  await page.goto(`/projects/${project.id}/label/${item.id}`);
  await hydrated(page);
  await page.getByRole("button", { name: "More for this item" }).click();
  await page.getByRole("menuitem", { name: "Similar items" }).click();
  await expect(page.getByRole("heading", { name: `Most like ${item.name}` })).toBeVisible();
  await page.goto(`/projects/${project.id}/assist`);
  await hydrated(page);

  // Fewer trainings than labels: the journey says when.
  await page.getByLabel("The model is trained").selectOption("button");
  await page.getByLabel("Keep every model in the registry").check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  // A few pages of the grid are labeled; the first are of every kind.
  await page.goto(`/projects/${project.id}/label`);
  await hydrated(page);
  await page.getByRole("button", { name: "Several items at once" }).click();
  await page.getByRole("button", { name: "16 items on a page" }).click();
  let labeled = 0;
  for (const pages of [1, 2, 3, 4]) {
    await expect(page.getByTestId("cell")).toHaveCount(16);
    labeled += await labelPage(page);
    await expect.poll(async () => (await assist()).new_labels, { timeout: 20_000 }).toBe(pages * 16);
  }
  // Nothing of this is held while the model proposes.
  await page.goto(`/projects/${project.id}/assist`);
  await hydrated(page);
  const held = (await api.get(`/api/v1/projects/${project.id}/items?status=todo&limit=200`)).rows.map((r: any) => (r.item ?? r).id);
  await api.post(`/api/v1/projects/${project.id}/queue/release`, { items: held });
  await page.getByRole("button", { name: "Train now" }).click();
  await expect(page.getByTestId("assist-version")).toHaveText("Model 1", { timeout: 60_000 });
  await expect.poll(async () => (await assist()).state, { timeout: 60_000 }).toBe("ready");
  const ready = await assist();
  expect(ready.items.prelabeled).toBeGreaterThan(16);
  expect(ready.model.figures.trained_on + ready.model.figures.holdout).toBe(labeled);
  await expect(page.getByTestId("learning-curve")).toBeVisible();
  await expect(page.getByRole("table", { name: "Accuracy by category" }).getByRole("row")).toHaveCount(4);
  await expect(page.getByText(/items of the holdout are labeled/)).toBeVisible();
  await a11y(page);
  await shots(page, "assist-ready");
  await page.setViewportSize({ width: 1440, height: 900 });

  // A page of proposals: accepted by one key, submitted by another.
  await page.getByRole("main").getByRole("link", { name: "Label", exact: true }).last().click();
  await page.waitForURL(/\/label/);
  const cells = page.getByTestId("cell");
  await expect(cells).toHaveCount(16);
  await expect(cells.first()).toHaveAttribute("aria-label", /suggested/);
  await shots(page, "assist-proposals");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("g");
  await expect(page.getByTestId("grid-count")).toContainText("16 of 16 labeled");
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await assist()).work.accepted, { timeout: 20_000 }).toBe(16);
  const done = await api.get(`/api/v1/projects/${project.id}/items?status=done&limit=200`);
  const wrong = done.rows.filter((r: any) => {
    const kind = project.categories.find((c) => c.id === r.annotations[0].category_id)!.name;
    return !(r.item ?? r).name.startsWith(kind);
  });
  expect(wrong.length).toBeLessThanOrEqual(2);
  expect(done.rows.every((r: any) => r.annotations.every((a: any) => a.source === "human"))).toBe(true);

  // The curve grows with the next model, and the command line says the same.
  const told = limn.cli(["assist", "train", "--project", project.name], admin.token);
  expect(told).toContain("Model 2");
  await page.goto(`/projects/${project.id}/assist`);
  await hydrated(page);
  await expect(page.getByTestId("assist-version")).toHaveText("Model 2");
  await expect(page.getByRole("img", { name: /Proposals: Accepted 16/ })).toBeVisible();
  expect(limn.cli(["assist", "status", "--project", project.name], admin.token)).toMatch(/model 2: learned from \d+ labels/);
  expect(limn.cli(["assist", "settings", "--project", project.name, "--accuracy", "0.9"], admin.token)).toContain("accuracy\t0.9");

  // Each model is a run with its figures, and a registered version.
  await page.getByRole("link", { name: "Its run" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f]+$/);
  await expect(page.getByRole("heading", { name: "assist model 2" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Metrics" })).toContainText("accuracy");
  await page.getByRole("link", { name: `${project.name} assist, version 2` }).click();
  await page.waitForURL(/\/models\/.*\/versions\/2$/);
  await expect(page.getByText("categories.json")).toBeVisible();
  await page.goto(`/projects/${project.id}/assist`);
  await hydrated(page);

  // A run that fails says so where people look for the model, with why, what next and the log; trying again is one button.
  await page.route("**/ui/assist/get", async (route) => {
    const response = await route.fetch();
    const json = { ...(await response.json()), state: "failed", message: "The stored model cannot be read; train it again." };
    await route.fulfill({ response, json });
  });
  const failed = page.getByTestId("assist-failed");
  await expect(failed).toContainText("train it again", { timeout: 20_000 });
  // The accuracy that was changed may have taught it once more.
  await expect(failed).toContainText(/what model [23] proposed/);
  await expect(failed.getByRole("link", { name: "Read the log" })).toHaveAttribute("href", /^\/jobs\//);
  await a11y(page);
  await shots(page, "assist-failed");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.unroute("**/ui/assist/get");
  await expect.poll(async () => (await assist()).state, { timeout: 60_000 }).toBe("ready");
  const { version } = (await assist()).model;
  await failed.getByRole("button", { name: "Try again" }).click();
  await expect(failed).toBeHidden();
  await expect(page.getByTestId("assist-version")).toHaveText(`Model ${version + 1}`, { timeout: 60_000 });
  await expect.poll(async () => (await assist()).state, { timeout: 60_000 }).toBe("ready");

  // Off: what was proposed and not accepted goes, except of what somebody holds; labels stay.
  const todo = (await api.get(`/api/v1/projects/${project.id}/items?status=todo&limit=200`)).rows.map((r: any) => (r.item ?? r).id);
  await api.post(`/api/v1/projects/${project.id}/queue/release`, { items: todo });
  await page.getByRole("button", { name: "Turn off" }).click();
  await expect(page.getByRole("heading", { name: "Let a model help" })).toBeVisible();
  await expect.poll(async () => (await assist()).items.prelabeled, { timeout: 30_000 }).toBe(0);
  expect((await api.get(`/api/v1/projects/${project.id}/items?status=done&limit=200`)).rows.length).toBe(labeled + 16);
});

/** One or two bright blocks on a dark ground of 96 by 96 pixels times `scale`, and where they are. Networks take no less than 96 by 96. */
function blocks(seed: number, scale = 1): { bytes: Buffer; boxes: { kind: number; rect: { x: number; y: number; w: number; h: number } }[] } {
  const r = random(seed + 77);
  const block = (kind: number, ...place: [number, number, number, number]) => {
    const [x, y, w, h] = place.map((v) => Math.round(v * scale));
    return { kind, rect: { x, y, w, h } };
  };
  const left = block(seed % 2, 3 + r() * 14, 6 + r() * 44, 18 + r() * 10, 18 + r() * 14);
  const right = block((seed + 1) % 2, 52 + r() * 12, 6 + r() * 44, 18 + r() * 10, 18 + r() * 14);
  const boxes = seed % 3 === 0 ? [left] : [left, right];
  const bytes = drawn(96 * scale, 96 * scale, (x, y) => {
    const noise = r() * 16;
    const over = boxes.find(({ rect }) => x >= rect.x && x < rect.x + rect.w && y >= rect.y && y < rect.y + rect.h);
    if (!over) return [36 + noise, 44 + noise, 58 + noise];
    return over.kind === 0 ? [214 + noise, 150 + noise, 60 + noise] : [70 + noise, 160 + noise, 220 + noise];
  });
  return { bytes, boxes };
}

test("boxes that people drew teach a model that draws the next ones", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(420_000);
  const api = limn.api(admin.token);
  const name = unique("Blocks");
  const { id } = await api.post("/api/v1/projects", {
    name,
    task: "detection",
    categories: ["crate", "barrel"].map((c, i) => ({ name: c, hotkey: i + 1 })),
  });
  const categories = await api.get(`/api/v1/projects/${id}/categories`);
  const there = new Map<string, ReturnType<typeof blocks>["boxes"]>();
  for (let n = 0; n < 60; n++) {
    const { bytes, boxes } = blocks(n);
    const response = await api.raw("POST", `/api/v1/projects/${id}/items?name=${n}.png`, new Uint8Array(bytes));
    if (!response.ok) throw new Error(await response.text());
    there.set(`${n}.png`, boxes);
  }
  const assist = () => api.get(`/api/v1/projects/${id}/assist`);
  await signIn(page, admin);
  await page.goto(`/projects/${id}/assist`);
  await hydrated(page);
  await page.getByRole("button", { name: "Turn the assist on" }).click();
  await expect(page.getByTestId("assist-message")).toContainText("from 10 pictures", { timeout: 90_000 });
  await page.getByLabel("The model is trained").selectOption("button");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  // A labeler with a script of their own draws what is there.
  for (let done = 0; done < 30; ) {
    const taken = await api.post(`/api/v1/projects/${id}/queue/take`, { count: 10 });
    for (const work of taken.items) {
      const boxes = there.get(work.item.name)!;
      await api.post(`/api/v1/items/${work.item.id}/submit`, {
        revision: work.annotations.revision,
        change: {
          change_id: crypto.randomUUID(),
          base_revision: work.annotations.revision,
          upserts: boxes.map(({ kind, rect }) => ({
            id: crypto.randomUUID(), category_id: categories[kind].id, kind: "box", rect, z: 0, source: "human",
          })),
          removes: [],
          active_ms: 3000,
        },
      });
      done++;
    }
  }

  // It learns in the background, and says how far it is.
  await page.reload();
  await hydrated(page);
  await page.getByRole("button", { name: "Train now" }).click();
  await expect(page.getByTestId("assist-message")).toContainText(/Learning from \d+ pictures/, { timeout: 60_000 });
  await shots(page, "assist-boxes-learning");
  await page.setViewportSize({ width: 1440, height: 900 });
  // A short training first, and a full one right after it.
  await expect(page.getByTestId("assist-version")).toHaveText(/Model [12]/, { timeout: 120_000 });
  await expect(page.getByTestId("assist-version")).toHaveText("Model 2", { timeout: 180_000 });
  await expect.poll(async () => (await assist()).state, { timeout: 60_000 }).toBe("ready");
  const ready = await assist();
  expect(ready.curve.length).toBe(1);
  expect(ready.model.figures).toMatchObject({ basis: "holdout" });
  expect(ready.model.figures.map50).toBeGreaterThan(0.5);
  expect(ready.items.prelabeled).toBeGreaterThan(5);
  await expect(page.getByText(/mAP50 [01]\.\d/).first()).toBeVisible();
  await a11y(page);
  await shots(page, "assist-boxes");
  await page.setViewportSize({ width: 1440, height: 900 });

  // The next picture comes with boxes, which one key takes.
  await page.goto(`/projects/${id}/label`);
  await hydrated(page);
  await expect(page.getByTestId("suggestions")).toContainText(/suggestion/);
  await shots(page, "assist-boxes-proposals");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("g");
  await expect(page.getByTestId("suggestions")).toBeHidden();
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await assist()).work.accepted, { timeout: 20_000 }).toBe(1);
  const done = (await api.get(`/api/v1/projects/${id}/items?status=done&limit=200`)).rows;
  const taken = done.find((r: any) => !r.annotations.every((a: any) => Number.isInteger(a.rect.x) && Number.isInteger(a.rect.w)));
  const truth = there.get((taken.item ?? taken).name)!;
  const right = taken.annotations.filter((a: any) =>
    truth.some(({ kind, rect }) => {
      const { x, y, w, h } = a.rect;
      const over = Math.max(0, Math.min(x + w, rect.x + rect.w) - Math.max(x, rect.x)) * Math.max(0, Math.min(y + h, rect.y + rect.h) - Math.max(y, rect.y));
      return categories[kind].id === a.category_id && over / (w * h + rect.w * rect.h - over) > 0.5;
    }),
  );
  expect(right.length).toBeGreaterThan(0);
  expect(taken.annotations.every((a: any) => a.source === "human")).toBe(true);
});

/** Runs of pixels down the columns of a rectangle's own window: all of them. */
const full = (w: number, h: number) => counts([0, w * h]);

/** COCO's compressed counts of up to three runs. */
function counts(runs: number[]): string {
  let text = "";
  for (let x of runs) {
    for (let more = true; more; ) {
      let c = x & 0x1f;
      x >>= 5;
      more = c & 0x10 ? x !== -1 : x !== 0;
      if (more) c |= 0x20;
      text += String.fromCharCode(c + 48);
    }
  }
  return text;
}

test("masks that people painted teach a model that paints the next ones", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(300_000);
  const api = limn.api(admin.token);
  const name = unique("Fields");
  const { id } = await api.post("/api/v1/projects", {
    name,
    task: "semantic",
    categories: ["sand", "water"].map((c, i) => ({ name: c, hotkey: i + 1 })),
  });
  const categories = await api.get(`/api/v1/projects/${id}/categories`);
  const there = new Map<string, ReturnType<typeof blocks>["boxes"]>();
  for (let n = 0; n < 60; n++) {
    const { bytes, boxes } = blocks(n, 0.5);
    const response = await api.raw("POST", `/api/v1/projects/${id}/items?name=${n}.png`, new Uint8Array(bytes));
    if (!response.ok) throw new Error(await response.text());
    there.set(`${n}.png`, boxes);
  }
  const assist = () => api.get(`/api/v1/projects/${id}/assist`);
  await signIn(page, admin);
  await page.goto(`/projects/${id}/assist`);
  await hydrated(page);
  await page.getByRole("button", { name: "Turn the assist on" }).click();
  await expect(page.getByTestId("assist-message")).toContainText("Masks are learned from 10 pictures", { timeout: 90_000 });
  await page.getByLabel("The model is trained").selectOption("button");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  // A labeler with a script of their own paints what is there: each block is of another category.
  for (let done = 0; done < 30; ) {
    const taken = await api.post(`/api/v1/projects/${id}/queue/take`, { count: 10 });
    for (const work of taken.items) {
      await api.post(`/api/v1/items/${work.item.id}/submit`, {
        revision: work.annotations.revision,
        change: {
          change_id: crypto.randomUUID(),
          base_revision: work.annotations.revision,
          upserts: there.get(work.item.name)!.map(({ kind, rect: { x, y, w, h } }) => ({
            id: crypto.randomUUID(), category_id: categories[kind].id, kind: "mask", z: 0, source: "human",
            mask: { x, y, width: w, height: h, counts: full(w, h) },
          })),
          removes: [],
          active_ms: 3000,
        },
      });
      done++;
    }
  }
  await page.reload();
  await hydrated(page);
  await page.getByRole("button", { name: "Train now" }).click();
  await expect(page.getByTestId("assist-version")).toHaveText("Model 1", { timeout: 240_000 });
  await expect.poll(async () => (await assist()).state, { timeout: 60_000 }).toBe("ready");
  const ready = await assist();
  expect(ready.model.figures).toMatchObject({ basis: "holdout", map50: null });
  expect(ready.model.figures.miou).toBeGreaterThan(0.5);
  expect(ready.items.prelabeled).toBeGreaterThan(5);
  await expect(page.getByText(/mean IoU [01]\.\d/).first()).toBeVisible();
  await expect(page.getByRole("table", { name: "Accuracy by category" }).getByRole("columnheader", { name: "IoU" })).toBeVisible();
  await a11y(page);
  await shots(page, "assist-masks");
  await page.setViewportSize({ width: 1440, height: 900 });

  // The next picture comes with masks, which one key takes.
  await page.goto(`/projects/${id}/label`);
  await hydrated(page);
  await expect(page.getByTestId("suggestions")).toContainText(/suggestion/);
  const item = (await page.getByTestId("item-name").textContent())!;
  await shots(page, "assist-masks-proposals");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("g");
  await expect(page.getByTestId("suggestions")).toBeHidden();
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await assist()).work.accepted, { timeout: 20_000 }).toBe(1);
  const done = (await api.get(`/api/v1/projects/${id}/items?status=done&limit=200`)).rows;
  const taken = done.find((d: any) => (d.item ?? d).name === item);
  expect(taken.annotations.every((a: any) => a.source === "human" && a.kind === "mask")).toBe(true);
  // Each lies where a block of its category is.
  const near = taken.annotations.filter((a: any) =>
    there.get(item)!.some(({ kind, rect }) => {
      const m = a.mask;
      const w = Math.min(m.x + m.width, rect.x + rect.w) - Math.max(m.x, rect.x);
      const h = Math.min(m.y + m.height, rect.y + rect.h) - Math.max(m.y, rect.y);
      const over = Math.max(0, w) * Math.max(0, h);
      return categories[kind].id === a.category_id && over / (m.width * m.height + rect.w * rect.h - over) > 0.5;
    }),
  );
  expect(near.length).toBeGreaterThan(0);
});

/** A letter of four sentences, and where names are in it: persons (0) and places (1), in Unicode scalar values. */
function letter(seed: number): { text: string; spans: { kind: number; start: number; end: number }[] } {
  const r = random(seed + 311);
  const syllables = ["ba", "ko", "ri", "mel", "tan", "du", "vor", "sha", "lin", "gre", "no", "pa"];
  const name = () => {
    const word = Array.from({ length: 2 + Math.floor(r() * 2) }, () => syllables[Math.floor(r() * 12)]).join("");
    return word[0].toUpperCase() + word.slice(1);
  };
  const sentences = [
    ["@P", " lives in ", "@L", ". "],
    ["Yesterday ", "@P", " met ", "@P", " near ", "@L", ".\r\n"],
    ["The train from ", "@L", " to ", "@L", " was late. \u{1f600} "],
    ["Nothing happened on Monday in the Garden.\r\n"],
    ["Mr. ", "@P", " bought a house in ", "@L", ". "],
  ];
  let text = `\u{1f680} Letter ${seed}\r\n`;
  const spans = [];
  for (let n = 0; n < 4; n++) {
    for (const part of sentences[n === 0 ? seed % 2 : Math.floor(r() * sentences.length)]) {
      if (!part.startsWith("@")) {
        text += part;
        continue;
      }
      const start = [...text].length;
      text += name();
      spans.push({ kind: part === "@P" ? 0 : 1, start, end: [...text].length });
    }
  }
  return { text, spans };
}

test("spans that people marked teach a model that marks the next ones", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(180_000);
  const api = limn.api(admin.token);
  const letters = new Map(Array.from({ length: 70 }, (_, n) => [`${n}.txt`, letter(n)]));
  const texts = Object.fromEntries([...letters].map(([name, { text }]) => [name, text]));
  const id = await makeTextProject(api, unique("Names"), "entities", ["person", "place"], texts);
  const categories = await api.get(`/api/v1/projects/${id}/categories`);
  const assist = () => api.get(`/api/v1/projects/${id}/assist`);
  await signIn(page, admin);
  await page.goto(`/projects/${id}/assist`);
  await hydrated(page);
  await page.getByRole("button", { name: "Turn the assist on" }).click();
  await expect(page.getByTestId("assist-message")).toContainText("from 10 documents", { timeout: 90_000 });
  await page.getByLabel("The model is trained").selectOption("button");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  // A labeler with a script of their own marks what is there.
  for (let done = 0; done < 40; ) {
    const taken = await api.post(`/api/v1/projects/${id}/queue/take`, { count: 10 });
    for (const work of taken.items) {
      await api.post(`/api/v1/items/${work.item.id}/submit`, {
        revision: work.annotations.revision,
        change: {
          change_id: crypto.randomUUID(),
          base_revision: work.annotations.revision,
          upserts: letters.get(work.item.name)!.spans.map(({ kind, start, end }) => ({
            id: crypto.randomUUID(), category_id: categories[kind].id, kind: "span", start, end, z: 0, source: "human",
          })),
          removes: [],
          active_ms: 3000,
        },
      });
      done++;
    }
  }
  await page.reload();
  await hydrated(page);
  await page.getByRole("button", { name: "Train now" }).click();
  await expect(page.getByTestId("assist-version")).toHaveText("Model 1", { timeout: 60_000 });
  await expect.poll(async () => (await assist()).state, { timeout: 60_000 }).toBe("ready");
  const ready = await assist();
  expect(ready.model.figures).toMatchObject({ basis: "holdout" });
  expect(ready.items.prelabeled).toBeGreaterThan(10);
  await expect(page.getByText("Spans right").first()).toBeVisible();
  await expect(page.getByText(/with exactly the ends that people gave them/)).toBeVisible();
  await a11y(page);
  await shots(page, "assist-spans");
  await page.setViewportSize({ width: 1440, height: 900 });

  // The next document comes with spans: one is accepted by its key, the others all at once.
  const label = new TextPage(page);
  await label.open(id);
  await expect(page.getByTestId("suggestions")).toContainText(/suggestion/);
  const shown = await label.spans();
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.every((s) => s.endsWith(", suggestion"))).toBe(true);
  const item = (await page.getByTestId("item-name").textContent())!;
  await shots(page, "assist-spans-proposals");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByTestId("object").first().click();
  await page.keyboard.press("y");
  await expect.poll(async () => (await label.spans())[0].endsWith(", suggestion")).toBe(false);
  await page.keyboard.press("g");
  await expect(page.getByTestId("suggestions")).toBeHidden();
  await label.saved();
  await label.submit();
  await expect.poll(async () => (await assist()).work.accepted, { timeout: 20_000 }).toBe(1);
  const done = (await api.get(`/api/v1/projects/${id}/items?status=done&limit=200`)).rows;
  const taken = done.find((d: any) => (d.item ?? d).name === item);
  const { spans } = letters.get(item)!;
  const right = taken.annotations.filter((a: any) =>
    spans.some(({ kind, start, end }) => categories[kind].id === a.category_id && a.start === start && a.end === end),
  );
  expect(taken.annotations.every((a: any) => a.source === "human")).toBe(true);
  expect(right.length).toBeGreaterThan(taken.annotations.length / 2);
});
