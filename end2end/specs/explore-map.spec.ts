import { type Api, expect, hydrated, test, unique } from "../fixtures";
import { drawn, finished, makeProject } from "../pages/data";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

/** A dataset with a version of four dark pictures with boxes and four light ones without; its id. */
async function twoKinds(api: Api): Promise<string> {
  const project = await makeProject(api, unique("Two kinds"), { items: 0 });
  for (let n = 0; n < 8; n++) {
    const dark = n < 4;
    const bytes = drawn(64, 48, (x, y) => (dark ? [20 + n, 24, 30 + (x & 7)] : [220 - n, 200, (y * 4) & 255]));
    const name = encodeURIComponent(`${dark ? "dark" : "light"} ${n}.png`);
    const response = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=${name}`, new Uint8Array(bytes));
    expect(response.ok).toBe(true);
  }
  const items = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  for (const { item } of items.filter((r: any) => r.item.name.startsWith("dark"))) {
    const now = await api.get(`/api/v1/items/${item.id}/annotations`);
    const box = { id: crypto.randomUUID(), category_id: project.categories[0].id, kind: "box", rect: { x: 4, y: 4, w: 20, h: 20 } };
    await api.put(`/api/v1/items/${item.id}/annotations`, { change_id: crypto.randomUUID(), base_revision: now.revision, upserts: [box] });
  }
  const made = await api.post("/api/v1/datasets", { name: unique("Two kinds"), kind: "images" });
  await finished(api, await api.post(`/api/v1/datasets/${made.id}/versions`, { from: "project", project_id: project.id, statuses: ["todo", "done"] }));
  return made.id;
}

test("pictures lie on a map, areas of it are selected, and the grid knows the selection", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const dataset = await twoKinds(limn.api(admin.token));
  await signIn(page, admin);
  await page.goto(`/data/${dataset}/explore`);
  await hydrated(page);
  await expect(page.locator(".explore__cell")).toHaveCount(8, { timeout: 30_000 });
  await page.getByLabel("Show as").selectOption("map");
  await expect(page).toHaveURL(/view=map/);
  const shown = page.getByTestId("map-shown");
  await expect(shown).toHaveText("8 items shown", { timeout: 60_000 });
  const legend = page.getByRole("complementary", { name: "Colours" });
  await expect(legend.getByRole("button")).toHaveCount(2);
  await a11y(page, toasts);
  await shots(page, "data-explore-map");

  // All of it, by a rectangle.
  const stage = page.getByTestId("map-stage");
  const drag = async (corners: [number, number][]) => {
    await stage.scrollIntoViewIfNeeded();
    const box = (await stage.boundingBox())!;
    const at = ([x, y]: [number, number]) => [box.x + 3 + x * (box.width - 6), box.y + 3 + y * (box.height - 6)] as const;
    await page.mouse.move(...at(corners[0]));
    await page.mouse.down();
    for (const corner of corners.slice(1)) await page.mouse.move(...at(corner), { steps: 4 });
    await page.mouse.up();
  };
  await page.getByRole("button", { name: "Select by rectangle" }).click();
  await drag([[0, 0], [1, 1]]);
  await expect(page.getByText("8 selected", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Select none" }).click();

  // Those of one colour, by an outline around everything: what is hidden is not selected.
  const raccoons = legend.getByRole("button", { name: /^raccoon/ });
  await raccoons.click();
  await expect(raccoons).toHaveAttribute("aria-pressed", "false");
  await expect(shown).toHaveText("4 of 8 items shown");
  await page.getByRole("button", { name: "Select by outline" }).click();
  await drag([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0.05]]);
  await expect(page.getByText("4 selected", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "New version of 4 selected" })).toBeVisible();

  // The grid has the same selection, and so has the map again.
  await page.getByLabel("Show as").selectOption("grid");
  await expect(page.locator(".explore__pick:checked")).toHaveCount(4);
  await expect(page.getByRole("checkbox", { name: "Select light 4.png" })).toBeChecked();
  await page.getByLabel("Show as").selectOption("map");
  await expect(page.getByText("4 selected", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Select none" }).click();

  // Filters stay in force, and keys select: what is in view of those that pass.
  await page.getByRole("checkbox", { name: /^raccoon 4/ }).check();
  await expect(shown).toHaveText("4 of 8 items shown");
  await stage.focus();
  await page.keyboard.press("+");
  await page.keyboard.press("0");
  await page.keyboard.press("Space");
  await expect(page.getByText("4 selected", { exact: true })).toBeVisible();

  // The address alone leads here.
  await page.getByLabel("Colours by").selectOption("none");
  await expect(page).toHaveURL(/color=none/);
  await page.reload();
  await hydrated(page);
  await expect(shown).toHaveText("4 of 8 items shown", { timeout: 30_000 });
  await expect(legend).toBeHidden();
});
