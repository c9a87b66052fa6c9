import { type Api, expect, hydrated, test, unique } from "../fixtures";
import { finished, makeProject } from "../pages/data";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

/** A dataset with a version of six pictures, boxes on three of them; its id. */
async function street(api: Api): Promise<{ dataset: string; category: string }> {
  const project = await makeProject(api, unique("Street"), { items: 6 });
  const items = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  for (const { item } of items.slice(0, 3)) {
    const now = await api.get(`/api/v1/items/${item.id}/annotations`);
    const box = { id: crypto.randomUUID(), category_id: project.categories[0].id, kind: "box", rect: { x: 40, y: 30, w: 90, h: 70 } };
    await api.put(`/api/v1/items/${item.id}/annotations`, { change_id: crypto.randomUUID(), base_revision: now.revision, upserts: [box] });
  }
  const made = await api.post("/api/v1/datasets", { name: unique("Street data"), kind: "images" });
  await finished(api, await api.post(`/api/v1/datasets/${made.id}/versions`, { from: "project", project_id: project.id, statuses: ["todo", "done"] }));
  return { dataset: made.id, category: project.categories[0].name };
}

test("files are filtered with counts, the filter is kept as a view, and what was found becomes a dataset", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const { dataset, category } = await street(api);
  await signIn(page, admin);
  await page.goto(`/data/${dataset}/explore`);
  await hydrated(page);
  const count = page.locator(".explore__count");
  await expect(count).toHaveText("6 files", { timeout: 30_000 });
  await expect(page.locator(".explore__cell")).toHaveCount(6);
  await a11y(page, toasts);
  await shots(page, "data-explore");

  const of = page.getByRole("checkbox", { name: new RegExp(`^${category} 3`) });
  await of.check();
  await expect(count).toHaveText("3 of 6 files");
  await expect(page).toHaveURL(/q=/);
  await expect(of).toBeChecked();
  // The address alone leads here.
  await page.reload();
  await hydrated(page);
  await expect(count).toHaveText("3 of 6 files");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("button", { name: "Save this view" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Labeled ones");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("View saved.")).toBeVisible();
  await page.getByRole("button", { name: `Remove the filter Category: ${category}` }).click();
  await expect(count).toHaveText("6 files");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("button", { name: "Labeled ones", exact: true }).click();
  await expect(count).toHaveText("3 of 6 files");

  // Two of them, as a table, become a dataset of their own.
  await page.getByLabel("Show as").selectOption("table");
  await page.getByRole("checkbox", { name: /^Select / }).first().check();
  await page.getByRole("checkbox", { name: /^Select / }).nth(1).check();
  await a11y(page, toasts);
  await shots(page, "data-explore-table");
  await page.getByRole("button", { name: "New version of 2 selected" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("2 files that you selected.")).toBeVisible();
  const name = unique("Two");
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: "Register" }).click();
  await expect(dialog.getByText("Version 1 holds 2 files.")).toBeVisible({ timeout: 30_000 });
  await dialog.getByRole("button", { name: "Done" }).click();

  // A filter that nothing passes says so, and how to go on.
  await page.getByLabel("Part of a path", { exact: true }).fill("no such file");
  await expect(page.getByText("No file passes")).toBeVisible();
  await page.getByRole("button", { name: "Clear all filters" }).click();
  await expect(count).toHaveText("6 files");

  // A question that cannot be answered can be left behind.
  const wrong = encodeURIComponent('{"facets":{"colour":["red"]}}');
  await page.goto(`/data/${dataset}/explore?version=1&q=${wrong}`);
  await hydrated(page);
  await page.getByRole("button", { name: "Clear all filters" }).click();
  await expect(count).toHaveText("6 files");

  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Search or jump to" });
  await palette.locator("input").fill(name);
  await expect(palette.getByText(name).first()).toBeVisible();
  await page.keyboard.press("Escape");
});

test("a phone shows what was found, and keeps the rest behind two buttons", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const { dataset, category } = await street(limn.api(admin.token));
  await signIn(page, admin);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/data/${dataset}/explore`);
  await hydrated(page);
  const count = page.locator(".explore__count");
  await expect(count).toHaveText("6 files", { timeout: 30_000 });
  const top = async (selector: string) => (await page.locator(selector).first().boundingBox())!.y;
  expect((await top(".explore__cell")) - (await top(".explore__tools"))).toBeLessThan(180);
  await expect(page.getByLabel("Part of a path")).toBeVisible();
  const show = page.getByLabel("Show as");
  const of = page.getByRole("checkbox", { name: new RegExp(`^${category} 3`) });
  await expect(show).toBeHidden();
  await expect(of).toBeHidden();

  const options = page.getByRole("button", { name: "Options", exact: true });
  await options.press("Enter");
  await expect(options).toHaveAttribute("aria-expanded", "true");
  await expect(page.getByLabel("Version", { exact: true })).toBeVisible();
  await show.selectOption("table");
  await expect(page.getByRole("table", { name: "Files" })).toBeVisible();
  await show.selectOption("grid");
  await page.getByRole("button", { name: "Views" }).click();
  await expect(page.getByText("No view yet.")).toBeVisible();
  await page.keyboard.press("Escape");
  await a11y(page, toasts);
  await options.click();
  await expect(show).toBeHidden();

  await page.getByRole("button", { name: "Filters", exact: true }).click();
  await of.check();
  await expect(count).toHaveText("3 of 6 files");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, "scrolls sideways").toBeLessThanOrEqual(0);
  await a11y(page, toasts);
  await shots(page, "data-explore-phone");
});

test("the list of versions says which one is looked through, also where the tab leads to another", async ({ limn, admin, page, signIn }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const { dataset } = await street(api);
  const [one] = await api.get(`/api/v1/datasets/${dataset}/versions`);
  const two = { from: "selection", version_id: one.id, paths: ["photo 1.png", "photo 2.png"] };
  await finished(api, await api.post(`/api/v1/datasets/${dataset}/versions`, two));
  await signIn(page, admin);
  await page.goto(`/data/${dataset}/explore?version=1`);
  await hydrated(page);
  const count = page.locator(".explore__count");
  const version = page.getByLabel("Version", { exact: true });
  await expect(count).toHaveText("6 files", { timeout: 30_000 });
  await expect(version).toHaveValue("1");
  // Its address names none, so it is the newest.
  await page.getByRole("navigation", { name: "Dataset", exact: true }).getByRole("link", { name: "Explore" }).click();
  await expect(count).toHaveText("2 files", { timeout: 30_000 });
  await expect(version).toHaveValue("2");
  await page.getByLabel("Part of a path", { exact: true }).fill("photo 1");
  await expect(count).toHaveText("1 of 2 files");
  await expect(page).toHaveURL(/version=2/);
  await version.selectOption("1");
  await expect(count).toHaveText("1 of 6 files");
  await expect(page).toHaveURL(/version=1/);
});

test("files are tagged by keyboard, filtered by tag, and the change is undone", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const { dataset } = await street(api);
  await signIn(page, admin);
  await page.goto(`/data/${dataset}/explore`);
  await hydrated(page);
  const count = page.locator(".explore__count");
  await expect(count).toHaveText("6 files", { timeout: 30_000 });
  const select = (n: number) => page.getByRole("checkbox", { name: /^Select / }).nth(n);
  await select(0).check({ force: true });
  await select(1).check({ force: true });

  // A new tag, by keys alone: T, its name, Enter makes it, Enter is done.
  await page.keyboard.press("t");
  const dialog = page.getByRole("dialog", { name: "Tags of 2 selected files" });
  await expect(dialog.getByText("No tag yet.")).toBeVisible();
  await dialog.getByLabel("Find or make a tag").fill("night");
  await expect(dialog.getByRole("button", { name: "Make the tag “night”" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("checkbox", { name: /^night/ })).toBeChecked();
  await a11y(page, toasts);
  await shots(page, "data-explore-tags");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByText("The tags of 2 files changed.")).toBeVisible();
  await expect(page.locator(".explore__cell .data-tag", { hasText: "night" })).toHaveCount(2);
  const of = page.getByRole("checkbox", { name: /^night 2/ });
  await of.check();
  await expect(count).toHaveText("2 of 6 files");
  await expect(page).toHaveURL(/tag/);
  // The address alone leads here.
  await page.reload();
  await hydrated(page);
  await expect(count).toHaveText("2 of 6 files");
  await page.getByRole("checkbox", { name: /^none 4/ }).check();
  await expect(count).toHaveText("6 files");
  await page.getByRole("button", { name: "Clear all" }).click();
  await expect(page.getByRole("button", { name: "Clear all" })).toBeHidden();

  // All that were found: some have the tag, so one click puts it on the others, and the next takes it off all.
  await page.getByRole("button", { name: /^Tag these/ }).click();
  const all = page.getByRole("dialog", { name: "Tags of 6 files found" });
  const night = all.getByRole("checkbox", { name: /^night/ });
  await expect(night).toHaveJSProperty("indeterminate", true);
  await night.click();
  await expect(night).toBeChecked();
  await night.click();
  await expect(all.getByText("to be removed")).toBeVisible();
  await all.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("The tags of 2 files changed.")).toBeVisible();
  await expect(page.locator(".explore__cell .data-tag")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("The tags are as they were.")).toBeVisible();
  await expect(page.locator(".explore__cell .data-tag", { hasText: "night" })).toHaveCount(2);

  // The tag itself is deleted, by keys alone, once that is said to concern both files.
  await page.keyboard.press("t");
  await all.getByRole("button", { name: "Delete the tag night" }).press("Enter");
  const sure = page.getByRole("dialog", { name: "Delete the tag “night”?" });
  await expect(sure.getByText("2 files of the dataset lose it")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "data-explore-tag-delete");
  await page.keyboard.press("Escape");
  await expect(sure).toBeHidden();
  await expect(all).toBeVisible();
  await all.getByRole("button", { name: "Delete the tag night" }).press("Enter");
  await sure.getByRole("button", { name: "Delete the tag" }).press("Enter");
  await expect(sure).toBeHidden();
  await expect(all).toBeHidden();
  await expect(page.getByText("The tag “night” is deleted: 2 files had it.")).toBeVisible();
  await expect(page.locator(".explore__cell .data-tag")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("The tags are as they were.")).toBeVisible();
  await expect(page.locator(".explore__cell .data-tag", { hasText: "night" })).toHaveCount(2);

  // A comma is no part of a name.
  await page.keyboard.press("t");
  await all.getByLabel("Find or make a tag").fill("a, b");
  await expect(all.getByText("holds a comma")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(all).toBeHidden();
});

test("pictures come in the order of likeness to one of them", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const { dataset } = await street(api);
  await signIn(page, admin);
  await page.goto(`/data/${dataset}/explore`);
  await hydrated(page);
  const cells = page.locator(".explore__cell");
  await expect(cells).toHaveCount(6, { timeout: 30_000 });
  await expect(page.getByRole("button", { name: "Similar to photo 4.png" })).toBeAttached();

  // The key is about the picture under the pointer.
  await cells.nth(2).hover();
  await page.keyboard.press("s");
  await expect(page.getByRole("button", { name: "Remove the filter Similar to photo 3.png" })).toBeVisible();
  await expect(cells.first().locator(".explore__far")).toHaveText("0.000", { timeout: 30_000 });
  await expect(cells.first()).toContainText("photo 3.png");
  const far = (await page.locator(".explore__far").allInnerTexts()).map(Number);
  expect(far).toEqual([...far].sort((a, b) => a - b));
  expect(far[1]).toBeGreaterThan(0);
  await expect(page.getByLabel("Order", { exact: true })).toHaveValue("like up");
  await a11y(page, toasts);
  await shots(page, "data-explore-similar");

  // The address alone leads here, and another order leads away.
  await page.reload();
  await hydrated(page);
  await expect(cells.first().locator(".explore__far")).toHaveText("0.000");
  await page.getByLabel("Order", { exact: true }).selectOption("path down");
  await expect(cells.first()).toContainText("photo 6.png");
  await expect(page.locator(".explore__far")).toHaveCount(0);

  // By its button, in the table.
  await page.getByLabel("Show as").selectOption("table");
  await page.getByRole("button", { name: "Similar to photo 5.png" }).click();
  await expect(page.getByRole("row").nth(1)).toContainText("photo 5.png");
});

test("a token for one dataset comes with a key pair for S3 clients", async ({ limn, admin, page, signIn, a11y }) => {
  const api = limn.api(admin.token);
  const made = await api.post("/api/v1/datasets", { name: unique("Shared"), kind: "files" });
  await signIn(page, admin);
  await page.goto("/account");
  await hydrated(page);
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("reader");
  await dialog.getByLabel("Reaches").selectOption({ label: `${made.name} (dataset)` });
  await dialog.getByRole("button", { name: "Create token" }).click();
  await dialog.getByText("For S3 clients").click();
  await expect(dialog.getByTestId("s3-id")).toHaveText(/^LIMN[0-9A-F]{32}$/);
  await a11y(page, toasts);
  const token = await dialog.getByTestId("token-secret").innerText();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("one dataset").first()).toBeVisible();
  const seen = await limn.api(token).get("/api/v1/datasets");
  expect(seen.rows.map((d: any) => d.id)).toEqual([made.id]);
});
