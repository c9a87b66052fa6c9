// Every kind of shape: drawn by mouse, key and touch; painted; keypoints by a skeleton; all of it exported and undone.
import { exportCoco, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";
import type { Page } from "@playwright/test";

type Shape = {
  id: string;
  category_id: string;
  kind: string;
  rect: Record<string, number>;
  points: number[][];
  keypoints: number[][];
  mask: { x: number; y: number; width: number; height: number; counts: string };
};

/** What the server has of the only item's labels. */
async function stored(api: Api, project: string): Promise<Shape[]> {
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  return row.annotations;
}

/** Clicks at shares of the stage. */
function hand(page: Page, label: LabelPage) {
  return async (x: number, y: number, modifier?: "Alt" | "Shift") => {
    const box = (await label.stage.boundingBox())!;
    if (modifier) await page.keyboard.down(modifier);
    await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
    if (modifier) await page.keyboard.up(modifier);
  };
}

/** Takes everything back, also over a reload, and does it again: the server has the same in the end. */
async function thereAndBack(page: Page, label: LabelPage, api: Api, project: string, steps: number) {
  await label.saved();
  const list = async () => JSON.stringify((await stored(api, project)).map(({ id, ...rest }) => [id, rest]));
  const end = await list();
  await page.reload();
  await hydrated(page);
  await label.ready();
  for (let n = 0; n < steps; n++) await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(0);
  await label.saved();
  await expect.poll(async () => (await stored(api, project)).length).toBe(0);
  for (let n = 0; n < steps; n++) await page.keyboard.press("Control+Shift+z");
  await label.saved();
  await expect.poll(list).toBe(end);
}

test("boxes of every kind, ellipses, lines and points", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Shapes"), { task: "objects", items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const click = hand(page, label);
  await page.keyboard.press("1");
  // A box by a drag, then turned by its grip.
  await label.draw([0.3, 0.4], [0.42, 0.55]);
  await page.keyboard.press("v");
  await label.saved();
  const area = (await label.stage.boundingBox())!;
  const top = 0.4 - 26 / area.height;
  await label.drag([0.36, top], [0.43, 0.42]);
  await label.saved();
  await expect.poll(async () => (await stored(api, project.id))[0].kind).toBe("rotated_box");
  await shots(page, "shape-turned");
  await page.setViewportSize({ width: 1440, height: 900 });
  // Exact numbers: the angle is typed.
  await page.getByLabel("angle in degrees").fill("30");
  await page.getByLabel("angle in degrees").press("Enter");
  await expect.poll(async () => (await stored(api, project.id))[0].rect.angle).toBe(30);
  // A rotated box by three clicks.
  await page.keyboard.press("w");
  await expect(page.getByTestId("hint")).toContainText("a side");
  await click(0.5, 0.3);
  await click(0.58, 0.38);
  await expect(page.getByTestId("hint")).toContainText("how far");
  await click(0.55, 0.47);
  await expect.poll(() => label.count()).toBe(2);
  // A box by its outermost points.
  await page.keyboard.press("Shift+w");
  for (const [x, y] of [[0.62, 0.6], [0.68, 0.52], [0.72, 0.63], [0.66, 0.7]]) await click(x, y);
  await expect.poll(() => label.count()).toBe(3);
  // An ellipse, a line ended by a double click, points of which two belong together.
  await page.keyboard.press("o");
  await label.drag([0.3, 0.6], [0.4, 0.7]);
  await expect.poll(() => label.count()).toBe(4);
  await page.keyboard.press("2");
  await page.keyboard.press("Shift+p");
  await click(0.44, 0.62);
  await click(0.5, 0.7);
  await click(0.56, 0.6);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(5);
  await page.keyboard.press("q");
  await click(0.6, 0.3);
  await click(0.64, 0.33, "Shift");
  await click(0.7, 0.3);
  await expect.poll(() => label.count()).toBe(7);
  await label.saved();
  const all = await stored(api, project.id);
  const kinds = all.map((a) => a.kind).sort();
  expect(kinds).toEqual(["box", "ellipse", "points", "points", "polyline", "rotated_box", "rotated_box"]);
  expect(all.find((a) => a.kind === "polyline")!.points).toHaveLength(3);
  expect(all.filter((a) => a.kind === "points").map((a) => a.points.length).sort()).toEqual([1, 2]);
  await a11y(page);
  await page.keyboard.press("v");
  await shots(page, "shapes");
  await page.setViewportSize({ width: 1440, height: 900 });
  // Found by kind; only those show; selected all at once.
  await page.getByRole("button", { name: "Find objects" }).click();
  await page.getByLabel("Find objects by category").fill("fox point");
  await expect.poll(() => label.count()).toBe(2);
  await page.getByLabel("Find objects by category").press("Enter");
  await expect(page.getByTestId("selected-title")).toHaveText("2 objects");
  await page.getByRole("button", { name: "Only these" }).click();
  await expect.poll(() => label.count()).toBe(7);
  await shots(page, "isolated");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Show all" }).click();
  // COCO: turned shapes as polygons, and what it has no form for is said.
  const coco = await exportCoco(api, project.id);
  expect(coco.annotations).toHaveLength(4);
  expect(coco.annotations.filter((a: { rotated_box?: number[] }) => a.rotated_box)).toHaveLength(2);
  await thereAndBack(page, label, api, project.id, 12);
});

test("painted, erased, cleaned; each stroke one step", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Brush"), { task: "segmentation", items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  await page.keyboard.press("1");
  await page.keyboard.press("b");
  const size = async () => Number((await page.getByTestId("brush-size").innerText()).replace(" px", ""));
  const before = await size();
  await page.keyboard.press("]");
  await page.keyboard.press("]");
  expect(await size()).toBe(before + 2);
  await label.drag([0.35, 0.4], [0.6, 0.4]);
  await label.drag([0.6, 0.4], [0.6, 0.6]);
  expect(await label.count()).toBe(1);
  await label.saved();
  const [painted] = await stored(api, project.id);
  expect(painted.kind).toBe("mask");
  await page.keyboard.press("e");
  await expect(page.getByTestId("hint")).toContainText("Erases from the selected");
  await label.drag([0.5, 0.35], [0.5, 0.45]);
  await label.saved();
  await expect.poll(async () => (await stored(api, project.id))[0].mask.counts).not.toBe(painted.mask.counts);
  // In mid-stroke, and with the brush's bar.
  const area = (await label.stage.boundingBox())!;
  await page.keyboard.press("b");
  await page.mouse.move(area.x + area.width * 0.4, area.y + area.height * 0.55);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.52, area.y + area.height * 0.62, { steps: 6 });
  await shots(page, "brush-stroke");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.mouse.up();
  await a11y(page);
  // A stroke that begins between the controls of the bar is a stroke, and the bar does not hide it.
  await label.saved();
  const stroked = (await stored(api, project.id))[0].mask.counts;
  const bar = (await page.getByTestId("brush-bar").boundingBox())!;
  await page.mouse.move(bar.x + 5, bar.y + bar.height / 2);
  await page.mouse.down();
  await page.mouse.move(bar.x + 5, bar.y - 40, { steps: 4 });
  await expect(page.getByTestId("brush-bar")).toHaveCSS("opacity", "0.25");
  await page.mouse.up();
  await expect(page.getByTestId("brush-bar")).toHaveCSS("opacity", "1");
  await expect.poll(async () => (await stored(api, project.id))[0].mask.counts).not.toBe(stroked);
  // Another category is another object; a polygon is edited by the brush, too.
  await page.keyboard.press("2");
  await label.drag([0.7, 0.3], [0.72, 0.45]);
  expect(await label.count()).toBe(2);
  await page.keyboard.press("m");
  await expect.poll(async () => (await stored(api, project.id)).map((a) => a.kind).sort()).toEqual(["mask", "polygon"]);
  await page.keyboard.press("b");
  await label.drag([0.72, 0.45], [0.76, 0.5]);
  await expect.poll(async () => (await stored(api, project.id)).map((a) => a.kind).sort()).toEqual(["mask", "polygon"]);
  await shots(page, "brush-done");
  await page.setViewportSize({ width: 1440, height: 900 });
  await thereAndBack(page, label, api, project.id, 11);
});

test("semantic segmentation: one category a pixel, locked ones keep theirs", async ({ limn, admin, page, signIn, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Semantic"), { task: "semantic", items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const click = hand(page, label);
  await page.keyboard.press("1");
  // What an outline encloses is painted.
  await page.keyboard.press("p");
  for (const [x, y] of [[0.35, 0.3], [0.65, 0.3], [0.65, 0.7], [0.35, 0.7]]) await click(x, y);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(1);
  await page.keyboard.press("2");
  await page.keyboard.press("b");
  for (let n = 0; n < 20; n++) await page.keyboard.press("]");
  await label.drag([0.45, 0.5], [0.75, 0.5]);
  await expect.poll(() => label.count()).toBe(2);
  await label.saved();
  await shots(page, "semantic");
  await page.setViewportSize({ width: 1440, height: 900 });
  const coco = await exportCoco(api, project.id);
  expect(coco.annotations).toHaveLength(2);
  await thereAndBack(page, label, api, project.id, 4);
});

test("a skeleton is drawn on the board; keypoints are placed by it and exported as COCO", async ({
  limn,
  admin,
  page,
  signIn,
  a11y,
  shots,
}) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Keypoints"), { task: "keypoints", items: 1 });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/categories`);
  await hydrated(page);
  await page.getByRole("button", { name: "Skeleton of raccoon" }).click();
  const dialog = page.getByRole("dialog", { name: "Skeleton of raccoon" });
  const board = dialog.getByTestId("skeleton-board");
  const box = (await board.boundingBox())!;
  const on = (x: number, y: number) => ({ position: { x: box.width * x, y: box.height * y } });
  await board.click(on(0.5, 0.15));
  await board.click(on(0.3, 0.6));
  await board.click(on(0.7, 0.6));
  for (const [n, name] of [[1, "nose"], [2, "left paw"], [3, "right paw"]] as const) {
    await dialog.getByLabel(`Name of keypoint ${n}`, { exact: true }).fill(name);
  }
  await dialog.getByRole("button", { name: "Join", exact: true }).first().click();
  await board.click(on(0.5, 0.15));
  await board.click(on(0.3, 0.6));
  // The other line without the board, and who mirrors whom.
  await dialog.getByLabel("Line from").selectOption({ label: "nose" });
  await dialog.getByLabel("Line to").selectOption({ label: "right paw" });
  await dialog.getByRole("button", { name: "Join", exact: true }).last().click();
  await dialog.getByLabel("Mirror image of left paw").selectOption({ label: "right paw" });
  await a11y(page);
  await shots(page, "skeleton-board");
  await page.setViewportSize({ width: 1440, height: 900 });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: "Skeleton of raccoon" })).toContainText("3 keypoints");
  const [category] = (await api.get(`/api/v1/projects/${project.id}/categories`)) as { skeleton: { edges: number[][]; symmetry: number[][] } }[];
  expect(category.skeleton.edges).toEqual([[0, 1], [0, 2]]);
  expect(category.skeleton.symmetry).toEqual([[1, 2]]);

  const label = new LabelPage(page);
  await label.open(project.id);
  const click = hand(page, label);
  await page.keyboard.press("1");
  await expect(page.getByTestId("hint")).toContainText("Click nose");
  await click(0.4, 0.3);
  await expect(page.getByTestId("hint")).toContainText("left paw");
  await click(0.35, 0.5, "Alt");
  await shots(page, "keypoints-drawing");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("u");
  await expect.poll(() => label.count()).toBe(1);
  // The whole figure by a drag; then one joint is moved, one hidden.
  await label.drag([0.55, 0.3], [0.7, 0.6]);
  await expect.poll(() => label.count()).toBe(2);
  await page.keyboard.press("v");
  await label.drag([0.625, 0.345], [0.62, 0.33]);
  await label.saved();
  await page.getByLabel("How right paw is seen").selectOption({ label: "Hidden" });
  await label.saved();
  await expect
    .poll(async () => (await stored(api, project.id)).map((a) => a.keypoints.map((k) => k[2]).join("")).sort())
    .toEqual(["210", "221"]);
  await a11y(page);
  await shots(page, "keypoints");
  await page.setViewportSize({ width: 1440, height: 900 });
  const coco = await exportCoco(api, project.id);
  expect(coco.categories[0].keypoints).toEqual(["nose", "left paw", "right paw"]);
  expect(coco.categories[0].skeleton).toEqual([[1, 2], [1, 3]]);
  expect(coco.annotations.map((a: { num_keypoints: number }) => a.num_keypoints).sort()).toEqual([2, 3]);
  // Its number of keypoints is fixed now: said, and nothing changes.
  const refused = await api.raw("PATCH", `/api/v1/categories/${(await stored(api, project.id))[0].category_id}`, {
    skeleton: { keypoints: [{ name: "nose", at: [0.5, 0.5] }] },
  });
  expect(refused.status).toBe(409);
  await thereAndBack(page, label, api, project.id, 6);
});

test("attributes: defined by a manager, said by a labeler, required to submit", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Attributes"), { items: 2 });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/categories`);
  await hydrated(page);
  await page.getByRole("button", { name: "Attributes of raccoon" }).click();
  const dialog = page.getByRole("dialog", { name: "Attributes of raccoon" });
  await dialog.getByRole("button", { name: "Add an attribute" }).click();
  await dialog.getByLabel("Name of attribute 1").fill("Occluded");
  await dialog.getByLabel("Required").check();
  await dialog.getByRole("button", { name: "Add an attribute" }).click();
  await dialog.getByLabel("Name of attribute 2").fill("Fur");
  await dialog.getByLabel("Type of attribute 2").selectOption({ label: "One of a list" });
  await dialog.getByLabel("Options of attribute 2").fill("grey\nbrown");
  await dialog.getByLabel("Default of attribute 2").fill("grey");
  await dialog.getByRole("button", { name: "Add an attribute" }).click();
  await dialog.getByLabel("Name of attribute 3").fill("Age");
  await dialog.getByLabel("Type of attribute 3").selectOption({ label: "Number" });
  await dialog.getByLabel("From of attribute 3").fill("0");
  await a11y(page);
  await shots(page, "attributes-dialog");
  await page.setViewportSize({ width: 1440, height: 900 });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: "Attributes of raccoon" })).toContainText("3 attributes");

  const label = new LabelPage(page);
  await label.open(project.id);
  await page.keyboard.press("1");
  await label.draw([0.4, 0.4], [0.6, 0.6]);
  const panel = page.getByRole("group", { name: "Attributes", exact: true });
  await expect(panel.getByLabel("Fur")).toHaveValue("grey");
  await label.saved();
  await expect.poll(async () => (await api.get(`/api/v1/projects/${project.id}/items`)).rows[0].annotations[0]?.attributes).toEqual({ fur: "grey" });
  // Submitting says what is missing, and where.
  await page.getByTestId("stage").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("it is required")).toBeVisible();
  await panel.getByLabel("Age").fill("-3");
  await panel.getByLabel("Age").press("Enter");
  await expect(panel.getByRole("alert")).toContainText("at least 0");
  await panel.getByLabel("Age").fill("4");
  await panel.getByLabel("Age").press("Enter");
  await panel.getByLabel("Fur").selectOption("brown");
  await shots(page, "attributes-panel");
  await page.setViewportSize({ width: 1440, height: 900 });
  await panel.getByRole("group", { name: "Occluded" }).getByRole("button", { name: "Yes" }).click();
  await a11y(page);
  const name = await label.itemName();
  await page.getByTestId("stage").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => label.itemName()).not.toBe(name);
  await expect
    .poll(async () => (await api.get(`/api/v1/projects/${project.id}/items`)).rows.find((r: { item: { status: string } }) => r.item.status === "done")?.annotations[0].attributes)
    .toEqual({ fur: "brown", age: 4, occluded: true });
});

test("neighbours share a border; outlines are sliced, cut and intersected", async ({ limn, admin, page, signIn, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Borders"), { task: "segmentation", items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const click = hand(page, label);
  type Polygon = { id: string; parts: number[][][][] };
  const polygons = async () => (await stored(api, project.id)) as unknown as Polygon[];
  await page.keyboard.press("1");
  for (const [x, y] of [[0.4, 0.35], [0.5, 0.35], [0.5, 0.65], [0.4, 0.65]]) await click(x, y);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(1);
  // Beside it: two corners near the first one's right side.
  await page.keyboard.press("2");
  await page.keyboard.press("Escape");
  const area = (await label.stage.boundingBox())!;
  const px = 3 / area.width;
  for (const [x, y] of [[0.5 + px, 0.35], [0.6, 0.35], [0.6, 0.65], [0.5 + px, 0.65]]) await click(x, y);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(2);
  await label.saved();
  const corners = (p: Polygon) => p.parts[0][0].map((v) => v.join());
  const [left, right] = await polygons();
  expect(corners(left).filter((v) => corners(right).includes(v))).toHaveLength(2);
  await shots(page, "borders");
  await page.setViewportSize({ width: 1440, height: 900 });
  // The second one falls in two.
  await page.keyboard.press("Shift+x");
  await click(0.48, 0.5);
  await click(0.65, 0.5);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(3);
  // All joined again.
  await page.keyboard.press("Control+a");
  await page.keyboard.press("j");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  await expect.poll(async () => (await polygons())[0].parts.length).toBe(1);
  // One inside it is cut out of it, which leaves a hole; the hole is filled; what both have in common is the one inside.
  await page.keyboard.press("Escape");
  await page.keyboard.press("p");
  await page.keyboard.press("2");
  for (const [x, y] of [[0.44, 0.45], [0.47, 0.45], [0.47, 0.55], [0.44, 0.55]]) await click(x, y);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(2);
  await label.saved();
  const inside = (await polygons())[1];
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Shift+c");
  await expect.poll(async () => (await polygons())[0].parts[0].length).toBe(2);
  expect(corners({ ...inside, parts: [[(await polygons())[0].parts[0][1]]] }).sort()).toEqual(corners(inside).sort());
  await page.keyboard.press("Shift+j");
  await expect.poll(async () => (await polygons())[0].parts[0].length).toBe(1);
  await page.keyboard.press("Shift+i");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  expect(corners((await polygons())[0]).sort()).toEqual(corners(inside).sort());
  await thereAndBack(page, label, api, project.id, 12);
});

test("how it is shown: gamma, names, a map; and keys of one's own", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Looks"), { items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  await page.keyboard.press("1");
  await label.draw([0.4, 0.4], [0.6, 0.6]);
  await label.saved();
  await page.keyboard.press("i");
  const panel = page.getByRole("group", { name: "How it is shown" });
  const picture = page.getByTestId("stage").locator("canvas").first();
  await expect(picture).toHaveCSS("filter", "none");
  // A slider that has the focus has the arrows, and Escape closes the panel alone: the box stays where it is, and selected.
  const boxes = await label.boxes();
  const contrast = panel.getByLabel("Contrast");
  await contrast.focus();
  await page.keyboard.press("ArrowRight");
  await expect(contrast).toHaveValue("101");
  await page.keyboard.press("ArrowLeft");
  await expect(contrast).toHaveValue("100");
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(page.getByTestId("selected-title")).toBeVisible();
  expect(await label.boxes()).toEqual(boxes);
  await page.keyboard.press("i");
  await panel.getByLabel("Gamma").fill("180");
  await panel.getByLabel("Invert the colours").check();
  await expect(picture).toHaveCSS("filter", /url\(.*label-gamma.*\) invert\(1\)/);
  await panel.getByLabel("Colour by").selectOption("object");
  await panel.getByLabel("Names").selectOption("hover");
  await panel.getByLabel("Grid between pixels").check();
  await expect(page.getByTestId("minimap")).toBeHidden();
  for (let n = 0; n < 4; n++) await page.keyboard.press("=");
  const map = page.getByTestId("minimap");
  await expect(map).toBeVisible();
  await a11y(page);
  await shots(page, "looks");
  await page.setViewportSize({ width: 1440, height: 900 });
  // The map looks elsewhere: the part in view moves to its corner.
  const frame = map.locator("i");
  const before = (await frame.boundingBox())!;
  const whole = (await map.boundingBox())!;
  await page.mouse.click(whole.x + 4, whole.y + 4);
  await expect.poll(async () => (await frame.boundingBox())!.x).toBeLessThan(before.x);
  // Kept over a reload, and back with one button.
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect(picture).toHaveCSS("filter", /invert/);
  await page.keyboard.press("i");
  await panel.getByRole("button", { name: "Reset" }).click();
  await expect(picture).toHaveCSS("filter", "none");
  await panel.getByRole("button", { name: "Done" }).click();

  // Another key for boxes; one that is taken is refused by name.
  await page.keyboard.press("F1");
  const keys = page.getByRole("dialog", { name: "Keys" });
  await keys.getByRole("button", { name: /^Change the key of: Draw boxes/ }).click();
  await page.keyboard.press("v");
  await expect(keys.getByRole("alert")).toContainText("V is the key of");
  await page.keyboard.press("Alt+b");
  await expect(keys.getByRole("button", { name: /^The default key of: Draw boxes/ })).toBeVisible();
  await a11y(page);
  await shots(page, "own-keys");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("Escape");
  await expect(keys).toBeHidden();
  await page.keyboard.press("v");
  const tool = page.getByRole("button", { name: /^Box, key/ });
  await expect(tool).toHaveAccessibleName("Box, key Alt B");
  await page.keyboard.press("r");
  await expect(tool).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("Alt+b");
  await expect(tool).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect(tool).toHaveAccessibleName("Box, key Alt B");
  await page.keyboard.press("F1");
  await keys.getByRole("button", { name: "All default keys" }).click();
  await keys.getByRole("button", { name: "Close", exact: true }).last().click();
  await expect(tool).toHaveAccessibleName("Box, key R");
});

test.describe("by touch", () => {
  test.use({ hasTouch: true });

  test("points are tapped, a finger paints", async ({ limn, admin, page, signIn }) => {
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Touch shapes"), { task: "objects", items: 1 });
    await signIn(page, admin);
    const label = new LabelPage(page);
    await label.open(project.id);
    const box = (await label.stage.boundingBox())!;
    const tap = (x: number, y: number) => page.touchscreen.tap(box.x + box.width * x, box.y + box.height * y);
    await page.getByRole("button", { name: /^raccoon/ }).first().tap();
    await page.getByRole("button", { name: "Points, key Q" }).tap();
    await tap(0.4, 0.4);
    await page.getByRole("button", { name: "Brush, key B" }).tap();
    await tap(0.6, 0.6);
    await expect.poll(() => label.count()).toBe(2);
    await label.saved();
    expect((await stored(api, project.id)).map((a) => a.kind).sort()).toEqual(["mask", "points"]);
  });

  test("several are picked by taps, copied and pasted from menus", async ({ limn, admin, page, signIn, a11y }) => {
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Touch menus"), { task: "objects", items: 1 });
    await signIn(page, admin);
    const label = new LabelPage(page);
    await label.open(project.id);
    const box = (await label.stage.boundingBox())!;
    const tap = (x: number, y: number) => page.touchscreen.tap(box.x + box.width * x, box.y + box.height * y);
    await page.getByRole("button", { name: /^raccoon/ }).first().tap();
    await page.getByRole("button", { name: "Points, key Q" }).tap();
    await tap(0.4, 0.4);
    await tap(0.6, 0.6);
    await expect.poll(() => label.count()).toBe(2);
    await page.getByRole("button", { name: "More for all objects" }).tap();
    await a11y(page);
    await page.getByRole("menuitemradio", { name: "Pick several by clicks" }).tap();
    // The second point is selected since it was set.
    await page.getByTestId("object").first().tap();
    await expect(page.getByTestId("selected-title")).toHaveText("2 objects");
    await label.saved();
    const placed = await stored(api, project.id);
    await page.getByRole("button", { name: "More for the selection" }).tap();
    const menu = page.getByRole("menu", { name: "More for the selection" });
    await expect(menu.getByRole("menuitem").first()).toBeFocused();
    // Its keys are its own: arrows move no object, Escape closes it and keeps the selection.
    await page.keyboard.press("ArrowDown");
    await expect(menu.getByRole("menuitem").nth(1)).toBeFocused();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Escape");
    await expect(menu).toBeHidden();
    await expect(page.getByTestId("selected-title")).toHaveText("2 objects");
    await label.saved();
    expect(await stored(api, project.id)).toEqual(placed);
    await page.getByRole("button", { name: "More for the selection" }).tap();
    await page.getByRole("menuitem", { name: "Copy" }).tap();
    await page.getByRole("button", { name: "More for all objects" }).tap();
    await page.getByRole("menuitem", { name: "Paste" }).tap();
    await expect.poll(() => label.count()).toBe(4);
    await page.getByRole("button", { name: "Pick one" }).tap();
    await page.getByTestId("object").first().tap();
    await expect(page.getByTestId("selected-title")).toHaveText(/1$/);
  });
});
