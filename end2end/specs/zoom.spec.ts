// The picture and the shapes once a zoom rests, drawn over several frames, are the same as drawn at once; and as sharp as the screen.
import { drawn, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, test, unique } from "../fixtures";
import type { Page } from "@playwright/test";

const SIZE = { width: 1200, height: 900 };
const COUNT = 400;

/** What a canvas of the stage holds, as a number; and how many different values its pixels have, up to a few. */
async function canvas(page: Page, nth: number): Promise<[number, number]> {
  return page.getByTestId("stage").locator("canvas").nth(nth).evaluate((el) => {
    const c = el as HTMLCanvasElement;
    const { data } = c.getContext("2d")!.getImageData(0, 0, c.width, c.height);
    const pixels = new Uint32Array(data.buffer);
    let sum = 17;
    const values = new Set<number>();
    for (const p of pixels) {
      sum = (Math.imul(sum, 31) + p) | 0;
      if (values.size < 100) values.add(p);
    }
    return [sum, values.size] as [number, number];
  });
}

/** Keeps the picture's pixels in the page; answers the share of those that are others than at the last call. */
async function changed(page: Page): Promise<number> {
  return page.getByTestId("stage").locator("canvas").first().evaluate((el) => {
    const c = el as HTMLCanvasElement;
    const now = new Uint32Array(c.getContext("2d")!.getImageData(0, 0, c.width, c.height).data.buffer);
    const kept = window as unknown as { before?: Uint32Array };
    const before = kept.before;
    kept.before = now;
    return before ? now.reduce((n, p, i) => n + Number(p !== before[i]), 0) / now.length : 1;
  });
}

test("what is drawn once a zoom rests is what is drawn at once", async ({ limn, admin, page, signIn }) => {
  test.slow();
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Zoom"), { task: "segmentation", items: 0 });
  const noisy = drawn(SIZE.width, SIZE.height, (x, y) => [(x * 7 + y * 3) % 256, (x * y) % 251, (x ^ y) % 256]);
  await api.raw("POST", `/api/v1/projects/${project.id}/items?name=noisy.png`, new Uint8Array(noisy));
  const [row] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  const upserts = Array.from({ length: COUNT }, (_, n) => {
    const [x, y] = [(n % 25) * 48 + 4, Math.floor(n / 25) * 56 + 4];
    return {
      id: `00000000-0000-7000-8000-${(n + 1).toString(16).padStart(12, "0")}`,
      category_id: project.categories[n % 2].id,
      kind: "polygon",
      parts: [[[[x, y], [x + 38, y + 3], [x + 33, y + 46], [x + 5, y + 41]]]],
      z: n,
    };
  });
  await api.put(`/api/v1/items/${row.item.id}/annotations`, { change_id: "10000000-0000-7000-8000-000000000001", base_revision: 0, upserts });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id, row.item.id);
  await expect.poll(() => label.count()).toBe(COUNT);
  await page.keyboard.press("v");
  const area = (await label.stage.boundingBox())!;
  await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
  type Seen = [[number, number], [number, number]];
  const both = async (): Promise<Seen> => [await canvas(page, 0), await canvas(page, 1)];
  /** What both canvases hold once neither changes any more; where `from` is given, once both hold something else. */
  const seen = async (from?: Seen) => {
    await page.mouse.move(2, 2);
    // It is drawn over some frames, some time after the view came to rest, and shown when all of it is drawn.
    const apart = async () => (await both()).filter((c, n) => c[0] !== from?.[n][0]).length;
    await expect.poll(apart, { timeout: 30_000 }).toBe(2);
    let last = "";
    await expect
      .poll(async () => {
        const before = last;
        last = JSON.stringify(await both());
        return before === last;
      }, { intervals: [700], timeout: 30_000 })
      .toBe(true);
    return JSON.parse(last) as Seen;
  };
  await expect.poll(async () => (await both()).every((c) => c[1] > 20), { timeout: 30_000 }).toBe(true);
  let now = await seen();
  await page.keyboard.press("i");
  const grid = page.getByRole("group", { name: "How it is shown" }).getByLabel("Grid between pixels");
  for (const turned of [false, true]) {
    if (turned) {
      await page.keyboard.press("Shift+.");
      now = await seen(now);
    }
    await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
    // Little enough to stand stretched meanwhile.
    await page.mouse.wheel(0, -100);
    const rested = await seen(now);
    await changed(page);
    // There and back: nothing looks different, but all of the picture is drawn anew, in one frame.
    await grid.check();
    await grid.uncheck();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const anew = await seen();
    if (turned) {
      // Turned, a pixel of the canvas may lie between two of the image, and which one it gets is the rasteriser's affair.
      expect(await changed(page)).toBeLessThan(0.01);
      expect(anew[1]).toEqual(rested[1]);
    } else expect(anew).toEqual(rested);
    now = anew;
  }
});

test("a screen that becomes denser gets all its pixels", async ({ limn, admin, page, signIn }) => {
  const project = await makeProject(limn.api(admin.token), unique("Dense"), { items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  /** A canvas's own pixels for each of the page's. */
  const density = (id: string) =>
    page.getByTestId(id).evaluate((el) => {
      const c = el as HTMLCanvasElement;
      return Math.round((10 * c.width) / c.offsetWidth) / 10;
    });
  for (const id of ["picture", "shapes"]) await expect.poll(() => density(id)).toBe(1);
  // As when the window is moved to another screen: nothing on the page changes its size.
  await page.evaluate(() => Object.defineProperty(window, "devicePixelRatio", { value: 2, configurable: true }));
  const area = (await label.stage.boundingBox())!;
  await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
  await page.mouse.wheel(0, -100);
  for (const id of ["picture", "shapes"]) await expect.poll(() => density(id)).toBe(2);
});
