// Several items at once: chosen by mouse and keys, labeled together, undone together, submitted by the page.
import { makeProject } from "../pages/data";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";
import type { Page } from "@playwright/test";

type Row = { item: { name: string; status: string }; annotations: { category_id: string }[] };

async function rows(api: Api, project: string): Promise<Row[]> {
  const { rows } = await api.get(`/api/v1/projects/${project}/items?limit=100`);
  return rows.map((r: any) => ({ item: r.item ?? r, annotations: r.annotations }));
}

const labeled = (list: Row[]) => list.filter((r) => r.annotations.length > 0).length;
const done = (list: Row[]) => list.filter((r) => r.item.status === "done").length;

async function enter(page: Page, project: string) {
  await page.goto(`/projects/${project}/label`);
  await hydrated(page);
  await page.getByRole("button", { name: "Several items at once" }).click();
  await expect(page.getByTestId("cell")).toHaveCount(9);
}

test("a page of images is labeled, taken back and submitted", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Grid"), { task: "classification", categories: ["cat", "dog"], items: 12 });
  await signIn(page, admin);
  await enter(page, project.id);
  const cells = page.getByTestId("cell");

  // A range by click and Shift, then the key of a category for all of it.
  await cells.nth(0).click();
  await cells.nth(4).click({ modifiers: ["Shift"] });
  await expect(page.getByTestId("grid-count")).toHaveText("0 of 9 labeled, 5 chosen");
  await page.keyboard.press("1");
  await expect(page.getByTestId("grid-count")).toHaveText("5 of 9 labeled, 5 chosen");
  await expect.poll(async () => labeled(await rows(api, project.id))).toBe(5);
  // One step back takes it from all of them; and again.
  await page.keyboard.press("Control+z");
  await expect(page.getByTestId("grid-count")).toHaveText("0 of 9 labeled, 5 chosen");
  await page.keyboard.press("Control+Shift+z");
  await expect(page.getByTestId("grid-count")).toHaveText("5 of 9 labeled, 5 chosen");
  // Keys alone: to the next ones, choosing on the way, with the other category.
  await cells.nth(4).click();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("2");
  await expect(page.getByTestId("grid-count")).toHaveText("7 of 9 labeled, 2 chosen");
  await expect(cells.nth(5)).toHaveAttribute("aria-label", /dog/);
  await a11y(page);
  await shots(page, "label-grid");
  await page.setViewportSize({ width: 1440, height: 900 });

  // A reload keeps the page, what is on it, and that it is a page.
  await expect.poll(async () => labeled(await rows(api, project.id))).toBe(7);
  await page.reload();
  await hydrated(page);
  await expect(page.getByTestId("grid-count")).toHaveText("7 of 9 labeled");

  // Enter takes those that have a category; the others stay, and new ones come.
  await page.keyboard.press("Enter");
  await expect.poll(async () => done(await rows(api, project.id))).toBe(7);
  await expect(cells).toHaveCount(5);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Give the items a category first")).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("1");
  await page.keyboard.press("Enter");
  await expect.poll(async () => done(await rows(api, project.id))).toBe(12);
  await expect(page.getByText("Nothing left in the queue")).toBeVisible();
  const list = await rows(api, project.id);
  const dogs = list.filter((r) => r.annotations[0].category_id === project.categories[1].id);
  expect([list.length, dogs.length]).toEqual([12, 2]);
  expect(list.every((r) => r.annotations.length === 1)).toBe(true);
});

test("several categories an image; some are skipped; one is opened", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Multi"), { task: "multilabel", categories: ["cat", "dog"], items: 10 });
  await signIn(page, admin);
  await enter(page, project.id);
  const cells = page.getByTestId("cell");
  await cells.nth(0).click();
  await cells.nth(1).click({ modifiers: ["Control"] });
  await page.keyboard.press("1");
  await page.keyboard.press("2");
  await expect.poll(async () => (await rows(api, project.id)).map((r) => r.annotations.length).sort().slice(-3)).toEqual([0, 2, 2]);
  // All of the chosen have it: it is taken away again.
  await page.keyboard.press("2");
  await expect.poll(async () => (await rows(api, project.id)).map((r) => r.annotations.length).sort().slice(-3)).toEqual([0, 1, 1]);
  await cells.nth(3).click();
  await page.keyboard.press("x");
  await page.getByRole("dialog").getByRole("button", { name: /^Skip/ }).click();
  await expect.poll(async () => (await rows(api, project.id)).filter((r) => r.item.status === "skipped").length).toBe(1);
  await expect(cells).toHaveCount(9);
  await page.getByRole("button", { name: "Submit all" }).click();
  await expect.poll(async () => done(await rows(api, project.id))).toBe(9);
  await expect(page.getByText("Nothing left in the queue")).toBeVisible();
});

test.describe("by touch", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("taps choose, a tap on a category labels them", async ({ limn, admin, page, signIn }) => {
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Taps"), { task: "classification", categories: ["cat", "dog"], items: 9 });
    await signIn(page, admin);
    await enter(page, project.id);
    await page.getByTestId("cell").nth(0).tap();
    await page.getByTestId("cell").nth(1).tap();
    await page.getByRole("button", { name: /^dog/ }).tap();
    await expect.poll(async () => labeled(await rows(api, project.id))).toBe(2);
    await page.getByRole("button", { name: /^Submit/ }).first().tap();
    await expect.poll(async () => done(await rows(api, project.id))).toBe(2);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(sideways).toBe(false);
  });
});
