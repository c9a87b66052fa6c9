// Outlines: drawn and edited by mouse, key and touch; exported as COCO.
import { exportCoco, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";

type Shape = { id: string; kind: string; parts: [number, number][][][]; mask: { counts: string } };

/** What the server has of the only item's labels. */
async function stored(api: Api, project: string): Promise<Shape[]> {
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  return row.annotations;
}

test("an outline is drawn, cut, extended, reshaped, turned into a mask and back; undone to nothing and redone", async ({
  limn,
  admin,
  page,
  signIn,
  a11y,
  shots,
}) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Outlines"), { task: "segmentation", items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const at = async (x: number, y: number): Promise<[number, number]> => {
    const box = (await label.stage.boundingBox())!;
    return [box.x + box.width * x, box.y + box.height * y];
  };
  const click = async (x: number, y: number) => page.mouse.click(...(await at(x, y)));
  // The polygon tool is in hand. A square of four clicks, closed on its first corner.
  await page.keyboard.press("1");
  await expect(page.getByTestId("hint")).toContainText("Click the corners");
  for (const [x, y] of [[0.35, 0.3], [0.6, 0.3], [0.6, 0.7], [0.35, 0.7]]) await click(x, y);
  await expect(page.getByTestId("hint")).toContainText("Enter");
  await shots(page, "outline-drawing");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  const [drawn] = await stored(api, project.id);
  expect(drawn.kind).toBe("polygon");
  expect(drawn.parts[0][0]).toHaveLength(4);
  // Alt cuts a hole out of the selected outline; here by dragging.
  await page.keyboard.down("Alt");
  await click(0.42, 0.42);
  await page.keyboard.up("Alt");
  for (const [x, y] of [[0.5, 0.42], [0.5, 0.55], [0.42, 0.55]]) await click(x, y);
  await page.keyboard.press("Enter");
  await label.saved();
  await expect.poll(async () => (await stored(api, project.id))[0].parts[0].length).toBe(2);
  // Shift adds a part of its own.
  await page.keyboard.down("Shift");
  await click(0.65, 0.4);
  await page.keyboard.up("Shift");
  for (const [x, y] of [[0.72, 0.4], [0.7, 0.6]]) await click(x, y);
  await page.keyboard.press("Backspace");
  await click(0.68, 0.6);
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await stored(api, project.id))[0].parts.length).toBe(2);
  // With the select tool a corner is dragged.
  await page.keyboard.press("v");
  const before = (await stored(api, project.id))[0];
  await page.mouse.move(...(await at(0.6, 0.7)));
  await page.mouse.down();
  await page.mouse.move(...(await at(0.58, 0.75)), { steps: 5 });
  await page.mouse.up();
  await label.saved();
  await expect.poll(async () => JSON.stringify((await stored(api, project.id))[0].parts)).not.toBe(JSON.stringify(before.parts));
  await a11y(page);
  await shots(page, "outline-selected");
  await page.setViewportSize({ width: 1440, height: 900 });
  // Pixels and back.
  await page.keyboard.press("m");
  await expect.poll(async () => (await stored(api, project.id))[0].kind).toBe("mask");
  const coco = await exportCoco(api, project.id);
  expect(typeof coco.annotations[0].segmentation.counts).toBe("string");
  const size = coco.images[0];
  expect(coco.annotations[0].segmentation.size).toEqual([size.height, size.width]);
  await shots(page, "outline-mask");
  await page.setViewportSize({ width: 1440, height: 900 });
  // Held by the corners of its border, it is pulled and stays pixels.
  const panel = page.getByRole("group", { name: "Outline", exact: true });
  const tolerance = async (pixels: string) => {
    await panel.getByLabel("Tolerance in pixels").fill(pixels);
    await panel.getByLabel("Tolerance in pixels").press("Enter");
  };
  const pixels = (await stored(api, project.id))[0].mask.counts;
  await tolerance("1");
  await page.keyboard.press("Shift+v");
  await expect(panel.getByRole("button", { name: "Leave corners" })).toBeVisible();
  await page.mouse.move(...(await at(0.58, 0.75)));
  await page.mouse.down();
  await page.mouse.move(...(await at(0.55, 0.8)), { steps: 5 });
  await page.mouse.up();
  await expect.poll(async () => (await stored(api, project.id))[0].mask?.counts).not.toBe(pixels);
  expect((await stored(api, project.id))[0].kind).toBe("mask");
  await page.keyboard.press("Escape");
  await expect(panel.getByRole("button", { name: "Edit corners" })).toBeVisible();
  // Exactly along the pixels, and then with fewer corners.
  await tolerance("0");
  await page.keyboard.press("m");
  await expect.poll(async () => (await stored(api, project.id))[0].kind).toBe("polygon");
  const corners = async () => (await stored(api, project.id))[0].parts.flat(2).length;
  const exact = await corners();
  await tolerance("2");
  await page.keyboard.press("s");
  await expect.poll(corners).toBeLessThan(exact / 2);
  await label.saved();
  const end = JSON.stringify((await stored(api, project.id)).map((a) => a.parts));
  // To nothing, through a reload, and to the end again: the same document.
  await page.reload();
  await hydrated(page);
  await label.ready();
  for (let n = 0; n < 10; n++) await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(0);
  for (let n = 0; n < 10; n++) await page.keyboard.press("Control+Shift+z");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  await expect.poll(async () => JSON.stringify((await stored(api, project.id)).map((a) => a.parts))).toBe(end);
  await expect(panel.getByLabel("Tolerance in pixels")).toHaveValue("2");
});

test("a reload in the middle of an outline: it goes on where it was", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Halfway"), { task: "segmentation", items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const click = async (x: number, y: number) => {
    const box = (await label.stage.boundingBox())!;
    await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
  };
  await page.keyboard.press("1");
  for (const [x, y] of [[0.35, 0.3], [0.6, 0.3], [0.6, 0.7]]) await click(x, y);
  await expect(page.getByTestId("outline-bar")).toContainText("3 corners");
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect(page.getByTestId("outline-bar")).toContainText("3 corners");
  await page.keyboard.press("1");
  await click(0.35, 0.7);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  expect((await stored(api, project.id))[0].parts[0][0]).toHaveLength(4);
  // Finished is finished: nothing comes back.
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect(page.getByTestId("outline-bar")).toBeHidden();
});

test.describe("by touch", () => {
  test.use({ hasTouch: true });

  test("an outline is tapped corner by corner", async ({ limn, admin, page, signIn }) => {
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Touch outlines"), { task: "segmentation", items: 1 });
    await signIn(page, admin);
    const label = new LabelPage(page);
    await label.open(project.id);
    const box = (await label.stage.boundingBox())!;
    const tap = (x: number, y: number) => page.touchscreen.tap(box.x + box.width * x, box.y + box.height * y);
    await page.getByRole("button", { name: /^raccoon/ }).first().tap();
    for (const [x, y] of [[0.35, 0.3], [0.6, 0.3], [0.5, 0.7], [0.35, 0.3]]) await tap(x, y);
    await expect.poll(() => label.count()).toBe(1);
    await label.saved();
    expect((await stored(api, project.id))[0].parts[0][0]).toHaveLength(3);
  });
});
