// Attributes of whole items: a manager defines them, a labeler says them, required ones hold up a submission.
import { makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";

test("attributes of items: defined, said, required, taken back", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("About"), { items: 2 });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/categories`);
  await hydrated(page);
  await page.getByRole("button", { name: "Attributes of items" }).click();
  const dialog = page.getByRole("dialog");
  for (const [n, name, kind] of [[1, "Weather", "select"], [2, "Caption", "text"]] as const) {
    await dialog.getByRole("button", { name: "Add an attribute" }).click();
    await dialog.getByLabel(`Name of attribute ${n}`).fill(name);
    await dialog.getByLabel(`Type of attribute ${n}`).selectOption(kind);
  }
  await dialog.getByLabel("Options of attribute 1").fill("rain\nsun");
  await dialog.getByLabel(/Required/).first().check();
  await shots(page, "item-attributes");
  await page.setViewportSize({ width: 1440, height: 900 });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Asked of every item: Weather, Caption.")).toBeVisible();

  const label = new LabelPage(page);
  await label.open(project.id);
  const item = (await page.getByTestId("item-name").textContent())!;
  await page.keyboard.press("Enter");
  await expect(page.getByText(/of the item first: it is required/)).toBeVisible();
  const about = page.getByRole("region", { name: "This item" });
  await about.getByLabel("Weather").selectOption("rain");
  await about.getByLabel("Caption").fill("A wet road");
  await page.keyboard.press("Enter");
  await label.saved();
  const said = async () => {
    const { rows } = await api.get(`/api/v1/projects/${project.id}/items`);
    const row = rows.map((r: any) => r.item ?? r).find((r: any) => r.name === item);
    return [row.status, (await api.get(`/api/v1/items/${row.id}/annotations`)).attributes];
  };
  await expect.poll(said).toEqual(["todo", { weather: "rain", caption: "A wet road" }]);
  await a11y(page);
  await shots(page, "label-about");
  await page.setViewportSize({ width: 1440, height: 900 });
  // One step back; a reload keeps that; forward again.
  await page.keyboard.press("Control+z");
  await label.saved();
  await expect.poll(said).toEqual(["todo", { weather: "rain" }]);
  await page.reload();
  await hydrated(page);
  await label.ready();
  await page.keyboard.press("Control+Shift+z");
  await label.saved();
  await expect.poll(said).toEqual(["todo", { weather: "rain", caption: "A wet road" }]);
  await page.keyboard.press("Enter");
  await expect.poll(said).toEqual(["done", { weather: "rain", caption: "A wet road" }]);
  // The next item has nothing of it.
  await expect(about.getByLabel("Caption")).toHaveValue("");
});
