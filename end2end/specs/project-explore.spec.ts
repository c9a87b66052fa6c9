import { expect, hydrated, test, unique } from "../fixtures";
import { makeProject } from "../pages/data";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

test("items are filtered with counts that follow labels, kept as a view, exported and made a dataset", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Explored"), { items: 6 });
  const category = project.categories[0];
  const items = (await api.get(`/api/v1/projects/${project.id}/items`)).rows.map((r: any) => r.item);
  const label = async (item: any) => {
    const box = { id: crypto.randomUUID(), category_id: category.id, kind: "box", rect: { x: 40, y: 30, w: 90, h: 70 } };
    await api.put(`/api/v1/items/${item.id}/annotations`, { change_id: crypto.randomUUID(), base_revision: 0, upserts: [box] });
  };
  for (const item of items.slice(0, 3)) await label(item);
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}`);
  await hydrated(page);
  await page.getByRole("navigation", { name: "Project", exact: true }).getByRole("link", { name: "Explore" }).click();
  const count = page.locator(".explore__count");
  await expect(count).toHaveText("6 items");
  await expect(page.locator(".explore__cell")).toHaveCount(6);
  await a11y(page, toasts);
  await shots(page, "project-explore");

  const of = page.getByRole("checkbox", { name: new RegExp(`^${category.name} 3`) });
  await of.check();
  await expect(count).toHaveText("3 of 6 items");
  await expect(page).toHaveURL(/q=/);
  // Somebody labels one more: it counts when it is counted again.
  await label(items[3]);
  await page.getByRole("button", { name: "Count again" }).click();
  await expect(count).toHaveText("4 of 6 items");
  // The address alone leads here.
  await page.reload();
  await hydrated(page);
  await expect(count).toHaveText("4 of 6 items");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("button", { name: "Save this view" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Labeled ones");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("View saved.")).toBeVisible();
  await page.getByRole("button", { name: `Remove the filter Category: ${category.name}` }).click();
  await expect(count).toHaveText("6 items");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("button", { name: "Labeled ones", exact: true }).click();
  await expect(count).toHaveText("4 of 6 items");

  // All that were found, as a file.
  await page.getByRole("button", { name: "Export these" }).click();
  const exporting = page.getByRole("dialog", { name: "Export these items" });
  await expect(exporting.getByText("All 4")).toBeVisible();
  await exporting.getByRole("button", { name: "Export", exact: true }).click();
  await expect(exporting.getByRole("link", { name: "Download" })).toBeVisible({ timeout: 30_000 });
  await expect(exporting.locator(".transfer-facts")).toContainText("4items");
  await exporting.getByRole("button", { name: "Close", exact: true }).last().click();

  // Two of them, as a table, become a dataset.
  await page.getByLabel("Show as").selectOption("table");
  await page.getByRole("checkbox", { name: /^Select / }).first().check();
  await page.getByRole("checkbox", { name: /^Select / }).nth(1).check();
  await a11y(page, toasts);
  await shots(page, "project-explore-table");
  await page.getByRole("button", { name: "Version of 2 selected" }).click();
  const making = page.getByRole("dialog", { name: "Version of these items" });
  await expect(making.getByText("2 items with their labels.")).toBeVisible();
  await making.getByLabel("Name", { exact: true }).fill(unique("Two"));
  await making.getByRole("button", { name: "Register" }).click();
  await expect(making.getByText("Version 1 holds 2 files.")).toBeVisible({ timeout: 30_000 });
  await making.getByRole("button", { name: "Done" }).click();

  // A filter that nothing passes says so, and how to go on.
  await page.getByLabel("Part of a name", { exact: true }).fill("no such item");
  await expect(page.getByText("No item passes")).toBeVisible();
  await page.getByRole("button", { name: "Clear all filters" }).click();
  await expect(count).toHaveText("6 items");
});

test("what is done is about what is counted, also while the answer to another question is awaited", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Awaited"), { items: 4 });
  const category = project.categories[0];
  const { item } = (await api.get(`/api/v1/projects/${project.id}/items`)).rows[0];
  const box = { id: crypto.randomUUID(), category_id: category.id, kind: "box", rect: { x: 40, y: 30, w: 90, h: 70 } };
  await api.put(`/api/v1/items/${item.id}/annotations`, { change_id: crypto.randomUUID(), base_revision: 0, upserts: [box] });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/explore`);
  await hydrated(page);
  const count = page.locator(".explore__count");
  await expect(count).toHaveText("4 items");

  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route("**/ui/explore/items", async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("checkbox", { name: new RegExp(`^${category.name} 1`) }).check();
  await expect(page).toHaveURL(/q=/);
  await expect(count).toHaveText("4 items");
  await page.getByRole("button", { name: "More actions on these items" }).click();
  await page.getByRole("menuitem", { name: "Requeue" }).click();
  const dialog = page.getByRole("dialog", { name: "Requeue 4 items?" });
  const sent = page.waitForRequest("**/ui/item/bulk");
  await dialog.getByRole("button", { name: "Requeue" }).click();
  expect((await sent).postDataJSON().selection).toEqual({ found: {} });
  answer();
  await expect(count).toHaveText("1 of 4 items");
});
