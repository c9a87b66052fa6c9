// Pictures too large to be shown whole, and deeper than a screen: cut into tiles, drawn by them, labeled to the pixel, with
// the view turned and not.
import { makeProject, png, png16, tiff } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, test, unique } from "../fixtures";
import type { Api } from "../fixtures";
import type { Page } from "@playwright/test";

type Point = [number, number];

async function add(api: Api, project: string, name: string, bytes: Buffer): Promise<string> {
  const response = await api.raw("POST", `/api/v1/projects/${project}/items?name=${name}`, new Uint8Array(bytes));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text).item.id;
}

async function tiled(api: Api, item: string): Promise<any> {
  await expect
    .poll(async () => (await api.get(`/api/v1/items/${item}/picture`)).state, { timeout: 60_000 })
    .toBe("tiled");
  return api.get(`/api/v1/items/${item}/picture`);
}

async function boxes(api: Api, project: string): Promise<{ x: number; y: number; w: number; h: number }[]> {
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  return row.annotations.map((a: any) => a.rect);
}

/** Where the pointer is on the image, by what the page says. */
async function place(page: Page, at: Point): Promise<Point> {
  await page.mouse.move(at[0] + 1, at[1]);
  await page.mouse.move(...at);
  const pill = page.getByText(/^x [\d.]+ y [\d.]+$/);
  await page.waitForTimeout(60);
  const m = /x ([\d.]+) y ([\d.]+)/.exec(await pill.innerText())!;
  return [Number(m[1]), Number(m[2])];
}

/** Where points of the image are on the screen: measured at three places near the middle, so for any zoom and turn, as long as it stays. */
async function measured(page: Page, label: LabelPage, step = 90): Promise<(point: Point) => Point> {
  const area = (await label.stage.boundingBox())!;
  const o: Point = [Math.round(area.x + area.width / 2), Math.round(area.y + area.height / 2)];
  const a = await place(page, o);
  const b = await place(page, [o[0] + step, o[1]]);
  const c = await place(page, [o[0], o[1] + step]);
  const [ux, uy] = [(b[0] - a[0]) / step, (b[1] - a[1]) / step];
  const [vx, vy] = [(c[0] - a[0]) / step, (c[1] - a[1]) / step];
  const d = ux * vy - uy * vx;
  return ([x, y]) => {
    const [dx, dy] = [x - a[0], y - a[1]];
    return [o[0] + (dx * vy - dy * vx) / d, o[1] + (ux * dy - uy * dx) / d];
  };
}

/** Zooms in on a point of the image until it fills the view at 32 times its size or more. */
async function zoomTo(page: Page, label: LabelPage, at: Point): Promise<void> {
  const zoom = async () => Number((await page.getByRole("button", { name: /^Zoom \d/ }).innerText()).replaceAll(/[^\d.]/g, ""));
  for (let n = 0; n < 40 && (await zoom()) < 3200; n++) {
    await page.mouse.move(...(await measured(page, label))(at));
    for (let k = 0; k < 3 && (await zoom()) < 3200; k++) {
      await page.mouse.wheel(0, -240);
      await page.waitForTimeout(40);
    }
  }
  expect(await zoom()).toBeGreaterThanOrEqual(3200);
}

/** The colour that the picture's canvas has at a place of the page. */
async function shade(page: Page, at: Point): Promise<number[]> {
  return page.evaluate(([x, y]) => {
    const canvas = document.querySelector<HTMLCanvasElement>("canvas.label__layer")!;
    const r = canvas.getBoundingClientRect();
    const k = canvas.width / r.width;
    const d = canvas.getContext("2d")!.getImageData(Math.round((x - r.left) * k), Math.round((y - r.top) * k), 1, 1).data;
    return [d[0], d[1], d[2]];
  }, at);
}

async function draw(page: Page, from: Point, to: Point): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 3 });
  await page.mouse.move(...to, { steps: 3 });
  await page.mouse.up();
}

test("a TIFF of 8,192 x 8,192 pixels is cut, opens by itself and is labeled to the pixel", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(150_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Slides"), { items: 0 });
  const item = await add(api, project.id, "slide.tif", tiff(8192, 8192));
  await signIn(page, admin);
  const label = new LabelPage(page);
  const first = page.waitForResponse((r) => /\/tiles\/\d+\/0\/0$/.test(r.url()) && r.ok(), { timeout: 60_000 });
  await label.open(project.id, item);
  // Without a reload, however long cutting takes.
  await first;
  await expect(page.getByTestId("cutting")).toHaveCount(0);
  const picture = await tiled(api, item);
  expect([picture.width, picture.height, picture.levels, picture.format]).toEqual([8192, 8192, 5, "png"]);
  await a11y(page);
  await shots(page, "large-fit");
  await page.setViewportSize({ width: 1440, height: 900 });

  const corner: Point = [5000, 3000];
  await zoomTo(page, label, corner);
  await page.keyboard.press("1");
  await page.keyboard.press("r");
  let to = await measured(page, label);
  const at = (x: number, y: number) => to([x, y]);
  // What is shown there, and what the page says of it: bright inside, dark outside, without a blur between.
  await expect.poll(() => shade(page, at(5001.5, 3001.5))).toEqual([235, 235, 235]);
  expect((await shade(page, at(4998.5, 3001.5)))[0]).toBe((4998 >> 5) & 127);
  await page.mouse.move(...at(4998.5, 3001.5));
  await expect(page.getByTestId("value")).toHaveText(String((4998 >> 5) & 127));
  await page.mouse.move(...at(5002.5, 3001.5));
  await expect(page.getByTestId("value")).toHaveText("235");
  await draw(page, at(5000, 3000), at(5008, 3004));
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  await shots(page, "large-close");
  await page.setViewportSize({ width: 1440, height: 900 });
  const near = (got: any, want: any) => {
    for (const side of ["x", "y", "w", "h"]) expect(Math.abs(got[side] - want[side]), JSON.stringify(got)).toBeLessThanOrEqual(0.5);
  };
  near((await boxes(api, project.id))[0], { x: 5000, y: 3000, w: 8, h: 4 });

  // A quarter turn, then an odd angle: what is drawn is still in the image's own pixels.
  for (const [n, key, turn] of [[1, ".", "90°"], [2, "Shift+Period", "95°"]] as const) {
    await page.keyboard.press(key);
    await expect(page.getByTestId("turn")).toHaveText(turn);
    to = await measured(page, label);
    // The second from its far corner.
    const [from, end]: [Point, Point] = n === 1 ? [[5002, 3006], [5008, 3010]] : [[4998, 3008], [4992, 3004]];
    await page.keyboard.press("r");
    await draw(page, at(...from), at(...end));
    await expect.poll(() => label.count()).toBe(n + 1);
    await label.saved();
    near((await boxes(api, project.id))[n], { x: Math.min(from[0], end[0]), y: Math.min(from[1], end[1]), w: 6, h: 4 });
    await expect.poll(() => shade(page, at(5001.5, 3001.5))).toEqual([235, 235, 235]);
  }
  await page.keyboard.press("v");
  await shots(page, "large-turned");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByTestId("turn").click();
  await expect(page.getByTestId("turn")).toHaveCount(0);
  // Its thumbnail comes from the tiles.
  expect((await api.raw("GET", `/media/items/${item}/thumb`)).ok).toBe(true);
});

test("16 bits: window and level, the value under the pointer, equalised", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Scans"), { items: 0 });
  const value = (x: number, y: number) => 20_000 + x * 8 + y;
  const item = await add(api, project.id, "scan.png", png16(300, 200, value));
  await signIn(page, admin);
  const label = new LabelPage(page);
  const picture = await tiled(api, item);
  await label.open(project.id, item);
  expect([picture.bits, picture.channels]).toEqual([16, 1]);
  expect(picture.range).toEqual([20_000, value(299, 199)]);
  const at = (await measured(page, label))([150.5, 100.5]);
  await page.mouse.move(...at);
  await expect(page.getByTestId("value")).toHaveText(String(value(150, 100)));
  const expected = (low: number, high: number) => Math.round(((value(150, 100) - low) / (high - low)) * 255);
  const shown = async () => (await shade(page, at))[0];
  const [low, high] = picture.window;
  await expect.poll(async () => Math.abs((await shown()) - expected(low, high))).toBeLessThanOrEqual(3);

  await page.keyboard.press("i");
  await page.getByRole("button", { name: "All values" }).click();
  await expect.poll(async () => Math.abs((await shown()) - expected(20_000, value(299, 199)))).toBeLessThanOrEqual(3);
  // A narrow window above the value makes it black; the value stays what it is.
  await page.getByLabel("Window", { exact: false }).first().fill("400");
  await page.getByLabel("Level", { exact: false }).first().fill("22000");
  await expect.poll(shown).toBe(0);
  await page.mouse.move(at[0] + 1, at[1]);
  await page.mouse.move(...at);
  await expect(page.getByTestId("value")).toHaveText(String(value(150, 100)));
  await a11y(page);
  await shots(page, "deep-window");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Auto" }).click();
  await expect.poll(async () => Math.abs((await shown()) - expected(low, high))).toBeLessThanOrEqual(3);
  await page.getByLabel("Equalise what is in view").check();
  await expect
    .poll(() => page.locator("canvas.label__layer").first().evaluate((c) => getComputedStyle(c).filter))
    .toContain("label-equal");
  await expect.poll(() => page.locator("#label-equal feFuncR").getAttribute("tableValues")).toMatch(/^0\.000 .* 1\.000$/);
});

test("a picture that cannot be cut says why, and colours tell an attribute", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Colours"), { items: 0 });
  // Whole by its directory; its first strip is said to be deflate and is not.
  const bad = tiff(8192, 8192);
  const compression = bad.readUInt32LE(4) + 2 + 3 * 12 + 8;
  bad.writeUInt32LE(8, compression);
  const rows = bad.readUInt32LE(4) + 2 + 7 * 12 + 8;
  bad.writeUInt32LE(8192, rows);
  const item = await add(api, project.id, "broken.tif", bad);
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id, item);
  await expect(page.getByTestId("cutting")).toContainText("broken.tif", { timeout: 30_000 });
  await a11y(page);
  await shots(page, "large-broken");
  await page.setViewportSize({ width: 1440, height: 900 });

  const good = await add(api, project.id, "good.png", png(3));
  const raccoon = project.categories.find((c) => c.name === "raccoon")!;
  await api.patch(`/api/v1/categories/${raccoon.id}`, {
    attributes: [{ name: "Pose", type: "select", options: ["left", "right"], default: "right" }],
  });
  await label.open(project.id, good);
  await page.keyboard.press("1");
  await label.draw([0.4, 0.4], [0.6, 0.6]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("i");
  await page.getByLabel("Colour by").selectOption({ label: "Pose" });
  await expect(page.getByTestId("legend")).toContainText("right");
  const swatch = (n: number) =>
    page.getByTestId("legend").locator("li i").nth(n).evaluate((e) => getComputedStyle(e).backgroundColor.match(/\d+/g)!.map(Number));
  const area = (await label.stage.boundingBox())!;
  const sign = async () =>
    page.evaluate(([x, y]) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas[data-testid=shapes]")!;
      const k = canvas.width / canvas.getBoundingClientRect().width;
      return [...canvas.getContext("2d")!.getImageData(x * k, y * k, 1, 1).data];
    }, [area.width * 0.4 + 2, area.height * 0.4 - 15]);
  const right = await swatch(1);
  // The sign with the name has the colour of the value.
  await expect.poll(async () => (await sign()).slice(0, 3).every((v, n) => Math.abs(v - right[n]) <= 24)).toBe(true);
  await page.getByLabel("Turn").fill("30");
  await expect(page.getByTestId("turn")).toHaveText("30°");
  await a11y(page);
  await shots(page, "legend");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Reset" }).click();
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await expect(page.getByTestId("legend")).toHaveCount(0);
});
