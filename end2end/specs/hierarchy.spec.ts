// Classification by a tree of categories: each key says it more exactly.
import { makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, test, unique } from "../fixtures";
import type { Api } from "../fixtures";

/** Adds "vehicle > car, truck > pickup, lorry" and "animal > cat, dog" to a project without categories. */
async function grow(api: Api, project: string, more: Record<string, string[]> = {}): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const add = async (name: string, parent?: string) => {
    const made = await api.post(`/api/v1/projects/${project}/categories`, { name, parent_id: parent && ids.get(parent) });
    ids.set(name, made.id);
  };
  const tree = { vehicle: ["car", "truck"], truck: ["pickup", "lorry"], animal: ["cat", "dog"], ...more };
  await add("vehicle");
  await add("animal");
  for (const [parent, below] of Object.entries(tree)) for (const name of below) await add(name, parent);
  return ids;
}

const labels = async (api: Api, item: string, ids: Map<string, string>): Promise<string[]> => {
  const { annotations } = await api.get(`/api/v1/items/${item}/annotations`);
  const name = (id: string) => [...ids].find(([, v]) => v === id)![0];
  return annotations.map((a: any) => name(a.category_id)).sort();
};

test("keys go down the tree, and Escape back up", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Tree"), { task: "classification", categories: [], items: 2 });
  const ids = await grow(api, project.id, { cat: ["siamese", "tabby", "persian", "manx", "bengal"] });
  const [first] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const choices = page.getByRole("region", { name: "Categories" });
  const choice = (name: string) => choices.getByRole("button", { name });

  // Of a large tree only the top shows at first.
  await expect(choice("vehicle")).toBeVisible();
  await expect(choice("truck")).toHaveCount(0);
  await page.keyboard.press("1");
  await expect(choice("vehicle")).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("branch")).toContainText("vehicle");
  await page.keyboard.press("2");
  await page.keyboard.press("1");
  await expect(choice("pickup")).toHaveAttribute("aria-pressed", "true");
  await expect(choice("truck")).toHaveAttribute("aria-pressed", "false");
  await expect(page.getByTestId("branch")).toContainText("vehicle \u203a truck");
  await a11y(page);
  await shots(page, "label-hierarchy");
  await page.setViewportSize({ width: 1440, height: 900 });
  // A leaf keeps its siblings at hand; Escape goes up twice and leaves the label alone.
  await page.keyboard.press("2");
  await expect(choice("lorry")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("branch")).toHaveCount(0);
  await expect.poll(() => labels(api, first.item.id, ids)).toEqual(["lorry"]);
  // The whole way is three steps to undo.
  for (const name of ["pickup", "truck", "vehicle"]) {
    await page.keyboard.press("Control+z");
    await expect(choice(name)).toHaveAttribute("aria-pressed", "true");
  }

  // Submitting by picking waits for a category with nothing below it.
  await page.getByLabel("Submit as soon as I pick").check();
  const before = await label.itemName();
  await page.keyboard.press("2");
  await expect(page.getByTestId("branch")).toContainText("animal");
  expect(await label.itemName()).toBe(before);
  await page.keyboard.press("2");
  await expect.poll(() => label.itemName()).not.toBe(before);
  await expect.poll(() => labels(api, first.item.id, ids)).toEqual(["dog"]);
  await expect(page.getByTestId("branch")).toHaveCount(0);
});

test("with many labels an item, those above are said by those below", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Forest"), { task: "multilabel", categories: [], items: 1 });
  const ids = await grow(api, project.id);
  const [first] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  const choice = (name: string) => page.getByRole("region", { name: "Categories" }).getByRole("button", { name });
  await page.keyboard.press("1");
  await page.keyboard.press("1");
  await expect(choice("car")).toHaveAttribute("aria-pressed", "true");
  await expect(choice("vehicle")).toHaveAttribute("aria-pressed", "false");
  await expect(choice("vehicle")).toHaveClass(/is-implied/);
  await choice("dog").click();
  await label.saved();
  await expect.poll(() => labels(api, first.item.id, ids)).toEqual(["car", "dog"]);
});
