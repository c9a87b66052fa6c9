// Thousands of outlines: by the graphics card they look as they do on a canvas.
import { drawn, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, test, unique } from "../fixtures";
import type { Page } from "@playwright/test";

const SIZE = { width: 1600, height: 1200 };
const [COLUMNS, ROWS] = [50, 40];

/** The share of bright pixels of each picture that have one of the other at most two pixels away. */
async function alike(page: Page, a: Buffer, b: Buffer): Promise<[number, number]> {
  return page.evaluate(async (pictures) => {
    const read = async (base64: string) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const c = canvas.getContext("2d")!;
      c.drawImage(image, 0, 0);
      const { data } = c.getImageData(0, 0, image.width, image.height);
      const bright = new Uint8Array(image.width * image.height);
      for (let i = 0; i < bright.length; i++) bright[i] = Math.max(data[4 * i], data[4 * i + 1], data[4 * i + 2]) > 90 ? 1 : 0;
      return { bright, w: image.width, h: image.height };
    };
    const [x, y] = [await read(pictures[0]), await read(pictures[1])];
    const covered = (p: typeof x, q: typeof x) => {
      let [all, near] = [0, 0];
      for (let i = 2; i < p.h - 2; i++)
        for (let j = 2; j < p.w - 2; j++) {
          if (!p.bright[i * p.w + j]) continue;
          all++;
          let found = 0;
          for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) found |= q.bright[(i + dy) * q.w + j + dx];
          near += found;
        }
      if (all < 5_000) throw new Error(`only ${all} pixels of outlines`);
      return near / all;
    };
    return [covered(x, y), covered(y, x)] as [number, number];
  }, [a.toString("base64"), b.toString("base64")]);
}

test("the graphics card draws what the canvas draws, zoomed, turned and after a change", async ({ limn, admin, page, signIn }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Crowd"), { task: "objects", items: 0 });
  await api.raw("POST", `/api/v1/projects/${project.id}/items?name=dark.png`, new Uint8Array(drawn(SIZE.width, SIZE.height, () => [18, 18, 18])));
  const [row] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  const [w, h] = [SIZE.width / COLUMNS, SIZE.height / ROWS];
  const upserts = Array.from({ length: COLUMNS * ROWS }, (_, n) => {
    const [x, y] = [(n % COLUMNS) * w + 3, Math.floor(n / COLUMNS) * h + 3];
    const ring = [[x, y], [x + 22, y + 2], [x + 20, y + 22], [x + 4, y + 18]];
    const shape = [
      { kind: "polygon", parts: [[ring]] },
      { kind: "box", rect: { x, y, w: 20, h: 16 } },
      { kind: "ellipse", rect: { cx: x + 12, cy: y + 12, w: 22, h: 14, angle: 30 } },
      { kind: "polyline", points: ring },
    ][n % 4];
    const id = `00000000-0000-7000-8000-${(n + 1).toString(16).padStart(12, "0")}`;
    return { id, category_id: project.categories[n % 2].id, z: n, ...shape };
  });
  await api.put(`/api/v1/items/${row.item.id}/annotations`, { change_id: "10000000-0000-7000-8000-000000000001", base_revision: 0, upserts });
  await signIn(page, admin);
  const label = new LabelPage(page);
  const card = page.getByTestId("card");
  const open = async (use: "always" | "never", count: number) => {
    await page.goto("/");
    await page.evaluate((card) => localStorage.setItem("limn-look", JSON.stringify({ card })), use);
    await label.open(project.id, row.item.id);
    await expect.poll(() => label.count()).toBe(count);
    await page.keyboard.press("v");
    await (use === "always" ? expect(card).toBeVisible() : expect(card).toBeHidden());
  };
  /** The stage a moment after the last change, without the pointer on it. */
  const seen = async () => {
    await page.mouse.move(2, 2);
    await page.waitForTimeout(1_200);
    const area = (await label.stage.boundingBox())!;
    // Without the signs in its corners.
    return page.screenshot({ clip: { x: area.x + 60, y: area.y + 60, width: area.width - 120, height: area.height - 140 } });
  };
  const middle = async (): Promise<[number, number]> => {
    const area = (await label.stage.boundingBox())!;
    return [area.x + area.width / 2, area.y + area.height / 2];
  };
  const views = async () => {
    const fit = await seen();
    await page.mouse.move(...(await middle()));
    await page.mouse.wheel(0, -60);
    const zoomed = await seen();
    await page.keyboard.press("Shift+.");
    return [fit, zoomed, await seen()];
  };
  await open("never", COLUMNS * ROWS);
  const plain = await views();
  await open("always", COLUMNS * ROWS);
  const byCard = await views();
  for (const [n, picture] of plain.entries()) {
    for (const share of await alike(page, picture, byCard[n])) expect(share).toBeGreaterThan(0.97);
  }
  await expect(card).toBeVisible();

  // Close up there are few: the canvas takes over, with fills.
  await page.keyboard.press("Alt+,");
  await page.mouse.move(...(await middle()));
  for (let n = 0; n < 6; n++) await page.mouse.wheel(0, -300);
  await expect(card).toBeHidden();
  await page.keyboard.press("z");
  await expect(card).toBeVisible();

  // What is selected and moved does not stay where it was, nor what is deleted.
  await page.keyboard.press("Tab");
  for (let n = 0; n < 3; n++) await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
  await label.saved();
  const changed = await seen();
  await open("never", COLUMNS * ROWS - 1);
  const wanted = await seen();
  for (const share of await alike(page, changed, wanted)) expect(share).toBeGreaterThan(0.97);
});
