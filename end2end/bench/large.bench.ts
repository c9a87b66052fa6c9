// From opening a picture of 900 megapixels to its first tiles on the screen, and from the key for 100 % to a sharp one. The files
// are those that the load generator left in LIMN_LARGE; `cargo xtask bench --large` runs both.
import { LabelPage } from "../pages/label";
import { makeProject } from "../pages/data";
import { expect, test, unique } from "../fixtures";
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";

/** Whether the picture's canvas shows something in the middle other than the ground it waits on. */
async function painted(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("canvas.label__layer");
    if (!canvas || canvas.width === 0) return false;
    const d = canvas.getContext("2d")!.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    return d[3] === 255 && !(d[0] === 0x1b && d[1] === 0x1d && d[2] === 0x21);
  }, undefined, { polling: "raf", timeout: 60_000 });
}

for (const name of ["large.tif", "large.jpg"]) {
  test(name, async ({ limn, admin, page, signIn }) => {
    const folder = process.env.LIMN_LARGE;
    test.skip(!folder, "LIMN_LARGE names no folder");
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Large"), { items: 0 });
    const sent = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=${name}`, await openAsBlob(join(folder!, name)));
    const { item } = await sent.json();
    await expect
      .poll(async () => (await api.get(`/api/v1/items/${item.id}/picture`)).state, { timeout: 500_000, intervals: [500] })
      .toBe("tiled");
    await signIn(page, admin);
    const label = new LabelPage(page);
    const opening = Date.now();
    await page.goto(`/projects/${project.id}/label/${item.id}`);
    await painted(page);
    const opened = Date.now() - opening;
    await label.ready();
    const area = (await label.stage.boundingBox())!;
    await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
    const sharp = page.waitForResponse((r) => /\/tiles\/0\//.test(r.url()) && r.ok());
    const turning = Date.now();
    await page.keyboard.press("Shift+z");
    await sharp;
    const close = Date.now() - turning;
    const heap = await page.evaluate(() => (performance as any).memory?.usedJSHeapSize ?? 0);
    console.log(`| ${name} in Chromium: from opening the page to the picture | ${opened} ms | < 2 s | ${opened < 2000 ? "yes" : "**no**"} | JS heap ${(heap / 1e6).toFixed(0)} MB |`);
    console.log(`| ${name} in Chromium: from the key for 100 % to the first tile of full size | ${close} ms | | | |`);
  });
}
